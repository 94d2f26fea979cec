"""Key encapsulation: the interface, and DHKEM(X25519, HKDF-SHA256) of RFC 9180 section 4.1."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, Final

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from polynya.crypto.errors import CryptoError
from polynya.crypto.hashes import hkdf_expand, hkdf_extract
from polynya.crypto.random import Random


class PrivateKey(ABC):
    """A private key made ready once, for holders that decapsulate often. Its repr shows nothing."""

    __slots__ = ()

    @property
    @abstractmethod
    def public_key(self) -> bytes: ...

    @abstractmethod
    def decapsulate(self, enc: bytes) -> bytes:
        """The shared secret of `enc`; raises CryptoError."""


class Kem(ABC):
    """One KEM. Sizes are in bytes; keys are the serialised forms of HPKE."""

    id: ClassVar[int]
    secret_size: ClassVar[int]
    enc_size: ClassVar[int]
    public_key_size: ClassVar[int]
    private_key_size: ClassVar[int]

    @abstractmethod
    def derive_key_pair(self, ikm: bytes) -> tuple[bytes, bytes]:
        """HPKE's DeriveKeyPair: (private key, public key), the same for the same `ikm`."""

    @abstractmethod
    def generate(self, random: Random) -> tuple[bytes, bytes]:
        """A new (private key, public key) from 32 bytes of `random`."""

    @abstractmethod
    def encapsulate(self, public_key: bytes, random: Random) -> tuple[bytes, bytes]:
        """(shared secret, enc) for the holder of `public_key`; raises CryptoError for an invalid key."""

    @abstractmethod
    def check_public_key(self, public_key: bytes) -> None:
        """Raises CryptoError for a key to which `encapsulate` would refuse to encapsulate."""

    @abstractmethod
    def load(self, private_key: bytes) -> PrivateKey:
        """The private key made ready; raises CryptoError for a wrong size."""

    def public_key(self, private_key: bytes) -> bytes:
        """The public key of a private key; raises CryptoError for a wrong size."""
        return self.load(private_key).public_key

    def decapsulate(self, private_key: bytes | PrivateKey, enc: bytes) -> bytes:
        """The shared secret of `enc`; raises CryptoError for wrong sizes and invalid points."""
        if isinstance(private_key, bytes):
            private_key = self.load(private_key)
        return private_key.decapsulate(enc)


def x25519(private: X25519PrivateKey, public: bytes) -> bytes:
    """X25519 (RFC 7748); raises CryptoError for a wrong size and where the secret would be all zeros."""
    if len(public) != 32:
        raise CryptoError("an X25519 public key is 32 bytes")
    try:
        return private.exchange(X25519PublicKey.from_public_bytes(public))
    except ValueError:
        raise CryptoError("an X25519 public key gives no shared secret") from None


def _low_order() -> frozenset[int]:
    """The u-coordinates below 2^255 that give the all-zero secret: points of order 1, 2, 4, 8, and p +
    them."""
    p = 2**255 - 19
    order_8 = (
        325606250916557431795983626356110631294008115727848805560023387167927233504,
        39382357235489614581723060781553021112529911719440698176882885853963445705823,
    )
    return frozenset((0, 1, *order_8, p - 1, p, p + 1))


LOW_ORDER: Final = _low_order()


def check_x25519(public: bytes) -> None:
    """Raises CryptoError for what `x25519` would refuse; the highest bit does not count (RFC 7748 section
    5)."""
    if len(public) != 32 or int.from_bytes(public, "little") & (2**255 - 1) in LOW_ORDER:
        raise CryptoError("an X25519 public key gives no shared secret")


def load_x25519(private_key: bytes) -> X25519PrivateKey:
    """Raises CryptoError for a wrong size."""
    if len(private_key) != 32:
        raise CryptoError("an X25519 private key is 32 bytes")
    return X25519PrivateKey.from_private_bytes(private_key)


class _DhkemX25519Key(PrivateKey):
    __slots__ = ("_private", "_public")

    def __init__(self, private: X25519PrivateKey) -> None:
        self._private = private
        self._public: bytes | None = None

    @property
    def public_key(self) -> bytes:
        if self._public is None:
            self._public = self._private.public_key().public_bytes_raw()
        return self._public

    def decapsulate(self, enc: bytes) -> bytes:
        return _extract_and_expand(x25519(self._private, enc), enc + self.public_key)


_SUITE_ID: Final = b"KEM" + (0x0020).to_bytes(2, "big")


def _labeled_extract(salt: bytes, label: bytes, ikm: bytes) -> bytes:
    return hkdf_extract(salt, b"HPKE-v1" + _SUITE_ID + label + ikm)


def _labeled_expand(prk: bytes, label: bytes, info: bytes, length: int) -> bytes:
    return hkdf_expand(prk, length.to_bytes(2, "big") + b"HPKE-v1" + _SUITE_ID + label + info, length)


def _extract_and_expand(dh: bytes, kem_context: bytes) -> bytes:
    return _labeled_expand(_labeled_extract(b"", b"eae_prk", dh), b"shared_secret", kem_context, 32)


class _DhkemX25519(Kem):
    id = 0x0020
    secret_size = 32
    enc_size = 32
    public_key_size = 32
    private_key_size = 32

    def derive_key_pair(self, ikm: bytes) -> tuple[bytes, bytes]:
        private_key = _labeled_expand(_labeled_extract(b"", b"dkp_prk", ikm), b"sk", b"", 32)
        return private_key, self.public_key(private_key)

    def generate(self, random: Random) -> tuple[bytes, bytes]:
        return self.derive_key_pair(random.bytes(32))

    def encapsulate(self, public_key: bytes, random: Random) -> tuple[bytes, bytes]:
        ephemeral, enc = self.generate(random)
        dh = x25519(load_x25519(ephemeral), public_key)
        return _extract_and_expand(dh, enc + public_key), enc

    def check_public_key(self, public_key: bytes) -> None:
        check_x25519(public_key)

    def load(self, private_key: bytes) -> PrivateKey:
        return _DhkemX25519Key(load_x25519(private_key))


DHKEM_X25519: Final[Kem] = _DhkemX25519()
