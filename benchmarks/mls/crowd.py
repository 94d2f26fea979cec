"""Groups of any size in the state in which members' life leaves them, and everybody in them but one.

A group of thousands that grew by thousands of real commits would take longer to make than to measure. So its tree
is put together: leaves of real key packages; then, for a group that is lived in, a fresh path for every second
leaf, which is what a path commit of each leaves in the tree. Whoever joins checks all of its hashes and signatures.
From there on every epoch begins by a real commit.

All members share an epoch's secrets, so one state plays any of them once it has that member's signature key.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from polynya.crypto import signature
from polynya.crypto.random import Random
from polynya.mls.credential import BasicCredential
from polynya.mls.extensions import Extension
from polynya.mls.group import Group, decode_key_package, make_key_package, verify_key_package
from polynya.mls.keypackage import KeyPackage
from polynya.mls.leaf import Capabilities, LeafNode, Lifetime, default_capabilities, sign_leaf
from polynya.mls.proposal import Add, Remove
from polynya.mls.suite import Suite
from polynya.mls.tree import RatchetTree

DAY = 86_400
GROUP_ID = b"benchmark group!"


@dataclass(frozen=True, slots=True)
class Voice:
    """A member that the crowd plays."""

    signature_private: bytes
    credential: BasicCredential


def anybody(index: int, random: Random) -> Voice:
    return Voice(signature.generate(random), BasicCredential(b"voice %d" % index))


def lifetime(now: int) -> Lifetime:
    """From a day before `now` (ms), for a month."""
    return Lifetime(now // 1000 - DAY, now // 1000 + 29 * DAY)


@dataclass(frozen=True, slots=True)
class Added:
    """What a newcomer and the others get."""

    welcome: bytes
    commit: bytes


class Crowd:
    """Everybody at an epoch of a group. `copy` begins another life from there."""

    def __init__(self, voices: Sequence[Voice], group: Group, now: int, random: Random) -> None:
        """`now` in ms: the time of all commits."""
        self._voices = voices
        self._random = random
        self.group = group
        self.now = now

    @classmethod
    def gather(
        cls,
        suite: Suite,
        size: int,
        *,
        now: int,
        random: Random,
        voice: Callable[[int, Random], Voice] = anybody,
        capabilities: Capabilities | None = None,
        extensions: Sequence[Extension] = (),
        group_id: bytes = GROUP_ID,
    ) -> Crowd:
        """A group of `size` >= 2 members as a mass add by voice 0 leaves it: leaf i is voice i."""
        capabilities = capabilities or default_capabilities(suite, [e.type for e in extensions])
        voices = [voice(index, random) for index in range(size)]
        founder = voices[0]
        group = Group.create(
            suite,
            group_id,
            founder.credential,
            founder.signature_private,
            extensions=extensions,
            capabilities=capabilities,
            lifetime=lifetime(now),
            random=random,
        )
        editor = group._state.tree.edit()
        for each in voices[1:]:
            editor.add(_leaf(suite, each, capabilities, now, random))
        crowd = cls(voices, Group(replace(group._state, tree=editor.done())), now, random)
        crowd.commit(0)
        return crowd

    def lived_in(self) -> Crowd:
        """The group after every second member has committed: no parent above two members is blank."""
        state = self.group._state
        tree = state.tree
        for leaf in range(0, self.size, 2):
            tree = _with_fresh_path(tree, leaf, self._voices[leaf], self.group.group_id, self._random)
        crowd = Crowd(self._voices, Group(replace(state, tree=tree)), self.now, self._random)
        crowd.commit(0)
        return crowd

    def copy(self) -> Crowd:
        return Crowd(self._voices, self.group, self.now, self._random)

    @property
    def size(self) -> int:
        return len(self._voices)

    def be(self, leaf: int) -> None:
        """From now on `group` is that of the member at this leaf, without its private keys: it sends, and opens no
        path before it has committed."""
        voice = self._voices[leaf]
        state = replace(
            self.group._state,
            own_leaf=leaf,
            signature_private=voice.signature_private,
            private_keys={},
            update_keys={},
        )
        self.group = Group(state)

    def commit(self, leaf: int) -> bytes:
        """A path commit by the member at `leaf`, which everybody has followed."""
        self.be(leaf)
        pending = self.group.commit(now=self.now, random=self._random)
        self.group = self.group.merge_commit(pending, keep_past=False)
        return pending.message

    def admit(
        self, leaf: int, key_package: bytes, by: int, *, welcome_extensions: Sequence[Extension] = ()
    ) -> Added:
        """Somebody else takes the place at `leaf`, by a commit of the member at `by`. Raises MlsError."""
        self.be(by)
        add = Add(verify_key_package(decode_key_package(key_package), self.now))
        pending = self.group.commit(
            [Remove(leaf), add],
            group_info_extensions=welcome_extensions,
            now=self.now,
            random=self._random,
        )
        self.group = self.group.merge_commit(pending, keep_past=False)
        assert pending.welcome is not None
        return Added(pending.welcome, pending.message)

    def follow(self, message: bytes) -> None:
        """Somebody else's commit, checked and applied by the last committer. Raises MlsError."""
        verified = self.group.verify_commit(message, now=self.now)
        self.group = self.group.apply_commit(verified, keep_past=False)

    def check(self, message: bytes) -> None:
        """As `follow`, and the group stays where it is."""
        self.group.apply_commit(self.group.verify_commit(message, now=self.now))

    def say(self, leaf: int, data: bytes) -> bytes:
        """An application message by the member at `leaf`."""
        if self.group.own_leaf_index != leaf:
            self.be(leaf)
        self.group, message = self.group.encrypt(data, random=self._random)
        return message

    def hear(self, message: bytes) -> bytes:
        self.group, received = self.group.decrypt(message)
        return received.data

    def recipients(self, leaf: int) -> int:
        """To how many keys a path commit of this member is encrypted."""
        tree = self.group._state.tree
        return sum(len(tree.resolution(copath)) for _, copath in tree.filtered_direct_path(leaf))

    def levels(self, leaf: int) -> int:
        """How many nodes a path commit of this member has."""
        return len(self.group._state.tree.filtered_direct_path(leaf))


def _leaf(suite: Suite, voice: Voice, capabilities: Capabilities, now: int, random: Random) -> LeafNode:
    bundle = make_key_package(
        suite,
        voice.credential,
        voice.signature_private,
        lifetime=lifetime(now),
        capabilities=capabilities,
        random=random,
    )
    package: KeyPackage = bundle.key_package
    return package.leaf_node


def _with_fresh_path(
    tree: RatchetTree, leaf: int, voice: Voice, group_id: bytes, random: Random
) -> RatchetTree:
    """The tree after a path commit of the member at `leaf`."""
    suite, old = tree.suite, tree.leaf(leaf)
    assert old is not None
    tree.tree_hash()  # so that the next tree inherits the hashes
    keys = [suite.kem.generate(random)[1] for _ in range(1 + len(tree.filtered_direct_path(leaf)))]
    merged, parent_hash = tree.with_path(leaf, keys[1:])
    renewed = sign_leaf(
        suite,
        voice.signature_private,
        encryption_key=keys[0],
        credential=old.credential,
        capabilities=old.capabilities,
        extensions=old.extensions,
        parent_hash=parent_hash,
        group_id=group_id,
        leaf_index=leaf,
    )
    return merged.with_leaf(leaf, renewed)
