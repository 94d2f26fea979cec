"""People and groups for MLS tests, and a committer who breaks the rules."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TypeVar
from unittest import mock

import pytest

from polynya.mls import checks, committing, proposals, treekem
from polynya.mls.commit import UpdatePath
from polynya.mls.credential import BasicCredential
from polynya.mls.errors import MlsError
from polynya.mls.extensions import Extension
from polynya.mls.framing import Sender
from polynya.mls.group import X25519, Group, Joined, KeyPackageBundle, PendingCommit, make_key_package
from polynya.mls.leaf import Capabilities, LeafNode, Lifetime, default_capabilities
from polynya.mls.proposal import Add, Proposal
from polynya.mls.proposals import Applied, Proposed
from polynya.mls.state import GroupState
from polynya.mls.suite import Suite
from tests.support.seeded import SeededRandom

T = TypeVar("T")

NOW = 1_800_000_000_000
LIFETIME = Lifetime(1_790_000_000, 1_810_000_000)
EXTENSION = 0xF0A1


def capabilities(suite: Suite = X25519) -> Capabilities:
    return default_capabilities(suite, [EXTENSION, 0xF0A2, 0x000A])


def key_package(
    name: str, random: SeededRandom, suite: Suite = X25519, lifetime: Lifetime = LIFETIME
) -> KeyPackageBundle:
    return make_key_package(
        suite,
        BasicCredential(name.encode()),
        random.bytes(32),
        lifetime=lifetime,
        capabilities=capabilities(suite),
        random=random,
    )


def found(
    random: SeededRandom,
    suite: Suite = X25519,
    extensions: Sequence[Extension] = (),
    name: str = "0",
    group_id: bytes | None = None,
) -> Group:
    return Group.create(
        suite,
        b"group" + random.bytes(4) if group_id is None else group_id,
        BasicCredential(name.encode()),
        random.bytes(32),
        extensions=extensions,
        capabilities=capabilities(suite),
        lifetime=LIFETIME,
        random=random,
    )


def join(welcome: bytes | None, bundle: KeyPackageBundle, tree: bytes | None = None) -> Joined:
    assert welcome is not None
    return Group.join(welcome, [bundle], tree=tree, now=NOW)


def group_of(
    n: int, random: SeededRandom, suite: Suite = X25519, extensions: Sequence[Extension] = ()
) -> list[Group]:
    """`n` members of one group in the same epoch, at leaf indices 0 to n - 1, added in one commit."""
    founder = found(random, suite, extensions)
    if n == 1:
        return [founder]
    bundles = [key_package(str(i), random, suite) for i in range(1, n)]
    pending = founder.commit([Add(b.key_package) for b in bundles], now=NOW, random=random)
    joiners = [join(pending.welcome, bundle).group for bundle in bundles]
    return [founder.merge_commit(pending), *joiners]


def follow(group: Group, message: bytes) -> Group:
    return group.apply_commit(group.verify_commit(message, now=NOW))


def advance(groups: Sequence[Group], committer: int, pending: PendingCommit) -> list[Group]:
    """Everybody in the epoch after a commit by `groups[committer]`."""
    return [
        group.merge_commit(pending) if i == committer else follow(group, pending.message)
        for i, group in enumerate(groups)
    ]


def commit_by(
    groups: Sequence[Group], committer: int, random: SeededRandom, *by_value: Proposal
) -> list[Group]:
    return advance(groups, committer, groups[committer].commit(by_value, now=NOW, random=random))


def in_agreement(groups: Sequence[Group]) -> bool:
    """All in the same epoch, with the same secrets and the same tree."""
    views = {
        (g.epoch, g.epoch_authenticator, g.tree, g.context.encode(), g.export("test", b"", 16))
        for g in groups
    }
    return len(views) == 1


def shows(*rules: str) -> Callable[[T], T]:
    """Marks a test of rules that nothing may break, for the table of rules."""
    assert rules
    return lambda test: test


def refuses(rule: str, action: Callable[[], object]) -> None:
    """`action` fails by this rule and no other."""
    with pytest.raises(MlsError) as caught:
        action()
    assert caught.value.rule == rule, caught.value


# ---- a committer who breaks the rules
# -------------------------------------------------------------------------


def _unjudged(state: GroupState, resolved: tuple[Proposed, ...], committer: Sender, now: int) -> Applied:
    return proposals.apply(resolved, state.tree, state.context.extensions)


@contextmanager
def lawless() -> Iterator[None]:
    """Inside, making a commit checks nothing; receiving still checks everything if done after."""
    with (
        mock.patch.object(committing, "judge", _unjudged),
        mock.patch.object(proposals, "check_path_present", lambda *a, **k: None),
        mock.patch.object(proposals, "check_result", lambda *a: None),
        mock.patch.object(checks, "check_leaf_capabilities", lambda *a: None),
    ):
        yield


def forge(
    group: Group,
    by_value: Sequence[Proposal],
    random: SeededRandom,
    *,
    path: bool | None = None,
    change_path: Callable[[UpdatePath], UpdatePath] | None = None,
    change_leaf: Callable[[LeafNode], LeafNode] | None = None,
) -> bytes:
    """A commit by a member who signs what no honest member would."""
    make_path, renew_leaf = treekem.make_path, committing.renew_leaf

    def made(*arguments: object) -> treekem.MadePath:
        honest = make_path(*arguments)  # type: ignore[arg-type]
        return honest if change_path is None else replace(honest, path=change_path(honest.path))

    def renewed(*arguments: object) -> LeafNode:
        honest = renew_leaf(*arguments)  # type: ignore[arg-type]
        return honest if change_leaf is None else change_leaf(honest)

    with (
        lawless(),
        mock.patch.object(treekem, "make_path", made),
        mock.patch.object(committing, "renew_leaf", renewed),
    ):
        return group.commit(by_value, path=path, now=NOW, random=random, include_pending=False).message


@contextmanager
def unchecked(module: object, name: str) -> Iterator[None]:
    """Inside, one check is switched off: to show that it alone stands between an attack and its success."""
    assert hasattr(module, name)
    with mock.patch.object(module, name, lambda *a, **k: None):
        yield


def resign(leaf: LeafNode, group: Group, leaf_index: int, **changes: object) -> LeafNode:
    """The leaf with other contents, signed anew by `group`'s member for a place in its group."""
    from polynya.mls.codec import opaque, u32

    draft = replace(leaf, **changes, signature=b"", encoded=b"")  # type: ignore[arg-type]
    unsigned = draft.encoded[:-1]
    place = b"" if draft.source == 1 else opaque(group.group_id) + u32(leaf_index)
    private = group._state.signature_private
    signature = group.suite.sign_with_label(private, b"LeafNodeTBS", unsigned + place)
    return replace(draft, signature=signature, encoded=b"")


__all__ = [
    "EXTENSION",
    "LIFETIME",
    "NOW",
    "advance",
    "capabilities",
    "commit_by",
    "follow",
    "forge",
    "found",
    "group_of",
    "in_agreement",
    "join",
    "key_package",
    "lawless",
    "refuses",
    "resign",
    "shows",
    "unchecked",
]
