"""Pre-shared keys (RFC 9420 section 8.4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from polynya.mls.codec import Reader, opaque, u8, u16, u64
from polynya.mls.errors import MalformedError, MlsError
from polynya.mls.suite import Suite

EXTERNAL = 1
RESUMPTION = 2

APPLICATION = 1
REINIT = 2
BRANCH = 3


@dataclass(frozen=True, slots=True)
class ExternalPskId:
    """A key that the application hands over, by its id."""

    psk_id: bytes
    nonce: bytes

    def encode(self) -> bytes:
        return u8(EXTERNAL) + opaque(self.psk_id) + opaque(self.nonce)

    @property
    def lookup_key(self) -> bytes:
        """Under which `psks` holds it."""
        return self.psk_id


@dataclass(frozen=True, slots=True)
class ResumptionPskId:
    """The resumption key of an epoch of this or another group."""

    usage: int
    group_id: bytes
    epoch: int
    nonce: bytes

    def encode(self) -> bytes:
        return u8(RESUMPTION) + u8(self.usage) + opaque(self.group_id) + u64(self.epoch) + opaque(self.nonce)

    @property
    def lookup_key(self) -> bytes:
        """Under which `psks` holds the key of another group: the id without usage and nonce."""
        return resumption_key(self.group_id, self.epoch)


PskId = ExternalPskId | ResumptionPskId


def resumption_key(group_id: bytes, epoch: int) -> bytes:
    """The key in a `psks` mapping for `resumption_psk` of a group's epoch."""
    return b"resumption" + opaque(group_id) + u64(epoch)


def read_psk_id(reader: Reader) -> PskId:
    kind = reader.u8()
    if kind == EXTERNAL:
        return ExternalPskId(reader.opaque(), reader.opaque())
    if kind == RESUMPTION:
        usage = reader.u8()
        if usage not in (APPLICATION, REINIT, BRANCH):
            raise MalformedError("8.4-usage", str(usage))
        return ResumptionPskId(usage, reader.opaque(), reader.u64(), reader.opaque())
    raise MalformedError("8.4-type", str(kind))


def psk_secret(suite: Suite, keys: Sequence[tuple[PskId, bytes]]) -> bytes:
    """All keys folded into one secret, in the order of their proposals; zeros if there are none."""
    zeros = bytes(suite.secret_size)
    secret = zeros
    for index, (psk_id, key) in enumerate(keys):
        label = psk_id.encode() + u16(index) + u16(len(keys))
        extracted = suite.extract(zeros, key)
        secret = suite.extract(
            suite.expand_with_label(extracted, b"derived psk", label, suite.secret_size), secret
        )
    return secret


def collect(
    psk_ids: Sequence[PskId], psks: Mapping[bytes, bytes], own: Mapping[bytes, bytes]
) -> list[tuple[PskId, bytes]]:
    """Each id with its key, from `own` (this group's resumption keys) or
    `psks`; raises MlsError if one is missing."""
    keys = []
    for psk_id in psk_ids:
        key = own.get(psk_id.lookup_key) if isinstance(psk_id, ResumptionPskId) else None
        if key is None:
            key = psks.get(psk_id.lookup_key)
        if key is None:
            raise MlsError("12.4.2-psk-missing", "a pre-shared key is not known here")
        keys.append((psk_id, key))
    return keys
