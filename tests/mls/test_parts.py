"""What is stored after a step: exactly the parts that it changed, whoever the former state was."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from unittest import mock

import pytest

from polynya.mls import parts
from polynya.mls.group import X_WING, Group
from polynya.mls.parts import HEAD, PAST, RATCHET, SECRETS, TREE, past_name, ratchet_name, secrets_name
from polynya.mls.proposal import PreSharedKey, Remove
from polynya.mls.psk import ExternalPskId
from polynya.mls.secrettree import APPLICATION, HANDSHAKE, Ratchet, SecretTree
from polynya.mls.tree import RatchetTree
from tests.mls.parties import NOW, commit_by, follow, found, group_of
from tests.mls.test_life import World
from tests.support.seeded import SeededRandom

Changes = Mapping[bytes, bytes | None]


def applied(stored: Mapping[bytes, bytes], changes: Changes) -> dict[bytes, bytes]:
    """The rows of a table after changes: what goes was there, and nothing is written that lay there already."""
    rows = dict(stored)
    assert list(changes) == sorted(changes)
    for name, value in changes.items():
        if value is None:
            del rows[name]
        else:
            assert rows.get(name) != value
            rows[name] = value
    return dict(sorted(rows.items()))


def hold(group: Group, since: Group) -> Changes:
    """The changes, shown to lead from one to the other."""
    changes = group.changes(since)
    assert applied(since.parts(), changes) == group.parts()
    return changes


# ---- random lives ------------------------------------------------------------------------------------------


@dataclass
class Storing(World):
    """Each member's rows follow its group by changes alone, from whatever it had stored last."""

    saved: dict[bytes, tuple[Group, dict[bytes, bytes]]] = field(default_factory=dict)
    kinds: set[tuple[bytes, bool]] = field(default_factory=set)

    def check(self) -> None:
        super().check()
        for leaf, group in self.members.items():
            if self.random.below(2):
                group = self.members[leaf] = self.later(group)
            device = group.own_signature_key
            if device not in self.saved:
                self.saved[device] = group, group.parts()
            elif self.random.below(3):
                self.save(device, group)
        one, other = self.members[self.pick()], self.members[self.pick()]
        hold(one, other)

    def later(self, group: Group) -> Group:
        """What else happens on a device: late messages, own ones, epochs that are forgotten, a start."""
        choice = self.random.below(4)
        if choice == 0:
            return Group.from_parts(group.parts())
        if choice == 1 and group.past_epochs:
            return group.forget_epochs_before(group.past_epochs[self.random.below(len(group.past_epochs))])
        if choice == 2:
            return group.encrypt(b"to nobody", random=self.random)[0]
        return group

    def save(self, device: bytes, group: Group) -> None:
        before, rows = self.saved[device]
        changes = hold(group, before)
        self.kinds |= {(name[:1], value is None) for name, value in changes.items()}
        rows = applied(rows, changes)
        assert Group.from_parts(rows) == group
        hold(before, group)
        self.saved[device] = group, rows


@pytest.mark.parametrize("seed", range(6))
def test_changes_lead_from_any_state_to_any_other(seed: int) -> None:
    random = SeededRandom(300 + seed)
    world = Storing(random, found(random).suite)
    world.members[0] = found(random)
    for _ in range(15):
        world.step()
    gone = {(PAST, True), (SECRETS, True), (RATCHET, True)}
    assert world.kinds == {(kind, False) for kind in (HEAD, TREE, PAST, SECRETS, RATCHET)} | gone


def test_changes_between_groups_that_share_nothing() -> None:
    random = SeededRandom(310)
    one = commit_by(group_of(3, random), 1, random)[0]
    other = group_of(2, random, X_WING)[1]
    hold(one, other)
    hold(other, one)
    assert hold(one, one) == {}
    assert hold(one, Group.from_parts(one.parts())) == {}


def test_changes_between_two_ways_from_one_epoch() -> None:
    """The loser of a race had saved its own next epoch: former leaves are told against another epoch then."""
    random = SeededRandom(311)
    groups = group_of(4, random)
    groups = commit_by(groups, 2, random)
    mine, theirs = (groups[by].commit([Remove(3)], now=NOW, random=random) for by in (0, 1))
    won, lost = follow(groups[0], theirs.message), groups[0].merge_commit(mine)
    assert past_name(2) in hold(won, lost) and past_name(1) not in hold(won, lost)
    for former in groups[0].changes(won), groups[0].changes(lost):
        assert former[past_name(2)] is None


def test_changes_between_two_ways_that_leave_the_tree_as_it_is() -> None:
    random = SeededRandom(312)
    (group,) = group_of(1, random)
    ways = []
    for name in (b"one", b"other"):
        way, psks = group, {name: bytes(32)}
        for _ in range(2):
            psk = PreSharedKey(ExternalPskId(name, random.bytes(32)))
            way = way.merge_commit(way.commit([psk], path=False, psks=psks, now=NOW, random=random))
        ways.append(way)
    one, other = ways
    assert one.past_epochs == other.past_epochs and one.tree == other.tree
    assert past_name(1) in hold(one, other) and past_name(0) not in hold(one, other)


# ---- what an operation changes -----------------------------------------------------------------------------


def test_a_message_changes_one_ratchet() -> None:
    random = SeededRandom(320)
    groups = group_of(5, random)
    epoch = groups[0].epoch
    for first in (True, False):
        before = list(groups)
        groups[3], message = groups[3].encrypt(b"text", random=random)
        groups[0], _ = groups[0].decrypt(message)
        made = {ratchet_name(epoch, (3, HANDSHAKE)), secrets_name(epoch)} if first else set()
        for leaf in (0, 3):
            changed = hold(groups[leaf], before[leaf])
            assert set(changed) == {ratchet_name(epoch, (3, APPLICATION)), *made}
            assert None not in changed.values()


def test_a_late_message_changes_one_ratchet_of_its_epoch() -> None:
    random = SeededRandom(321)
    groups = group_of(3, random)
    groups[2], first = groups[2].encrypt(b"first", random=random)
    groups[2], late = groups[2].encrypt(b"late", random=random)
    groups[0], _ = groups[0].decrypt(first)
    epoch = groups[0].epoch
    groups = commit_by(commit_by(groups, 1, random), 1, random)
    after, _ = groups[0].decrypt(late)
    assert set(hold(after, groups[0])) == {ratchet_name(epoch, (2, APPLICATION))}


def test_a_proposal_changes_the_head() -> None:
    random = SeededRandom(322)
    groups = group_of(3, random)
    after, message = groups[0].propose_update(random=random)
    assert set(hold(after, groups[0])) == {HEAD}
    received, _ = groups[1].receive_proposal(message)
    assert set(hold(received, groups[1])) == {HEAD}


def test_an_epoch_that_ends_keeps_the_ratchets_of_others_as_they_lie() -> None:
    random = SeededRandom(323)
    groups = group_of(4, random)
    for sender in (0, 1, 2):
        groups[sender], message = groups[sender].encrypt(b"text", random=random)
        for leaf in {0, 1, 2} - {sender}:
            groups[leaf], _ = groups[leaf].decrypt(message)
    epoch = groups[0].epoch
    after = commit_by(groups, 1, random)
    changed = hold(after[0], groups[0])
    own = {ratchet_name(epoch, (0, APPLICATION)): None}
    handshakes = {ratchet_name(epoch, (leaf, HANDSHAKE)): None for leaf in (0, 1, 2)}
    assert {name: value for name, value in changed.items() if value is None} == own | handshakes
    new = {HEAD, TREE, past_name(epoch), secrets_name(epoch + 1)}
    assert {name for name, value in changed.items() if value is not None} == new
    again = hold(commit_by(after, 2, random)[0], after[0])
    assert past_name(epoch) not in again, "a former epoch is written once"


def test_an_epoch_that_is_forgotten_leaves_no_part() -> None:
    random = SeededRandom(324)
    groups = group_of(3, random)
    groups[1], message = groups[1].encrypt(b"text", random=random)
    groups[0], _ = groups[0].decrypt(message)
    epoch = groups[0].epoch
    groups = commit_by(groups, 2, random)
    kept = groups[0].forget_epochs_before(epoch + 1)
    gone = {past_name(epoch), secrets_name(epoch), ratchet_name(epoch, (1, APPLICATION))}
    changed = hold(kept, groups[0])
    assert gone <= set(changed) and set(changed.values()) == {None}
    assert {name for name in kept.parts() if name[:1] in (PAST, RATCHET)} == set()


# ---- what it costs -----------------------------------------------------------------------------------------


@contextmanager
def counting() -> Iterator[dict[str, int]]:
    """How often what is large is encoded inside."""
    counts: dict[str, int] = {}

    def counted(owner: object, name: str) -> mock._patch[object]:
        real = getattr(owner, name)

        def call(*arguments: object) -> object:
            counts[name] = counts.get(name, 0) + 1
            return real(*arguments)

        return mock.patch.object(owner, name, call)

    with (
        counted(Ratchet, "encode"),
        counted(RatchetTree, "encode"),
        counted(SecretTree, "encode_secrets"),
        counted(parts, "_encode_head"),
        counted(parts, "_encode_past"),
    ):
        yield counts


@pytest.mark.parametrize("restored", [False, True])
def test_what_did_not_change_is_not_encoded(restored: bool) -> None:
    random = SeededRandom(330)
    groups = group_of(6, random)
    for _ in range(2):
        for sender in (1, 2, 3):
            groups[sender], message = groups[sender].encrypt(b"text", random=random)
            groups[0], _ = groups[0].decrypt(message)
        before = list(groups)
        groups = commit_by(groups, 4, random)
    if restored:
        groups[0] = Group.from_parts(groups[0].parts())
    before = list(groups)
    groups[1], message = groups[1].encrypt(b"text", random=random)
    groups[0], _ = groups[0].decrypt(message)
    with counting() as counts:
        changes = groups[0].changes(before[0])
    assert len(changes) == 3
    assert counts == {"encode": 2, "encode_secrets": 2}, (
        "the sender's two ratchets, and the tree above before and after"
    )
    before = list(groups)
    groups[1], message = groups[1].encrypt(b"text", random=random)
    groups[0], _ = groups[0].decrypt(message)
    with counting() as counts:
        changes = groups[0].changes(before[0])
    assert len(changes) == 1 and counts == {"encode": 2}


def test_a_commit_encodes_former_epochs_no_more() -> None:
    random = SeededRandom(331)
    groups = group_of(6, random)
    for _ in range(3):
        groups = commit_by(groups, 4, random)
    after = commit_by(groups, 5, random)
    with counting() as counts:
        after[0].changes(groups[0])
    assert counts["_encode_past"] == 1


# ---- reading them back -------------------------------------------------------------------------------------


def test_parts_may_come_in_any_order() -> None:
    random = SeededRandom(340)
    group = commit_by(group_of(3, random), 0, random)[1]
    items = list(group.parts().items())
    assert Group.from_parts(dict(reversed(items))) == group


def test_without_keeping_the_past_there_is_none() -> None:
    """Not even of epochs before the one that ended: the leaves of each are told against the next."""
    random = SeededRandom(341)
    groups = group_of(3, random)
    groups = commit_by(groups, 0, random)
    pending = groups[1].commit(now=NOW, random=random)
    verified = groups[0].verify_commit(pending.message, now=NOW)
    for after in (
        groups[0].apply_commit(verified, keep_past=False),
        groups[1].merge_commit(pending, keep_past=False),
    ):
        assert after.past_epochs == ()
        assert Group.from_parts(after.parts()) == after
