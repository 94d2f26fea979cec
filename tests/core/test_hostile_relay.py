"""A relay that lies: about order, receipts, records, history. And what no honest member believes."""

from __future__ import annotations

from dataclasses import replace

from polynya.core import commands as c
from polynya.core import events as e
from polynya.core import mlsgroup
from polynya.wire import labels
from polynya.wire import messages as m
from polynya.wire.keypackages import seal_key_package
from polynya.wire.record import seal_record
from tests.support import hostile
from tests.support.agreement import agree, friends
from tests.support.relaymodel import Log
from tests.support.world import Party, World

TEN_MINUTES = 600_000


def group_of_three(seed: int) -> tuple[World, bytes, Party, Party, Party]:
    world = World(seed)
    anna, boris, clara = friends(world, "anna", "boris", "clara")
    return world, world.group(anna, boris, clara), anna, boris, clara


def signed(
    world: World,
    topic: bytes,
    slot: bytes,
    position: int,
    seq: int,
    record: bytes,
    blobs: tuple[bytes, ...] | None = None,
) -> m.Entry:
    """What only the relay can make: a receipt."""
    hash_ = labels.record_hash(record)
    receipt = labels.sign_receipt(world.relay.seed, m.ReceiptBody(topic, slot, position, seq, hash_, blobs))
    return m.Entry(seq, world.now, record=record, slot=slot, receipt=receipt, blobs=blobs)


def last_commit(world: World, topic: bytes) -> m.Entry:
    return [entry for entry in world.relay.topics[topic].entries if entry.slot is not None][-1]


def test_two_receipts_for_one_position_stop_the_conversation() -> None:
    world, chat, anna, boris, clara = group_of_three(51)
    topic = hostile.topic_of(boris, chat).id
    anna.do(e.Rename(chat, "first"))
    world.settle()
    honest = last_commit(world, topic)
    assert honest.slot is not None and honest.receipt is not None
    other = signed(world, topic, honest.slot, honest.receipt.position, honest.seq, bytes(512))
    boris.handle(e.Pushed(world.relay.identity, m.Push(topic, other)))
    assert boris.view(chat).state == "fraud"
    assert boris.view(chat).problem == "relay-fraud"
    assert c.ProblemRaised(chat, "relay-fraud") in boris.notified
    anna.say(chat, "unseen")
    world.settle()
    assert boris.texts(chat) == []
    assert not boris.view(chat).can_send
    assert clara.texts(chat) == ["unseen"]


def test_the_same_receipt_twice_is_no_fraud_and_neither_is_an_unsigned_one() -> None:
    world, chat, anna, boris, clara = group_of_three(52)
    topic = hostile.topic_of(boris, chat).id
    anna.do(e.Rename(chat, "first"))
    world.settle()
    honest = last_commit(world, topic)
    assert honest.receipt is not None
    forged = replace(honest, record=bytes(512), receipt=m.Receipt(honest.receipt.position, bytes(64)))
    for entry in (honest, forged):
        boris.handle(e.Pushed(world.relay.identity, m.Push(topic, entry)))
    world.settle()
    agree(chat, anna, boris, clara)


def test_a_commit_without_a_valid_receipt_waits_and_is_told_of() -> None:
    world, chat, anna, boris, clara = group_of_three(53)

    def strip(entry: m.Entry) -> m.Entry:
        if entry.receipt is None:
            return entry
        return replace(entry, receipt=m.Receipt(entry.receipt.position, bytes(64)))

    world.on_push = lambda party, push: m.Push(push.source, strip(push.entry)) if party is boris else push
    original = world.relay._fetch
    lying = True

    def fetch(log: Log | None, request: m.Fetch | m.FetchInbox, unknown: m.RefusalCode) -> m.Response:
        answer = original(log, request, unknown)
        if lying and isinstance(answer, m.Records) and isinstance(request, m.Fetch):
            return m.Records(tuple(strip(entry) for entry in answer.entries), answer.head)
        return answer

    world.relay._fetch = fetch  # type: ignore[method-assign]
    anna.do(e.Rename(chat, "unproven"))
    anna.say(chat, "in the next epoch")
    world.settle()
    assert boris.view(chat).name == "group"
    assert boris.texts(chat) == []
    assert boris.view(chat).problem is None
    world.sleep(TEN_MINUTES + 10_000)
    assert boris.view(chat).problem == "relay-misbehaves"
    lying = False
    world.on_push = None
    world.sleep(20_000)
    agree(chat, anna, boris, clara)
    assert boris.view(chat).name == "unproven"
    assert boris.texts(chat) == ["in the next epoch"]


def test_a_withheld_position_is_waited_for() -> None:
    """The relay shows a commit as second in its slot and hides the first."""
    world, chat, anna, boris, _ = group_of_three(54)
    topic = hostile.topic_of(boris, chat)
    slot = hostile.slot_of(boris, chat)
    body, blobs = hostile.body_of(anna, hostile.commit(anna, chat))
    record = seal_record(labels.record_key(topic.topic_secret), topic.id, body, anna.random)
    entry = signed(world, topic.id, slot, 1, topic.seq + 1, record, blobs)
    boris.handle(e.Pushed(world.relay.identity, m.Push(topic.id, entry)))
    world.settle(TEN_MINUTES)  # what is missing is asked for in growing pauses, not for ever at once
    assert hostile.conversation_of(boris, chat).epoch == 1
    assert hostile.conversation_of(boris, chat).position == 0
    assert hostile.topic_of(boris, chat).seq == topic.seq


def test_a_forked_history_shows() -> None:
    """The relay gives boris another record in the place of one."""
    world, chat, anna, boris, clara = group_of_three(55)
    topic = hostile.topic_of(boris, chat).id
    boris.go_offline()
    log = world.relay.topics[topic]
    before = len(log.entries)
    clara.say(chat, "hidden from boris")
    world.settle()
    hidden = log.entries[before]
    fake = m.Entry(hidden.seq, hidden.time, record=bytes(512))
    original = world.relay._fetch

    def fetch(log: Log | None, request: m.Fetch | m.FetchInbox, unknown: m.RefusalCode) -> m.Response:
        answer = original(log, request, unknown)
        if isinstance(answer, m.Records):
            return m.Records(tuple(fake if x is hidden else x for x in answer.entries), answer.head)
        return answer

    world.relay._fetch = fetch  # type: ignore[method-assign]
    boris.go_online()
    world.settle()
    # Anna's receipt, written after the hidden message, tells at once.
    assert boris.view(chat).problem == "history-differs"
    anna.say(chat, "seen by all")
    world.settle()
    assert anna.view(chat).problem == "history-differs"
    assert boris.texts(chat) == ["seen by all"]


def test_an_answer_that_misplaces_our_message() -> None:
    """The relay says it has our message where we have read another: it is sent until the log shows it."""
    world, chat, anna, boris, clara = group_of_three(56)
    lies = [3]

    def lie(party: Party, call: c.Call) -> m.Response | None:
        if party is anna and isinstance(call.request, m.Publish) and lies[0]:
            lies[0] -= 1
            return m.Published(1, world.now)
        return None

    world.intercept = lie
    anna.say(chat, "at last")
    world.settle(120_000)
    agree(chat, anna, boris, clara)
    assert boris.texts(chat) == ["at last"]
    assert anna.core.counters()["publish-misplaced"] == 3


def test_key_packages_of_somebody_else_are_not_used() -> None:
    """The relay hands out another person's key package: it does not open under the contact's package key."""
    world = World(57)
    anna, boris, clara = friends(world, "anna", "boris", "clara")
    boris_owner = hostile.owner_of(boris)
    clara_owner = hostile.owner_of(clara)
    world.relay.packages[boris_owner] = world.relay.packages[clara_owner]
    anna.do(e.CreateGroup("trap", (boris.id,)))
    world.settle()
    (chat,) = [v.id for v in anna.core.conversations() if v.name == "trap"]
    assert anna.view(chat).problem == "bad-key-package"
    assert anna.members(chat) == ["anna"]
    assert clara.core.conversation(chat) is None


def test_a_contact_who_hands_out_a_foreign_key_package() -> None:
    """Boris's stock holds clara's key package, sealed under boris's own key: its identity is not his."""
    world = World(58)
    anna, boris, clara = friends(world, "anna", "boris", "clara")
    own, other = hostile.me_of(boris), hostile.me_of(clara)
    package = mlsgroup.new_key_package(
        other, m.SUITE_XWING, world.now, False, clara.random
    ).key_package.encode()
    owner = hostile.owner_of(boris)
    world.relay.packages[owner] = [seal_key_package(own.package_key, owner, package, boris.random)]
    anna.do(e.CreateGroup("trap", (boris.id,)))
    world.settle()
    (chat,) = [v.id for v in anna.core.conversations() if v.name == "trap"]
    assert anna.view(chat).problem == "bad-key-package"
    assert clara.core.conversation(chat) is None
