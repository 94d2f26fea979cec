"""The relay's word on the order of commits: receipts, positions, and proof of fraud (protocol.md sections 2.4, 5.2)."""

from __future__ import annotations

from dataclasses import replace

from polynya.core import work
from polynya.core._state import Conversation, ConversationState, SlotReceipt, Topic
from polynya.core.conversation import need, quiet, save, set_problem
from polynya.core.state import MISBEHAVING, SLOT, number
from polynya.core.topics import all_of, entry_hash, forget_held
from polynya.core.transaction import Transaction
from polynya.wire.labels import verify_receipt
from polynya.wire.messages import REQUEST_WINDOW, Entry, ReceiptBody

MISBEHAVING_PAUSE = 5_000
"""ms between two looks at a slot that does not add up: 120 of them before the person is told."""


def receipt_is_signed(relay: bytes, topic: bytes, entry: Entry) -> bool:
    """Whether the relay's identity signed this record's place in its slot."""
    if entry.slot is None or entry.receipt is None:
        return False
    body = ReceiptBody(topic, entry.slot, entry.receipt.position, entry.seq, entry_hash(entry), entry.blobs)
    return verify_receipt(relay, body, entry.receipt)


def position_is_next(conversation: Conversation, entry: Entry) -> bool:
    """Nobody judges a record of the slot before all records before it."""
    return entry.receipt is not None and entry.receipt.position == conversation.position


def receipts_contradict(known: SlotReceipt, entry: Entry) -> bool:
    """Two signed receipts for one position of one slot, with different seq or record: proof of fraud."""
    return known.seq != entry.seq or known.record_hash != entry_hash(entry)


def is_fraud(t: Transaction, conversation: Conversation, topic: bytes, entry: Entry) -> bool:
    """Whether a validly signed receipt contradicts one that we have."""
    if entry.slot is None or entry.receipt is None:
        return False
    known = t.get(SLOT, topic + entry.slot + number(entry.receipt.position))
    if known is None or not receipts_contradict(known, entry):
        return False
    return receipt_is_signed(conversation.relay.identity, topic, entry)


def take(t: Transaction, conversation: Conversation, topic: Topic, entry: Entry) -> Conversation | None:
    """Accepts the entry as the next of the current epoch's slot; None: it is not, and is not to be judged."""
    if is_fraud(t, conversation, topic.id, entry):
        stop_for_fraud(t, conversation)
        return None
    relay = conversation.relay.identity
    if (
        entry.receipt is None
        or not receipt_is_signed(relay, topic.id, entry)
        or not position_is_next(conversation, entry)
    ):
        misbehaves(t, conversation, topic.id)
        return None
    behaves(t, conversation, topic.id)
    key = topic.id + conversation.slot + number(entry.receipt.position)
    t.put(SLOT, key, SlotReceipt(entry.seq, entry_hash(entry), entry.receipt.signature))
    found = need(t, conversation.id)
    return quiet(t, replace(found, position=found.position + 1))


def stop_for_fraud(t: Transaction, conversation: Conversation) -> None:
    """The relay signed two histories: nothing of it is believed any more."""
    work.count(t, "relay-fraud")
    save(t, replace(conversation, state=ConversationState.FRAUD))
    set_problem(t, conversation.id, "relay-fraud")


def misbehaves(t: Transaction, conversation: Conversation, topic: bytes) -> None:
    """The slot does not add up: looks again in a while, and says so when that has gone on for REQUEST_WINDOW."""
    forget_held(t, topic)
    suspect(t, conversation, topic)
    work.pause(t, b"topic", topic, MISBEHAVING_PAUSE)


def suspect(t: Transaction, conversation: Conversation, doubt: bytes) -> bool:
    """The relay keeps something from us: whether for REQUEST_WINDOW now, and then the person is told.

    `doubt`: the topic, or gap_of it."""
    since = t.get(MISBEHAVING, doubt)
    if since is None:
        since = t.now
        t.put(MISBEHAVING, doubt, since)
    if t.now - since < REQUEST_WINDOW:
        return False
    set_problem(t, conversation.id, "relay-misbehaves")
    return True


def behaves(t: Transaction, conversation: Conversation, topic: bytes) -> None:
    if t.get(MISBEHAVING, topic) is not None:
        work.succeeded(t, b"topic", topic)
    clear(t, conversation, topic)


def gap_of(topic: bytes) -> bytes:
    """Names the doubt about entries that the relay says it has and does not give."""
    return topic + b"gap"


def clear(t: Transaction, conversation: Conversation, doubt: bytes) -> None:
    """The doubt was unfounded, or is over. What an earlier run of the core said goes too, as its doubts are not kept."""
    t.remove(MISBEHAVING, doubt)
    found = need(t, conversation.id)
    if found.problem == "relay-misbehaves" and not _is_doubted(t, found):
        set_problem(t, found.id, None)


def _is_doubted(t: Transaction, conversation: Conversation) -> bool:
    """Whether the relay keeps something of any topic that is read."""
    return any(t.keys(MISBEHAVING, topic) for topic in all_of(conversation))


def forget(t: Transaction, topic: bytes, slot: bytes) -> None:
    """Its receipts are of no more use."""
    for key in t.keys(SLOT, topic + slot):
        t.remove(SLOT, key)
