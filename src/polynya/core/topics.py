"""The topics of a conversation: their secrets, cursors and hash chains, and how one follows another."""

from __future__ import annotations

from dataclasses import replace

from polynya.core import blobs, work
from polynya.core._state import Conversation, Topic
from polynya.core.blobs import Body
from polynya.core.history import TOPIC_STEP
from polynya.core.state import CHAIN, CONVERSATION, HELD, LINK, MISBEHAVING, SLOT, SOURCE, TOPIC, number
from polynya.core.transaction import Transaction
from polynya.wire.errors import WireError
from polynya.wire.labels import chain_head, record_hash, record_key, topic_id, write_secret
from polynya.wire.messages import RECEIVE_KEYS_LIFETIME, Entry, Unsubscribe
from polynya.wire.record import open_record

CHAIN_KEPT = 512
"""Positions of a topic with which messages' heads are compared: a sender lags behind by a few, offline ones by more."""


def start(
    t: Transaction, conversation: bytes, secret: bytes, ordinal: int, seq: int, head: bytes | None
) -> Topic:
    """A topic that is read from after `seq`; without `head` it is a new one."""
    topic = topic_id(write_secret(secret))
    if head is None:
        head = topic
    row = Topic(
        id=topic,
        conversation=conversation,
        topic_secret=secret,
        ordinal=ordinal,
        created=False,
        seq=seq,
        head=head,
    )
    t.put(TOPIC, topic, row)
    t.put(CHAIN, topic + number(seq), head)
    work.wake(t, b"topic", topic)
    return row


def all_of(conversation: Conversation) -> tuple[bytes, ...]:
    """Ids of the topics that are read, the current one first."""
    return (conversation.topic, *conversation.old_topics)


def order(topic: Topic, seq: int) -> int:
    return topic.ordinal * TOPIC_STEP + seq


def entry_hash(entry: Entry) -> bytes:
    if entry.record is not None:
        return record_hash(entry.record)
    return entry.record_hash or b""


def step(t: Transaction, topic: Topic, entry: Entry) -> Topic:
    """The entry counts as processed."""
    head = chain_head(topic.head, entry_hash(entry))
    stepped = replace(topic, seq=entry.seq, head=head)
    t.put(TOPIC, topic.id, stepped)
    t.put(CHAIN, topic.id + number(entry.seq), head)
    if entry.seq >= CHAIN_KEPT:
        t.remove(CHAIN, topic.id + number(entry.seq - CHAIN_KEPT))
    t.remove(HELD, topic.id + number(entry.seq))
    return stepped


def read_entry(t: Transaction, topic: Topic, relay: bytes, entry: Entry) -> Body:
    """The body of an entry whose record is there: bad where it does not open."""
    if entry.record is None:
        return Body("gone")
    try:
        body = open_record(record_key(topic.topic_secret), topic.id, entry.record)
    except WireError:
        return Body("bad")
    return blobs.read_body(t, relay, work.item(b"log", topic.id), entry, body)


def end(t: Transaction, topic: bytes, time: int) -> None:
    """A commit that removed someone left this topic: late messages are read for RECEIVE_KEYS_LIFETIME more."""
    row = t.get(TOPIC, topic)
    if row is not None:
        t.put(TOPIC, topic, replace(row, ended=time))
        work.set_timer_by_relay(t, b"close", topic, time + RECEIVE_KEYS_LIFETIME)


def missing(t: Transaction, topic: bytes) -> None:
    """The relay does not know it (any more): it is made again."""
    row = t.get(TOPIC, topic)
    if row is not None:
        t.put(TOPIC, topic, replace(row, created=False))
        work.wake(t, b"topic", topic)


def close(t: Transaction, topic: bytes) -> None:
    """Forgets a topic."""
    row = t.get(TOPIC, topic)
    if row is None:
        return
    found = t.get(CONVERSATION, row.conversation)
    source = t.get(SOURCE, topic)
    if found is not None and source is not None and source.subscribed:
        link = t.get(LINK, found.relay.identity)
        if link is not None and link.session:
            work.call(t, found.relay.identity, work.item(b"unsubscribe", topic), Unsubscribe((topic,), ()))
    if found is not None and topic in found.old_topics:
        rest = tuple(old for old in found.old_topics if old != topic)
        t.put(CONVERSATION, found.id, replace(found, old_topics=rest))
    forget_chain(t, row)
    forget_held(t, topic)
    for key in t.keys(SLOT, topic):
        t.remove(SLOT, key)
    t.remove(SOURCE, topic)
    for doubt in t.keys(MISBEHAVING, topic):
        t.remove(MISBEHAVING, doubt)
    t.remove(TOPIC, topic)
    work.stop_timer(t, b"close", topic)


def forget_chain(t: Transaction, topic: Topic) -> None:
    for seq in range(max(0, topic.seq - CHAIN_KEPT), topic.seq + 1):
        t.remove(CHAIN, topic.id + number(seq))


def forget_held(t: Transaction, topic: bytes) -> None:
    for key in t.keys(HELD, topic):
        t.remove(HELD, key)


def in_sync(t: Transaction, conversation: Conversation) -> bool:
    """Whether this connection has brought everything that the current topic holds."""
    topic = t.get(TOPIC, conversation.topic)
    source = t.get(SOURCE, conversation.topic)
    if topic is None or source is None or t.get(LINK, conversation.relay.identity) is None:
        return False
    return topic.created and source.told and topic.seq >= source.head
