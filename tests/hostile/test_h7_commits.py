"""H7: the relay withholds commits."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from polynya.cli.output import chat_line
from polynya.wire import messages as m
from tests.client.people import everybody_sees, member_of, sees, texts, until
from tests.hostile.crowd import Crowd, crowd, eventually, raised, shows, topic_of
from tests.support.lies import without_commit

MINUTES = 60_000


def withhold(here: Crowd, name: str, topic: bytes, above: int) -> None:
    """Nobody of this name gets what the topic holds above this seq; that there is more is told."""

    def deliver(who: str, push: m.Push) -> Sequence[m.Push]:
        return () if who == name and push.source == topic and push.entry.seq > above else (push,)

    def change(who: str, request: m.Request, response: m.Response) -> m.Response:
        if who != name or not isinstance(request, m.Fetch) or not isinstance(response, m.Records):
            return response
        return m.Records(tuple(e for e in response.entries if e.seq <= above), response.head)

    here.operator.deliver, here.operator.change = deliver, change


async def test_a_commit_withheld_from_one_is_told_of_after_ten_minutes_and_comes_later(
    tmp_path: Path,
) -> None:
    async with crowd(tmp_path) as here:
        chat, (anna, boris, clara) = await here.group("anna", "boris", "clara")
        topic, told = topic_of(boris, chat), raised(boris)
        withhold(here, "boris", topic.id, topic.seq)
        await anna.rename(chat, "Sea trip")
        await until(clara, lambda: clara.conversation(chat).name == "Sea trip")
        await clara.sent(await clara.send(chat, "in the next epoch"))
        await here.again("boris")  # the relay says how much there is, and gives nothing of it
        await eventually(lambda: boris.loop.core.counters().get("topic-gap"))
        assert (boris.conversation(chat).name, boris.conversation(chat).problem) == ("Lake trip", None)
        for _ in range(3):
            await here.pass_time(5 * MINUTES, "boris")
            await boris.settled()
        await shows(boris, chat, "relay-misbehaves")
        assert told == ["relay-misbehaves"]
        assert chat_line(boris.conversation(chat)).endswith(
            "problem: relay-misbehaves. The relay withholds part of this chat. If this stays, tell whoever runs it, "
            "or go on in a new chat on another relay"
        )
        shift = here.operator.shift
        here.operator.behave()
        here.operator.shift = shift
        await here.pass_time(5 * MINUTES, "boris")
        await everybody_sees([anna, boris, clara], chat, "in the next epoch")
        await shows(boris, chat, None)
        assert boris.conversation(chat).name == "Sea trip"


async def test_a_commit_thrown_away_after_it_was_acknowledged_parts_its_maker_from_the_others(
    tmp_path: Path,
) -> None:
    """Anna is in an epoch that nobody else ever sees. Her next message, and theirs, tell all of them."""
    async with crowd(tmp_path) as here:
        chat, (anna, boris, clara) = await here.group("anna", "boris", "clara")
        topic = topic_of(anna, chat)

        def drop(who: str, request: m.Request) -> m.Response | None:
            if not isinstance(request, m.Publish) or request.slot is None:
                return None
            receipt = here.operator.receipt(
                topic.id, request.slot, 0, topic.seq + 1, request.record, request.blobs
            )
            return m.Published(topic.seq + 1, here.operator.relay.now(), receipt)

        here.operator.decide = drop
        await anna.rename(chat, "Sea trip")
        await until(anna, lambda: anna.conversation(chat).name == "Sea trip")
        assert boris.conversation(chat).name == "Lake trip"
        here.operator.behave()
        await clara.sent(await clara.send(chat, "in the place of the commit"))
        await anna.sent(await anna.send(chat, "who reads me?"))
        for client in (boris, clara):
            await shows(client, chat, "history-differs")
            assert await texts(client, chat) == ["in the place of the commit"]
        await boris.sent(await boris.send(chat, "Anna is gone"))
        await shows(anna, chat, "history-differs")
        fresh = await anna.create_group("Sea trip", [boris.me.identity, clara.me.identity])
        for client in (boris, clara):
            await member_of(client, fresh.id, 3)
        await anna.sent(await anna.send(fresh, "here"))
        await sees(clara, fresh, "here")


async def test_a_commit_hidden_behind_junk_shows_with_the_next_message(tmp_path: Path) -> None:
    async with crowd(tmp_path) as here:
        chat, (anna, boris, clara) = await here.group("anna", "boris", "clara")
        here.operator.deliver = lambda who, push: (
            (m.Push(push.source, without_commit(push.entry)),) if who == "boris" else (push,)
        )
        await anna.rename(chat, "Sea trip")
        await until(clara, lambda: clara.conversation(chat).name == "Sea trip")
        await clara.sent(await clara.send(chat, "in the next epoch"))
        await shows(boris, chat, "history-differs")
        assert (boris.conversation(chat).name, await texts(boris, chat)) == ("Lake trip", [])


async def test_a_commit_that_the_relay_will_not_take_waits_and_is_made_later(tmp_path: Path) -> None:
    async with crowd(tmp_path) as here:
        chat, (anna, boris) = await here.group("anna", "boris")
        here.operator.decide = lambda who, request: (
            m.Refused(m.RefusalCode.INTERNAL) if isinstance(request, m.Publish) and request.slot else None
        )
        await anna.rename(chat, "Sea trip")
        await until(anna, lambda: anna.conversation(chat).pending_operations == 1)
        # Whom a change removes could read until it is made: what its maker writes waits with it, and shows that.
        message = await anna.send(chat, "after the change")
        await boris.sent(await boris.send(chat, "others go on"))
        await sees(anna, chat, "others go on", "after the change")
        assert (await anna.message(chat, message.id)).status == "waiting"
        assert boris.conversation(chat).name == "Lake trip"
        here.operator.behave()
        await here.pass_time(10_000, "anna")
        await until(boris, lambda: boris.conversation(chat).name == "Sea trip")
        await everybody_sees([anna, boris], chat, "others go on", "after the change")
        await until(anna, lambda: anna.conversation(chat).pending_operations == 0)
        assert [client.conversation(chat).problem for client in (anna, boris)] == [None, None]
