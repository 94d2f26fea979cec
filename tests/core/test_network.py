"""Lost, doubled and overtaking deliveries, gaps, polling, refusals, and a relay that forgets."""

from __future__ import annotations

import pytest

from polynya.core import events as e
from polynya.core.work import PAUSE_FIRST
from polynya.wire import messages as m
from tests.support import hostile
from tests.support.agreement import agree, friends
from tests.support.world import Knobs, World

BAD = Knobs(lose_call=8, lose_answer=8, double_push=15, reorder=True)


@pytest.mark.parametrize("seed", range(6))
def test_everything_once_on_a_bad_network(seed: int) -> None:
    world = World(seed, patience=120_000)
    with world.unkind(BAD):
        people = friends(world, "anna", "boris", "clara")
        anna, boris, clara = people
        chat = world.group(anna, boris, clara)
        for n in range(6):
            for person in people:
                person.say(chat, f"{person.name} {n}")
                world.step()
        world.settle(300_000)
    world.settle(300_000)
    agree(chat, *people)
    # Who joined a little later does not have what was said before.
    expected = sorted(f"{person.name} {n}" for person in people for n in range(6))
    for person in people:
        assert sorted(person.texts(chat)) == expected, person.name


def test_gaps_heal() -> None:
    """Pushes are lost while the connection stays; the next one shows that something is missing."""
    world = World(30)
    anna, boris = friends(world, "anna", "boris")
    chat = anna.direct(boris)
    with world.unkind(Knobs(lose_push=60)):
        for n in range(20):
            anna.say(chat, str(n))
        world.settle()
    anna.say(chat, "end")
    world.settle()
    agree(chat, anna, boris)
    assert boris.texts(chat) == [*(str(n) for n in range(20)), "end"]


def test_own_messages_keep_their_order() -> None:
    world = World(31)
    anna, boris = friends(world, "anna", "boris")
    chat = anna.direct(boris)
    texts = [str(n) for n in range(30)]
    for text in texts:
        anna.say(chat, text)
    world.settle()
    assert boris.texts(chat) == texts == anna.texts(chat)


def test_messages_written_offline_come_later() -> None:
    world = World(32)
    anna, boris, clara = friends(world, "anna", "boris", "clara")
    chat = world.group(anna, boris, clara)
    boris.go_offline()
    boris.say(chat, "from the train")
    assert boris.last(chat).status == "waiting"
    for n in range(80):
        anna.say(chat, f"n{n}")
    anna.do(e.RemoveMember(chat, clara.id), e.Rename(chat, "later"))
    world.settle()
    boris.go_online()
    world.settle()
    agree(chat, anna, boris)
    assert anna.texts(chat)[-1] == "from the train"
    assert len(boris.texts(chat)) == 81


def test_polling_without_a_session() -> None:
    world = World(33, patience=20_000)
    anna, boris = world.people("anna", "boris")
    anna.stream = False
    world.settle(20_000)
    chat = world.befriend(boris, anna)
    boris.say(chat, "do you poll?")
    world.settle(20_000)
    anna.say(chat, "i do")
    world.settle(20_000)
    agree(chat, anna, boris)
    assert boris.texts(chat) == ["do you poll?", "i do"]


def test_lost_answer_then_another_epoch() -> None:
    """Anna's message is in the log, she does not know; the epoch passes; it still is there once for everybody."""
    world = World(34)
    anna, boris, clara = friends(world, "anna", "boris", "clara")
    chat = world.group(anna, boris, clara)
    anna.do(e.SetAdmin(chat, boris.id, True))
    world.settle()
    anna.say(chat, "once")
    waiting = next(w for w in anna.calls if isinstance(w.call.request, m.Publish))
    world.take(anna, waiting)
    anna.go_offline()
    boris.do(e.RemoveMember(chat, clara.id))
    world.settle()
    anna.go_online()
    world.settle()
    agree(chat, anna, boris)
    assert anna.texts(chat) == boris.texts(chat) == clara.texts(chat) == ["once"]


def test_a_late_message_of_the_former_topic_is_read_once_by_all() -> None:
    """A record of the former topic is published after the move; the sender, who did not know, sends it again."""
    world = World(35)
    anna, boris, clara, david = friends(world, "anna", "boris", "clara", "david")
    chat = world.group(anna, boris, clara, david)
    old = hostile.topic_of(boris, chat)
    message_id = boris.say(chat, "late")
    waiting = next(w for w in boris.calls if isinstance(w.call.request, m.Publish))
    request = waiting.call.request
    assert isinstance(request, m.Publish)
    boris.go_offline()
    anna.do(e.RemoveMember(chat, david.id))
    world.settle()
    clara.go_offline()
    # The call that was on its way when the connection broke arrives after the commit.
    world.relay.publish(None, request, world.now)
    world.settle()
    boris.go_online()
    world.settle()
    anna.say(chat, "after")
    world.settle()
    clara.go_online()
    world.settle()
    agree(chat, anna, boris, clara)
    assert boris.texts(chat) == anna.texts(chat) == clara.texts(chat) == ["late", "after"]
    places = {
        p.name: next(v.order for v in p.messages(chat) if v.id == message_id) for p in (anna, boris, clara)
    }
    assert len(set(places.values())) == 1, places
    assert old.id != hostile.topic_of(boris, chat).id


@pytest.mark.parametrize("code", [m.RefusalCode.FULL, m.RefusalCode.TOO_MANY, m.RefusalCode.INTERNAL])
def test_refusals_that_pass(code: m.RefusalCode) -> None:
    world = World(36)
    anna, boris = friends(world, "anna", "boris")
    chat = anna.direct(boris)
    world.relay.refuse_next = [m.Refused(code)] * 3
    anna.say(chat, "patience")
    before = world.now
    world.settle(120_000)
    assert boris.texts(chat) == ["patience"]
    assert world.now - before >= PAUSE_FIRST


def test_refusal_that_does_not_pass_fails_the_message() -> None:
    world = World(37)
    anna, boris = friends(world, "anna", "boris")
    chat = anna.direct(boris)
    world.intercept = lambda party, call: (
        m.Refused(m.RefusalCode.TOO_LARGE) if isinstance(call.request, m.Publish) else None
    )
    anna.say(chat, "too much")
    world.settle()
    assert [v.status for v in anna.messages(chat)] == ["failed"]
    assert anna.view(chat).problem == "message-failed"
    assert anna.last(chat).status == "failed"


def test_a_relay_that_lost_its_disk() -> None:
    """Topic, inboxes and key packages are made again; the people are told, and go on."""
    world = World(38)
    anna, boris = friends(world, "anna", "boris")
    chat = anna.direct(boris)
    anna.say(chat, "before")
    world.settle()
    for party in (anna, boris):
        party.go_offline()
    world.relay.topics.clear()
    world.relay.inboxes.clear()
    for party in (anna, boris):
        party.go_online()
    world.settle(120_000)
    anna.say(chat, "after")
    boris.say(chat, "also after")
    world.settle(120_000)
    assert boris.texts(chat)[0] == "before" and sorted(boris.texts(chat)[1:]) == ["after", "also after"]
    assert anna.view(chat).problem == "relay-lost-history"
    assert boris.view(chat).problem == "relay-lost-history"


def test_a_topic_silent_for_a_year() -> None:
    world = World(39)
    anna, boris = friends(world, "anna", "boris")
    chat = anna.direct(boris)
    world.relay.topics.clear()
    for party in (anna, boris):
        party.go_offline()
        party.go_online()
    world.settle(60_000)
    boris.say(chat, "long time")
    world.settle(60_000)
    assert anna.texts(chat) == ["long time"]


def test_two_relays() -> None:
    """A conversation lies on its founder's relay; each person's inboxes on their own."""
    world = World(40)
    other = world.add_relay("other")
    anna, boris = world.person("anna"), world.person("boris", other)
    clara = world.person("clara", other)
    world.settle()
    world.befriend(anna, boris)
    world.befriend(boris, clara)
    chat = world.group(boris, anna, clara)
    anna.say(chat, "from the first relay")
    world.settle()
    agree(chat, anna, boris, clara)
    assert clara.texts(chat) == ["from the first relay"]
    assert world.relay.identity not in clara.wanted
    assert set(anna.wanted) == {world.relay.identity, other.identity}


def test_a_relay_that_nothing_needs_is_let_go() -> None:
    world = World(41)
    other = world.add_relay("other")
    anna, boris = world.person("anna"), world.person("boris", other)
    world.settle()
    chat = world.befriend(boris, anna)
    assert other.identity in anna.wanted
    anna.do(e.Leave(chat))
    world.settle()
    assert set(anna.wanted) == {world.relay.identity}
