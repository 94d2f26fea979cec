"""A topic's log in order: each entry once, by seq, nothing skipped."""

from __future__ import annotations

from polynya.core import commits, messages, slots, topics, work
from polynya.core._state import Conversation, Topic
from polynya.core.conversation import READING
from polynya.core.state import CONVERSATION, HELD, TOPIC, number
from polynya.core.transaction import Transaction
from polynya.wire.messages import Entry


def advance(t: Transaction, topic: bytes) -> None:
    """Processes what has arrived as far as it follows without a gap."""
    while True:
        row = t.get(TOPIC, topic)
        conversation = None if row is None else t.get(CONVERSATION, row.conversation)
        if row is None or conversation is None or conversation.state not in READING:
            return
        entry = t.get(HELD, topic + number(row.seq + 1))
        if entry is None or not _process(t, conversation, row, entry):
            break
    work.wake(t, b"topic", topic)
    work.wake(t, b"outbox", row.conversation)
    work.wake(t, b"operation", row.conversation)


def _process(t: Transaction, conversation: Conversation, topic: Topic, entry: Entry) -> bool:
    """False: the entry cannot be judged yet."""
    if entry.slot is None:
        return messages.process(t, conversation, topic, entry)
    if topic.id == conversation.topic and entry.slot == conversation.slot:
        return commits.process(t, conversation, topic, entry)
    if slots.is_fraud(t, conversation, topic.id, entry):
        slots.stop_for_fraud(t, conversation)
        return False
    # The slot of an epoch that has ended, or one that nobody uses: never a message, never a commit.
    topics.step(t, topic, entry)
    return True
