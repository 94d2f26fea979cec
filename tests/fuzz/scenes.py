"""Groups in the states that hostile bytes meet, each with a victim who receives them and a member who turned hostile.

Made by code from fixed seeds, so that both languages and every run hold the same. `describe` says how another
implementation comes to the victim's state: by its own join, and by what it received since. What cannot be computed
again, the encapsulations to X-Wing keys, is recorded; see `recorded`.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from polynya.mls.credential import BasicCredential
from polynya.mls.extensions import (
    Extension,
    ExternalSender,
    RequiredCapabilities,
    external_senders_extension,
)
from polynya.mls.group import X25519, X_WING, Group, KeyPackageBundle
from polynya.mls.groupcontext import LAST_EPOCH
from polynya.mls.proposal import Add, GroupContextExtensions, PreSharedKey, Proposal, ReInit, Remove
from polynya.mls.psk import ExternalPskId
from polynya.mls.suite import Suite
from tests.fuzz import recorded
from tests.mls.parties import EXTENSION, NOW, found, key_package
from tests.support.seeded import SeededRandom

PSKS = {b"shared": b"a key that all of them have"}
EXTERNAL_SENDER = bytes(range(32))
"""Private key of somebody outside who may propose."""


class RecordedRandom(SeededRandom):
    """Encapsulates to a known key as it was recorded; to others really, which is noted in `made`."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.made: dict[str, tuple[str, str]] = {}

    def encapsulate(self, public_key: bytes) -> tuple[bytes, bytes]:
        name = hashlib.sha256(public_key).hexdigest()[:32]
        known = recorded.encapsulations().get(name)
        if known is not None:
            self.made[name] = known
            return bytes.fromhex(known[0]), bytes.fromhex(known[1])
        made = super().encapsulate(public_key)
        self.made[name] = (made[0].hex(), made[1].hex())
        return made


@dataclass(slots=True)
class Scene:
    """`groups` by leaf index, all in one epoch; `keys` are the members' private signature keys.
    `encapsulations` are those that it took to come here.

    `bundle`, `welcome` and `steps` lead to the victim's state, `joiner` is somebody whom nobody has added yet."""

    name: str
    suite: Suite
    random: RecordedRandom
    groups: dict[int, Group]
    victim: int
    hostile: int
    bundle: KeyPackageBundle | None = None
    welcome: bytes = b""
    steps: list[tuple[str, bytes]] = field(default_factory=list)
    keys: dict[int, bytes] = field(default_factory=dict)
    encapsulations: dict[str, tuple[str, str]] = field(default_factory=dict)
    joiner: KeyPackageBundle = field(init=False)

    def __post_init__(self) -> None:
        self.joiner = key_package("joiner", self.random, self.suite)

    @property
    def group(self) -> Group:
        """The victim's."""
        return self.groups[self.victim]

    def commit(
        self,
        by: int,
        *proposals: Proposal,
        add: Sequence[str] = (),
        path: bool | None = None,
        private: bool = False,
    ) -> None:
        """An honest commit that all follow; those of `add` join, the victim when first added."""
        bundles = [key_package(name, self.random, self.suite) for name in add]
        pending = self.groups[by].commit(
            [*proposals, *(Add(b.key_package) for b in bundles)],
            path=path,
            private=private,
            psks=PSKS,
            now=NOW,
            random=self.random,
        )
        after = {}
        for leaf, group in self.groups.items():
            if leaf == by:
                after[leaf] = group.merge_commit(pending)
            elif pending.group.member(leaf) is not None and pending.group.member(leaf) == group.member(leaf):
                verified = group.verify_commit(pending.message, now=NOW)
                after[leaf] = group.apply_commit(verified, psks=PSKS)
                if leaf == self.victim:
                    self.steps.append(("commit", pending.message))
        for bundle in bundles:
            assert pending.welcome is not None
            joined = Group.join(pending.welcome, [bundle], psks=PSKS, now=NOW).group
            after[joined.own_leaf_index] = joined
            if joined.own_leaf_index == self.victim and self.bundle is None:
                self.bundle, self.welcome = bundle, pending.welcome
        self.groups = after
        self.keys = {leaf: group._state.signature_private for leaf, group in after.items()}

    def say(self, by: int, data: bytes, times: int = 1) -> None:
        """The victim opens the last of so many messages."""
        message = b""
        for _ in range(times):
            self.groups[by], message = self.groups[by].encrypt(data, padding=7, random=self.random)
        self.groups[self.victim], _ = self.group.decrypt(message)
        self.steps.append(("message", message))

    def propose(self, by: int, proposal: Proposal | None, *, private: bool = False) -> None:
        """None: an Update. All take it in."""
        group = self.groups[by]
        if proposal is None:
            self.groups[by], message = group.propose_update(private=private, random=self.random)
        else:
            self.groups[by], message = group.propose(proposal, private=private, random=self.random)
        for leaf in self.groups:
            if leaf != by:
                self.groups[leaf], _ = self.groups[leaf].receive_proposal(message)
        self.steps.append(("proposal", message))

    def describe(self) -> dict[str, Any]:
        """Everything as text."""
        assert self.bundle is not None
        return {
            "now": NOW,
            "suite": self.suite.id,
            "bundle": self.bundle.encode().hex(),
            "welcome": self.welcome.hex(),
            "steps": [[kind, data.hex()] for kind, data in self.steps],
            "psks": {name.hex(): key.hex() for name, key in PSKS.items()},
            "joiner": self.joiner.encode().hex(),
        }


def _begin(
    name: str, suite: Suite, seed: int, victim: int, hostile: int, extensions: Sequence[Extension] = ()
) -> Scene:
    random = RecordedRandom(seed)
    return Scene(name, suite, random, {0: found(random, suite, extensions)}, victim, hostile)


def _pair() -> Scene:
    """Two people, with one epoch behind them."""
    scene = _begin("pair", X25519, 101, victim=1, hostile=0)
    scene.commit(0, add=["1"])
    scene.say(0, b"hello")
    scene.commit(0)
    scene.say(0, b"and again", times=3)
    return scene


def _crowd() -> Scene:
    """Blank leaves and nodes, unmerged leaves, three epochs behind, extensions that ask something of members."""
    asked = RequiredCapabilities((EXTENSION,), (), (1,)).extension()
    outside = ExternalSender(X25519.signature.public_key(EXTERNAL_SENDER), BasicCredential(b"outside"))
    extensions = (asked, external_senders_extension([outside]), Extension(EXTENSION, b"of the application"))
    scene = _begin("crowd", X25519, 102, victim=3, hostile=2, extensions=extensions)
    scene.commit(0, add=[str(i) for i in range(1, 9)])
    for member in (1, 2, 3, 6):
        if member != 3:
            scene.commit(member, private=member == 2)
    scene.commit(2, Remove(5), Remove(7))
    scene.say(2, b"some time ago", times=4)
    scene.commit(6, add=["late", "later"], path=False)
    scene.say(1, b"today", times=2)
    return scene


def _waiting() -> Scene:
    """Proposals of all kinds wait, by reference for the next commit."""
    scene = _begin("waiting", X25519, 103, victim=1, hostile=0)
    scene.commit(0, add=["1", "2", "3", "4"])
    scene.commit(3)
    scene.propose(2, None)
    scene.propose(3, Remove(4), private=True)
    scene.propose(0, Add(key_package("proposed", scene.random).key_package))
    scene.propose(0, PreSharedKey(ExternalPskId(b"shared", bytes(32))))
    scene.propose(0, GroupContextExtensions((Extension(EXTENSION, b"other"),)), private=True)
    scene.propose(0, ReInit(b"next", 1, 1, ()))
    return scene


def _xwing() -> Scene:
    """The other suite."""
    scene = _begin("xwing", X_WING, 104, victim=2, hostile=1)
    scene.commit(0, add=["1", "2"])
    scene.commit(1)
    scene.say(1, b"hello")
    return scene


def _last() -> Scene:
    """The largest epoch that there is: made so by the founder, whose GroupInfo is believed."""
    scene = _begin("last", X25519, 105, victim=1, hostile=0)
    founder = scene.groups[0]
    state = founder._state
    late = replace(state.context, epoch=LAST_EPOCH - 1)
    scene.groups[0] = Group(replace(state, context=late))
    scene.commit(0, add=["1", "2"])
    return scene


def _over() -> Scene:
    """A group that was re-initialised: nothing is sent or committed in it any more."""
    scene = _begin("over", X25519, 106, victim=1, hostile=0)
    scene.commit(0, add=["1"])
    scene.commit(0, ReInit(b"next", 1, 1, ()))
    return scene


MAKERS = (_pair, _crowd, _waiting, _xwing, _last, _over)
NAMES = tuple(maker.__name__[1:] for maker in MAKERS)


@functools.cache
def scene(number: int) -> Scene:
    """The scene of that number; its groups are not to be changed."""
    made = MAKERS[number]()
    made.encapsulations = dict(made.random.made)
    assert made.bundle is not None and made.welcome
    return made
