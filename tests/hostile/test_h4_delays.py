"""H4: the relay delays, for ever if need be."""

from __future__ import annotations

from pathlib import Path

import pytest

from polynya import Client
from polynya.client import session
from polynya.wire import messages as m
from tests.client.people import everybody_sees, sees, texts, until
from tests.hostile.crowd import crowd, eventually
from tests.hostile.operator import WITHHELD


async def test_a_publish_that_is_never_answered_waits_and_is_sent_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The relay answers everything else, signs of life too. After ANSWER_WAIT it is asked again in a new session."""
    monkeypatch.setattr(session, "SILENCE", 0.1)
    monkeypatch.setattr(session, "ANSWER_WAIT", 0.5)
    async with crowd(tmp_path) as here:
        chat, (anna, boris) = await here.group("anna", "boris")
        here.operator.decide = lambda who, request: (
            WITHHELD if who == "anna" and isinstance(request, m.Publish) else None
        )
        message = await anna.send(chat, "at last")
        await eventually(lambda: here.operator.held)
        await boris.sent(await boris.send(chat, "meanwhile"))
        await sees(anna, chat, "meanwhile", "at last")
        assert (await anna.message(chat, message.id)).status == "waiting"
        await eventually(lambda: len(here.operator.held) > 1)
        first, second, *_ = here.operator.held
        assert first.request == second.request, "asked again"
        here.operator.behave()
        here.operator.release()
        assert (await anna.sent(message)).status == "sent"
        await everybody_sees([anna, boris], chat, "meanwhile", "at last")
        await anna.flush()
        assert [client.conversation(chat).problem for client in (anna, boris)] == [None, None]
        assert (await texts(boris, chat)).count("at last") == 1


async def test_pushes_that_never_come_are_not_seen_until_something_does(tmp_path: Path) -> None:
    """By nature: silence of the relay and silence of people look alike. A new session tells what there is."""
    async with crowd(tmp_path) as here:
        chat, (anna, boris) = await here.group("anna", "boris")
        here.operator.deliver = lambda who, push: () if who == "boris" else (push,)
        message = await anna.sent(await anna.send(chat, "unheard"))
        await boris.settled()
        assert await texts(boris, chat) == [] and boris.link.kind == "online"
        assert (await anna.message(chat, message.id)).delivered_to == ()
        assert boris.conversation(chat).problem is None
        here.operator.behave()
        await here.again("boris")
        await everybody_sees([anna, boris], chat, "unheard")


async def test_answers_held_back_come_late_and_harm_nothing(tmp_path: Path) -> None:
    async with crowd(tmp_path) as here:
        chat, (anna, boris) = await here.group("anna", "boris")
        here.operator.deliver = lambda who, push: () if who == "boris" else (push,)
        here.operator.decide = lambda who, request: (
            WITHHELD if who == "boris" and isinstance(request, (m.Fetch, m.Publish)) else None
        )
        await anna.sent(await anna.send(chat, "one"))
        await boris.send(chat, "two")
        await eventually(lambda: here.operator.held)
        here.operator.behave()
        await anna.sent(await anna.send(chat, "three"))
        here.operator.release()
        await everybody_sees([anna, boris], chat, *await ordered(anna, chat))
        assert sorted(await texts(anna, chat)) == ["one", "three", "two"]
        assert [client.conversation(chat).problem for client in (anna, boris)] == [None, None]


async def ordered(client: Client, chat: bytes) -> list[str]:
    """The texts as they lie in the log, once all three are there."""

    async def there() -> list[str] | None:
        found = await texts(client, chat)
        return found if len(found) == 3 else None

    found = await until(client, there)
    assert isinstance(found, list)
    return found
