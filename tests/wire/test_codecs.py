"""Properties of the encoding and of every message."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polynya.wire import cbor, messages
from polynya.wire.errors import WireError
from scripts.codecs.schema import snake
from tests.wire.strategies import SCHEMA, message, values

NAMES = [*SCHEMA.structs, *SCHEMA.unions]


@given(values())
def test_any_value_round_trips(value: cbor.Value) -> None:
    assert cbor.decode(cbor.encode(value)) == value


@given(st.binary(max_size=40))
@settings(max_examples=500)
def test_any_bytes_are_refused_or_encode_back(data: bytes) -> None:
    try:
        value = cbor.decode(data)
    except WireError as error:
        assert error.rule.startswith("cbor-")
    else:
        assert cbor.encode(value) == data


@given(values(), st.data())
def test_changed_bytes_are_refused_or_another_value(value: cbor.Value, data: st.DataObject) -> None:
    """One value, one encoding: no change of bytes leaves the value."""
    encoded = bytearray(cbor.encode(value))
    at = data.draw(st.integers(0, len(encoded) - 1))
    encoded[at] ^= data.draw(st.integers(1, 255))
    try:
        changed = cbor.decode(bytes(encoded))
    except WireError:
        return
    assert cbor.encode(changed) == bytes(encoded)


@pytest.mark.parametrize("name", NAMES)
def test_every_message_round_trips(name: str) -> None:
    encode, decode = getattr(messages, f"encode_{snake(name)}"), getattr(messages, f"decode_{snake(name)}")

    @given(message(name))
    @settings(max_examples=15, deadline=None)
    def round_trips(value: Any) -> None:
        data = encode(value)
        assert decode(data) == value
        cbor.decode(data)

    round_trips()


@pytest.mark.parametrize("name", NAMES)
def test_changed_messages_are_refused_or_decode_strictly(name: str) -> None:
    """The fast readers accept what the strict decoder accepts, no more; and nothing but WireError comes
    out."""
    encode, decode = getattr(messages, f"encode_{snake(name)}"), getattr(messages, f"decode_{snake(name)}")
    lossy = SCHEMA.reaches_open(name)

    @given(message(name), st.data())
    @settings(max_examples=25, deadline=None)
    def changed(value: Any, data: st.DataObject) -> None:
        encoded = bytearray(encode(value))
        for _ in range(data.draw(st.integers(1, 3))):
            at = data.draw(st.integers(0, len(encoded)))
            piece = data.draw(st.binary(max_size=2))
            encoded[at : at + data.draw(st.integers(0, 2))] = piece
        wrong = bytes(encoded)
        try:
            found = decode(wrong)
        except WireError as error:
            assert error.rule == "message" or error.rule.startswith("cbor-")
            return
        cbor.decode(wrong)
        if not lossy:
            assert encode(found) == wrong

    changed()


@given(st.sampled_from(NAMES), st.binary(max_size=60))
@settings(max_examples=500)
def test_arbitrary_bytes_never_raise_anything_else(name: str, data: bytes) -> None:
    try:
        getattr(messages, f"decode_{snake(name)}")(data)
    except WireError as error:
        assert error.rule == "message" or error.rule.startswith("cbor-")


def test_values_are_frozen_and_hide_secrets() -> None:
    value = messages.Publish(b"w" * 32, b"r" * 29)
    with pytest.raises(dataclasses.FrozenInstanceError):
        value.record = b""  # type: ignore[misc]
    with pytest.raises(AttributeError):
        object.__getattribute__(value, "__dict__")
    assert "w" * 32 not in repr(value)
    assert "w" * 32 not in repr(messages.Subscribe((), (b"w" * 32,)))
    assert dataclasses.replace(value, record=b"x" * 29) == messages.Publish(b"w" * 32, b"x" * 29)
    assert hash(value) == hash(messages.Publish(b"w" * 32, b"r" * 29))
    other: object = messages.Drop(b"w" * 32, b"r" * 29)
    assert value != other


@pytest.mark.parametrize(
    "value",
    [
        messages.Publish(b"w" * 31, b"r" * 29),
        messages.Publish(b"w" * 32, b"r" * 28),
        messages.Publish(b"w" * 32, b"r" * 4097),
        messages.Publish(b"w" * 32, b"r" * 29, slot=b"s" * 15),
        messages.Publish(b"w" * 32, b"r" * 29, blobs=(b"b" * 32,) * 5),
        messages.Publish(b"w" * 32, b"r" * 29, blobs=(b"b" * 31,)),
        messages.Fetch(b"t" * 32, -1, 0),
        messages.Fetch(b"t" * 32, 2**53, 0),
        messages.Fetch(b"t" * 32, 0, 65),
        messages.Text("\ud800"),
        messages.Text("é" * 8193),
        messages.Entry(1, 2),
        messages.Entry(1, 2, record=b"r" * 29, record_hash=b"h" * 32),
        messages.Refused(99),  # type: ignore[arg-type]
        messages.BlobPart(0, b"x" * 65537),
        messages.ConversationInfo(messages.ConversationKind.GROUP, "", (b"b" * 32, b"a" * 32), (), 1, False),
    ],
)
def test_limits_hold_when_encoding(value: Any) -> None:
    encode = getattr(messages, f"encode_{snake(type(value).__name__)}")
    with pytest.raises(WireError) as caught:
        encode(value)
    assert caught.value.rule == "message"


def test_large_limits_hold_when_decoding() -> None:
    part = cbor.encode({1: 0, 2: bytes(65536)})
    assert len(messages.decode_blob_part(part).part) == 65536
    with pytest.raises(WireError, match="message"):
        messages.decode_blob_part(cbor.encode({1: 0, 2: bytes(65537)}))


def test_unknown_members_cannot_be_sent_on() -> None:
    content = messages.decode_content(cbor.encode([77, {1: "later"}]))
    assert content == messages.Unknown(77)
    with pytest.raises(WireError, match="message"):
        messages.encode_content(content)
