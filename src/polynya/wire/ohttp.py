"""Oblivious HTTP's encapsulation (RFC 9458 section 4) over any KEM and media-type label."""

from __future__ import annotations

from dataclasses import dataclass

from polynya.crypto.aead import AEADS, Aead
from polynya.crypto.errors import CryptoError
from polynya.crypto.hashes import HASHES_BY_KDF_ID, hkdf_expand, hkdf_extract
from polynya.crypto.hpke import ReceiverContext, SenderContext, setup_receiver, setup_sender
from polynya.crypto.kem import Kem, PrivateKey
from polynya.crypto.random import Random
from polynya.crypto.xwing import XWING

HEADER_SIZE = 7


@dataclass(frozen=True, slots=True)
class Suite:
    """HPKE algorithms of one key; `kdf_id` and `aead_id` as in RFC 9180 section 7."""

    kem: Kem
    kdf_id: int = 0x0001
    aead_id: int = 0x0001

    def header(self, key_id: int) -> bytes:
        """What stands before `enc`: key id (8 bits), then KEM, KDF and AEAD ids (16 bits each)."""
        ids = (self.kem.id, self.kdf_id, self.aead_id)
        return bytes((key_id,)) + b"".join(n.to_bytes(2, "big") for n in ids)

    @property
    def aead(self) -> Aead:
        return AEADS[self.aead_id]


SUITE = Suite(XWING)
"""The protocol's: X-Wing, HKDF-SHA256, AES-128-GCM."""


def setup_request(
    suite: Suite, key_id: int, public_key: bytes, label: bytes, random: Random
) -> tuple[bytes, bytes, SenderContext]:
    """(header, enc, context) of a new request; raises CryptoError for an invalid key."""
    header = suite.header(key_id)
    info = label + b"\x00" + header
    enc, context = setup_sender(suite.kem, suite.kdf_id, suite.aead_id, public_key, info, random)
    return header, enc, context


def open_setup(
    suite: Suite, private_key: bytes | PrivateKey, label: bytes, message: bytes
) -> tuple[bytes, bytes, ReceiverContext]:
    """(enc, ciphertext, context) of a request whose header the caller has compared; raises CryptoError."""
    end = HEADER_SIZE + suite.kem.enc_size
    header, enc = message[:HEADER_SIZE], message[HEADER_SIZE:end]
    info = label + b"\x00" + header
    context = setup_receiver(suite.kem, suite.kdf_id, suite.aead_id, private_key, enc, info)
    return enc, message[end:], context


def response_secret(suite: Suite, context: SenderContext | ReceiverContext, label: bytes) -> bytes:
    return context.export(label, _nonce_size(suite))


def seal_response(suite: Suite, secret: bytes, enc: bytes, plaintext: bytes, random: Random) -> bytes:
    """Section 4.4: response nonce, then the plaintext under a key of it and of the request."""
    nonce = random.bytes(_nonce_size(suite))
    key, iv = _response_keys(suite, secret, enc, nonce)
    return nonce + suite.aead.seal(key, iv, b"", plaintext)


def open_response(suite: Suite, secret: bytes, enc: bytes, message: bytes) -> bytes:
    """The plaintext; raises CryptoError."""
    size = _nonce_size(suite)
    if len(message) < size:
        raise CryptoError("too short for a response")
    key, iv = _response_keys(suite, secret, enc, message[:size])
    return suite.aead.open(key, iv, b"", message[size:])


def _nonce_size(suite: Suite) -> int:
    return max(suite.aead.key_size, suite.aead.nonce_size)


def _response_keys(suite: Suite, secret: bytes, enc: bytes, nonce: bytes) -> tuple[bytes, bytes]:
    hash_ = HASHES_BY_KDF_ID[suite.kdf_id]
    prk = hkdf_extract(enc + nonce, secret, hash_)
    key = hkdf_expand(prk, b"key", suite.aead.key_size, hash_)
    return key, hkdf_expand(prk, b"nonce", suite.aead.nonce_size, hash_)
