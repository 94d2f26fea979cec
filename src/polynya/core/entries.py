"""Entries of topics as they arrive, in any order: kept until the log takes them by seq."""

from __future__ import annotations

from dataclasses import replace

from polynya.core import slots, work
from polynya.core.conversation import READING
from polynya.core.state import CONVERSATION, HELD, SOURCE, TOPIC, Source, number
from polynya.core.transaction import Transaction
from polynya.wire.labels import topic_id
from polynya.wire.messages import Entry, Publish, Published

HELD_MAX = 256
"""Entries of one topic that wait for others: four full answers; what comes beyond is fetched when its turn comes."""


def published(t: Transaction, request: Publish, response: Published) -> bool:
    """The answer stands for the push of our own record; False: it names a place that we have read."""
    topic = topic_id(request.write_secret)
    row = t.get(TOPIC, topic)
    entry = Entry(
        response.seq,
        response.time,
        record=request.record,
        slot=request.slot,
        receipt=response.receipt,
        blobs=request.blobs,
    )
    receive(t, topic, entry)
    return row is None or response.seq > row.seq


def receive(t: Transaction, topic: bytes, entry: Entry) -> None:
    """From a push or a fetch."""
    row = t.get(TOPIC, topic)
    conversation = None if row is None else t.get(CONVERSATION, row.conversation)
    if row is None or conversation is None or conversation.state not in READING:
        return
    source = t.get(SOURCE, topic) or Source(conversation.relay.identity)
    if entry.seq > source.head:
        t.put(SOURCE, topic, replace(source, head=entry.seq))
    work.wake(t, b"log", topic)
    if entry.seq <= row.seq:
        if slots.is_fraud(t, conversation, topic, entry):
            slots.stop_for_fraud(t, conversation)
    elif entry.seq == row.seq + 1 or len(t.keys(HELD, topic)) < HELD_MAX:
        t.put(HELD, topic + number(entry.seq), entry)
