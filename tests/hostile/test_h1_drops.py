"""H1: the relay drops records."""

from __future__ import annotations

from pathlib import Path

from polynya import Client
from polynya.wire import messages as m
from tests.client.people import everybody_sees, sees, texts
from tests.hostile.crowd import crowd, shows, topic_of


async def test_a_dropped_message_counts_as_sent_and_shows_when_somebody_writes(tmp_path: Path) -> None:
    """The relay says that it has Anna's message, and throws it away: for a moment her log is another than theirs."""
    async with crowd(tmp_path) as here:
        chat, (anna, boris, clara) = await here.group("anna", "boris", "clara")

        def drop(who: str, request: m.Request) -> m.Response | None:
            if who == "anna" and isinstance(request, m.Publish):
                return m.Published(topic_of(anna, chat).seq + 1, here.operator.relay.now())
            return None

        here.operator.decide = drop
        dropped = await anna.sent(await anna.send(chat, "dropped"))
        assert dropped.status == "sent", "one mark, as for any message that is on its way"
        assert anna.conversation(chat).problem is None
        here.operator.behave()
        # The relay's next record has the place where Anna has her own: what Boris writes now she never sees,
        # and what she writes then tells everybody.
        await boris.sent(await boris.send(chat, "in its place"))
        await sees(clara, chat, "in its place")
        await anna.sent(await anna.send(chat, "after it"))
        await everybody_sees([boris, clara], chat, "in its place", "after it")
        await shows(boris, chat, "history-differs")
        await shows(clara, chat, "history-differs")
        await boris.sent(await boris.send(chat, "and Anna"))
        await shows(anna, chat, "history-differs")
        await sees(anna, chat, "dropped", "after it", "and Anna")
        assert (await anna.message(chat, dropped.id)).delivered_to == (), "nobody ever had it, and it says so"


async def test_a_dropped_push_is_fetched_with_the_next(tmp_path: Path) -> None:
    async with crowd(tmp_path) as here:
        chat, (anna, boris) = await here.group("anna", "boris")
        here.operator.deliver = lambda who, push: ()
        await anna.sent(await anna.send(chat, "first"))
        await boris.settled()
        assert await texts(boris, chat) == []
        here.operator.behave()
        await anna.sent(await anna.send(chat, "second"))
        await everybody_sees([anna, boris], chat, "first", "second")
        assert_quiet(chat, anna, boris)


async def test_who_is_dropped_alone_sees_no_mark_of_delivery(tmp_path: Path) -> None:
    """Whatever Boris publishes is thrown away before it is acknowledged; the others' is not."""
    async with crowd(tmp_path) as here:
        chat, (anna, boris) = await here.group("anna", "boris")
        here.operator.decide = lambda who, request: (
            m.Refused(m.RefusalCode.INTERNAL) if who == "boris" and isinstance(request, m.Publish) else None
        )
        message = await boris.send(chat, "refused")
        await anna.sent(await anna.send(chat, "taken"))
        await sees(boris, chat, "taken", "refused")
        assert (await boris.message(chat, message.id)).status == "waiting"
        here.operator.behave()
        await here.pass_time(10_000)
        await boris.sent(message)
        await everybody_sees([anna, boris], chat, "taken", "refused")
        assert_quiet(chat, anna, boris)


def assert_quiet(chat: bytes, *clients: Client) -> None:
    assert [client.conversation(chat).problem for client in clients] == [None] * len(clients)
