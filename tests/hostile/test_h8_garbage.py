"""H8: the relay answers garbage: another type, wrong numbers, wrong hashes, wrong receipts, wrong times."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from polynya.wire import messages as m
from tests.client.people import everybody_sees, sees, texts, until
from tests.hostile.crowd import crowd, eventually, raised, shows, topic_of

MINUTES = 60_000
DAYS = 86_400_000
HUGE = 2**53 - 1

Bend = Callable[[str, m.Request, m.Response], m.Response]


def other_type(who: str, request: m.Request, response: m.Response) -> m.Response:
    return m.BlobState(7) if not isinstance(response, m.BlobState) else m.Done()


def junk_records(who: str, request: m.Request, response: m.Response) -> m.Response:
    if not isinstance(response, m.Records):
        return response
    return m.Records(
        tuple(replace(e, record=os.urandom(512)) for e in response.entries if e.seq), response.head
    )


def wrong_heads(who: str, request: m.Request, response: m.Response) -> m.Response:
    if isinstance(response, m.Heads):
        return m.Heads(tuple(m.Head(True, HUGE) for _ in response.topics), response.inboxes[:-1])
    return m.Published(HUGE, HUGE) if isinstance(response, m.Published) else response


def forgotten(who: str, request: m.Request, response: m.Response) -> m.Response:
    return m.Refused(m.RefusalCode.UNKNOWN_TOPIC) if isinstance(request, m.Publish) else response


@pytest.mark.parametrize(("bend", "answers"), [(other_type, 2), (wrong_heads, 2), (forgotten, 1)])
async def test_answers_that_make_no_sense_hold_things_up_and_no_more(
    tmp_path: Path, bend: Bend, answers: int
) -> None:
    """As many bent answers are waited for as come before the next pause; a message that the log has is not sent twice."""
    async with crowd(tmp_path) as here:
        chat, (anna, boris) = await here.group("anna", "boris")
        bent: list[m.Response] = []

        def change(who: str, request: m.Request, response: m.Response) -> m.Response:
            if who != "anna" or isinstance(request, m.Ping):
                return response
            answer = bend(who, request, response)
            if answer != response:
                bent.append(answer)
            return answer

        here.operator.change = change
        here.operator.hang_up("anna")
        message = await anna.send(chat, "through all that")
        await eventually(lambda: len(bent) >= answers)
        assert await texts(anna, chat) == ["through all that"]
        here.operator.behave()
        await here.again("anna")
        await here.pass_time(20_000, "anna")
        assert (await anna.sent(message)).status == "sent"
        await everybody_sees([anna, boris], chat, "through all that")
        await boris.sent(await boris.send(chat, "well received"))
        await sees(anna, chat, "through all that", "well received")


async def test_junk_in_place_of_records_is_history_that_differs(tmp_path: Path) -> None:
    """What was read as junk is not read again: it is another history, and the next message says so."""
    async with crowd(tmp_path) as here:
        chat, (anna, boris) = await here.group("anna", "boris")
        here.operator.deliver = lambda who, push: () if who == "boris" else (push,)
        here.operator.change = lambda who, request, response: (
            junk_records(who, request, response)
            if who == "boris" and isinstance(request, m.Fetch)
            else response
        )
        await anna.sent(await anna.send(chat, "turned into junk"))
        before = topic_of(boris, chat).seq
        await here.again("boris")
        await eventually(lambda: topic_of(boris, chat).seq > before)
        here.operator.behave()
        await anna.sent(await anna.send(chat, "as it is"))
        await sees(boris, chat, "as it is")
        await shows(boris, chat, "history-differs")


async def test_a_head_that_nothing_stands_behind_holds_changes_for_ten_minutes(tmp_path: Path) -> None:
    async with crowd(tmp_path) as here:
        chat, (anna, boris) = await here.group("anna", "boris")
        told = raised(anna)
        entry = m.Entry(2**40, here.operator.relay.now(), record=os.urandom(512))
        here.operator.push("anna", m.Push(topic_of(anna, chat).id, entry))
        await eventually(lambda: anna.loop.core.counters().get("topic-gap"))
        await anna.rename(chat, "Sea trip")
        await until(anna, lambda: anna.conversation(chat).pending_operations == 1)
        for _ in range(4):
            await here.pass_time(5 * MINUTES, "anna")
            await anna.settled()
        await until(boris, lambda: boris.conversation(chat).name == "Sea trip")
        await shows(anna, chat, None)
        assert told == ["relay-misbehaves"]


@pytest.mark.parametrize("days", [-30, 3, 3_650])
async def test_a_clock_that_is_wrong_for_a_while(tmp_path: Path, days: int) -> None:
    """Chats go on under it and after it; times that people see are the relay's, and are wrong as long as it is."""
    async with crowd(tmp_path) as here:
        chat, (anna, boris) = await here.group("anna", "boris")
        await anna.sent(await anna.send(chat, "before"))
        await here.pass_time(days * DAYS)
        wrong = await anna.sent(await anna.send(chat, "under a wrong clock"))
        await everybody_sees([anna, boris], chat, "before", "under a wrong clock")
        assert wrong.time is not None and abs(wrong.time - here.operator.relay.now()) < MINUTES
        here.operator.behave()
        await here.again()
        for client in (anna, boris):
            await client.settled()
        await boris.sent(await boris.send(chat, "after it"))
        await everybody_sees([anna, boris], chat, "before", "under a wrong clock", "after it")
        assert [client.conversation(chat).problem for client in (anna, boris)] == [None, None]
        await anna.rename(chat, "Sea trip")
        await until(boris, lambda: boris.conversation(chat).name == "Sea trip")
