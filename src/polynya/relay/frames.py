"""The two frames that a relay makes for every plain record, encoded and padded in one step: through the
general codecs they are a third of a publish. `tests/relay/test_frames.py` holds them to those, byte by
byte."""

from __future__ import annotations

from polynya.wire.cbor import head
from polynya.wire.messages import RESPONSE_STEPS, Entry, Published, Push, Reply
from polynya.wire.padding import LENGTH_SIZE
from polynya.wire.session import pad_relay_frame

_SMALLEST = RESPONSE_STEPS[0]
_UINT = 0x00
_BYTES = 0x40


def reply_published(id_: int, time: int, published: Published) -> bytes:
    """The padded Reply to a Publish or Drop."""
    if published.receipt is not None:
        return pad_relay_frame(Reply(id_, time, published))
    body = b"".join(
        (
            b"\x82\x01\xa3\x01",
            head(_UINT, id_),
            b"\x02",
            head(_UINT, time),
            b"\x03\x82\x02\xa2\x01",
            head(_UINT, published.seq),
            b"\x02",
            head(_UINT, published.time),
        )
    )
    return (len(body).to_bytes(LENGTH_SIZE, "big") + body).ljust(_SMALLEST, b"\x00")


def push_record(
    source: bytes, record: bytes, slot: bytes | None, blobs: tuple[bytes, ...] | None, published: Published
) -> bytes:
    """The padded Push of a record that was published now."""
    if slot is not None or blobs is not None:
        entry = Entry(published.seq, published.time, record, None, slot, published.receipt, blobs)
        return pad_relay_frame(Push(source, entry))
    body = b"".join(
        (
            b"\x82\x02\xa2\x01\x58\x20",
            source,
            b"\x02\xa3\x01",
            head(_UINT, published.seq),
            b"\x02",
            head(_UINT, published.time),
            b"\x03",
            head(_BYTES, len(record)),
            record,
        )
    )
    needed = LENGTH_SIZE + len(body)
    size = next(size for size in RESPONSE_STEPS if size >= needed)
    return (len(body).to_bytes(LENGTH_SIZE, "big") + body).ljust(size, b"\x00")
