"""What people notice of a bus between an honest relay's processes that loses something."""

from __future__ import annotations

from pathlib import Path

from polynya.relay.session import Session
from tests.client.people import everybody_sees, texts
from tests.hostile.crowd import crowd


async def test_a_push_that_a_bus_lost_is_fetched_when_it_says_so(tmp_path: Path) -> None:
    """No later record shows that one is missing."""
    async with crowd(tmp_path) as here:
        chat, (anna, boris) = await here.group("anna", "boris")
        here.operator.deliver = lambda who, push: ()
        await anna.sent(await anna.send(chat, "lost on the way"))
        await boris.settled()
        assert await texts(boris, chat) == []
        here.operator.behave()
        for session in tuple(here.operator.relay.sessions):
            assert isinstance(session, Session)
            session.missed()
        await everybody_sees([anna, boris], chat, "lost on the way")
        assert [one.conversation(chat).problem for one in (anna, boris)] == [None, None]
