"""Authenticated encryption, by HPKE's AEAD ids (RFC 9180 section 7.3)."""

from __future__ import annotations

from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305

from polynya.crypto.errors import CryptoError


@dataclass(frozen=True, slots=True)
class Aead:
    """One algorithm. Sizes are in bytes; the tag is the last `tag_size` bytes of a ciphertext."""

    id: int
    key_size: int
    _cipher: type[AESGCM] | type[ChaCha20Poly1305]
    nonce_size: int = 12
    tag_size: int = 16

    def seal(self, key: bytes, nonce: bytes, aad: bytes, plaintext: bytes) -> bytes:
        """Ciphertext with tag; raises CryptoError for wrong sizes. Never use a (key, nonce) pair twice."""
        self._check_sizes(key, nonce)
        return self._cipher(key).encrypt(nonce, plaintext, aad)

    def open(self, key: bytes, nonce: bytes, aad: bytes, ciphertext: bytes) -> bytes:
        """Plaintext; raises CryptoError if any input was changed."""
        self._check_sizes(key, nonce)
        try:
            return self._cipher(key).decrypt(nonce, ciphertext, aad)
        except InvalidTag:
            raise CryptoError("the ciphertext does not open") from None

    def _check_sizes(self, key: bytes, nonce: bytes) -> None:
        if len(key) != self.key_size or len(nonce) != self.nonce_size:
            raise CryptoError("wrong size of key or nonce")


AES_128_GCM = Aead(0x0001, 16, AESGCM)
AES_256_GCM = Aead(0x0002, 32, AESGCM)
CHACHA20_POLY1305 = Aead(0x0003, 32, ChaCha20Poly1305)

AEADS = {aead.id: aead for aead in (AES_128_GCM, AES_256_GCM, CHACHA20_POLY1305)}
