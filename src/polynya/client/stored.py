"""A StoredMessage as bytes inside its row, with a version of its own."""

from __future__ import annotations

from typing import Any

from polynya.client.storekey import damaged
from polynya.core.history import NEWEST, StoredContent, StoredMessage, StoredReaction, SystemContent
from polynya.wire import cbor
from polynya.wire.errors import WireError
from polynya.wire.messages import Unknown, decode_content, encode_content

VERSION = 1


def _optional(value: int | str | None) -> list[cbor.Value]:
    return [] if value is None else [value]


def _place(order: int | None) -> list[cbor.Value]:
    """An order, or True for NEWEST, which is above the integers that CBOR holds here."""
    return _optional(order) if order != NEWEST else [True]


def _from_place(value: list[Any]) -> int | None:
    if not value:
        return None
    return NEWEST if value[0] is True else int(value[0])


def _encode_content(content: StoredContent) -> cbor.Value:
    if isinstance(content, SystemContent):
        return [1, content.kind, list(content.subjects), _optional(content.text)]
    if isinstance(content, Unknown):
        return [2, content.tag]
    return [0, encode_content(content)]


def _decode_content(value: Any) -> StoredContent:
    match value:
        case [0, bytes(data)]:
            return decode_content(data)
        case [1, str(kind), list(subjects), list(text)]:
            return SystemContent(kind, tuple(subjects), text[0] if text else None)
        case [2, int(tag)]:
            return Unknown(tag)
    raise WireError("message", "stored content")


def encode_stored(message: StoredMessage) -> bytes:
    """Everything of the message."""
    m = message
    return cbor.encode([
        VERSION, m.conversation, m.id, m.sender, m.mine, m.sent, _optional(m.time), _optional(m.order),
        _encode_content(m.content), _optional(m.status), _place(m.edited), m.deleted,
        [[r.identity, r.emoji, _optional(r.order)] for r in m.reactions], list(m.delivered), list(m.read),
    ])  # fmt: skip


def decode_stored(data: bytes) -> StoredMessage:
    """Raises StoreDamaged."""
    try:
        value: Any = cbor.decode(data)
        match value:
            case [
                1, bytes(conversation), bytes(id), bytes(sender), bool(mine), int(sent), list(time),
                list(order), list(content), list(status), list(edited), bool(deleted), list(reactions),
                list(delivered), list(read),
            ]:  # fmt: skip
                return StoredMessage(
                    conversation=conversation,
                    id=id,
                    sender=sender,
                    mine=mine,
                    sent=sent,
                    time=time[0] if time else None,
                    order=order[0] if order else None,
                    content=_decode_content(content),
                    status=status[0] if status else None,
                    edited=_from_place(edited),
                    deleted=deleted,
                    reactions=tuple(
                        StoredReaction(identity, emoji, place[0] if place else None)
                        for identity, emoji, place in reactions
                    ),
                    delivered=tuple(delivered),
                    read=tuple(read),
                )
    except (WireError, ValueError, TypeError) as error:
        raise damaged("a message cannot be read") from error
    raise damaged("a message is not of a known form")
