"""What programs are shown of the history: plain values, made from what is stored."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from polynya.core.history import StoredMessage, SystemContent
from polynya.wire.messages import FileReference, Text


@dataclass(frozen=True, slots=True)
class File:
    """A file in a message; `Client.download` fetches it."""

    name: str
    media_type: str
    size: int
    """bytes"""
    caption: str | None
    reference: FileReference = field(repr=False)


@dataclass(frozen=True, slots=True)
class SystemNote:
    """Something that happened to the conversation. `kind`: created, added, removed, left, renamed,
    admin, unadmin, joined, suite, problem. `subjects`: identities it happened to."""

    kind: str
    subjects: tuple[bytes, ...]
    text: str | None
    """The new name, post-quantum or classical, or the problem's code."""


@dataclass(frozen=True, slots=True)
class Reaction:
    identity: bytes
    emoji: str


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a conversation. `text` is what a person reads: the text, or a file's caption."""

    conversation: bytes
    id: bytes
    sender: bytes
    """Identity key."""
    sender_name: str
    mine: bool
    kind: str
    """text, file, system, or unknown (made by a newer version)."""
    text: str
    file: File | None
    system: SystemNote | None
    reply_to: bytes | None
    """Id of the message that this one answers."""
    sent: int
    """ms, the sender's clock."""
    time: int | None
    """ms, the relay's clock; None while it waits."""
    edited: bool
    deleted: bool
    status: str | None
    """Of our own: waiting, sent or failed. Else None."""
    reactions: tuple[Reaction, ...]
    delivered_to: tuple[bytes, ...]
    read_by: tuple[bytes, ...]


def to_message(stored: StoredMessage, name_of: Callable[[bytes], str]) -> Message:
    """The value of a stored message; `name_of` gives the name of an identity."""
    content = stored.content
    kind, text, reply_to = "unknown", "", None
    file: File | None = None
    note: SystemNote | None = None
    if isinstance(content, SystemContent) and content.kind != "unknown":
        kind, note = "system", SystemNote(content.kind, content.subjects, content.text)
    elif isinstance(content, Text):
        kind, text, reply_to = "text", content.text, content.reply_to
    elif isinstance(content, FileReference):
        kind, text, reply_to = "file", content.caption or "", content.reply_to
        file = File(content.name, content.media_type, content.size, content.caption, content)
    return Message(
        conversation=stored.conversation,
        id=stored.id,
        sender=stored.sender,
        sender_name=name_of(stored.sender),
        mine=stored.mine,
        kind=kind,
        text=text,
        file=file,
        system=note,
        reply_to=reply_to,
        sent=stored.sent,
        time=stored.time,
        edited=stored.edited is not None,
        deleted=stored.deleted,
        status=stored.status,
        reactions=tuple(Reaction(r.identity, r.emoji) for r in stored.reactions if r.emoji),
        delivered_to=stored.delivered,
        read_by=stored.read,
    )


@dataclass(frozen=True, slots=True)
class Invitation:
    """Somebody's invite after it was opened and verified."""

    id: bytes
    name: str
    identity: bytes
