"""Proposals (RFC 9420 section 12.1)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, TypeAlias

from polynya.mls.codec import Reader, opaque, u16, u32
from polynya.mls.errors import MalformedError
from polynya.mls.extensions import Extension, encode_extensions, read_extensions
from polynya.mls.keypackage import KeyPackage, read_key_package
from polynya.mls.leaf import LeafNode, read_leaf
from polynya.mls.psk import PskId, read_psk_id


@dataclass(frozen=True, slots=True)
class Add:
    """Add the client of a key package."""

    type: ClassVar[int] = 0x0001
    key_package: KeyPackage

    def encode(self) -> bytes:
        return self.key_package.encode()


@dataclass(frozen=True, slots=True)
class Update:
    """Replace the proposer's leaf."""

    type: ClassVar[int] = 0x0002
    leaf_node: LeafNode

    def encode(self) -> bytes:
        return self.leaf_node.encode()


@dataclass(frozen=True, slots=True)
class Remove:
    """Remove the member at a leaf index."""

    type: ClassVar[int] = 0x0003
    removed: int

    def encode(self) -> bytes:
        return u32(self.removed)


@dataclass(frozen=True, slots=True)
class PreSharedKey:
    """Mix a pre-shared key into the next epoch."""

    type: ClassVar[int] = 0x0004
    psk: PskId

    def encode(self) -> bytes:
        return self.psk.encode()


@dataclass(frozen=True, slots=True)
class ReInit:
    """End this group and begin another with the same members."""

    type: ClassVar[int] = 0x0005
    group_id: bytes
    version: int
    cipher_suite: int
    extensions: tuple[Extension, ...]

    def encode(self) -> bytes:
        head = opaque(self.group_id) + u16(self.version) + u16(self.cipher_suite)
        return head + encode_extensions(self.extensions)


@dataclass(frozen=True, slots=True)
class ExternalInit:
    """An external joiner's contribution to the next epoch."""

    type: ClassVar[int] = 0x0006
    kem_output: bytes

    def encode(self) -> bytes:
        return opaque(self.kem_output)


@dataclass(frozen=True, slots=True)
class GroupContextExtensions:
    """Replace all extensions of the GroupContext."""

    type: ClassVar[int] = 0x0007
    extensions: tuple[Extension, ...]

    def encode(self) -> bytes:
        return encode_extensions(self.extensions)


Proposal: TypeAlias = Add | Update | Remove | PreSharedKey | ReInit | ExternalInit | GroupContextExtensions

READERS: dict[int, Callable[[Reader], Proposal]] = {
    Add.type: lambda r: Add(read_key_package(r)),
    Update.type: lambda r: Update(read_leaf(r)),
    Remove.type: lambda r: Remove(r.u32()),
    PreSharedKey.type: lambda r: PreSharedKey(read_psk_id(r)),
    ReInit.type: lambda r: ReInit(r.opaque(), r.u16(), r.u16(), read_extensions(r)),
    ExternalInit.type: lambda r: ExternalInit(r.opaque()),
    GroupContextExtensions.type: lambda r: GroupContextExtensions(read_extensions(r)),
}

PATH_REQUIRED = frozenset((Update.type, Remove.type, ExternalInit.type, GroupContextExtensions.type))
"""Proposal types whose commit must have a path (section 12.4)."""

EXTERNAL_SENDER_TYPES = frozenset(
    (Add.type, Remove.type, PreSharedKey.type, ReInit.type, GroupContextExtensions.type)
)
"""What a sender outside the group may propose (section 12.1.8)."""


def encode_proposal(proposal: Proposal) -> bytes:
    return u16(proposal.type) + proposal.encode()


def read_proposal(reader: Reader) -> Proposal:
    kind = reader.u16()
    read = READERS.get(kind)
    if read is None:
        raise MalformedError("12.1-proposal-type", str(kind))
    return read(reader)
