"""Extensions (RFC 9420 sections 13.4 and 17.3): the envelope, and the types that MLS itself defines."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from polynya.mls.codec import Reader, decode, opaque, u16, u16s, vector
from polynya.mls.credential import Credential, read_credential
from polynya.mls.errors import MalformedError

APPLICATION_ID = 0x0001
RATCHET_TREE = 0x0002
REQUIRED_CAPABILITIES = 0x0003
EXTERNAL_PUB = 0x0004
EXTERNAL_SENDERS = 0x0005

DEFAULT_EXTENSIONS = frozenset(range(0x0001, 0x0006))
"""Supported by everybody, never listed in capabilities (section 7.2)."""

DEFAULT_PROPOSALS = frozenset(range(0x0001, 0x0008))
"""As above, for proposal types."""

VERSION_MLS10 = 1


@dataclass(frozen=True, slots=True)
class Extension:
    """A type and bytes that only those who know the type can read."""

    type: int
    data: bytes

    def encode(self) -> bytes:
        return u16(self.type) + opaque(self.data)


def read_extensions(reader: Reader) -> tuple[Extension, ...]:
    """A list of extensions, no type twice (section 13.4)."""
    extensions = reader.vector(lambda r: Extension(r.u16(), r.opaque()))
    if len({e.type for e in extensions}) != len(extensions):
        raise MalformedError("13.4-repeated-extension")
    return extensions


def encode_extensions(extensions: Iterable[Extension]) -> bytes:
    return vector(e.encode() for e in extensions)


def find(extensions: Sequence[Extension], kind: int) -> bytes | None:
    """The data of the extension of type `kind`, or None."""
    return next((e.data for e in extensions if e.type == kind), None)


@dataclass(frozen=True, slots=True)
class RequiredCapabilities:
    """What every member's leaf must support (section 11.1)."""

    extensions: tuple[int, ...]
    proposals: tuple[int, ...]
    credentials: tuple[int, ...]

    def encode(self) -> bytes:
        return u16s(self.extensions) + u16s(self.proposals) + u16s(self.credentials)

    def extension(self) -> Extension:
        return Extension(REQUIRED_CAPABILITIES, self.encode())


def required_capabilities(extensions: Sequence[Extension]) -> RequiredCapabilities | None:
    data = find(extensions, REQUIRED_CAPABILITIES)
    if data is None:
        return None
    return decode(lambda r: RequiredCapabilities(r.u16s(), r.u16s(), r.u16s()), data)


@dataclass(frozen=True, slots=True)
class ExternalSender:
    """Someone outside the group who may propose (section 12.1.8.1)."""

    signature_key: bytes
    credential: Credential

    def encode(self) -> bytes:
        return opaque(self.signature_key) + self.credential.encode()


def external_senders(extensions: Sequence[Extension]) -> tuple[ExternalSender, ...]:
    data = find(extensions, EXTERNAL_SENDERS)
    if data is None:
        return ()
    return decode(lambda r: r.vector(lambda x: ExternalSender(x.opaque(), read_credential(x))), data)


def external_senders_extension(senders: Sequence[ExternalSender]) -> Extension:
    return Extension(EXTERNAL_SENDERS, vector(s.encode() for s in senders))


def external_pub_extension(public_key: bytes) -> Extension:
    """The public key is length-prefixed: `HPKEPublicKey external_pub` is `opaque<V>` (section 12.4.3.2)."""
    return Extension(EXTERNAL_PUB, opaque(public_key))


def external_pub(extensions: Sequence[Extension]) -> bytes | None:
    data = find(extensions, EXTERNAL_PUB)
    return None if data is None else decode(Reader.opaque, data)
