"""What holds a relay to its promises finds each kind of broken one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from polynya.carriers.base import CarrierError, CarrierProblem
from polynya.wire.messages import (
    BlobPart,
    Done,
    Entry,
    Fetch,
    FetchInbox,
    KeyPackageTaken,
    Published,
    Receipt,
    Records,
    RefusalCode,
    Refused,
    Request,
    Response,
    TakeKeyPackage,
)
from tests.relay.client import Session, expect
from tests.relay.killing import Life
from tests.relay.load import PACKAGES, Broken, Load

Change = Callable[[list[Entry]], list[Entry]]


def slotted(entries: list[Entry]) -> int:
    """Where the first record with a slot is."""
    return next(index for index, entry in enumerate(entries) if entry.slot is not None)


def changed(at: Callable[[list[Entry]], int], **values: Any) -> Change:
    def change(entries: list[Entry]) -> list[Entry]:
        index = at(entries)
        return [*entries[:index], replace(entries[index], **values), *entries[index + 1 :]]

    return change


def swap(entries: list[Entry]) -> list[Entry]:
    """Two of which no receipt says where they are."""
    one, two, *_ = (at for at, entry in enumerate(entries) if entry.slot is None)
    places = {one: two, two: one}
    return [replace(entries[places.get(at, at)], seq=at + 1) for at in range(len(entries))]


def reposition(entries: list[Entry]) -> list[Entry]:
    at = slotted(entries)
    receipt = entries[at].receipt
    assert receipt is not None
    return changed(slotted, receipt=Receipt(receipt.position + 1, receipt.signature))(entries)


BROKEN: dict[str, Change] = {
    "an acknowledged record is lost": lambda entries: entries[:3],
    "a gap in a log": lambda entries: entries[:3] + entries[4:],
    "a record is there twice": lambda entries: [*entries, replace(entries[0], seq=len(entries) + 1)],
    "a record that nobody sent": changed(lambda _: 0, record=b"never sent" * 5),
    "not in its place": swap,
    "not as acknowledged": changed(lambda _: 0, time=1),
    "another slot": changed(slotted, slot=b"another slot 16b"),
    "other blobs": changed(lambda _: 0, blobs=(bytes(32),)),
    "positions have a gap": reposition,
    "a receipt is not valid": changed(slotted, receipt=Receipt(0, bytes(64))),
}


class Tampered:
    """A session whose answers are changed on their way: a topic's log as a whole, or files."""

    def __init__(self, session: Session, change: Change | None) -> None:
        self._session = session
        self._change = change

    async def call(self, request: Request) -> Response:
        response = await self._session.call(request)
        if isinstance(response, Records) and isinstance(request, Fetch) and self._change is not None:
            is_first = request.after == 0
            return replace(response, entries=tuple(self._change(list(response.entries))) if is_first else ())
        if isinstance(response, BlobPart) and self._change is None:
            return replace(response, part=bytes(len(response.part)))
        return response


class Repeating:
    """A session over which a package is handed out that was handed out before."""

    def __init__(self, session: Session, taken: bytes) -> None:
        self._session = session
        self._taken = taken

    async def call(self, request: Request) -> Response:
        response = await self._session.call(request)
        if isinstance(request, TakeKeyPackage):
            assert isinstance(response, KeyPackageTaken)
            return replace(response, package=self._taken)
        return response


async def test_every_broken_promise_is_found(tmp_path: Path) -> None:
    life = Life(tmp_path / "data", 3)
    await life.relay.start()
    try:
        topic = life.load.logs[0]
        async with life.client() as client, life.loaded(client) as until:
            await until(
                lambda: (
                    len(topic.acknowledged) >= 12
                    and 0
                    < sum(record in topic.slots for record in topic.acknowledged)
                    < len(topic.acknowledged) - 1
                    and bool(life.load.files)
                    and bool(life.load.taken)
                ),
                "there is enough",
            )
        async with life.client() as client, client.session() as session:
            for what, change in BROKEN.items():
                topic.seen, topic.positions = [], {}
                with pytest.raises(Broken, match=what):
                    await topic.verify(cast(Session, Tampered(session, change)), client.identity)
            topic.seen, topic.positions = [], {}
            await topic.verify(session, client.identity)
            topic.seen[0] = replace(topic.seen[0], time=1)
            with pytest.raises(Broken, match="not what it was"):
                await topic.verify(session, client.identity)
            with pytest.raises(Broken, match="a file is not what it was"):
                await life.load.verify_files(cast(Session, Tampered(session, None)))
    finally:
        await life.relay.kill()


async def test_a_key_package_that_is_handed_out_twice_is_found(tmp_path: Path) -> None:
    life = Life(tmp_path / "data", 4)
    await life.relay.start()
    try:
        async with life.client() as client, client.session() as session:
            await life.load.take_packages(session)
            assert len(set(life.load.taken)) == len(life.load.taken) == PACKAGES
            # Of an earlier stock, and of the same one.
            repeating = cast(Session, Repeating(session, life.load.taken[0]))
            with pytest.raises(Broken, match="a package that nobody left, or one of before"):
                await life.load.take_packages(repeating)
            await life.load.take_packages(session)
            left = life.load.begin_stock()
            repeating = cast(Session, Repeating(session, left[0]))
            with pytest.raises(Broken, match="a one-time package was handed out twice"):
                await life.load.take_packages(repeating)
    finally:
        await life.relay.kill()


async def test_what_got_no_answer_has_one_after_settling(tmp_path: Path) -> None:
    life = Life(tmp_path / "data", 5)
    await life.relay.start()
    try:
        await life.work(20)
        lost = b"stored, and nobody was told" * 4
        log = life.load.logs[0]
        async with life.client() as client, client.session() as session:
            stored = expect(Published, await session.call(log.request(lost)))
        log.waiting.append(lost)
        await life.settle()
        assert log.acknowledged[lost] == stored
        assert not any(log.waiting for log in life.load.logs)
        before = life.load.promises
        await life.settle()
        assert life.load.promises == before
        await life.verify()
    finally:
        await life.relay.kill()


class Scripted:
    """A session that answers what it was told to; None: its connection ends."""

    def __init__(self, answers: list[Response | None], page: Records | None = None) -> None:
        self._answers = answers
        self._page = page

    async def call(self, request: Request) -> Response:
        if isinstance(request, FetchInbox) and self._page is not None:
            return self._page if request.after == 0 else Records((), 0)
        return Done()

    async def send(self, _request: Request) -> asyncio.Future[Response]:
        future: asyncio.Future[Response] = asyncio.get_running_loop().create_future()
        answer = self._answers.pop(0)
        if answer is None:
            future.set_exception(CarrierError(CarrierProblem.CLOSED))
            future.exception()  # nobody may come to ask for it
        else:
            future.set_result(answer)
        return future


@pytest.mark.parametrize("first", [Refused(RefusalCode.FULL, 0), None])
async def test_only_where_something_was_refused_may_lost_answers_change_the_order(
    first: Response | None,
) -> None:
    """One is refused and the next one taken, whose answer is lost: asked again, the next one was there first. Where nothing
    is refused, a relay that answers so has changed the order."""
    load = Load(1)
    inbox = load.logs[-1]
    with pytest.raises(CarrierError):
        await load._append(cast(Session, Scripted([first, None])), inbox)
    one, two = inbox.waiting
    await load._append(cast(Session, Scripted([Published(2, 5, None), Published(1, 5, None)])), inbox)
    page = Records((Entry(1, 5, two, None, None, None, None), Entry(2, 5, one, None, None, None, None)), 0)
    verify = inbox.verify(cast(Session, Scripted([], page)), b"")
    if first is None:
        with pytest.raises(Broken, match="out of order"):
            await verify
    else:
        await verify
