"""What a received message does, by its content."""

from __future__ import annotations

from dataclasses import dataclass, replace

from polynya.core import leave, receipts, work
from polynya.core._state import LateAmendment, Orphan, Seen, Unread
from polynya.core.commands import ConversationChanged, MessageChanged
from polynya.core.conversation import is_blocked_direct, need, save, set_problem, show, update_preview
from polynya.core.history import (
    Amendment,
    Deleted,
    Edited,
    Ordered,
    Reacted,
    ReceiptSeen,
    StoredContent,
    StoredMessage,
    SystemContent,
)
from polynya.core.identity import learn_devices, me, person, save_person
from polynya.core.state import CHAIN, ORPHAN, REACH, SEEN, UNREAD, number
from polynya.core.transaction import Transaction
from polynya.wire.messages import (
    Delete,
    DeviceListContent,
    Edit,
    FileReference,
    Intent,
    Message,
    Profile,
    Reaction,
    ReceiptContent,
    ReceiptKind,
    Text,
    Unknown,
)

ORPHANS_MAX = 64
"""Amendments kept for one message that has not come: a member could send any number for one that never comes."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the conversation's log a message lies."""

    topic: bytes
    order: int
    seq: int
    time: int
    record_hash: bytes


def receive(t: Transaction, conversation: bytes, sender: bytes, message: Message, place: Place) -> None:
    key = conversation + message.id
    seen = t.get(SEEN, key)
    if seen is not None:
        _seen_again(t, conversation, message, place, seen)
        return
    t.put(SEEN, key, Seen(place.order, place.time))
    if history_differs(t, message, place):
        set_problem(t, conversation, "history-differs")
    content = message.content
    if isinstance(content, (Text, FileReference)):
        _show(t, conversation, sender, message, content, place)
    elif isinstance(content, Unknown):
        _show(t, conversation, sender, message, SystemContent("unknown", text=str(content.tag)), place)
    elif isinstance(content, (Edit, Delete, Reaction)):
        amend(t, conversation, sender, content, place)
    elif isinstance(content, ReceiptContent):
        _receipts(t, conversation, sender, content)
    elif isinstance(content, Profile):
        _profile(t, conversation, sender, content)
    elif isinstance(content, Intent):
        leave.intent_seen(t, conversation, sender, content, place.order, place.time, place.record_hash)
    elif isinstance(content, DeviceListContent):
        learn_devices(t, sender, content.list)


def _seen_again(t: Transaction, conversation: bytes, message: Message, place: Place, seen: Seen) -> None:
    """A re-encrypted copy: its place is the first of its places, whichever is read first."""
    work.count(t, "message-again")
    if place.order >= seen.order:
        return
    t.put(SEEN, conversation + message.id, replace(seen, order=place.order))
    if isinstance(message.content, (Text, FileReference, Unknown)):
        t.amend(conversation, message.id, Ordered(place.order, place.time))
        t.notify(MessageChanged(conversation, message.id))


def history_differs(t: Transaction, message: Message, place: Place) -> bool:
    """Whether the sender's log is another one than ours, at a position that both have."""
    if message.topic == place.topic and message.seq >= place.seq:
        return True
    head = t.get(CHAIN, message.topic + number(message.seq))
    return head is not None and head != message.head


def _show(
    t: Transaction, conversation: bytes, sender: bytes, message: Message, content: StoredContent, place: Place
) -> None:
    if is_blocked_direct(t, need(t, conversation), sender):
        work.count(t, "message-blocked")
        return
    mine = sender == me(t).identity
    show(
        t,
        StoredMessage(
            conversation=conversation,
            id=message.id,
            sender=sender,
            mine=mine,
            sent=message.sent,
            time=place.time,
            order=place.order,
            content=content,
            status="sent" if mine else None,
        ),
    )
    if not mine:
        t.put(UNREAD, conversation + message.id, Unread(place.order, sender))
        found = need(t, conversation)
        save(t, replace(found, unread=found.unread + 1))
        if not isinstance(content, SystemContent):
            receipts.delivered(t, conversation, message.id)
    _adopt_orphans(t, conversation, message.id)


# ---- amendments ----


def amend(
    t: Transaction, conversation: bytes, sender: bytes, content: Edit | Delete | Reaction, place: Place
) -> None:
    """Changes a message; whether the sender may is for `history.may_amend`, which knows whose it is."""
    if isinstance(content, Edit):
        late = LateAmendment("edited", sender, content.text, place.order)
    elif isinstance(content, Delete):
        late = LateAmendment("deleted", sender, "", place.order)
    else:
        late = LateAmendment("reacted", sender, content.emoji, place.order)
    _amend(t, conversation, content.target, late)
    if t.get(SEEN, conversation + content.target) is not None:
        return
    # Of another topic that is read later, or older than what is remembered.
    key = conversation + content.target
    orphan = t.get(ORPHAN, key) or Orphan((), place.time)
    if len(orphan.amendments) < ORPHANS_MAX:
        t.put(ORPHAN, key, Orphan((*orphan.amendments, late), place.time))


def _amend(t: Transaction, conversation: bytes, target: bytes, late: LateAmendment) -> None:
    t.amend(conversation, target, _amendment(late))
    t.notify(MessageChanged(conversation, target))
    found = need(t, conversation)
    if late.kind != "reacted" and found.last is not None and found.last.sender == late.by:
        update_preview(t, conversation, target, late.text)


def _amendment(late: LateAmendment) -> Amendment:
    if late.kind == "edited":
        return Edited(late.by, late.text, late.order)
    if late.kind == "deleted":
        return Deleted(late.by)
    return Reacted(late.by, late.text, late.order)


def _adopt_orphans(t: Transaction, conversation: bytes, message_id: bytes) -> None:
    orphan = t.get(ORPHAN, conversation + message_id)
    if orphan is None:
        return
    t.remove(ORPHAN, conversation + message_id)
    for late in orphan.amendments:
        _amend(t, conversation, message_id, late)


def _receipts(t: Transaction, conversation: bytes, sender: bytes, content: ReceiptContent) -> None:
    kind = "read" if content.kind == ReceiptKind.READ else "delivered"
    for message_id in content.ids:
        t.amend(conversation, message_id, ReceiptSeen(sender, kind))
        t.notify(MessageChanged(conversation, message_id))


# ---- people ----


def _profile(t: Transaction, conversation: bytes, sender: bytes, profile: Profile) -> None:
    if sender == me(t).identity:
        return
    if profile.name.strip():
        save_person(t, replace(person(t, sender), name=profile.name, named=True))
        t.notify(ConversationChanged(conversation))
    if profile.reach is not None:
        t.put(REACH, conversation + sender, profile.reach)


def forget_old(t: Transaction, before: int) -> None:
    """Message ids and orphans of entries older than `before` (ms)."""
    for key in t.keys(SEEN):
        seen = t.get(SEEN, key)
        if seen is not None and seen.time < before:
            t.remove(SEEN, key)
    for key in t.keys(ORPHAN):
        orphan = t.get(ORPHAN, key)
        if orphan is not None and orphan.time < before:
            t.remove(ORPHAN, key)
