"""X-Wing, the hybrid KEM of ML-KEM-768 and X25519 (draft-connolly-cfrg-xwing-kem), HPKE KEM id 0x647A."""

from __future__ import annotations

import hashlib
from typing import Final

from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey

from polynya.crypto.errors import CryptoError
from polynya.crypto.kem import Kem, PrivateKey, check_x25519, load_x25519, x25519
from polynya.crypto.random import Random

_LABEL: Final = b"\\.//^\\"
MLKEM_PUBLIC_KEY_SIZE: Final = 1184
MLKEM_CIPHERTEXT_SIZE: Final = 1088


def combine(ss_m: bytes, ss_x: bytes, ct_x: bytes, pk_x: bytes) -> bytes:
    """The combiner of the draft's section 5.3: one secret that holds while either of the two does."""
    return hashlib.sha3_256(ss_m + ss_x + ct_x + pk_x + _LABEL).digest()


class _XWingKey(PrivateKey):
    """The seed expanded by SHAKE-256 to ML-KEM's d and z (64 bytes) and X25519's private key (32)."""

    __slots__ = ("_mlkem", "_public_x", "_x")

    def __init__(self, seed: bytes) -> None:
        expanded = hashlib.shake_256(seed).digest(96)
        self._mlkem = MLKEM768PrivateKey.from_seed_bytes(expanded[:64])
        self._x = load_x25519(expanded[64:])
        self._public_x = self._x.public_key().public_bytes_raw()

    @property
    def public_key(self) -> bytes:
        return self._mlkem.public_key().public_bytes_raw() + self._public_x

    def decapsulate(self, enc: bytes) -> bytes:
        if len(enc) != XWING.enc_size:
            raise CryptoError("an X-Wing ciphertext is 1,120 bytes")
        ct_m, ct_x = enc[:MLKEM_CIPHERTEXT_SIZE], enc[MLKEM_CIPHERTEXT_SIZE:]
        return combine(self._mlkem.decapsulate(ct_m), x25519(self._x, ct_x), ct_x, self._public_x)


class _XWing(Kem):
    id = 0x647A
    secret_size = 32
    enc_size = 1120
    public_key_size = 1216
    private_key_size = 32

    def derive_key_pair(self, ikm: bytes) -> tuple[bytes, bytes]:
        seed = hashlib.shake_256(ikm).digest(32)
        return seed, self.public_key(seed)

    def generate(self, random: Random) -> tuple[bytes, bytes]:
        seed = random.bytes(32)
        return seed, self.public_key(seed)

    def encapsulate(self, public_key: bytes, random: Random) -> tuple[bytes, bytes]:
        if len(public_key) != self.public_key_size:
            raise CryptoError("an X-Wing public key is 1,216 bytes")
        pk_m, pk_x = public_key[:MLKEM_PUBLIC_KEY_SIZE], public_key[MLKEM_PUBLIC_KEY_SIZE:]
        ephemeral = load_x25519(random.bytes(32))
        ct_x = ephemeral.public_key().public_bytes_raw()
        ss_x = x25519(ephemeral, pk_x)
        try:
            ss_m, ct_m = random.encapsulate(pk_m)
        except ValueError:
            raise CryptoError("an ML-KEM-768 public key is not valid") from None
        return combine(ss_m, ss_x, ct_x, pk_x), ct_m + ct_x

    def check_public_key(self, public_key: bytes) -> None:
        if len(public_key) != self.public_key_size:
            raise CryptoError("an X-Wing public key is 1,216 bytes")
        check_x25519(public_key[MLKEM_PUBLIC_KEY_SIZE:])
        try:
            MLKEM768PublicKey.from_public_bytes(public_key[:MLKEM_PUBLIC_KEY_SIZE])
        except ValueError:
            raise CryptoError("an ML-KEM-768 public key is not valid") from None

    def load(self, private_key: bytes) -> PrivateKey:
        if len(private_key) != self.private_key_size:
            raise CryptoError("an X-Wing private key is 32 bytes")
        return _XWingKey(private_key)


XWING: Final[Kem] = _XWing()
