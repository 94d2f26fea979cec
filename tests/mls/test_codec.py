"""The encoding is canonical: one form for each value, one way to fail."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polynya.mls.codec import (
    MAX_LENGTH,
    Reader,
    decode,
    opaque,
    optional,
    u8,
    u16,
    u16s,
    u32,
    u32s,
    u64,
    varint,
    vector,
)
from polynya.mls.errors import MalformedError


def fails(rule: str, data: bytes, read: object) -> None:
    with pytest.raises(MalformedError) as caught:
        decode(read, data)  # type: ignore[arg-type]
    assert caught.value.rule == rule
    assert caught.value.code == "malformed"


@pytest.mark.parametrize(("length", "data"), [(37, "25"), (15293, "7bbd"), (494878333, "9d7f3e7d")])
def test_varint_examples_of_rfc_9000(length: int, data: str) -> None:
    assert varint(length) == bytes.fromhex(data)
    assert decode(Reader.varint, bytes.fromhex(data)) == length


@given(st.integers(0, MAX_LENGTH))
def test_varint_round_trip(length: int) -> None:
    assert decode(Reader.varint, varint(length)) == length


def test_varint_too_large_is_refused() -> None:
    with pytest.raises(MalformedError) as caught:
        varint(MAX_LENGTH + 1)
    assert caught.value.rule == "2.1.2-range"


@pytest.mark.parametrize("data", ["4000", "403f", "80000000", "80003fff", "8000003f"])
def test_overlong_lengths_are_refused(data: str) -> None:
    fails("2.1.2-overlong", bytes.fromhex(data), Reader.varint)


@pytest.mark.parametrize("data", ["c0", "c000000000000000", "ff"])
def test_prefix_of_8_bytes_is_refused(data: str) -> None:
    fails("2.1.2-prefix", bytes.fromhex(data), Reader.varint)


@given(st.binary(max_size=6))
def test_any_varint_that_decodes_is_the_one_encoding(data: bytes) -> None:
    try:
        length = decode(Reader.varint, data)
    except MalformedError:
        return
    assert varint(length) == data


def test_trailing_bytes_are_refused() -> None:
    fails("2.1-trailing", u16(1) + b"\x00", Reader.u16)
    fails("2.1-trailing", opaque(b"x") + b"\x00", Reader.opaque)


@pytest.mark.parametrize("octet", [2, 3, 0x80, 0xFF])
def test_presence_octets_other_than_0_and_1_are_refused(octet: int) -> None:
    assert decode(lambda r: r.optional(Reader.u8), b"\x00") is None
    assert decode(lambda r: r.optional(Reader.u8), b"\x01\x07") == 7
    fails("2.1.1-presence", bytes((octet, 7)), lambda r: r.optional(Reader.u8))


@pytest.mark.parametrize(
    "read", [Reader.u8, Reader.u16, Reader.u32, Reader.u64, Reader.opaque, Reader.varint]
)
def test_truncated_values_are_refused(read: object) -> None:
    fails("2.1-truncated", b"", read)
    fails("2.1-truncated", b"\x05abcd"[:4], Reader.opaque)
    fails("2.1-truncated", b"\x05abcd", lambda r: r.vector(Reader.u8))


def test_an_item_may_not_run_past_its_vector() -> None:
    fails("2.1-truncated", b"\x03\x00\x01\x00\x02", lambda r: r.vector(Reader.u16))
    fails("2.1-truncated", b"\x03\x00\x01\x00", Reader.u16s)
    fails("2.1-truncated", b"\x02\x00\x01", Reader.u32s)


def test_values_that_do_not_fit_are_refused() -> None:
    for encode, value in ((u8, 256), (u16, 1 << 16), (u32, 1 << 32), (u64, 1 << 64), (u32, -1)):
        with pytest.raises(MalformedError) as caught:
            encode(value)
        assert caught.value.rule == "2.1-range"


@given(
    st.lists(st.integers(0, 2**16 - 1)), st.lists(st.integers(0, 2**32 - 1)), st.lists(st.binary(max_size=80))
)
def test_vectors_round_trip(shorts: list[int], words: list[int], blobs: list[bytes]) -> None:
    assert decode(Reader.u16s, u16s(shorts)) == tuple(shorts)
    assert decode(Reader.u32s, u32s(words)) == tuple(words)
    assert decode(lambda r: r.vector(Reader.opaque), vector(map(opaque, blobs))) == tuple(blobs)
    assert decode(lambda r: r.optional(Reader.u32s), optional(u32s(words))) == tuple(words)


def test_mappings_must_ascend() -> None:
    def read(reader: Reader) -> dict[int, bytes]:
        return reader.mapping(Reader.u8, Reader.opaque)

    assert decode(read, vector([b"\x01\x00", b"\x02\x01x"])) == {1: b"", 2: b"x"}
    fails("state-order", vector([b"\x02\x00", b"\x01\x00"]), read)
    fails("state-order", vector([b"\x01\x00", b"\x01\x00"]), read)
