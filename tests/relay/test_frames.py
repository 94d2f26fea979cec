"""The relay's own reading and writing of its most frequent frames, against the codecs that the specification
generates."""

from __future__ import annotations

import os

from hypothesis import example, given, settings
from hypothesis import strategies as st

from polynya.relay.frames import push_record, read_publish, reply_published
from polynya.wire.errors import WireError
from polynya.wire.messages import (
    Call,
    ClientFrame,
    Drop,
    Entry,
    Ping,
    Publish,
    Published,
    Push,
    Receipt,
    Reply,
    decode_client_frame,
    encode_client_frame,
)
from polynya.wire.padding import pad, unpad
from polynya.wire.session import pad_relay_frame

UINTS = st.integers(0, 2**53 - 1) | st.sampled_from([0, 23, 24, 255, 256, 65_535, 65_536, 2**32 - 1, 2**32])
RECEIPTS = st.none() | st.builds(Receipt, st.integers(0, 65_535), st.binary(min_size=64, max_size=64))
RECORDS = st.sampled_from([29, 255, 256, 512, 900, 1_024, 4_096]).map(os.urandom)
BLOBS = st.none() | st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=4).map(tuple)


@settings(deadline=None)
@given(UINTS, UINTS, UINTS, UINTS, RECEIPTS)
def test_replies(id_: int, time: int, seq: int, taken: int, receipt: Receipt | None) -> None:
    published = Published(seq, taken, receipt)
    assert reply_published(id_, time, published) == pad_relay_frame(Reply(id_, time, published))


@settings(deadline=None)
@given(RECORDS, UINTS, UINTS, st.booleans(), RECEIPTS, BLOBS)
def test_pushes(
    record: bytes,
    seq: int,
    taken: int,
    has_slot: bool,
    receipt: Receipt | None,
    blobs: tuple[bytes, ...] | None,
) -> None:
    source, slot = os.urandom(32), os.urandom(16) if has_slot else None
    published = Published(seq, taken, receipt if has_slot else None)
    entry = Entry(seq, taken, record, None, slot, published.receipt, blobs)
    assert push_record(source, record, slot, blobs, published) == pad_relay_frame(Push(source, entry))


SECRET = b"s" * 32
LENGTHS = st.sampled_from([29, 30, 187, 188, 189, 255, 256, 512, 951, 952, 953, 1_024, 2_048, 4_095, 4_096])


def read_by_codec(padded: bytes) -> ClientFrame | None:
    try:
        return decode_client_frame(unpad(padded))
    except WireError:
        return None


def agrees(padded: bytes) -> bool:
    """Whether the frame was read in one step; what is read so is what the codec reads."""
    plain = read_publish(padded)
    if plain is not None:
        id_, secret, record = plain
        assert read_by_codec(padded) == Call(id_, Publish(secret, record))
    return plain is not None


@settings(deadline=None)
@given(UINTS, LENGTHS)
def test_a_plain_publish_is_read_in_one_step(id_: int, length: int) -> None:
    call = Call(id_, Publish(os.urandom(32), os.urandom(length)))
    assert agrees(pad(encode_client_frame(call))) == (id_ <= 0xFFFFFFFF)


def test_all_else_is_left_to_the_codec() -> None:
    record = b"r" * 512
    for request in (
        Publish(SECRET, record, slot=b"l" * 16),
        Publish(SECRET, record, blobs=(b"b" * 32,)),
        Drop(SECRET, record),
        Ping(),
    ):
        padded = pad(encode_client_frame(Call(1, request)))
        assert read_by_codec(padded) is not None
        assert not agrees(padded)


def mutants() -> list[bytes]:
    """Frames that look like a plain Publish, each wrong in one thing that a receiver must check."""
    plain = encode_client_frame(Call(1, Publish(SECRET, b"r" * 512)))
    padded = pad(plain)
    at = plain.index(b"\x59\x02\x00")
    long_id = plain.replace(b"\x01\x01\x02", b"\x01\x18\x01\x02", 1)
    long_length = plain[:at] + b"\x5a\x00\x00\x02\x00" + plain[at + 3 :]
    short = encode_client_frame(Call(1, Publish(SECRET, b"r" * 29))).replace(b"\x58\x1d", b"\x58\x1c", 1)[:-1]
    large = plain[:at] + b"\x59\x10\x01" + b"r" * 4_097
    return [
        padded[:-1] + b"\x01",
        padded[: len(plain) + 4] + b"\x01" + padded[len(plain) + 5 :],
        (len(plain) - 1).to_bytes(4, "big") + padded[4:],
        (len(plain) + 1).to_bytes(4, "big") + padded[4:],
        padded + bytes(4_096 - 1_024),
        padded[:-1],
        padded + b"\x00",
        padded[: len(plain) - 8],
        pad(long_id),
        pad(plain.replace(b"\x01\x01\x02", b"\x01\x19\x00\x01\x02", 1)),
        pad(plain.replace(b"\x01\x01\x02", b"\x01\x1a\x00\x00\xff\xff\x02", 1)),
        pad(long_length),
        pad(plain[:at] + b"\x58\x1d" + b"r" * 28),
        pad(short),
        pad(large),
        pad(plain + b"\x00"),
        b"",
        bytes(256),
    ]


def test_what_is_not_as_it_must_be_is_refused() -> None:
    for number, padded in enumerate(mutants()):
        assert read_by_codec(padded) is None, number
        assert read_publish(padded) is None, number


@settings(deadline=None, max_examples=200)
@given(LENGTHS, st.integers(0, 4_200), st.integers(0, 255), st.integers(0, 70_000))
@example(512, 4, 0, 1)
def test_changed_frames_are_read_alike(length: int, place: int, value: int, id_: int) -> None:
    frame = bytearray(pad(encode_client_frame(Call(id_, Publish(SECRET, b"r" * length)))))
    # Half of the places are in the few bytes that are not record, secret or padding.
    frame[place % 64 if place % 2 else place % len(frame)] = value
    agrees(bytes(frame))
