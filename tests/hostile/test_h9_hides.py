"""H9: the relay hides somebody: their inbox, what is dropped there, their key packages."""

from __future__ import annotations

from pathlib import Path

from polynya.wire import messages as m
from tests.client.people import conversation_with, meet, member_of, sees, until
from tests.hostile.crowd import crowd, eventually, owners_of, shows


async def test_a_person_without_key_packages_cannot_be_added_and_can_later(tmp_path: Path) -> None:
    async with crowd(tmp_path) as here:
        anna, boris, clara = await here.friends("anna", "boris", "clara")
        owners = owners_of(boris)
        here.operator.decide = lambda who, request: (
            m.Refused(m.RefusalCode.NO_KEY_PACKAGE)
            if isinstance(request, m.TakeKeyPackage) and request.owner in owners
            else None
        )
        chat = (await anna.create_group("Lake trip", [boris.me.identity, clara.me.identity])).id
        await member_of(clara, chat, 2)
        await shows(anna, chat, "no-key-package")
        here.operator.behave()
        await anna.add(chat, boris.me.identity)
        await member_of(boris, chat, 3)
        await shows(anna, chat, None)


async def test_a_welcome_thrown_away_leaves_a_member_who_never_comes(tmp_path: Path) -> None:
    """The relay says that Boris's inbox has it. Anna sees a member whose marks of delivery do not come."""
    async with crowd(tmp_path) as here:
        anna, boris = await here.friends("anna", "boris")
        dropped: list[m.Drop] = []

        def drop(who: str, request: m.Request) -> m.Response | None:
            if not isinstance(request, m.Drop):
                return None
            dropped.append(request)
            return m.Published(1, here.operator.relay.now())

        here.operator.decide = drop
        chat = (await anna.create_group("Lake trip", [boris.me.identity])).id
        await until(anna, lambda: len(anna.conversation(chat).members) == 2)
        await eventually(lambda: dropped)
        message = await anna.sent(await anna.send(chat, "anybody there?"))
        await anna.settled()
        assert anna.conversation(chat).problem is None, "by nature: a device that is off looks the same"
        assert (await anna.message(chat, message.id)).delivered_to == ()
        assert chat not in {view.id for view in boris.conversations()}
        here.operator.behave()
        await anna.remove(chat, boris.me.identity)
        await until(anna, lambda: len(anna.conversation(chat).members) == 1)
        await anna.add(chat, boris.me.identity)
        await member_of(boris, chat, 2)
        await anna.sent(await anna.send(chat, "there you are"))
        await sees(boris, chat, "there you are")


async def test_a_contact_request_thrown_away_waits_for_ever_and_a_new_invite_works(tmp_path: Path) -> None:
    async with crowd(tmp_path) as here:
        anna, boris = await here.join("anna"), await here.join("boris")
        here.operator.decide = lambda who, request: (
            m.Published(1, here.operator.relay.now()) if isinstance(request, m.Drop) else None
        )
        await boris.accept_invite(await anna.invite(), "it is me")
        assert anna.requests() == ()
        assert [view.state for view in boris.opened_invites()] == ["requested"], (
            "the app says: waiting for Anna"
        )
        here.operator.behave()
        await meet(anna, boris)
        await until(boris, lambda: conversation_with(boris, anna))


async def test_an_inbox_denied_is_made_again_and_what_was_in_it_comes(tmp_path: Path) -> None:
    async with crowd(tmp_path) as here:
        anna, boris = await here.friends("anna", "boris")
        here.operator.deliver = lambda who, push: () if who == "boris" else (push,)
        denied: list[m.Request] = []

        def deny(who: str, request: m.Request) -> m.Response | None:
            if who != "boris" or not isinstance(request, m.FetchInbox):
                return None
            denied.append(request)
            return m.Refused(m.RefusalCode.UNKNOWN_INBOX)

        here.operator.decide = deny
        chat = (await anna.create_group("Lake trip", [boris.me.identity])).id
        await until(anna, lambda: len(anna.conversation(chat).members) == 2)
        await anna.settled()
        await here.again("boris")
        await eventually(lambda: denied)
        assert chat not in {view.id for view in boris.conversations()}
        here.operator.behave()
        await here.again("boris")
        await here.pass_time(20_000, "boris")
        await member_of(boris, chat, 2)
