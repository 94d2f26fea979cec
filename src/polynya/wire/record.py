"""Sealing of records, contact requests and ephemeral messages (protocol.md sections 3, 5.6 and 7)."""

from __future__ import annotations

from polynya.crypto.errors import CryptoError
from polynya.crypto.hpke import open_once, seal_once
from polynya.crypto.random import Random
from polynya.crypto.xwing import XWING
from polynya.wire import sealing
from polynya.wire.errors import WireError
from polynya.wire.messages import (
    RECORD_STEPS,
    EphemeralMessage,
    InboxMessage,
    Inline,
    RecordBody,
    decode_ephemeral_message,
    decode_inbox_message,
    decode_record_body,
    encode_ephemeral_message,
    encode_inbox_message,
    encode_record_body,
)
from polynya.wire.padding import pad, unpad

LENGTH_SIZE = 2
INLINE_HEAD = 7
"""`Inline` around more than 255 bytes: array, tag, map, key, and three of the byte string."""
INLINE_MAX = RECORD_STEPS[-1] - sealing.OVERHEAD - LENGTH_SIZE - INLINE_HEAD
"""Most bytes that a record holds itself: 4,096 - 28 - 2 - 7; anything larger is sealed as a file
(`InBlob`)."""

KDF_SHA256, AEAD_AES_256_GCM = 0x0001, 0x0002
REQUEST_OVERHEAD = XWING.enc_size + 16
REQUEST_INLINE_MAX = RECORD_STEPS[-1] - REQUEST_OVERHEAD - LENGTH_SIZE - INLINE_HEAD
"""Most bytes of an encoded contact request: 4,096 - 1,136 - 2 - 7."""

_BODY_SIZES = tuple(step - sealing.OVERHEAD for step in RECORD_STEPS)
_REQUEST_SIZES = tuple(step - REQUEST_OVERHEAD for step in RECORD_STEPS if step > REQUEST_OVERHEAD)


def seal_record(key: bytes, place: bytes, body: RecordBody, random: Random) -> bytes:
    """A record for the topic or inbox with id `place`, under its record key or inbox key.

    Raises WireError `padding-fit` for a body that no record holds (see INLINE_MAX).
    """
    return sealing.seal(key, place, pad(encode_record_body(body), _BODY_SIZES, LENGTH_SIZE), random)


def open_record(key: bytes, place: bytes, record: bytes) -> RecordBody:
    """Raises WireError `record-size`, `record-open`, a `padding-` or `cbor-` rule, or `message`."""
    if len(record) not in RECORD_STEPS:
        raise WireError("record-size")
    padded = sealing.open_sealed(key, place, record, "record-open")
    return decode_record_body(unpad(padded, _BODY_SIZES, LENGTH_SIZE))


def seal_contact_request(
    public_key: bytes, card_id: bytes, inbox: bytes, message: InboxMessage, random: Random
) -> bytes:
    """A record for the invite's inbox, which only the holder of the card's X-Wing key opens.

    Raises WireError `padding-fit` (see REQUEST_INLINE_MAX) or `contact-request-key` for an invalid public
    key.
    """
    body = encode_record_body(Inline(encode_inbox_message(message)))
    padded = pad(body, _REQUEST_SIZES, LENGTH_SIZE)
    try:
        enc, sealed = seal_once(
            XWING, KDF_SHA256, AEAD_AES_256_GCM, public_key, _request_info(card_id), inbox, padded, random
        )
    except CryptoError:
        raise WireError("contact-request-key") from None
    return enc + sealed


def open_contact_request(private_key: bytes, card_id: bytes, inbox: bytes, record: bytes) -> InboxMessage:
    """Raises WireError `contact-request-size`, `contact-request-open`, `contact-request-inline` (a body in a
    blob), a `padding-` or `cbor-` rule, or `message`."""
    if len(record) not in RECORD_STEPS or len(record) < REQUEST_OVERHEAD:
        raise WireError("contact-request-size")
    enc, sealed = record[: XWING.enc_size], record[XWING.enc_size :]
    try:
        padded = open_once(
            XWING, KDF_SHA256, AEAD_AES_256_GCM, private_key, enc, _request_info(card_id), inbox, sealed
        )
    except CryptoError:
        raise WireError("contact-request-open") from None
    body = decode_record_body(unpad(padded, _REQUEST_SIZES, LENGTH_SIZE))
    if not isinstance(body, Inline):
        raise WireError("contact-request-inline")
    return decode_inbox_message(body.body)


def _request_info(card_id: bytes) -> bytes:
    return b"polynya contact request 1" + card_id


def seal_ephemeral(key: bytes, topic: bytes, message: EphemeralMessage, random: Random) -> bytes:
    """Under the epoch's ephemeral key; raises WireError `message`."""
    return sealing.seal(key, topic, encode_ephemeral_message(message), random)


def open_ephemeral(key: bytes, topic: bytes, body: bytes) -> EphemeralMessage:
    """Raises WireError `ephemeral-open`, a `cbor-` rule, or `message`."""
    return decode_ephemeral_message(sealing.open_sealed(key, topic, body, "ephemeral-open"))
