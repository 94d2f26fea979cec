"""Groups through their lives: many members, random operations, everybody in agreement."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from polynya.mls import checks
from polynya.mls.errors import MlsError, RemovedError, WrongEpochError
from polynya.mls.extensions import Extension
from polynya.mls.group import X25519, X_WING, Group, KeyPackageBundle
from polynya.mls.proposal import Add, GroupContextExtensions, Proposal, Remove
from polynya.mls.suite import X25519_CHACHA20, Suite
from tests.mls.parties import EXTENSION, NOW, follow, found, in_agreement, join, key_package
from tests.support.seeded import SeededRandom


@dataclass
class World:
    """All members of one group by leaf index, and those who were removed."""

    random: SeededRandom
    suite: Suite
    members: dict[int, Group] = field(default_factory=dict)
    gone: list[Group] = field(default_factory=list)
    names: int = 0
    history: set[str] = field(default_factory=set)
    waiting: list[KeyPackageBundle] = field(default_factory=list)

    def pick(self, without: int | None = None) -> int:
        choice = sorted(leaf for leaf in self.members if leaf != without)
        return choice[self.random.below(len(choice))]

    def step(self) -> None:
        operations = [self.update, self.add, self.add, self.remove, self.propose, self.context, self.mixed]
        operation = operations[self.random.below(len(operations))]
        operation()
        self.history.add(operation.__name__)
        self.check()

    def update(self) -> None:
        self.commit(self.pick(), [])

    def add(self) -> None:
        self.commit(self.pick(), [], adds=1 + self.random.below(3), path=bool(self.random.below(2)))

    def remove(self) -> None:
        if len(self.members) > 1:
            committer = self.pick()
            self.commit(committer, [self.pick(without=committer)])

    def mixed(self) -> None:
        committer = self.pick()
        removed = [self.pick(without=committer)] if len(self.members) > 2 else []
        self.commit(committer, removed, adds=2)

    def context(self) -> None:
        extension = Extension(EXTENSION, self.random.bytes(4))
        self.commit(self.pick(), [], extensions=(extension,))

    def propose(self) -> None:
        """Several members propose, one of them commits it all by reference."""
        committer = self.pick()
        for _ in range(1 + self.random.below(3)):
            proposer = self.pick()
            group, kind = self.members[proposer], self.random.below(3)
            private = bool(self.random.below(2))
            if kind == 0 and proposer != committer:
                group, message = group.propose_update(private=private, random=self.random)
            elif kind == 1 and len(self.members) > 2:
                leaf = self.pick(without=committer)
                group, message = group.propose(Remove(leaf), private=private, random=self.random)
            else:
                bundle = key_package(self.name(), self.random, self.suite)
                add = Add(bundle.key_package)
                group, message = group.propose(add, private=private, random=self.random)
                self.waiting.append(bundle)
            self.members[proposer] = group
            for leaf in self.members:
                if leaf != proposer:
                    self.members[leaf], _ = self.members[leaf].receive_proposal(message)
        self.commit(committer, [])

    def name(self) -> str:
        self.names += 1
        return f"member {self.names}"

    def commit(
        self,
        committer: int,
        removes: list[int],
        adds: int = 0,
        path: bool | None = None,
        extensions: tuple[Extension, ...] | None = None,
    ) -> None:
        bundles = [key_package(self.name(), self.random, self.suite) for _ in range(adds)]
        by_value: list[Proposal] = [
            *(Remove(leaf) for leaf in removes),
            *(Add(b.key_package) for b in bundles),
        ]
        context = [] if extensions is None else [GroupContextExtensions(extensions)]
        group = self.members[committer]
        inside = bool(self.random.below(2))
        pending = group.commit(
            [*by_value, *context],
            path=path,
            private=bool(self.random.below(2)),
            tree_in_welcome=inside,
            now=NOW,
            random=self.random,
        )
        if self.random.below(4) == 0:
            pending = type(pending).decode(pending.encode())
        verified = {
            leaf: g.verify_commit(pending.message, now=NOW)
            for leaf, g in self.members.items()
            if leaf != committer
        }
        after = {committer: group.merge_commit(pending)}
        for leaf, one in verified.items():
            assert one.committer_leaf_index == committer
            assert len(one.adds) == len(one.added_leaves)
            if leaf in {m.leaf_index for m in one.removes}:
                with pytest.raises(RemovedError):
                    self.members[leaf].apply_commit(one)
                self.gone.append(self.members[leaf])
            else:
                after[leaf] = self.members[leaf].apply_commit(one)
        tree = None if inside else pending.tree
        for bundle in (*bundles, *self.waiting):
            if any(p.proposal == Add(bundle.key_package) for p in pending.proposals):
                joined = join(pending.welcome, bundle, tree)
                assert joined.signer_leaf_index == committer
                after[joined.group.own_leaf_index] = joined.group
        self.waiting = []
        self.members = after

    def check(self) -> None:
        groups = list(self.members.values())
        assert in_agreement(groups)
        assert [m.leaf_index for m in groups[0].members()] == sorted(self.members)
        state = groups[0]._state
        checks.check_tree(state.tree, groups[0].group_id, groups[0].context.extensions)
        for leaf, group in self.members.items():
            assert group.own_leaf_index == leaf
            for node, private in group._state.private_keys.items():
                found_node = group._state.tree.nodes[node]
                assert found_node is not None
                assert found_node.encryption_key == self.suite.kem.public_key(private)
            if self.random.below(5) == 0:
                self.members[leaf] = Group.decode(group.encode())
        self.talk()

    def talk(self) -> None:
        sender = self.pick()
        text = self.random.bytes(5)
        self.members[sender], message = self.members[sender].encrypt(text, random=self.random)
        for leaf in self.members:
            if leaf != sender:
                self.members[leaf], received = self.members[leaf].decrypt(message)
                assert (received.data, received.sender_leaf_index) == (text, sender)
        for group in self.gone:
            with pytest.raises(WrongEpochError):
                group.decrypt(message)


@pytest.mark.parametrize("seed", range(6))
def test_random_operations_keep_everybody_in_agreement(seed: int) -> None:
    random = SeededRandom(seed)
    world = World(random, X25519)
    world.members[0] = found(random)
    for _ in range(20):
        world.step()
    assert len(world.history) >= 4


@pytest.mark.parametrize("suite", [X_WING, X25519_CHACHA20])
def test_random_operations_in_other_suites(suite: Suite) -> None:
    random = SeededRandom(100)
    world = World(random, suite)
    world.members[0] = found(random, suite)
    for _ in range(10):
        world.step()
    assert world.members[world.pick()].suite is suite


def test_forty_members_come_and_go() -> None:
    random = SeededRandom(200)
    world = World(random, X25519)
    world.members[0] = found(random)
    world.commit(0, [], adds=39)
    for _ in range(6):
        leavers = sorted({world.pick(without=0) for _ in range(5)})
        world.commit(0, leavers, adds=random.below(4))
        world.update()
        world.check()
    assert len(world.gone) >= 15


def test_two_groups_with_the_same_draws_send_the_same_bytes() -> None:
    """Everything comes from `random` and the arguments: X25519 draws no hidden randomness."""

    def run() -> list[bytes]:
        random = SeededRandom(300)
        world = World(random, X25519)
        world.members[0] = found(random)
        for _ in range(6):
            world.step()
        return [world.members[leaf].encode() for leaf in sorted(world.members)]

    assert run() == run()


def test_a_failed_step_leaves_the_state_as_it_was() -> None:
    random = SeededRandom(400)
    founder = found(random)
    bundle = key_package("1", random)
    before = founder.encode()
    pending = founder.commit([Add(bundle.key_package)], now=NOW, random=random)
    assert founder.encode() == before
    founder, other = founder.merge_commit(pending), join(pending.welcome, bundle).group
    commit = founder.commit(now=NOW, random=random)
    before = other.encode()
    changed = commit.message[:-1] + bytes((commit.message[-1] ^ 1,))
    with pytest.raises(MlsError):
        follow(other, changed)
    assert other.encode() == before
    assert follow(other, commit.message).epoch_authenticator == commit.group.epoch_authenticator
