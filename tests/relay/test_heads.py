"""Heads that come in pieces."""

from __future__ import annotations

import random

import pytest

from polynya.relay.heads import LINES, Progress

PIECES = (
    b"X: y\r\n",
    b"Host: a\r\n",
    b"Y: z\n",
    b"\r\n",
    b"q:" + b"\xff" * 20 + b"\r\n",
    b"A" * 1_000 + b": b\r\n",
    b"L: " + b"z" * 8_000 + b"\r\n",
    b"L: " + b"z" * 8_190 + b"\r\n",
    b"Bad\x01: y\r\n",
    b"X:\n",
    b"no line",
)
FIRST = b"GET / HTTP/1.1\r\n"


class OneByOne(Progress):
    """Judges each line by itself."""

    __slots__ = ()

    def _pass_ordinary(self, data: bytes | bytearray) -> bool:
        return True


def same(head: bytes, cuts: list[int]) -> bool:
    """Whether something was found; both must find it, after the same piece."""
    many, one = Progress(), OneByOne()
    for cut in [*sorted(cuts), len(head)]:
        if cut:
            assert many.advance(head[:cut]) == one.advance(head[:cut]), (head, cuts)
    return many.advance(head) is not None


def test_lines_that_are_passed_at_once_are_judged_as_one_by_one() -> None:
    chance, found = random.Random(7), 0  # noqa: S311 - the same in each run
    for _ in range(3_000):
        weights = [chance.random() ** 3 for _ in PIECES]
        head = FIRST + b"".join(chance.choices(PIECES, weights, k=chance.randrange(40)))
        found += same(head, [chance.randrange(len(head)) for _ in range(chance.randrange(4))])
    assert 1_000 < found < 3_000


@pytest.mark.parametrize("lines", range(LINES - 3, LINES + 4))
@pytest.mark.parametrize("end", [b"\r\n", b"Bad\x01\r\n", b"L: " + b"z" * 8_190 + b"\r\n"])
def test_so_are_as_many_lines_as_there_may_be(lines: int, end: bytes) -> None:
    head = FIRST + b"X: y\r\n" * lines + end
    assert same(head, [])
    assert same(head, [len(head) - len(end), len(head) - len(end) - 3])
