"""Leave proofs held against the group as it is (protocol.md section 5.4): a proof made before its member left and came
back, or before any later commit of that member, is worth nothing. Proofs name the MLS group: one of a group that a ReInit
has ended says nothing in its successor."""

from __future__ import annotations

from polynya.core._state import MemberLeaf, Membership
from polynya.mls.group import Group
from polynya.wire import requests
from polynya.wire.messages import LeaveProof
from polynya.wire.requests import sign_leave_proof, verify_leave_proof


def leaf_hash(group: Group, leaf_index: int) -> bytes | None:
    """Of a member's leaf as it is in this epoch; None for a blank leaf."""
    for member in group.members():
        if member.leaf_index == leaf_index:
            return requests.leaf_hash(member.leaf_node.encode())
    return None


def prove(group: Group, own_leaf: int, identity_secret: bytes) -> LeaveProof:
    own = leaf_hash(group, own_leaf)
    return sign_leave_proof(identity_secret, group.group_id, () if own is None else (own,))


def wishes(group: Group, member: MemberLeaf, proof: LeaveProof) -> bool:
    """Whether the proof is the member's own and of the leaf that it has in this epoch."""
    if proof.identity != member.identity:
        return False
    leaf = leaf_hash(group, member.leaf)
    return leaf is not None and verify_leave_proof(group.group_id, leaf, proof)


def wished_leaves(
    group: Group, removes: tuple[MemberLeaf, ...], proofs: tuple[LeaveProof, ...]
) -> frozenset[int]:
    """Those of a commit's removed leaves whose members wish it by one of the commit's proofs."""
    return frozenset(member.leaf for member in removes for proof in proofs if wishes(group, member, proof))


def leaves_of_wish(group: Group, present: Membership, proof: LeaveProof) -> tuple[MemberLeaf, ...]:
    """Present members' leaves whose removal the proof wishes."""
    return tuple(m for m in present.members if wishes(group, m, proof))
