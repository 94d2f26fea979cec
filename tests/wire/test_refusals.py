"""What the wire layer refuses although the vectors cannot show it: own values out of bounds, and endless input."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from polynya.crypto.kem import DHKEM_X25519
from polynya.crypto.signature import public_key
from polynya.crypto.xwing import XWING
from polynya.wire import cbor, exchange, files, keys, links, safety, session
from polynya.wire.errors import WireError
from polynya.wire.messages import (
    FILE_MAX,
    PROTOCOL_VERSION,
    Exchange,
    KeyConfig,
    Ping,
    RelayLink,
)
from tests.support.seeded import SeededRandom

SEED = bytes(32)


def refuses(rule: str, action: Callable[[], object]) -> None:
    with pytest.raises(WireError) as caught:
        action()
    assert caught.value.rule == rule


def nested(depth: int) -> Any:
    return 0 if depth == 0 else [nested(depth - 1)]


@pytest.mark.parametrize(
    ("value", "rule"),
    [
        (-1, "cbor-integer"),
        (2**53, "cbor-integer"),
        (nested(17), "cbor-depth"),
        ({True: 0}, "cbor-keys"),
        ({"a": 0}, "cbor-keys"),
        ({-1: 0}, "cbor-keys"),
        ({2**53: 0}, "cbor-keys"),
        (1.5, "cbor-type"),
        (None, "cbor-type"),
    ],
)
def test_only_values_of_the_subset_are_encoded(value: Any, rule: str) -> None:
    refuses(rule, lambda: cbor.encode(value))


def test_the_bounds_of_the_subset_are_encoded() -> None:
    for value in (0, 2**53 - 1, nested(16), {0: 0, 2**53 - 1: 1}):
        assert cbor.decode(cbor.encode(value)) == value


@pytest.mark.parametrize("size", [XWING.public_key_size - 1, XWING.public_key_size + 1])
def test_nothing_is_sealed_to_a_key_that_is_none(size: int) -> None:
    random = SeededRandom(1)
    config = KeyConfig(1, XWING.id, bytes(size), 0, 1)
    refuses(
        "exchange-key", lambda: exchange.seal_request(config, Exchange(PROTOCOL_VERSION, 0, Ping()), random)
    )
    refuses("exchange-key", lambda: session.start_session(config, 0, random))


def test_a_key_of_another_kem_is_not_used_even_if_it_has_the_size() -> None:
    body = (KeyConfig(1, DHKEM_X25519.id, bytes(XWING.public_key_size), 0, 1),)
    signed = keys.sign_key_configs(SEED, body)
    refuses("keys-none", lambda: keys.verify_key_configs(public_key(SEED), signed))


@pytest.mark.parametrize("size", [-1, FILE_MAX + 1])
def test_sizes_that_no_file_has(size: int) -> None:
    refuses("file-size", lambda: files.chunk_count(size))


@pytest.mark.parametrize("extra", [1, files.CHUNK])
def test_a_file_that_grew_while_it_was_sealed(extra: int) -> None:
    pieces = [bytes(files.CHUNK), bytes(extra)]
    refuses("file-size", lambda: list(files.seal_file(SEED, files.CHUNK, pieces)))


def test_a_blob_that_does_not_end_is_given_up_at_once() -> None:
    read = 0

    def endless() -> Iterator[bytes]:
        nonlocal read
        yield b"".join(files.seal_file(SEED, 10, [bytes(10)]))
        while read < 1000:
            read += 1
            yield bytes(1024)

    refuses("file-size", lambda: list(files.open_file(SEED, 10, endless())))
    assert read == 1


def test_links_are_built_for_addresses_only() -> None:
    link = RelayLink(PROTOCOL_VERSION, bytes(32), None)
    long = "https://example.org/" + "x" * links.ADDRESS_MAX
    assert not links.is_address(long) and links.is_address(long[: links.ADDRESS_MAX])
    for address in ("ftp://example.org/x", "https://example.org/x/", long):
        refuses("link-address", lambda address=address: links.build_relay_link(address, link))  # type: ignore[misc]


@pytest.mark.parametrize("version", [PROTOCOL_VERSION + 1, 65535])
def test_links_of_later_versions(version: int) -> None:
    text = links.build_relay_link("https://example.org/x", RelayLink(version, bytes(32), None))
    refuses("link-version", lambda: links.parse_link(text))


@pytest.mark.parametrize("missing", [1, 32])
def test_a_safety_code_with_too_short_an_authenticator(missing: int) -> None:
    text = safety.safety_qr(bytes(32), b"\1" * 32, bytes(32 - missing))
    refuses("safety-qr", lambda: safety.parse_safety_qr(text))
    whole = safety.parse_safety_qr(safety.safety_qr(bytes(32), b"\1" * 32, bytes(32)))
    assert whole == safety.SafetyCode(bytes(32), b"\1" * 32, bytes(32))
