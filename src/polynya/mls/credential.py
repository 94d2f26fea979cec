"""Credentials (RFC 9420 section 5.3). What an identity means is the application's business."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from polynya.mls.codec import Reader, opaque, u16, vector
from polynya.mls.errors import MalformedError

BASIC = 1
X509 = 2


@dataclass(frozen=True, slots=True)
class BasicCredential:
    """An identity that the application gives meaning to."""

    identity: bytes

    @property
    def type(self) -> int:
        return BASIC

    def encode(self) -> bytes:
        return u16(BASIC) + opaque(self.identity)


@dataclass(frozen=True, slots=True)
class X509Credential:
    """A chain of DER certificates, the leaf's first. Decoded and passed on, never validated here."""

    certificates: tuple[bytes, ...]

    @property
    def type(self) -> int:
        return X509

    def encode(self) -> bytes:
        return u16(X509) + vector(opaque(c) for c in self.certificates)


Credential: TypeAlias = BasicCredential | X509Credential


def read_credential(reader: Reader) -> Credential:
    kind = reader.u16()
    if kind == BASIC:
        return BasicCredential(reader.opaque())
    if kind == X509:
        return X509Credential(reader.vector(Reader.opaque))
    raise MalformedError("5.3-credential-type", str(kind))
