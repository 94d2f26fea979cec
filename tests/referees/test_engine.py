"""The engine notices what breaks: members that do one thing wrong, each against the check that is there for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any
from unittest import mock

import pytest

from polynya.mls import checks, proposals
from polynya.mls.group import Group as MlsGroup
from polynya.mls.secrettree import SecretTree
from polynya.mls.suite import X25519
from polynya.mls.tree import TreeEditor
from scripts import soak
from tests.referees import adversary
from tests.referees.cast import Cast, Plan
from tests.referees.engine import LifeError
from tests.referees.life import Life
from tests.referees.member import Made, Opened, RefusedError, View, Wish
from tests.referees.python import PythonMember

PLAN = Plan("python", X25519, ("python",))
OPERATIONS = 60
SEEDS = range(5)


@pytest.fixture(scope="module")
def cast() -> Iterator[Cast]:
    with Cast() as made:
        yield made


def broken(cast: Cast, wrong: str) -> None:
    """Some life of a few fails, and says this."""
    said = []
    for seed in SEEDS:
        try:
            Life(cast, PLAN, seed).run(OPERATIONS)
        except LifeError as error:
            assert f"seed {seed}, plan python" in str(error)
            said.append(str(error).splitlines()[0])
            if wrong in said[-1]:
                return
    pytest.fail(f"nothing said that {wrong!r}: {said}")


def changed(name: str, function: Callable[..., Any]) -> Any:
    return mock.patch.object(PythonMember, name, function)


def test_nothing_breaks_unprovoked(cast: Cast) -> None:
    for seed in SEEDS:
        tally = Life(cast, PLAN, seed).run(OPERATIONS)
        assert tally.operations == OPERATIONS and tally.epochs > 10


def test_the_same_seed_does_the_same(cast: Cast) -> None:
    logs = []
    for _ in range(2):
        life = Life(cast, PLAN, 3)
        life.run(OPERATIONS)
        logs.append(life.log)
    assert logs[0] == logs[1] and len(logs[0]) >= OPERATIONS


def test_another_exporter(cast: Cast) -> None:
    view = PythonMember.view

    def wrong(self: PythonMember) -> View:
        seen = view(self)
        return {**seen, "exported": bytes(40)} if self.identity.endswith(b"3") else seen

    with changed("view", wrong):
        broken(cast, "sees another exported")


def test_another_tree(cast: Cast) -> None:
    view = PythonMember.view

    def wrong(self: PythonMember) -> View:
        seen = view(self)
        return {**seen, "tree": seen["tree"] + b"\0"} if self.identity.endswith(b"3") else seen

    with changed("view", wrong):
        broken(cast, "sees another tree")


def test_a_message_that_opens_twice(cast: Cast) -> None:
    def forgetful(self: PythonMember, message: bytes) -> Opened:
        before = self.group
        try:
            return decrypt(self, message)
        finally:
            self.group = before

    decrypt = PythonMember.decrypt
    with changed("decrypt", forgetful):
        broken(cast, "opens a message twice")


def test_a_message_that_opens_again_after_a_restart(cast: Cast) -> None:
    def restored(self: PythonMember) -> None:
        assert self.group is not None
        state = self.group._state
        fresh = SecretTree.begin(state.tree.leaf_count, self.kept[self.group.epoch])  # type: ignore[attr-defined]
        self.group = MlsGroup(replace(state, secret_tree=fresh))

    begin = SecretTree.begin
    secrets: dict[int, bytes] = {}

    def remembering(leaf_count: int, encryption_secret: bytes) -> SecretTree:
        secrets[leaf_count] = encryption_secret
        return begin(leaf_count, encryption_secret)

    view = PythonMember.view

    def keeping(self: PythonMember) -> View:
        assert self.group is not None
        kept = self.__dict__.setdefault("kept", {})
        kept.setdefault(self.group.epoch, secrets.get(self.group._state.tree.leaf_count, b""))
        return view(self)

    with (
        mock.patch.object(SecretTree, "begin", remembering),
        changed("view", keeping),
        changed("reload", restored),
    ):
        broken(cast, "opens a message again after a restart")


def test_another_text(cast: Cast) -> None:
    decrypt = PythonMember.decrypt

    def wrong(self: PythonMember, message: bytes) -> Opened:
        opened = decrypt(self, message)
        return replace(opened, data=(opened.data or b"") + b"!")

    with changed("decrypt", wrong):
        broken(cast, "reads something else")


def test_another_sender(cast: Cast) -> None:
    decrypt = PythonMember.decrypt

    def wrong(self: PythonMember, message: bytes) -> Opened:
        opened = decrypt(self, message)
        return replace(opened, sender=(opened.sender or 0) + 1)

    with changed("decrypt", wrong):
        broken(cast, "sees another sender")


def test_a_removed_member_that_is_not_told(cast: Cast) -> None:
    apply = PythonMember.apply

    def deaf(self: PythonMember, message: bytes) -> bool:
        apply(self, message)
        return True

    with changed("apply", deaf):
        broken(cast, "is told wrong who is removed")


def test_a_removal_without_fresh_secrets(cast: Cast) -> None:
    """A commit whose path is left out where it must be there: whoever was removed computes the next epoch."""
    commit = PythonMember.commit

    def pathless(self: PythonMember, wish: Wish) -> Made:
        return commit(self, replace(wish, path=not wish.removes))

    with (
        mock.patch.object(proposals, "check_path_present", lambda *a, **k: None),
        changed("commit", pathless),
    ):
        broken(cast, "computes the epoch that its removal began")


def test_a_removal_that_leaves_keys_in_the_tree(cast: Cast) -> None:
    """Removed members' parents must be blank: else later path secrets are encrypted to keys that they hold."""

    def leaf_only(self: TreeEditor, index: int) -> None:
        self.set_leaf(index, None)
        self.truncate()

    with (
        mock.patch.object(TreeEditor, "remove", leaf_only),
        mock.patch.object(checks, "check_parent_hash", lambda *a: None),
        mock.patch.object(checks, "check_unmerged_leaves", lambda *a: None),
    ):
        broken(cast, "computes the epoch that its removal began")
        with mock.patch.object(Life, "cannot_follow", lambda self, name, member: None):
            broken(cast, "holds keys of the tree")


def test_a_ghost_that_reads(cast: Cast) -> None:
    decrypt = PythonMember.decrypt

    def credulous(self: PythonMember, message: bytes) -> Opened:
        return Opened(b"", None) if self.removing is not None else decrypt(self, message)

    with changed("decrypt", credulous):
        broken(cast, "was removed and reads")


def test_a_ghost_that_follows(cast: Cast) -> None:
    apply = PythonMember.apply

    def credulous(self: PythonMember, message: bytes) -> bool:
        return True if self.removing is not None else apply(self, message)

    with changed("apply", credulous):
        broken(cast, "was removed and follows")


def test_a_commit_that_lost_and_is_followed(cast: Cast) -> None:
    apply = PythonMember.apply

    def credulous(self: PythonMember, message: bytes) -> bool:
        try:
            return apply(self, message)
        except RefusedError:
            if self.removing is not None:
                raise
            return True

    with changed("apply", credulous):
        broken(cast, "follows a commit that lost")


def test_a_message_from_before_one_joined(cast: Cast) -> None:
    decrypt = PythonMember.decrypt

    def credulous(self: PythonMember, message: bytes) -> Opened:
        assert self.group is not None
        newcomer = not self.group.past_epochs and self.group.epoch > 0
        try:
            return decrypt(self, message)
        except RefusedError:
            if newcomer and self.removing is None:
                return Opened(b"", None)
            raise

    with changed("decrypt", credulous):
        broken(cast, "reads what was said before it came")


@pytest.mark.parametrize("kind", ["message", "commit", "proposal"])
def test_a_changed_message_that_is_taken(cast: Cast, kind: str) -> None:
    name = {"message": "decrypt", "commit": "apply", "proposal": "receive_proposal"}[kind]
    honest = getattr(PythonMember, name)

    def credulous(self: PythonMember, message: bytes) -> object:
        try:
            return honest(self, message)
        except RefusedError as error:
            if self.removing is not None or "wrong-epoch" in str(error) or "replayed" in str(error):
                raise
            return Opened(b"", None) if kind == "message" else True

    with (
        changed(name, credulous),
        mock.patch.object(Life, "cannot_read_the_past", lambda *a: None),
        mock.patch.object(Life, "opens_once", lambda *a: None),
    ):
        broken(cast, f"takes a changed {kind}")


def test_keys_of_former_epochs_that_are_not_forgotten(cast: Cast) -> None:
    with changed("forget_before", lambda self, epoch: None):
        broken(cast, "opens what it should forget")


def test_whoever_speaks_while_proposals_wait(cast: Cast) -> None:
    encrypt = PythonMember.encrypt

    def talkative(self: PythonMember, data: bytes) -> bytes:
        return b"" if data == b"too early" else encrypt(self, data)

    with changed("encrypt", talkative):
        broken(cast, "speaks while proposals wait")


def test_whoever_was_left_out_of_the_tree(cast: Cast) -> None:
    """The members that the engine expects are those in the tree."""
    commit = PythonMember.commit

    def forgetting(self: PythonMember, wish: Wish) -> Made:
        return commit(self, replace(wish, removes=()))

    with changed("commit", forgetting):
        broken(cast, "is told wrong who is removed")


def test_the_soak_tells_a_failure(cast: Cast, capsys: pytest.CaptureFixture[str]) -> None:
    with changed("forget_before", lambda self, epoch: None):
        ends = [soak.live(cast, seed, PLAN) for seed in SEEDS]
    failed = next(outcome for outcome in ends if outcome.failure is not None)
    with mock.patch.object(soak, "outcomes", lambda arguments, first: iter(ends)):
        assert soak.main(["--seed", "0"]) == 1
    said = capsys.readouterr().out
    assert f"Run just that: python -m scripts.soak --seed {failed.seed} --plan python --lives 1" in said
    assert f"seed {failed.seed}, plan python, operations:\n  1. python1 founds" in said


def test_a_soak_that_did_nothing_fails() -> None:
    with mock.patch.object(soak, "outcomes", lambda arguments, first: iter(())):
        assert soak.main(["--seed", "0"]) == 1


def test_the_adversary_finds_what_it_holds(cast: Cast) -> None:
    anna = PythonMember(X25519, b"anna", bytes(32), cast.now)
    anna.found(b"group")
    assert anna.group is not None
    held = adversary.public_keys_held(anna.group)
    assert adversary.keys_still_used(held, X25519, anna.group.tree) == held != frozenset()
