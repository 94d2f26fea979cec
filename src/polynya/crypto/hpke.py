"""HPKE base mode (RFC 9180) over any KEM of this package.

enc, sender = setup_sender(XWING, 0x0001, 0x0001, public_key, info, random)
ciphertext = sender.seal(aad, plaintext)
receiver = setup_receiver(XWING, 0x0001, 0x0001, private_key, enc, info)
plaintext = receiver.open(aad, ciphertext)
receiver.export(b"polynya response", 16) == sender.export(b"polynya response", 16)
"""

from __future__ import annotations

from polynya.crypto.aead import AEADS, Aead
from polynya.crypto.errors import CryptoError
from polynya.crypto.hashes import HASHES_BY_KDF_ID, Hash, hkdf_expand, hkdf_extract
from polynya.crypto.kem import Kem, PrivateKey
from polynya.crypto.random import Random

MODE_BASE = b"\x00"
VERSION = b"HPKE-v1"


class Context:
    """One direction of one encapsulation; mutable, as each message takes the next nonce."""

    __slots__ = ("_aead", "_base_nonce", "_exporter_secret", "_hash", "_key", "_sequence", "_suite_id")

    def __init__(
        self, suite_id: bytes, hash_: Hash, aead: Aead, key: bytes, base_nonce: bytes, exporter_secret: bytes
    ) -> None:
        self._suite_id = suite_id
        self._hash = hash_
        self._aead = aead
        self._key = key
        self._base_nonce = base_nonce
        self._exporter_secret = exporter_secret
        self._sequence = 0

    def export(self, exporter_context: bytes, length: int) -> bytes:
        """A secret of `length` bytes that both sides can derive (section 5.3)."""
        secret, suite_id = self._exporter_secret, self._suite_id
        return _labeled_expand(secret, suite_id, b"sec", exporter_context, length, self._hash)

    def _nonce(self) -> bytes:
        if self._sequence >= (1 << (8 * self._aead.nonce_size)) - 1:
            raise CryptoError("an HPKE context has no nonces left")
        sequence = self._sequence ^ int.from_bytes(self._base_nonce, "big")
        return sequence.to_bytes(self._aead.nonce_size, "big")


class SenderContext(Context):
    """What `setup_sender` gives."""

    __slots__ = ()

    def seal(self, aad: bytes, plaintext: bytes) -> bytes:
        """The next ciphertext of this context."""
        ciphertext = self._aead.seal(self._key, self._nonce(), aad, plaintext)
        self._sequence += 1
        return ciphertext


class ReceiverContext(Context):
    """What `setup_receiver` gives."""

    __slots__ = ()

    def open(self, aad: bytes, ciphertext: bytes) -> bytes:
        """The plaintext of the next ciphertext; if it does not open, raises CryptoError and stays there."""
        plaintext = self._aead.open(self._key, self._nonce(), aad, ciphertext)
        self._sequence += 1
        return plaintext


def setup_sender(
    kem: Kem, kdf_id: int, aead_id: int, public_key: bytes, info: bytes, random: Random
) -> tuple[bytes, SenderContext]:
    """(enc, context) for the holder of `public_key`; raises CryptoError for unknown ids and invalid keys."""
    hash_, aead = _algorithms(kdf_id, aead_id)
    shared_secret, enc = kem.encapsulate(public_key, random)
    return enc, SenderContext(*_key_schedule(kem, hash_, aead, shared_secret, info))


def setup_receiver(
    kem: Kem, kdf_id: int, aead_id: int, private_key: bytes | PrivateKey, enc: bytes, info: bytes
) -> ReceiverContext:
    """The context that opens what the sender of `enc` seals; raises CryptoError as `setup_sender`."""
    hash_, aead = _algorithms(kdf_id, aead_id)
    shared_secret = kem.decapsulate(private_key, enc)
    return ReceiverContext(*_key_schedule(kem, hash_, aead, shared_secret, info))


def seal_once(
    kem: Kem,
    kdf_id: int,
    aead_id: int,
    public_key: bytes,
    info: bytes,
    aad: bytes,
    plaintext: bytes,
    random: Random,
) -> tuple[bytes, bytes]:
    """Single-shot: (enc, ciphertext)."""
    enc, context = setup_sender(kem, kdf_id, aead_id, public_key, info, random)
    return enc, context.seal(aad, plaintext)


def open_once(
    kem: Kem,
    kdf_id: int,
    aead_id: int,
    private_key: bytes | PrivateKey,
    enc: bytes,
    info: bytes,
    aad: bytes,
    ciphertext: bytes,
) -> bytes:
    """Single-shot: the plaintext; raises CryptoError."""
    return setup_receiver(kem, kdf_id, aead_id, private_key, enc, info).open(aad, ciphertext)


def _algorithms(kdf_id: int, aead_id: int) -> tuple[Hash, Aead]:
    hash_, aead = HASHES_BY_KDF_ID.get(kdf_id), AEADS.get(aead_id)
    if hash_ is None or aead is None:
        raise CryptoError("unknown HPKE algorithm")
    return hash_, aead


def _labeled_extract(salt: bytes, suite_id: bytes, label: bytes, ikm: bytes, hash_: Hash) -> bytes:
    return hkdf_extract(salt, VERSION + suite_id + label + ikm, hash_)


def _labeled_expand(
    prk: bytes, suite_id: bytes, label: bytes, info: bytes, length: int, hash_: Hash
) -> bytes:
    if not 0 <= length <= 255 * hash_.size:
        raise CryptoError(f"HKDF gives 0 to {255 * hash_.size} bytes")
    return hkdf_expand(prk, length.to_bytes(2, "big") + VERSION + suite_id + label + info, length, hash_)


def _key_schedule(
    kem: Kem, hash_: Hash, aead: Aead, shared_secret: bytes, info: bytes
) -> tuple[bytes, Hash, Aead, bytes, bytes, bytes]:
    """Section 5.1 in base mode: no PSK, so psk and psk_id are empty."""
    suite_id = b"HPKE" + b"".join(n.to_bytes(2, "big") for n in (kem.id, hash_.kdf_id, aead.id))
    psk_id_hash = _labeled_extract(b"", suite_id, b"psk_id_hash", b"", hash_)
    info_hash = _labeled_extract(b"", suite_id, b"info_hash", info, hash_)
    context = MODE_BASE + psk_id_hash + info_hash
    secret = _labeled_extract(shared_secret, suite_id, b"secret", b"", hash_)
    key = _labeled_expand(secret, suite_id, b"key", context, aead.key_size, hash_)
    base_nonce = _labeled_expand(secret, suite_id, b"base_nonce", context, aead.nonce_size, hash_)
    exporter_secret = _labeled_expand(secret, suite_id, b"exp", context, hash_.size, hash_)
    return suite_id, hash_, aead, key, base_nonce, exporter_secret
