"""Invites and contact requests: single use, expiry, decline, block, and everything that is not what it says."""

from __future__ import annotations

from dataclasses import replace

import pytest

from polynya.core import commands as c
from polynya.core import events as e
from polynya.core.core import Core
from polynya.core.errors import CoreError
from polynya.core.identity import check_name, person
from polynya.core.state import PERSON
from polynya.core.transaction import Transaction
from polynya.wire import messages as m
from polynya.wire.card import seal_card, sign_card
from polynya.wire.labels import blob_id
from tests.support.agreement import agree
from tests.support.world import DAY, Party, World


def two(seed: int) -> tuple[World, Party, Party]:
    world = World(seed)
    anna, boris = world.people("anna", "boris")
    world.settle()
    return world, anna, boris


def opened(party: Party, link: m.InviteLink) -> tuple[str, str | None]:
    (view,) = [v for v in party.core.opened_invites() if v.id == link.card[:16]]
    return view.state, view.problem


def test_what_both_see_on_the_way() -> None:
    world, anna, boris = two(71)
    link = world.invite(anna)
    assert [v.state for v in anna.core.invites()] == ["ready"]
    (created,) = anna.saw(c.InviteCreated)
    assert isinstance(created, c.InviteCreated) and created.link == link
    boris.do(e.UseInvite(link, world.relay.address))
    world.settle()
    assert boris.saw(c.InviteOpened) == [c.InviteOpened(link.card[:16], "anna", anna.id)]
    boris.do(e.SendContactRequest(link.card[:16], "it is me"))
    world.settle()
    assert opened(boris, link) == ("requested", None)
    (request,) = anna.core.requests()
    assert (request.name, request.text, request.identity) == ("boris", "it is me", boris.id)
    me = boris.core.me()
    assert me is not None and request.safety == me.fingerprint
    anna.do(e.AcceptRequest(request.id))
    assert [v.state for v in anna.core.conversations()] == ["waiting-first"]
    assert [v.name for v in anna.core.conversations()] == ["boris"]
    chat = anna.core.conversations()[0].id
    anna.say(chat, "written before you were in")
    world.settle()
    assert c.ContactAccepted(chat) in boris.notified
    assert opened(boris, link) == ("accepted", None)
    assert [v.state for v in anna.core.invites()] == ["used"]
    assert boris.texts(chat) == ["written before you were in"]
    assert (anna.view(chat).name, boris.view(chat).name) == ("boris", "anna")
    assert anna.core.requests() == ()
    assert len(world.relay.inboxes) == 3, "boris's for the answer, one each for the conversation"


def test_single_use() -> None:
    world, anna, boris = two(72)
    clara = world.person("clara")
    link = world.invite(anna)
    world.ask(boris, link, world.relay)
    world.ask(clara, link, world.relay)
    first, second = anna.core.requests()
    anna.do(e.AcceptRequest(first.id))
    assert anna.core.requests() == ()
    with pytest.raises(CoreError) as caught:
        anna.do(e.AcceptRequest(second.id))
    assert caught.value.code == "unknown-request"
    world.settle()
    david = world.person("david")
    david.do(e.UseInvite(link, world.relay.address))
    world.settle()
    david.do(e.SendContactRequest(link.card[:16], None))
    world.settle()
    assert opened(david, link) == ("failed", "invite-used")
    assert c.InviteFailed(link.card[:16], "invite-used") in david.notified


def test_expiry() -> None:
    world, anna, boris = two(73)
    link = world.invite(anna)
    world.sleep(14 * DAY + 60_000)
    assert [v.state for v in anna.core.invites()] == ["expired"]
    boris.do(e.UseInvite(link, world.relay.address))
    world.settle()
    assert opened(boris, link) == ("failed", "invite-expired")


def test_revoked() -> None:
    world, anna, boris = two(74)
    link = world.invite(anna)
    anna.do(e.RevokeInvite(link.card[:16]))
    world.settle()
    assert anna.core.invites() == ()
    boris.do(e.UseInvite(link, world.relay.address))
    world.settle()
    boris.do(e.SendContactRequest(link.card[:16], None))
    world.settle()
    assert opened(boris, link) == ("failed", "invite-used")


def test_decline_sends_nothing() -> None:
    world, anna, boris = two(75)
    link = world.invite(anna)
    world.ask(boris, link, world.relay)
    (request,) = anna.core.requests()
    calls: list[m.Request] = []

    def listen(party: Party, call: c.Call) -> m.Response | None:
        if party is anna:
            calls.append(call.request)
        return None

    world.intercept = listen
    anna.do(e.DeclineRequest(request.id))
    world.settle()
    assert calls == []
    assert anna.core.requests() == () and anna.core.contacts() == ()
    assert opened(boris, link) == ("requested", None)


def test_block_a_request() -> None:
    world, anna, boris = two(76)
    link, again = world.invite(anna), world.invite(anna)
    world.ask(boris, link, world.relay)
    (request,) = anna.core.requests()
    anna.do(e.BlockRequest(request.id))
    world.ask(boris, again, world.relay)
    assert anna.core.requests() == ()
    assert anna.core.counters()["request-blocked"] == 1
    assert [(v.name, v.blocked) for v in anna.core.contacts()] == [("boris", True)]


def test_a_blocked_contact() -> None:
    world, anna, boris = two(77)
    clara = world.person("clara")
    chat = world.befriend(anna, boris)
    world.befriend(boris, clara)
    world.befriend(anna, clara)
    both = world.group(clara, anna, boris)
    anna.do(e.BlockContact(boris.id))
    boris.say(chat, "unseen")
    boris.say(both, "seen in the group")
    boris.do(e.CreateGroup("trap", (anna.id,)))
    world.settle()
    assert anna.texts(chat) == []
    assert anna.texts(both) == ["seen in the group"]
    assert sorted(v.name for v in anna.core.conversations()) == ["boris", "clara", "group"]
    assert anna.core.counters()["welcome-unknown"] == 1
    assert not anna.view(chat).can_send
    with pytest.raises(CoreError) as caught:
        anna.say(chat, "no")
    assert caught.value.code == "blocked"
    assert [v.delivered for v in boris.messages(chat)] == [()]
    anna.do(e.UnblockContact(boris.id))
    boris.say(chat, "seen")
    world.settle()
    assert anna.texts(chat) == ["seen"]


def test_a_tampered_card() -> None:
    """Whoever has the invite can seal another card; its identity did not sign it, or its blob has another id."""
    world, anna, boris = two(78)
    link = world.invite(anna)
    blob = world.relay.blobs[link.card]
    body = m.CardBody(anna.id, "anna", bytes(32), bytes(1216), world.now + DAY)
    foreign = sign_card(boris.random.bytes(32), body)
    forged_id, forged = seal_card(link.secret, foreign, boris.random)
    world.relay.blobs[forged_id] = forged
    forged_link = replace(link, card=forged_id)
    boris.do(e.UseInvite(forged_link, world.relay.address))
    world.settle()
    assert opened(boris, forged_link) == ("failed", "invite-tampered")
    world.relay.blobs[link.card] = forged
    boris.do(e.UseInvite(link, world.relay.address))
    world.settle()
    assert opened(boris, link) == ("failed", "invite-tampered")
    world.relay.blobs[link.card] = blob
    boris.do(e.UseInvite(link, world.relay.address))
    world.settle()
    assert opened(boris, link) == ("opened", None)
    assert blob_id(blob) == link.card


def test_gone_and_own_invites() -> None:
    world, anna, boris = two(79)
    link = world.invite(anna)
    anna.do(e.UseInvite(link, world.relay.address))
    gone = replace(link, card=bytes(32))
    boris.do(e.UseInvite(gone, world.relay.address))
    world.settle()
    assert opened(anna, link) == ("failed", "invite-own")
    assert opened(boris, gone) == ("failed", "invite-gone")


@pytest.mark.parametrize("seed", range(6))
def test_two_invites_in_flight(seed: int) -> None:
    """Both accept at once: two conversations are founded, both go on in the same one, and nothing said is lost."""
    world, anna, boris = two(80 + seed)
    first, second = world.invite(anna), world.invite(boris)
    world.ask(boris, first, world.relay)
    world.ask(anna, second, world.relay)
    for party in (anna, boris):
        party.do(e.AcceptRequest(party.core.requests()[0].id))
        (view,) = party.core.conversations()
        party.say(view.id, f"from {party.name}")
    world.settle()
    chat = anna.direct(boris)
    assert boris.direct(anna) == chat
    agree(chat, anna, boris)
    said = [sorted(t for v in p.core.conversations() for t in p.texts(v.id)) for p in (anna, boris)]
    assert said == [["from anna", "from boris"]] * 2
    assert sorted(v.state for v in anna.core.conversations()) == sorted(
        v.state for v in boris.core.conversations()
    )


def test_accepting_a_second_request_of_a_contact_founds_nothing() -> None:
    world, anna, boris = two(90)
    chat = world.befriend(anna, boris)
    link = world.invite(anna)
    world.ask(boris, link, world.relay)
    anna.do(e.AcceptRequest(anna.core.requests()[0].id))
    world.settle()
    assert anna.direct(boris) == chat
    assert len(anna.core.conversations()) == 1


def test_a_stranger_with_our_reach_adds_us_nowhere() -> None:
    """Clara shares a group with anna and so knows her reach; she is no contact of anna's."""
    world, anna, boris = two(91)
    clara = world.person("clara")
    world.befriend(boris, anna)
    world.befriend(boris, clara)
    world.group(boris, anna, clara)
    with pytest.raises(CoreError) as caught:
        clara.do(e.CreateGroup("trap", (anna.id,)))
    assert caught.value.code == "unknown-contact"
    # A changed client adds her all the same.
    t = Transaction(clara.core._state, clara.now(), clara.random, 0)
    t.put(PERSON, anna.id, replace(person(t, anna.id), accepted=True))
    clara._perform(clara.core._finish(t), None)
    clara.do(e.CreateGroup("trap", (anna.id,)))
    world.settle()
    assert sorted(v.name for v in anna.core.conversations()) == ["boris", "group"]
    assert anna.core.counters()["welcome-unknown"] == 1


@pytest.mark.parametrize("clock", [-3 * 365 * DAY, -2 * DAY, 2 * DAY, 3 * 365 * DAY])
def test_wrong_clocks(clock: int) -> None:
    """Devices years off make contacts and talk: the home relay's clock counts."""
    world = World(92)
    anna, boris, clara = (
        world.person("anna"),
        world.person("boris", clock=clock),
        world.person("clara", clock=-clock),
    )
    world.settle()
    chat = world.befriend(anna, boris)
    boris.say(chat, "what year is it?")
    world.settle()
    agree(chat, anna, boris)
    (message,) = anna.messages(chat)
    assert message.time is not None and abs(message.sent - message.time) < 60_000
    world.befriend(boris, clara)
    group = world.group(boris, anna, clara)
    clara.do(e.Leave(group))
    world.settle()
    agree(group, anna, boris)


def test_names() -> None:
    world, anna, boris = two(93)
    chat = world.befriend(anna, boris)
    boris.do(e.SetName("  Boris B.  "))
    world.settle()
    assert anna.view(chat).name == "Boris B."
    assert c.ConversationChanged(chat) in anna.notified
    for name in ("", "   ", "x" * 129, "a\nb"):
        with pytest.raises(CoreError) as caught:
            boris.do(e.SetName(name))
        assert caught.value.code == "bad-name"


@pytest.mark.parametrize("name", ["می\u200cخواهم", "👩\u200d🚀"])  # noqa: RUF001
def test_joiners_belong_to_names(name: str) -> None:
    assert check_name(name) == name


@pytest.mark.parametrize("name", ["a\u202eb", "a\u00a0b", "a\u2066b", "\u200c", "\u200d\u200c"])
def test_other_invisible_characters_do_not(name: str) -> None:
    with pytest.raises(CoreError, match="name"):
        check_name(name)


def test_safety_numbers() -> None:
    world, anna, boris = two(94)
    chat = world.befriend(anna, boris)
    assert anna.core.safety_number(chat) == boris.core.safety_number(chat)
    assert len(anna.core.safety_number(chat).groups) == 12
    anna.do(e.MarkVerified(boris.id, True))
    assert anna.core.safety_number(chat).verified and not boris.core.safety_number(chat).verified
    assert [v.verified for v in anna.view(chat).members if not v.me] == [True]


def test_actions_without_an_identity_and_twice() -> None:
    world = World(95)
    anna = world.person("anna")
    with pytest.raises(CoreError) as caught:
        anna.do(e.CreateIdentity("again", world.relay.address))
    assert caught.value.code == "identity-exists"
    empty = Core()
    empty.start(world.now, anna.random)
    with pytest.raises(CoreError) as caught:
        empty.handle(e.CreateInvite(), world.now, anna.random)
    assert caught.value.code == "no-identity"
