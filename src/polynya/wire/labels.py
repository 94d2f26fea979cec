"""Derived secrets, ids, hashes and signing bytes. Every label begins with "polynya", so that no two uses
meet."""

from __future__ import annotations

from polynya.crypto.hashes import hkdf_expand, sha256
from polynya.crypto.signature import sign, verify
from polynya.wire.messages import Receipt, ReceiptBody, encode_receipt_body


def expand(key: bytes, label: str, length: int) -> bytes:
    """HKDF-Expand with the protocol's prefix (protocol.md, first paragraph)."""
    return hkdf_expand(key, b"polynya 1 " + label.encode(), length)


def write_secret(topic_secret: bytes) -> bytes:
    """What the relay checks before it appends; 32 bytes."""
    return expand(topic_secret, "write", 32)


def record_key(topic_secret: bytes) -> bytes:
    """What the relay never sees: seals the topic's records; 32 bytes."""
    return expand(topic_secret, "record", 32)


def card_key(invite_secret: bytes) -> bytes:
    """Seals an invite's card; 32 bytes. The secret is hashed first: RFC 5869 wants a key of a hash's size."""
    return expand(sha256(b"polynya invite 1" + invite_secret), "card", 32)


def topic_id(write_secret: bytes) -> bytes:
    return sha256(b"polynya topic 1" + write_secret)


def inbox_id(read_secret: bytes) -> bytes:
    return sha256(b"polynya inbox 1" + read_secret)


def owner_secret(secret: bytes, suite: int) -> bytes:
    """Owns the key packages of one suite; 32 bytes, from a device's one secret."""
    return expand(secret, f"owner {suite}", 32)


def owner_id(owner_secret: bytes) -> bytes:
    """Under which key packages are stored."""
    return sha256(b"polynya key packages 1" + owner_secret)


def blob_id(blob: bytes) -> bytes:
    return sha256(blob)


def record_hash(record: bytes) -> bytes:
    return sha256(record)


def chain_head(head: bytes, record_hash: bytes) -> bytes:
    """Head of a topic's hash chain after the next record; the first `head` is the topic id."""
    return sha256(b"polynya chain 1" + head + record_hash)


def signed_bytes(label: str, body: bytes) -> bytes:
    """What a signature covers: "polynya " || label || " 1" || body."""
    return b"polynya " + label.encode() + b" 1" + body


def sign_receipt(relay_seed: bytes, body: ReceiptBody) -> Receipt:
    """The relay's word on one position of a slot."""
    signature = sign(relay_seed, signed_bytes("receipt", encode_receipt_body(body)))
    return Receipt(body.position, signature)


def verify_receipt(relay_identity: bytes, body: ReceiptBody, receipt: Receipt) -> bool:
    """Whether the relay signed `body`, and the receipt speaks of its position."""
    message = signed_bytes("receipt", encode_receipt_body(body))
    return receipt.position == body.position and verify(relay_identity, message, receipt.signature)
