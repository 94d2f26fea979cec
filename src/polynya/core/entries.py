"""Entries of topics as they arrive, in any order: kept until the log takes them by seq."""

from __future__ import annotations

from dataclasses import replace

from polynya.core import slots, work
from polynya.core.conversation import READING
from polynya.core.state import CONVERSATION, HELD, SOURCE, TOPIC, Source, number
from polynya.core.transaction import Transaction
from polynya.wire.messages import Entry

HELD_MAX = 256
"""Entries of one topic that wait for others: four full answers; what comes beyond is fetched when its turn comes."""


def receive(t: Transaction, topic: bytes, entry: Entry) -> None:
    """From a push, a fetch, or the answer to our own publish."""
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
