"""How a conversation ends for us: its keys go, its history stays."""

from __future__ import annotations

from dataclasses import replace

from polynya.core import formers, membership, operations, outbox, reaches, successors, topics, work
from polynya.core._state import ConversationState
from polynya.core.commands import ContactsChanged
from polynya.core.conversation import need, save
from polynya.core.identity import person, save_person
from polynya.core.state import (
    CONVERSATION,
    GROUP,
    LATER,
    MEMBERSHIP,
    ORPHAN,
    SEEN,
    TYPING,
    UNREAD,
    WISH,
)
from polynya.core.transaction import Transaction

TIMERS = (b"epochs", b"receipts", b"left", b"move", b"readd")


def end(t: Transaction, conversation: bytes, state: ConversationState) -> None:
    """Nothing is sent or read any more: `state` is left, removed or closed."""
    found = need(t, conversation)
    membership.forget(t, found)
    operations.drop_all(t, conversation)
    outbox.fail_all(t, conversation)
    for topic in topics.all_of(found):
        topics.close(t, topic)
    reaches.close(t, found.inbox)
    reaches.forget(t, conversation)
    t.remove(GROUP, conversation)
    formers.forget_all(t, conversation)
    for key in t.keys(WISH, conversation):
        t.remove(WISH, key)
        work.stop_timer(t, b"wish", key)
    for key in t.keys(TYPING, conversation):
        t.remove(TYPING, key)
        work.stop_timer(t, b"typing", key)
    for timer in TIMERS:
        work.stop_timer(t, timer, conversation)
    found = need(t, conversation)
    found = replace(
        found,
        state=state,
        founding=False,
        old_topics=(),
        past=(),
        gone=(),
        delivered=(),
        read=(),
        inbox=None,
        asked=None,
        since=None,
        problem=None,
    )
    save(t, found)
    work.wake(t, b"later", conversation)
    unlink(t, conversation)


def unlink(t: Transaction, conversation: bytes) -> None:
    """It is nobody's direct conversation any more."""
    known = t.get(MEMBERSHIP, conversation)
    for member in () if known is None else known.members:
        somebody = person(t, member.identity)
        if somebody.conversation == conversation:
            save_person(t, replace(somebody, conversation=None))
            t.notify(ContactsChanged())


def delete(t: Transaction, conversation: bytes) -> None:
    """Nothing of it stays on this device."""
    for key in t.keys(UNREAD, conversation):
        t.remove(UNREAD, key)
    for key in t.keys(SEEN, conversation):
        t.remove(SEEN, key)
    for key in t.keys(ORPHAN, conversation):
        t.remove(ORPHAN, key)
    successors.forget(t, conversation)
    t.remove(MEMBERSHIP, conversation)
    t.remove(LATER, conversation)
    t.remove(CONVERSATION, conversation)
    t.forget_history(conversation)
