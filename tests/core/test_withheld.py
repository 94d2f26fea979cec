"""A relay that keeps back what it has: when that shows, and how things go on when it gives it."""

from __future__ import annotations

from polynya.core import commands as c
from polynya.core import events as e
from polynya.core.state import MISBEHAVING
from polynya.wire import labels
from polynya.wire import messages as m
from tests.core.test_hostile_relay import group_of_three
from tests.support import hostile
from tests.support.agreement import agree
from tests.support.lies import without_commit
from tests.support.world import Party, World

TEN_MINUTES = 600_000


def withhold_from(world: World, party: Party, above: int) -> None:
    """The party gets none of the entries above this seq, though the relay tells how many there are."""
    world.on_push = lambda other, push: None if other is party and push.entry.seq > above else push

    def answer(other: Party, call: c.Call) -> m.Response | None:
        if other is not party or not isinstance(call.request, m.Fetch):
            return None
        log = world.relay.topics[call.request.topic]
        found = tuple(entry for entry in log.entries if call.request.after < entry.seq <= above)
        return m.Records(found, log.seq)

    world.intercept = answer


def behave(world: World) -> None:
    world.intercept = None
    world.on_push = None


def test_withheld_entries_are_told_of_after_ten_minutes_and_come_later() -> None:
    world, chat, anna, boris, clara = group_of_three(61)
    withhold_from(world, boris, hostile.topic_of(boris, chat).seq)
    anna.do(e.Rename(chat, "withheld"))
    anna.say(chat, "kept from boris")
    world.settle(1_000)
    boris.say(chat, "from the former epoch")  # its place tells that there is more
    world.settle()
    assert clara.texts(chat) == ["kept from boris", "from the former epoch"]
    assert (boris.view(chat).name, boris.texts(chat)) == ("group", ["from the former epoch"])
    assert boris.view(chat).problem is None
    world.sleep(TEN_MINUTES * 2)
    assert boris.view(chat).problem == "relay-misbehaves"
    assert boris.notified.count(c.ProblemRaised(chat, "relay-misbehaves")) == 1
    behave(world)
    world.sleep(TEN_MINUTES)
    agree(chat, anna, boris, clara)
    assert boris.texts(chat) == clara.texts(chat)


def test_what_was_told_before_a_restart_is_taken_back_too() -> None:
    """A doubt lives as long as the core does; what was told of it stays."""
    world, chat, anna, boris, clara = group_of_three(69)
    _withhold_for_long(world, chat, anna, boris)
    assert boris.view(chat).problem == "relay-misbehaves"
    behave(world)
    boris.crash()
    assert boris.view(chat).problem == "relay-misbehaves"
    world.settle()
    world.sleep(TEN_MINUTES)
    assert boris.view(chat).problem is None
    agree(chat, anna, boris, clara)


def test_a_history_that_differs_stays_told_whatever_else_comes_and_goes() -> None:
    """A relay could else take its fork's word back by keeping something from somebody for a while."""
    for first in ("hide", "withhold"):
        world, chat, anna, boris, _ = group_of_three(70)
        if first == "withhold":
            _withhold_for_long(world, chat, anna, boris)
        hide_commit(world, boris)
        anna.do(e.Rename(chat, "hidden from boris"))
        world.settle()
        anna.say(chat, "in the next epoch")
        world.sleep(TEN_MINUTES)
        assert boris.view(chat).problem == "history-differs", first
        behave(world)
        if first == "hide":
            _withhold_for_long(world, chat, anna, boris)
            behave(world)
        world.sleep(TEN_MINUTES * 3)
        assert boris.view(chat).problem == "history-differs", first
        assert boris.notified.count(c.ProblemRaised(chat, "history-differs")) == 1


def _withhold_for_long(world: World, chat: bytes, anna: Party, boris: Party) -> None:
    withhold_from(world, boris, hostile.topic_of(boris, chat).seq)
    anna.say(chat, "kept back")
    world.settle(1_000)
    boris.say(chat, "its place tells that there is more")
    world.sleep(TEN_MINUTES * 2)
    assert boris.core._state.keys(MISBEHAVING)


def test_a_short_gap_is_not_told_of_however_often() -> None:
    world, chat, anna, boris, clara = group_of_three(62)
    for n in range(3):
        withhold_from(world, boris, hostile.topic_of(boris, chat).seq)
        anna.say(chat, f"late {n}")
        world.settle(TEN_MINUTES // 2)
        behave(world)
        anna.say(chat, f"in time {n}")
        world.sleep(TEN_MINUTES)
        assert boris.view(chat).problem is None
    agree(chat, anna, boris, clara)
    assert c.ProblemRaised(chat, "relay-misbehaves") not in boris.notified


def test_a_head_that_nothing_stands_behind_is_believed_for_ten_minutes() -> None:
    """Meanwhile changes of the group wait, as they would be made upon an old state."""
    world, chat, anna, boris, clara = group_of_three(63)
    topic = hostile.topic_of(anna, chat).id
    bogus = m.Entry(2**40, world.now, record=bytes(512))
    anna.handle(e.Pushed(world.relay.identity, m.Push(topic, bogus)))
    anna.do(e.Rename(chat, "in spite of it"))
    world.settle()
    assert anna.view(chat).pending_operations == 1
    world.sleep(TEN_MINUTES * 3)
    agree(chat, anna, boris, clara)
    assert c.ProblemRaised(chat, "relay-misbehaves") in anna.notified
    assert boris.view(chat).name == "in spite of it"


def hide_commit(world: World, party: Party) -> None:
    """In the party's log any entry with a slot is junk."""

    def bend(other: Party, push: m.Push) -> m.Push:
        return m.Push(push.source, without_commit(push.entry)) if other is party else push

    world.on_push = bend

    def answer(other: Party, call: c.Call) -> m.Response | None:
        if other is not party or not isinstance(call.request, m.Fetch):
            return None
        log = world.relay.topics[call.request.topic]
        found = [without_commit(entry) for entry in log.entries if entry.seq > call.request.after]
        return m.Records(tuple(found), log.seq)

    world.intercept = answer


def test_a_commit_hidden_behind_junk_shows_with_the_first_message_after_it() -> None:
    world, chat, anna, boris, clara = group_of_three(64)
    hide_commit(world, boris)
    anna.do(e.Rename(chat, "hidden from boris"))
    world.settle()
    assert (boris.view(chat).name, boris.view(chat).problem) == ("group", None)
    clara.say(chat, "in the next epoch")
    world.settle()
    assert anna.texts(chat) == ["in the next epoch"] and boris.texts(chat) == []
    assert boris.view(chat).problem == "history-differs"
    behave(world)
    boris.say(chat, "as I know it")
    world.settle()
    # The others have the keys of the epoch before, and their log is another.
    assert anna.view(chat).problem == clara.view(chat).problem == "history-differs"
    assert clara.texts(chat) == ["in the next epoch", "as I know it"]


def test_who_was_removed_cannot_make_the_others_doubt() -> None:
    """In the former topic anybody who was removed may write of any epoch."""
    world, chat, anna, boris, clara = group_of_three(65)
    forged = hostile.message(clara, chat, m.Text("x"))
    former = hostile.topic_of(clara, chat)
    anna.do(e.RemoveMember(chat, clara.id))
    world.settle()
    later = forged.replace((1).to_bytes(8, "big"), (9).to_bytes(8, "big"), 1)
    assert later != forged
    hostile.publish(clara, chat, later, topic=former)
    world.settle()
    assert boris.core.counters()["message-wrong-epoch"] == 1
    assert boris.view(chat).problem is None


def test_two_histories_with_as_many_epochs_show_by_their_keys() -> None:
    """Each half sees its own commit first in the slot, and the other's not at all; messages go to all."""
    world, chat, anna, boris, clara = group_of_three(66)
    anna.do(e.SetAdmin(chat, boris.id, True))
    world.settle()
    fork = hostile.topic_of(boris, chat).seq + 1
    slot = hostile.slot_of(boris, chat)
    commits: dict[str, m.Entry] = {}

    def answer(other: Party, call: c.Call) -> m.Response | None:
        request = call.request
        if not isinstance(request, m.Publish) or request.slot != slot:
            return None
        body = m.ReceiptBody(
            hostile.topic_of(other, chat).id, slot, 0, fork, labels.record_hash(request.record), request.blobs
        )
        receipt = labels.sign_receipt(world.relay.seed, body)
        commits[other.name] = m.Entry(fork, world.now, request.record, None, slot, receipt, request.blobs)
        return m.Published(fork, world.now, receipt)

    world.intercept = answer
    anna.do(e.Rename(chat, "north"))
    boris.do(e.Rename(chat, "south"))
    world.settle(2_000)
    assert commits.keys() == {"anna", "boris"}
    # Clara belongs to Anna's half. Both logs go on behind the two commits.
    clara.handle(e.Pushed(world.relay.identity, m.Push(hostile.topic_of(clara, chat).id, commits["anna"])))
    log = world.relay.topics[hostile.topic_of(anna, chat).id]
    log.seq = fork
    world.settle(2_000)
    assert [p.view(chat).name for p in (anna, boris, clara)] == ["north", "south", "north"]
    assert [p.view(chat).problem for p in (anna, boris, clara)] == [None] * 3
    clara.say(chat, "for the north")
    world.settle()
    assert anna.texts(chat) == ["for the north"] and anna.view(chat).problem is None
    assert boris.texts(chat) == [] and boris.view(chat).problem == "history-differs"
    boris.say(chat, "for the south")
    world.settle()
    assert anna.view(chat).problem == clara.view(chat).problem == "history-differs"
