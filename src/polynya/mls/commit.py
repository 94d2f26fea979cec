"""Commits and update paths (RFC 9420 sections 7.6 and 12.4)."""

from __future__ import annotations

from dataclasses import dataclass

from polynya.mls.codec import Reader, opaque, optional, vector
from polynya.mls.errors import MalformedError
from polynya.mls.leaf import LeafNode, read_leaf
from polynya.mls.proposal import Proposal, encode_proposal, read_proposal

BY_VALUE = b"\x01"
BY_REFERENCE = b"\x02"


@dataclass(frozen=True, slots=True)
class HpkeCiphertext:
    """One HPKE encryption."""

    kem_output: bytes
    ciphertext: bytes

    def encode(self) -> bytes:
        return opaque(self.kem_output) + opaque(self.ciphertext)


def read_hpke_ciphertext(reader: Reader) -> HpkeCiphertext:
    return HpkeCiphertext(reader.opaque(), reader.opaque())


@dataclass(frozen=True, slots=True)
class UpdatePathNode:
    """A node of the filtered direct path: its new key, its path secret for
    each node of the copath's resolution."""

    encryption_key: bytes
    encrypted_path_secrets: tuple[HpkeCiphertext, ...]

    def encode(self) -> bytes:
        return opaque(self.encryption_key) + vector(c.encode() for c in self.encrypted_path_secrets)


def _read_node(reader: Reader) -> UpdatePathNode:
    return UpdatePathNode(reader.opaque(), reader.vector(read_hpke_ciphertext))


@dataclass(frozen=True, slots=True)
class UpdatePath:
    """The committer's new leaf, and the nodes from the leaf up."""

    leaf_node: LeafNode
    nodes: tuple[UpdatePathNode, ...]

    def encode(self) -> bytes:
        return self.leaf_node.encode() + vector(n.encode() for n in self.nodes)


def read_update_path(reader: Reader) -> UpdatePath:
    return UpdatePath(read_leaf(reader), reader.vector(_read_node))


@dataclass(frozen=True, slots=True)
class ProposalRef:
    """A proposal that was sent before, by hash."""

    reference: bytes


ProposalOrRef = Proposal | ProposalRef


def _encode_proposal_or_ref(item: ProposalOrRef) -> bytes:
    if isinstance(item, ProposalRef):
        return BY_REFERENCE + opaque(item.reference)
    return BY_VALUE + encode_proposal(item)


def _read_proposal_or_ref(reader: Reader) -> ProposalOrRef:
    kind = reader.take(1)
    if kind == BY_VALUE:
        return read_proposal(reader)
    if kind == BY_REFERENCE:
        return ProposalRef(reader.opaque())
    raise MalformedError("12.4-proposal-or-ref")


@dataclass(frozen=True, slots=True)
class Commit:
    """What ends an epoch."""

    proposals: tuple[ProposalOrRef, ...]
    path: UpdatePath | None

    def encode(self) -> bytes:
        proposals = vector(map(_encode_proposal_or_ref, self.proposals))
        return proposals + optional(None if self.path is None else self.path.encode())


def read_commit(reader: Reader) -> Commit:
    return Commit(reader.vector(_read_proposal_or_ref), reader.optional(read_update_path))
