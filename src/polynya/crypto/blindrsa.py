"""RSA blind signatures (RFC 9474), the client's side: RSABSSA-SHA384-PSS-Deterministic.

The signer learns nothing about the message: a blinded message is uniform among the units modulo n whatever the message is.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from math import gcd

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers
from cryptography.hazmat.primitives.hashes import SHA384

from polynya.crypto.errors import CryptoError
from polynya.crypto.random import Random

HASH_SIZE = 48
SALT_SIZE = 48
"""Bytes of salt in RSABSSA-SHA384-PSS; the PSSZERO variants have none."""


@dataclass(frozen=True, slots=True)
class PublicKey:
    """Modulus and public exponent."""

    n: int
    e: int = 65_537

    @property
    def size(self) -> int:
        """Bytes of a message representative and of a signature."""
        return (self.n.bit_length() + 7) // 8


@dataclass(frozen=True, slots=True)
class Blinding:
    """What the client keeps until the signature is there; for one message, once."""

    blinded: bytes = field(repr=False)
    """to be signed: `PublicKey.size` bytes"""
    inverse: int = field(repr=False)
    """of r modulo n"""


def blind(key: PublicKey, message: bytes, random: Random, salt_size: int = SALT_SIZE) -> Blinding:
    """RFC 9474 section 4.2; first the salt is drawn, then r."""
    salt = random.bytes(salt_size)
    return blind_with(key, message, salt, draw_unit(key.n, random))


def blind_with(key: PublicKey, message: bytes, salt: bytes, r: int) -> Blinding:
    """As `blind` with all that is drawn as arguments; `r` must be a fresh uniform unit modulo n, or messages can be linked.

    Raises CryptoError for an `r` that has no inverse, or a message that shares a factor with n.
    """
    representative = int.from_bytes(encode_pss(message, key.n.bit_length() - 1, salt), "big")
    if gcd(representative, key.n) != 1 or gcd(r, key.n) != 1:
        raise CryptoError("this cannot be blinded")
    blinded = representative * pow(r, key.e, key.n) % key.n
    return Blinding(blinded.to_bytes(key.size, "big"), pow(r, -1, key.n))


def finalize(
    key: PublicKey, message: bytes, blinding: Blinding, blind_signature: bytes, salt_size: int = SALT_SIZE
) -> bytes:
    """The signature of `message` (RFC 9474 section 4.4); raises CryptoError where the signer did not sign with this key."""
    number = int.from_bytes(blind_signature, "big")
    if len(blind_signature) != key.size or number >= key.n:
        raise CryptoError("not a blind signature of this key")
    signature = (number * blinding.inverse % key.n).to_bytes(key.size, "big")
    if not verify(key, message, signature, salt_size):
        raise CryptoError("not a blind signature of this key")
    return signature


def verify(key: PublicKey, message: bytes, signature: bytes, salt_size: int = SALT_SIZE) -> bool:
    """RSASSA-PSS with SHA-384 (RFC 8017 section 8.1.2) and salts of `salt_size` bytes."""
    if len(signature) != key.size:
        return False
    try:
        RSAPublicNumbers(key.e, key.n).public_key().verify(
            signature, message, PSS(MGF1(SHA384()), salt_size), SHA384()
        )
    except (InvalidSignature, ValueError):
        return False
    return True


def draw_unit(n: int, random: Random) -> int:
    """Uniform among the units modulo n, by rejection."""
    bits = n.bit_length()
    size = (bits + 7) // 8
    while True:
        r = int.from_bytes(random.bytes(size), "big") >> (8 * size - bits)
        if 0 < r < n and gcd(r, n) == 1:
            return r


def encode_pss(message: bytes, bits: int, salt: bytes) -> bytes:
    """EMSA-PSS-ENCODE (RFC 8017 section 9.1.1) with SHA-384 and MGF1: a number of at most `bits` bits, big-endian."""
    size = (bits + 7) // 8
    if size < HASH_SIZE + len(salt) + 2:
        raise CryptoError("the key is too small for its hash")
    digest = hashlib.sha384(bytes(8) + hashlib.sha384(message).digest() + salt).digest()
    block = bytes(size - len(salt) - HASH_SIZE - 2) + b"\x01" + salt
    masked = bytearray(a ^ b for a, b in zip(block, _mgf1(digest, len(block)), strict=True))
    masked[0] &= 0xFF >> (8 * size - bits)
    return bytes(masked) + digest + b"\xbc"


def _mgf1(seed: bytes, size: int) -> bytes:
    blocks = -(-size // HASH_SIZE)
    return b"".join(hashlib.sha384(seed + i.to_bytes(4, "big")).digest() for i in range(blocks))[:size]
