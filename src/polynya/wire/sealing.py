"""`nonce || AES-256-GCM(key, nonce, aad, plaintext)`: how everything that is stored is sealed."""

from __future__ import annotations

from polynya.crypto.aead import AES_256_GCM
from polynya.crypto.errors import CryptoError
from polynya.crypto.random import Random
from polynya.wire.errors import WireError

NONCE_SIZE = 12
OVERHEAD = NONCE_SIZE + 16
"""Nonce and tag."""


def seal(key: bytes, aad: bytes, plaintext: bytes, random: Random) -> bytes:
    """Under a 32-byte key that is used for fewer than 2^32 plaintexts, as nonces are random."""
    nonce = random.bytes(NONCE_SIZE)
    return nonce + AES_256_GCM.seal(key, nonce, aad, plaintext)


def open_sealed(key: bytes, aad: bytes, sealed: bytes, rule: str) -> bytes:
    """The plaintext; raises WireError with `rule`."""
    if len(sealed) < OVERHEAD:
        raise WireError(rule)
    try:
        return AES_256_GCM.open(key, sealed[:NONCE_SIZE], aad, sealed[NONCE_SIZE:])
    except CryptoError:
        raise WireError(rule) from None
