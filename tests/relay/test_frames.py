"""The relay's own encoding of its two most frequent frames, against the codecs that the specification
generates."""

from __future__ import annotations

import os

from hypothesis import given, settings
from hypothesis import strategies as st

from polynya.relay.frames import push_record, reply_published
from polynya.wire.messages import Entry, Published, Push, Receipt, Reply
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
