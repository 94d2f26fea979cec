"""Ed25519 (RFC 8032). Private keys are 32-byte seeds."""

from __future__ import annotations

from functools import lru_cache

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from polynya.crypto.errors import CryptoError
from polynya.crypto.random import Random

SEED_SIZE = 32
PUBLIC_KEY_SIZE = 32
SIGNATURE_SIZE = 64


def _with_both_signs(y: int) -> tuple[bytes, bytes]:
    return y.to_bytes(32, "little"), (y | 1 << 255).to_bytes(32, "little")


_P = 2**255 - 19
_ORDER_8 = 0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826

SMALL_ORDER = frozenset(
    encoding for y in (0, 1, _P - 1, _P, _P + 1, _ORDER_8, _P - _ORDER_8) for encoding in _with_both_signs(y)
)
"""Every encoding, canonical or not, of the eight points whose order divides 8."""


def generate(random: Random) -> bytes:
    """A new private key: 32 bytes drawn from `random`."""
    return random.bytes(SEED_SIZE)


def public_key(seed: bytes) -> bytes:
    """The 32-byte public key of a private key; raises CryptoError for a wrong size."""
    return _load(seed).public_key().public_bytes_raw()


def sign(seed: bytes, message: bytes) -> bytes:
    """The 64-byte signature; raises CryptoError for a private key of a wrong size."""
    return _load(seed).sign(message)


def is_small_order(point: bytes) -> bool:
    """Whether an encoded point has an order that divides 8: under such a key anyone can "sign" anything.

    Libraries disagree about these points; where one accepted what another refuses, a group would fall apart.
    """
    return point in SMALL_ORDER


def verify(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether `signature` is valid: never where it or the key is empty, of a wrong size or small order."""
    if len(public) != PUBLIC_KEY_SIZE or len(signature) != SIGNATURE_SIZE:
        return False
    if is_small_order(public) or is_small_order(signature[:32]):
        return False
    try:
        _load_public(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def _load(seed: bytes) -> Ed25519PrivateKey:
    if len(seed) != SEED_SIZE:
        raise CryptoError("an Ed25519 private key is 32 bytes")
    return Ed25519PrivateKey.from_private_bytes(seed)


@lru_cache(maxsize=1024)  # public keys only; parsing one costs a fifth of a verification
def _load_public(public: bytes) -> Ed25519PublicKey:
    return Ed25519PublicKey.from_public_bytes(public)
