"""A conversation's messages as the client's storage keeps them, and the one way in which they change."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeAlias

from polynya.wire.messages import Content, FileReference, Text

TOPIC_STEP = 2**32
"""`order = ordinal of the topic * TOPIC_STEP + seq`: a topic holds fewer than 2**32 records, 2**53 leaves 2**21 topics."""


@dataclass(frozen=True, slots=True)
class SystemContent:
    """Something that happened to the conversation. `kind`: created, added, removed, left, renamed, admin, unadmin,
    joined, suite, problem. `subjects`: whom it happened to. `text`: the new name, post-quantum or classical, or the
    problem's code."""

    kind: str
    subjects: tuple[bytes, ...] = ()
    text: str | None = None


StoredContent: TypeAlias = Content | SystemContent


@dataclass(frozen=True, slots=True)
class StoredReaction:
    identity: bytes
    emoji: str
    order: int | None
    """None: our own, not yet in the log."""


@dataclass(frozen=True, slots=True)
class StoredMessage:
    conversation: bytes
    id: bytes
    sender: bytes
    """Identity key; all zeros where nobody is the sender (system messages without an author)."""
    mine: bool
    sent: int
    """ms, the sender's clock."""
    time: int | None
    """ms, the relay's clock; None while our own message waits."""
    order: int | None
    """Place in the conversation; None while our own message waits: it is shown last, such messages by `sent`."""
    content: StoredContent
    status: str | None
    """Of our own messages: waiting, sent or failed. Else None."""
    edited: int | None = None
    """Order of the edit that `content` shows."""
    deleted: bool = False
    """The content is gone, the place stays."""
    reactions: tuple[StoredReaction, ...] = ()
    """By identity, ascending."""
    delivered: tuple[bytes, ...] = ()
    """Identities on whose devices it is, ascending."""
    read: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Ordered:
    order: int
    time: int


@dataclass(frozen=True, slots=True)
class StatusChanged:
    status: str


@dataclass(frozen=True, slots=True)
class Edited:
    by: bytes
    text: str
    order: int | None
    """None: our own edit, not yet in the log."""


@dataclass(frozen=True, slots=True)
class Deleted:
    by: bytes


@dataclass(frozen=True, slots=True)
class Reacted:
    by: bytes
    emoji: str
    order: int | None


@dataclass(frozen=True, slots=True)
class ReceiptSeen:
    by: bytes
    kind: str
    """delivered or read."""


Amendment: TypeAlias = Ordered | StatusChanged | Edited | Deleted | Reacted | ReceiptSeen


def may_amend(message: StoredMessage, by: bytes) -> bool:
    """Only the sender of a person's message edits or deletes it."""
    return message.sender == by and not isinstance(message.content, SystemContent)


def apply(message: StoredMessage, amendment: Amendment) -> StoredMessage | None:
    """The message after the amendment; None where it changes nothing or is not allowed."""
    changed = _applied(message, amendment)
    return None if changed is None or changed == message else changed


def _applied(message: StoredMessage, amendment: Amendment) -> StoredMessage | None:
    if isinstance(amendment, Ordered):
        if message.order is not None and message.order <= amendment.order:
            return None
        return replace(message, order=amendment.order, time=amendment.time)
    if isinstance(amendment, StatusChanged):
        return replace(message, status=amendment.status)
    if isinstance(amendment, Edited):
        return _edited(message, amendment)
    if isinstance(amendment, Deleted):
        if not may_amend(message, amendment.by):
            return None
        return replace(message, deleted=True, content=Text(text=""), reactions=())
    if isinstance(amendment, Reacted):
        return _reacted(message, amendment)
    if message.sender == amendment.by or not message.mine:
        return None
    if amendment.kind == "read":
        return replace(
            message, read=_with(message.read, amendment.by), delivered=_with(message.delivered, amendment.by)
        )
    return replace(message, delivered=_with(message.delivered, amendment.by))


NEWEST = 2**53
"""Above every order: stands for an amendment of our own that has no place in the log yet."""


def _edited(message: StoredMessage, edit: Edited) -> StoredMessage | None:
    order = NEWEST if edit.order is None else edit.order
    if not may_amend(message, edit.by) or message.deleted:
        return None
    content: StoredContent
    if isinstance(message.content, Text):
        content = replace(message.content, text=edit.text)
    elif isinstance(message.content, FileReference):
        content = replace(message.content, caption=edit.text)
    else:
        return None
    if message.edited is not None and message.edited > order and content != message.content:
        return None
    return replace(message, content=content, edited=order)


def _reacted(message: StoredMessage, reaction: Reacted) -> StoredMessage | None:
    if message.deleted or isinstance(message.content, SystemContent):
        return None
    order = NEWEST if reaction.order is None else reaction.order
    others = []
    for old in message.reactions:
        if old.identity != reaction.by:
            others.append(old)
            continue
        old_order = NEWEST if old.order is None else old.order
        if old_order > order and old.emoji != reaction.emoji:
            return None
    # A reaction taken back stays as an empty one: a later duplicate of an older reaction must not bring it back.
    others.append(StoredReaction(reaction.by, reaction.emoji, reaction.order))
    return replace(message, reactions=tuple(sorted(others, key=lambda r: r.identity)))


def _with(identities: tuple[bytes, ...], identity: bytes) -> tuple[bytes, ...]:
    return identities if identity in identities else tuple(sorted([*identities, identity]))
