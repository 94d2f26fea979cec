"""Welcomes (RFC 9420 section 12.4.3.1)."""

from __future__ import annotations

from dataclasses import dataclass, field

from polynya.mls.codec import Reader, decode, opaque, optional, u16, vector
from polynya.mls.commit import HpkeCiphertext, read_hpke_ciphertext
from polynya.mls.errors import MlsError
from polynya.mls.groupinfo import GroupInfo, read_group_info
from polynya.mls.psk import PskId, read_psk_id
from polynya.mls.suite import Suite


@dataclass(frozen=True, slots=True)
class GroupSecrets:
    """What a joiner needs besides the GroupInfo."""

    joiner_secret: bytes = field(repr=False)
    path_secret: bytes | None = field(repr=False)
    psks: tuple[PskId, ...]

    def encode(self) -> bytes:
        path = None if self.path_secret is None else opaque(self.path_secret)
        return opaque(self.joiner_secret) + optional(path) + vector(p.encode() for p in self.psks)


def read_group_secrets(reader: Reader) -> GroupSecrets:
    return GroupSecrets(reader.opaque(), reader.optional(Reader.opaque), reader.vector(read_psk_id))


@dataclass(frozen=True, slots=True)
class EncryptedGroupSecrets:
    """GroupSecrets for the holder of one key package."""

    new_member: bytes
    secrets: HpkeCiphertext

    def encode(self) -> bytes:
        return opaque(self.new_member) + self.secrets.encode()


@dataclass(frozen=True, slots=True)
class Welcome:
    """What the committer sends to those it adds."""

    cipher_suite: int
    secrets: tuple[EncryptedGroupSecrets, ...]
    encrypted_group_info: bytes

    def encode(self) -> bytes:
        return (
            u16(self.cipher_suite)
            + vector(s.encode() for s in self.secrets)
            + opaque(self.encrypted_group_info)
        )


def read_welcome(reader: Reader) -> Welcome:
    return Welcome(
        reader.u16(),
        reader.vector(lambda r: EncryptedGroupSecrets(r.opaque(), read_hpke_ciphertext(r))),
        reader.opaque(),
    )


def open_group_secrets(
    suite: Suite, init_private: bytes, secrets: HpkeCiphertext, encrypted_group_info: bytes
) -> GroupSecrets:
    """Raises MlsError."""
    plaintext = suite.decrypt_with_label(
        init_private, b"Welcome", encrypted_group_info, secrets.kem_output, secrets.ciphertext
    )
    return decode(read_group_secrets, plaintext)


def _key_and_nonce(suite: Suite, welcome_secret: bytes) -> tuple[bytes, bytes]:
    key = suite.expand_with_label(welcome_secret, b"key", b"", suite.aead.key_size)
    return key, suite.expand_with_label(welcome_secret, b"nonce", b"", suite.aead.nonce_size)


def seal_group_info(suite: Suite, welcome_secret: bytes, group_info: GroupInfo) -> bytes:
    key, nonce = _key_and_nonce(suite, welcome_secret)
    return suite.seal(key, nonce, b"", group_info.encode())


def open_group_info(suite: Suite, welcome_secret: bytes, encrypted: bytes) -> GroupInfo:
    """Raises MlsError."""
    key, nonce = _key_and_nonce(suite, welcome_secret)
    try:
        plaintext = suite.open(key, nonce, b"", encrypted)
    except MlsError:
        raise MlsError("12.4.3.1-group-info") from None
    return decode(read_group_info, plaintext)
