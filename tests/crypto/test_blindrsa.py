"""Blind signatures against RFC 9474's vectors, and against whoever signs something else."""

from __future__ import annotations

import builtins
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key

from polynya.crypto import blindrsa
from polynya.crypto.blindrsa import PublicKey
from polynya.crypto.errors import CryptoError
from tests.support.seeded import SeededRandom

VECTORS: list[dict[str, str]] = json.loads((Path(__file__).parent / "rfc9474.json").read_text("ascii"))[
    "cases"
]


@pytest.fixture(scope="module")
def private() -> RSAPrivateKey:
    return generate_private_key(65_537, 2_048)


@pytest.fixture(scope="module")
def public(private: RSAPrivateKey) -> PublicKey:
    return PublicKey(private.public_key().public_numbers().n)


def power(private: RSAPrivateKey, blinded: bytes) -> bytes:
    """What an honest signer answers."""
    numbers = private.private_numbers()
    n = numbers.public_numbers.n
    return pow(int.from_bytes(blinded, "big"), numbers.d, n).to_bytes(256, "big")


def test_all_variants_are_there() -> None:
    assert [case["name"].removeprefix("RSABSSA-SHA384-") for case in VECTORS] == [
        "PSS-Randomized",
        "PSSZERO-Randomized",
        "PSS-Deterministic",
        "PSSZERO-Deterministic",
    ]


@pytest.mark.parametrize("case", VECTORS, ids=lambda case: str(case["name"]))
def test_rfc_9474_appendix_a(case: dict[str, Any]) -> None:
    key = PublicKey(int(case["n"], 16), int(case["e"], 16))
    message, salt = bytes.fromhex(case["prepared"]), bytes.fromhex(case["salt"])
    blinding = blindrsa.blind_with(key, message, salt, pow(int(case["inverse"], 16), -1, key.n))
    assert blinding.blinded.hex() == case["blinded"]
    assert blinding.inverse == int(case["inverse"], 16)
    signature = blindrsa.finalize(key, message, blinding, bytes.fromhex(case["blind_signature"]), len(salt))
    assert signature.hex() == case["signature"]
    assert blindrsa.verify(key, message, signature, len(salt))
    assert not blindrsa.verify(key, message, signature, 48 - len(salt))
    assert not blindrsa.verify(key, message + b"x", signature, len(salt))


def test_a_signature_of_a_blinded_message_is_one_of_the_message(
    private: RSAPrivateKey, public: PublicKey
) -> None:
    random = SeededRandom(b"blind")
    blindings = [blindrsa.blind(public, b"message", random) for _ in range(3)]
    assert len({blinding.blinded for blinding in blindings}) == 3
    signatures = {
        blindrsa.finalize(public, b"message", blinding, power(private, blinding.blinded))
        for blinding in blindings
    }
    assert len(signatures) == 3
    assert all(blindrsa.verify(public, b"message", signature) for signature in signatures)


def test_a_signer_who_signs_something_else_is_found_out(private: RSAPrivateKey, public: PublicKey) -> None:
    random = SeededRandom(b"wrong")
    blinding = blindrsa.blind(public, b"message", random)
    right = power(private, blinding.blinded)
    wrong = [
        b"",
        right[1:],
        b"\0" + right,
        bytes(256),
        b"\xff" * 256,
        public.n.to_bytes(256, "big"),
        right[:-1] + bytes([right[-1] ^ 1]),
        power(private, blindrsa.blind(public, b"message", random).blinded),
    ]
    for answer in wrong:
        with pytest.raises(CryptoError):
            blindrsa.finalize(public, b"message", blinding, answer)
    with pytest.raises(CryptoError):
        blindrsa.finalize(public, b"another", blinding, right)
    assert blindrsa.finalize(public, b"message", blinding, right)


def test_a_blind_signature_has_one_form(private: RSAPrivateKey, public: PublicKey) -> None:
    """A signer who may add the modulus or not marks whom it answers."""
    random = SeededRandom(b"form")
    for _ in range(200):
        blinding = blindrsa.blind(public, b"message", random)
        right = power(private, blinding.blinded)
        larger = int.from_bytes(right, "big") + public.n
        if larger.bit_length() <= 2_048:
            break
    assert blindrsa.finalize(public, b"message", blinding, right)
    with pytest.raises(CryptoError):
        blindrsa.finalize(public, b"message", blinding, larger.to_bytes(256, "big"))


def test_nothing_of_a_wrong_size_verifies(private: RSAPrivateKey, public: PublicKey) -> None:
    blinding = blindrsa.blind(public, b"message", SeededRandom(b"size"))
    signature = blindrsa.finalize(public, b"message", blinding, power(private, blinding.blinded))
    larger = (int.from_bytes(signature, "big") + public.n).to_bytes(257, "big")
    for wrong in (b"", signature[:-1], signature + b"\0", b"\0" + signature, larger):
        assert not blindrsa.verify(public, b"message", wrong)


class Told:
    """Hands out what it was told to."""

    def __init__(self, *parts: builtins.bytes) -> None:
        self.parts = list(parts)

    def bytes(self, n: int) -> builtins.bytes:
        part = self.parts.pop(0)
        assert len(part) == n
        return part

    def encapsulate(self, public_key: builtins.bytes) -> tuple[builtins.bytes, builtins.bytes]:
        raise AssertionError


def test_units_are_drawn_by_rejection() -> None:
    """n = 15 has 4 bits: of what is drawn, 15 is too large, 0, 3 and 10 are no units, 7 is."""
    random = Told(*(bytes([value << 4 | 9]) for value in (15, 0, 3, 10, 7, 1)))
    assert blindrsa.draw_unit(15, random) == 7
    assert random.parts == [b"\x19"]


def representative(key: PublicKey, salt: bytes) -> int:
    return int.from_bytes(blindrsa.encode_pss(b"message", key.n.bit_length() - 1, salt), "big")


def test_what_cannot_be_undone_is_not_blinded(private: RSAPrivateKey, public: PublicKey) -> None:
    for r in (0, private.private_numbers().p, private.private_numbers().q * 3):
        with pytest.raises(CryptoError):
            blindrsa.blind_with(public, b"message", bytes(48), r)
    odd = PublicKey(3 * (2**2203 - 1))
    found = [salt for salt in (bytes([i]) * 48 for i in range(20)) if representative(odd, salt) % 3 == 0]
    assert 0 < len(found) < 20
    with pytest.raises(CryptoError):
        blindrsa.blind_with(odd, b"message", found[0], 2)
    with pytest.raises(CryptoError):
        blindrsa.encode_pss(b"message", 8 * (48 + 48 + 1), bytes(48))
    assert len(blindrsa.encode_pss(b"message", 8 * (48 + 48 + 2), bytes(48))) == 98


def test_a_blinding_does_not_show_its_secret(public: PublicKey) -> None:
    blinding = blindrsa.blind(public, b"message", SeededRandom(b"repr"))
    assert str(blinding.inverse) not in repr(blinding)
