"""The frames of every plain record, read and written in one step: through the general codecs they are a third of a
publish. `tests/relay/test_frames.py` holds them to those, byte by byte."""

from __future__ import annotations

import re
from functools import lru_cache

from polynya.wire.cbor import head
from polynya.wire.messages import RESPONSE_STEPS, Entry, Published, Push, Reply
from polynya.wire.padding import LENGTH_SIZE
from polynya.wire.session import pad_relay_frame

_SMALLEST = RESPONSE_STEPS[0]
_BYTES = 0x40
_UINTS = tuple(head(0x00, n) for n in range(256))
_BELOW = dict(zip(RESPONSE_STEPS, (0, *RESPONSE_STEPS), strict=False))
"""the next smaller step of each"""
_PUBLISH = re.compile(
    # Length, Call, id in its shortest form
    rb"\x00\x00..\x82\x01\xa2\x01([\x00-\x17]|\x18[\x18-\xff]|\x19[\x01-\xff].|\x1a(?!\x00\x00)....)"
    # Publish, write secret, 29 to 4,096 bytes
    rb"\x02\x82\x02\xa2\x01\x58\x20(.{32})\x02(?:\x58([\x1d-\xff])|\x59([\x01-\x0f].|\x10\x00))",
    re.DOTALL,
)


def read_publish(padded: bytes) -> tuple[int, bytes, bytes] | None:
    """(call's id, write secret, record) of a padded Publish that names no slot and no blobs; None for every other
    frame and all that is not as it must be: the general codec then says what it is."""
    found = _PUBLISH.match(padded)
    if found is None:
        return None
    id_, secret, short, long = found.groups()
    start, size = found.end(), len(padded)
    end = start + (short[0] if short else int.from_bytes(long, "big"))
    if (
        int.from_bytes(padded[:LENGTH_SIZE], "big") != end - LENGTH_SIZE
        or not _BELOW.get(size, size) < end <= size
        or not padded.endswith(bytes(size - end))
    ):
        return None
    return id_[0] if len(id_) == 1 else int.from_bytes(id_[1:], "big"), secret, padded[start:end]


def _uint(n: int) -> bytes:
    if n < 256:
        return _UINTS[n]
    return b"\x1b" + n.to_bytes(8, "big") if n > 0xFFFFFFFF else head(0x00, n)


_time = lru_cache(16)(_uint)
"""Many frames tell the same millisecond."""


def reply_published(id_: int, time: int, published: Published) -> bytes:
    """The padded Reply to a Publish or Drop."""
    if published.receipt is not None:
        return pad_relay_frame(Reply(id_, time, published))
    body = (
        b"\x82\x01\xa3\x01"
        + _uint(id_)
        + b"\x02"
        + _time(time)
        + b"\x03\x82\x02\xa2\x01"
        + _uint(published.seq)
        + b"\x02"
        + _time(published.time)
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
            _uint(published.seq),
            b"\x02",
            _time(published.time),
            b"\x03",
            head(_BYTES, len(record)),
            record,
        )
    )
    needed = LENGTH_SIZE + len(body)
    for size in RESPONSE_STEPS:
        if size >= needed:
            break
    return (len(body).to_bytes(LENGTH_SIZE, "big") + body).ljust(size, b"\x00")
