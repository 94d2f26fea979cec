"""Cipher suites (RFC 9420 sections 5.1 and 17.1) and the labelled
operations over them (sections 5.1, 5.2, 8, 9)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from polynya.crypto import hpke, signature
from polynya.crypto.aead import AES_128_GCM, CHACHA20_POLY1305, Aead
from polynya.crypto.compare import equal
from polynya.crypto.errors import CryptoError
from polynya.crypto.hashes import SHA256, Hash, digest, hkdf_expand, hkdf_extract, hmac_digest
from polynya.crypto.kem import DHKEM_X25519, Kem
from polynya.crypto.random import Random
from polynya.crypto.xwing import XWING
from polynya.mls.codec import opaque, u16, u32
from polynya.mls.errors import MlsError


@dataclass(frozen=True, slots=True)
class SignatureScheme:
    """A signature algorithm as functions of bytes; private keys are seeds."""

    name: str
    public_key: Callable[[bytes], bytes]
    sign: Callable[[bytes, bytes], bytes]
    verify: Callable[[bytes, bytes, bytes], bool]


ED25519: Final = SignatureScheme("Ed25519", signature.public_key, signature.sign, signature.verify)


@dataclass(frozen=True, slots=True)
class Suite:
    """One cipher suite. Labels are given without their prefix "MLS 1.0 "; those of `ref_hash` in full."""

    id: int
    name: str
    kem: Kem
    hash: Hash
    aead: Aead
    signature: SignatureScheme

    @property
    def secret_size(self) -> int:
        """KDF.Nh: bytes of a hash and of every secret."""
        return self.hash.size

    # ---- hashing -------------------------------------------------------------------------------------------

    def digest(self, data: bytes) -> bytes:
        return digest(data, self.hash)

    def ref_hash(self, label: bytes, value: bytes) -> bytes:
        """RefHash (section 5.2)."""
        return digest(opaque(label) + opaque(value), self.hash)

    def key_package_ref(self, key_package: bytes) -> bytes:
        """MakeKeyPackageRef of an encoded KeyPackage."""
        return self.ref_hash(b"MLS 1.0 KeyPackage Reference", key_package)

    def proposal_ref(self, authenticated_content: bytes) -> bytes:
        """MakeProposalRef of the encoded AuthenticatedContent that carries the proposal."""
        return self.ref_hash(b"MLS 1.0 Proposal Reference", authenticated_content)

    def mac(self, key: bytes, data: bytes) -> bytes:
        return hmac_digest(key, data, self.hash)

    def mac_is_valid(self, key: bytes, data: bytes, tag: bytes) -> bool:
        """Compares in constant time."""
        return equal(hmac_digest(key, data, self.hash), tag)

    # ---- key derivation ------------------------------------------------------------------------------------

    def extract(self, salt: bytes, ikm: bytes) -> bytes:
        """KDF.Extract."""
        return hkdf_extract(salt, ikm, self.hash)

    def expand_with_label(self, secret: bytes, label: bytes, context: bytes, length: int) -> bytes:
        """ExpandWithLabel (section 8)."""
        try:
            info = u16(length) + _labeled(label) + opaque(context)
            return hkdf_expand(secret, info, length, self.hash)
        except CryptoError as error:
            raise MlsError("8-length", str(error)) from None

    def derive_secret(self, secret: bytes, label: bytes) -> bytes:
        """DeriveSecret (section 8)."""
        return self.expand_with_label(secret, label, b"", self.hash.size)

    def derive_tree_secret(self, secret: bytes, label: bytes, generation: int, length: int) -> bytes:
        """DeriveTreeSecret (section 9.1)."""
        return self.expand_with_label(secret, label, u32(generation), length)

    # ---- signatures ----------------------------------------------------------------------------------------

    def signature_public_key(self, private_key: bytes) -> bytes:
        """Raises MlsError where the private key is none."""
        try:
            return self.signature.public_key(private_key)
        except CryptoError as error:
            raise MlsError("5.1.2-private-key", str(error)) from None

    def sign_with_label(self, private_key: bytes, label: bytes, content: bytes) -> bytes:
        """SignWithLabel (section 5.1.2)."""
        try:
            return self.signature.sign(private_key, _labeled(label) + opaque(content))
        except CryptoError as error:
            raise MlsError("5.1.2-private-key", str(error)) from None

    def verify_with_label(self, public_key: bytes, label: bytes, content: bytes, signed: bytes) -> bool:
        """VerifyWithLabel (section 5.1.2); empty signatures and keys are never valid."""
        return self.signature.verify(public_key, _labeled(label) + opaque(content), signed)

    # ---- public key encryption -----------------------------------------------------------------------------

    def encrypt_with_label(
        self, public_key: bytes, label: bytes, context: bytes, plaintext: bytes, random: Random
    ) -> tuple[bytes, bytes]:
        """EncryptWithLabel (section 5.1.3): (kem_output, ciphertext)."""
        info = _labeled(label) + opaque(context)
        try:
            return hpke.seal_once(
                self.kem, self.hash.kdf_id, self.aead.id, public_key, info, b"", plaintext, random
            )
        except CryptoError as error:
            raise MlsError("5.1.3-public-key", str(error)) from None

    def decrypt_with_label(
        self, private_key: bytes, label: bytes, context: bytes, kem_output: bytes, ciphertext: bytes
    ) -> bytes:
        """DecryptWithLabel (section 5.1.3)."""
        info = _labeled(label) + opaque(context)
        try:
            return hpke.open_once(
                self.kem, self.hash.kdf_id, self.aead.id, private_key, kem_output, info, b"", ciphertext
            )
        except CryptoError:
            raise MlsError("5.1.3-decrypt") from None

    def derive_key_pair(self, secret: bytes) -> tuple[bytes, bytes]:
        """KEM.DeriveKeyPair: (private key, public key)."""
        return self.kem.derive_key_pair(secret)

    def encapsulate_export(self, public_key: bytes, label: bytes, random: Random) -> tuple[bytes, bytes]:
        """(kem_output, secret) of an external init (section 8.3); `label` is used as it is."""
        try:
            enc, context = hpke.setup_sender(
                self.kem, self.hash.kdf_id, self.aead.id, public_key, b"", random
            )
        except CryptoError as error:
            raise MlsError("8.3-public-key", str(error)) from None
        return enc, context.export(label, self.secret_size)

    def decapsulate_export(self, private_key: bytes, kem_output: bytes, label: bytes) -> bytes:
        """The secret of `encapsulate_export`."""
        try:
            context = hpke.setup_receiver(
                self.kem, self.hash.kdf_id, self.aead.id, private_key, kem_output, b""
            )
        except CryptoError:
            raise MlsError("8.3-kem-output") from None
        return context.export(label, self.secret_size)

    # ---- symmetric encryption ------------------------------------------------------------------------------

    def seal(self, key: bytes, nonce: bytes, aad: bytes, plaintext: bytes) -> bytes:
        return self.aead.seal(key, nonce, aad, plaintext)

    def open(self, key: bytes, nonce: bytes, aad: bytes, ciphertext: bytes) -> bytes:
        """Raises MlsError."""
        try:
            return self.aead.open(key, nonce, aad, ciphertext)
        except CryptoError:
            raise MlsError("6.3-decrypt") from None


@lru_cache(maxsize=256)  # the labels are a few dozen; an exporter's callers add a few more
def _labeled(label: bytes) -> bytes:
    return opaque(b"MLS 1.0 " + label)


X25519: Final = Suite(
    0x0001, "MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519", DHKEM_X25519, SHA256, AES_128_GCM, ED25519
)
X25519_CHACHA20: Final = Suite(
    0x0003,
    "MLS_128_DHKEMX25519_CHACHA20POLY1305_SHA256_Ed25519",
    DHKEM_X25519,
    SHA256,
    CHACHA20_POLY1305,
    ED25519,
)
X_WING: Final = Suite(
    0xF001, "POLYNYA_128_XWING_AES128GCM_SHA256_Ed25519", XWING, SHA256, AES_128_GCM, ED25519
)
"""Private use (section 17.1): 0x0001 with X-Wing as its KEM."""

SUITES: Final = {suite.id: suite for suite in (X25519, X25519_CHACHA20, X_WING)}


def suite_of(suite_id: int) -> Suite:
    """The suite with this id; raises MlsError if it is not in the table."""
    suite = SUITES.get(suite_id)
    if suite is None:
        raise MlsError("5.1-suite", f"{suite_id:#06x} is not supported")
    return suite
