"""Hashes, HMAC (RFC 2104) and HKDF (RFC 5869) as functions of bytes."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass

from polynya.crypto.errors import CryptoError


@dataclass(frozen=True, slots=True)
class Hash:
    """A hash by its OpenSSL name, its output size and HPKE's id of HKDF over it (RFC 9180 section 7.2)."""

    name: str
    size: int
    kdf_id: int


SHA256 = Hash("sha256", 32, 0x0001)
SHA384 = Hash("sha384", 48, 0x0002)
SHA512 = Hash("sha512", 64, 0x0003)

HASHES_BY_KDF_ID = {h.kdf_id: h for h in (SHA256, SHA384, SHA512)}


def sha256(data: bytes) -> bytes:
    """SHA-256, 32 bytes."""
    return hashlib.sha256(data).digest()


def sha512(data: bytes) -> bytes:
    """SHA-512, 64 bytes."""
    return hashlib.sha512(data).digest()


def digest(data: bytes, hash_: Hash) -> bytes:
    """`data` under any of the hashes above."""
    return hashlib.new(hash_.name, data).digest()


def hmac_sha256(key: bytes, data: bytes) -> bytes:
    """HMAC-SHA-256, 32 bytes."""
    return hmac.digest(key, data, "sha256")


def hmac_digest(key: bytes, data: bytes, hash_: Hash) -> bytes:
    """HMAC under any of the hashes above."""
    return hmac.digest(key, data, hash_.name)


def hkdf_extract(salt: bytes, ikm: bytes, hash_: Hash = SHA256) -> bytes:
    """HKDF-Extract; an empty salt is a string of zeros (HMAC pads it to the same block)."""
    return hmac.digest(salt, ikm, hash_.name)


def hkdf_expand(prk: bytes, info: bytes, length: int, hash_: Hash = SHA256) -> bytes:
    """HKDF-Expand to `length` bytes; raises CryptoError above 255 times the hash's size."""
    if not 0 <= length <= 255 * hash_.size:
        raise CryptoError(f"HKDF gives 0 to {255 * hash_.size} bytes")
    block = hmac.digest(prk, info + b"\x01", hash_.name)
    if length <= hash_.size:
        return block[:length]
    blocks = [block]
    for counter in range(2, -(-length // hash_.size) + 1):
        block = hmac.digest(prk, block + info + bytes((counter,)), hash_.name)
        blocks.append(block)
    return b"".join(blocks)[:length]
