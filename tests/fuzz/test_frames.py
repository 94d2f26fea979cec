"""A small share of `python -m scripts.fuzzframes`, and that it finds what it looks for."""

from __future__ import annotations

import asyncio
import logging

import pytest

from polynya.relay.heads import Head, Progress, judge
from tests.fuzz import frames
from tests.fuzz.frames import TARGETS, FaultError, Input, Maker, place, run

SHARE = {"head": 60, "websocket": 40, "call": 20, "sealed": 40}
OTHERS = 400
PLANTED = Input("head", (b"GET / HTTP/1.1\r\nHost: a\r\nX-Planted: 1\r\n\r\n",))


@pytest.mark.parametrize("target", TARGETS)
async def test_nothing_but_what_is_typed_comes_of_hostile_bytes(target: str) -> None:
    async with place() as at:
        count = SHARE.get(target, OTHERS)
        report = await run(Maker("share"), range(count), (target,), at)
        assert report.faults == []
        assert report.seen.total() == count
        assert len(report.seen) > 1 or target == "exchange"


def test_inputs_are_of_seed_and_number() -> None:
    one, other = Maker("a"), Maker("a")
    # A hello has bytes of chance in it, which are the same within a process.
    kinds = tuple(name for name in TARGETS if name != "hello")
    assert [one.make(number, kinds) for number in range(200)] == [
        other.make(number, kinds) for number in range(200)
    ]
    assert Maker("b").make(1, kinds) != one.make(1, kinds)


async def test_an_error_in_the_log_is_a_fault() -> None:
    async with place() as at:
        logging.getLogger("polynya.relay").error("a session failed: %s", "KeyError")
        with pytest.raises(FaultError, match="a session failed"):
            await at.run(PLANTED)


async def test_an_exception_that_is_not_typed_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    async with place() as at:

        def planted(*_: object) -> None:
            raise KeyError("planted")

        monkeypatch.setattr(frames, "refusal", planted)
        with pytest.raises(FaultError, match="KeyError"):
            await at.run(Input("hello", (b"\x16\x03\x01\x00\x00",)))


async def test_what_does_not_end_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    async with place() as at:
        monkeypatch.setattr(frames, "PATIENCE", 0.05)
        monkeypatch.setattr(at, "_tries", {"head": lambda _: asyncio.sleep(60)})
        with pytest.raises(FaultError, match="does not come to its end"):
            await at.run(PLANTED)


def test_a_head_is_judged_once_however_it_is_cut() -> None:
    """Byte by byte it takes as many steps as it has lines, each of its own length."""
    for line in (b"X: y\r\n", b"X:" + b" " * 4_000 + b"y\r\n", b"X-" + b"a" * 4_000 + b": y\r\n"):
        head = b"GET / HTTP/1.1\r\nHost: a\r\n" + line * min(900, 30_000 // len(line)) + b"\r\n"
        progress, data = Progress(), bytearray()
        for at in range(len(head)):
            data += head[at : at + 1]
            found = progress.advance(data)
            assert found is None or at == len(head) - 1
        assert found == len(head)
        assert isinstance(judge(head), Head)
