"""Each rule of protocol.md section 5.3, allowed and not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from polynya.core import roles
from polynya.core._state import MemberLeaf, Membership
from polynya.core.roles import Change, Successor
from polynya.crypto.signature import public_key
from polynya.wire.messages import SUITE_X25519, SUITE_XWING, ConversationInfo, ConversationKind, RelayAddress

GROUP = b"g" * 16
SEEDS = [bytes([n]) * 32 for n in range(1, 6)]
ANNA, BORIS, CLARA, DAVID, ELENA = (public_key(seed) for seed in SEEDS)
RELAY = RelayAddress("https://relay.example/x", bytes(32))


def membership(
    *members: bytes, admins: tuple[bytes, ...] = (ANNA,), direct: bool = False, open_: bool = False
) -> Membership:
    info = ConversationInfo(
        kind=ConversationKind.DIRECT if direct else ConversationKind.GROUP,
        name="",
        admins=tuple(sorted(admins)),
        relays=(RELAY,),
        retention_days=30,
        members_add=open_,
    )
    leaves = tuple(MemberLeaf(2 * n, identity, bytes(32)) for n, identity in enumerate(members))
    return Membership(info, 0, SUITE_X25519, leaves, GROUP)


def change(before: Membership, committer: bytes, **fields: object) -> Change:
    base = Change(
        epoch=5,
        before=before,
        committer=committer,
        committer_after=committer,
        adds=(),
        removes=(),
        wished=frozenset(),
        info=None,
        info_count=0,
        info_valid=True,
        successor=None,
        others=0,
    )
    return replace(base, **fields)  # type: ignore[arg-type]


def leaf(before: Membership, identity: bytes) -> MemberLeaf:
    return next(member for member in before.members if member.identity == identity)


THREE = membership(ANNA, BORIS, CLARA)
DIRECT = membership(ANNA, BORIS, admins=(), direct=True)
ALONE = membership(ANNA, admins=(), direct=True)


def wished(before: Membership, *identities: bytes) -> frozenset[int]:
    return frozenset(leaf(before, identity).leaf for identity in identities)


NEXT = Successor(b"s" * 16, 1, SUITE_XWING, True)

CASES: list[tuple[str, Change, str | None]] = [
    ("an admin adds", change(THREE, ANNA, adds=(DAVID,)), None),
    ("a member adds", change(THREE, BORIS, adds=(DAVID,)), "role-add"),
    (
        "a member adds where members may",
        change(membership(ANNA, BORIS, open_=True), BORIS, adds=(DAVID,)),
        None,
    ),
    ("a member re-adds", change(THREE, BORIS, adds=(CLARA,), removes=(leaf(THREE, CLARA),)), None),
    (
        "a member re-adds and slips one in",
        change(THREE, BORIS, adds=(CLARA, CLARA), removes=(leaf(THREE, CLARA),)),
        "role-add",
    ),
    ("a member swaps one", change(THREE, BORIS, adds=(DAVID,), removes=(leaf(THREE, CLARA),)), "role-add"),
    ("the founding commit of two", change(ALONE, ANNA, adds=(BORIS,), epoch=0), None),
    ("a founding commit of three", change(ALONE, ANNA, adds=(BORIS, CLARA), epoch=0), "role-add"),
    ("a third in a direct conversation", change(DIRECT, ANNA, adds=(CLARA,)), "role-add"),
    ("a re-add in a direct one", change(DIRECT, BORIS, adds=(ANNA,), removes=(leaf(DIRECT, ANNA),)), None),
    ("an admin removes", change(THREE, ANNA, removes=(leaf(THREE, CLARA),)), None),
    ("a member removes", change(THREE, BORIS, removes=(leaf(THREE, CLARA),)), "role-remove"),
    ("a leaf of one's own identity", change(THREE, BORIS, removes=(leaf(THREE, BORIS),)), None),
    (
        "by their wish",
        change(THREE, BORIS, removes=(leaf(THREE, CLARA),), wished=wished(THREE, CLARA)),
        None,
    ),
    (
        "one by wish, one without",
        change(THREE, BORIS, removes=(leaf(THREE, CLARA), leaf(THREE, ANNA)), wished=wished(THREE, CLARA)),
        "role-remove",
    ),
    ("removing the other of two", change(DIRECT, ANNA, removes=(leaf(DIRECT, BORIS),)), "role-remove"),
    (
        "the other of two, by wish",
        change(DIRECT, ANNA, removes=(leaf(DIRECT, BORIS),), wished=wished(DIRECT, BORIS)),
        "role-remove",
    ),
    ("an admin renames", change(THREE, ANNA, info=replace(THREE.info, name="x"), info_count=1), None),
    ("a member renames", change(THREE, BORIS, info=replace(THREE.info, name="x"), info_count=1), "role-info"),
    ("a member changes nothing", change(THREE, BORIS, info=THREE.info, info_count=1), "role-info"),
    ("two at once", change(THREE, ANNA, info=THREE.info, info_count=2), "role-info"),
    ("malformed", change(THREE, ANNA, info=None, info_count=1, info_valid=False), "role-info"),
    (
        "another kind",
        change(THREE, ANNA, info=replace(THREE.info, kind=ConversationKind.DIRECT), info_count=1),
        "role-info",
    ),
    ("in a direct one", change(DIRECT, ANNA, info=DIRECT.info, info_count=1), "role-info"),
    ("an update", change(THREE, CLARA), None),
    ("an update to another identity", change(THREE, CLARA, committer_after=DAVID), "role-update"),
    ("an update that is not accepted", change(THREE, CLARA, committer_after=None), "role-update"),
    ("a move", change(THREE, ANNA, successor=NEXT), None),
    ("a member moves", change(THREE, BORIS, successor=NEXT), "role-reinit"),
    ("a move of two", change(DIRECT, ANNA, successor=NEXT), "role-reinit"),
    (
        "a move to the same suite",
        change(THREE, ANNA, successor=replace(NEXT, suite=SUITE_X25519)),
        "role-reinit",
    ),
    ("a move to an unknown suite", change(THREE, ANNA, successor=replace(NEXT, suite=2)), "role-reinit"),
    ("a move to another version", change(THREE, ANNA, successor=replace(NEXT, version=2)), "role-reinit"),
    ("a move with a short id", change(THREE, ANNA, successor=replace(NEXT, group=bytes(15))), "role-reinit"),
    ("a move to the same id", change(THREE, ANNA, successor=replace(NEXT, group=GROUP)), "role-reinit"),
    ("a move to another info", change(THREE, ANNA, successor=replace(NEXT, info_stays=False)), "role-reinit"),
    ("anything else", change(THREE, ANNA, others=1), "role-other"),
]


@pytest.mark.parametrize(("case", "rule"), [(c[1], c[2]) for c in CASES], ids=[c[0] for c in CASES])
def test_rule(case: Change, rule: str | None) -> None:
    assert roles.broken_rule(case) == rule


def test_effective_admins() -> None:
    assert roles.effective_admins(THREE) == (ANNA,)
    assert roles.effective_admins(membership(BORIS, CLARA)) == (BORIS,), (
        "the lowest leaf, where no admin is left"
    )
    assert roles.effective_admins(membership(CLARA, ANNA, BORIS, admins=(ANNA, BORIS))) == tuple(
        sorted((ANNA, BORIS))
    )
    assert roles.effective_admins(membership(ANNA, BORIS, admins=(BORIS, ELENA))) == (BORIS,)
    assert not roles.is_admin(THREE, DAVID)
