"""Forward secrecy, shown on what is stored: after each step everything in it opens nothing from before the step.

Each test first shows that the same attempt succeeds on what was stored before the step.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from unittest import mock

import pytest

from polynya.mls import schedule
from polynya.mls.errors import ReplayedError
from polynya.mls.group import Group
from polynya.mls.keypackage import KeyPackageBundle
from polynya.mls.proposal import Add, Remove
from polynya.mls.schedule import Derived
from polynya.mls.secrettree import APPLICATION, HANDSHAKE, MAX_SKIPPED
from tests.mls.everything import Target, opens_a_path, opens_a_welcome
from tests.mls.parties import (
    NOW,
    advance,
    commit_by,
    follow,
    found,
    group_of,
    join,
    key_package,
    refuses,
)
from tests.support.seeded import SeededRandom


def stored(group: Group) -> bytes:
    """All that is stored of a group: what is decoded from it is the very same state."""
    blob = group.encode()
    assert Group.decode(blob) == group
    return blob


def sent(groups: list[Group], sender: int, count: int, random: SeededRandom) -> list[tuple[bytes, Target]]:
    """The sender's next messages."""
    before, out = groups[sender], []
    state = before._state
    ratchet = state.secret_tree.ratchets.get((state.own_leaf, APPLICATION))
    first = 0 if ratchet is None else ratchet.generation
    for number in range(count):
        groups[sender], message = groups[sender].encrypt(b"text", random=random)
        out.append((message, Target.of(before, message, APPLICATION, first + number)))
    return out


def secrets_of(group: Group) -> dict[str, bytes]:
    held = group._state.secrets
    return {name: getattr(held, name) for name in held.__slots__}


# ---- messages ----------------------------------------------------------------------------------------------


def test_a_message_that_was_opened_opens_no_more() -> None:
    random = SeededRandom(1)
    groups = group_of(3, random)
    messages = sent(groups, 1, 3, random)
    before = stored(groups[0])
    assert all(target.opens_with(before) for _, target in messages)
    groups[0], _ = groups[0].decrypt(messages[1][0])
    assert [target.opens_with(stored(groups[0])) for _, target in messages] == [True, False, True]
    groups[0], _ = groups[0].decrypt(messages[0][0])
    assert [target.opens_with(stored(groups[0])) for _, target in messages] == [False, False, True]
    for message, _ in messages[:2]:
        refuses("9.2-consumed", lambda message=message: Group.decode(stored(groups[0])).decrypt(message))  # type: ignore[misc]


def test_a_message_that_was_sent_opens_no_more() -> None:
    random = SeededRandom(2)
    groups = group_of(3, random)
    before = stored(groups[1])
    messages = sent(groups, 1, 2, random)
    for message, target in messages:
        assert target.opens_with(before) and not target.opens_with(stored(groups[1]))
        refuses("9.2-consumed", lambda message=message: groups[1].decrypt(message))  # type: ignore[misc]


def test_skipped_keys_are_kept_within_their_limit() -> None:
    random = SeededRandom(3)
    groups = group_of(2, random)
    messages = sent(groups, 1, MAX_SKIPPED + 3, random)
    groups[0], _ = groups[0].decrypt(messages[-1][0])
    blob = stored(groups[0])
    assert [target.opens_with(blob) for _, target in messages[1:3]] == [False, True]
    for message, _ in messages[:2]:
        refuses("9.2-consumed", lambda message=message: groups[0].decrypt(message))  # type: ignore[misc]
    skipped = groups[0]._state.secret_tree.ratchets[1, APPLICATION].skipped
    assert len(skipped) == MAX_SKIPPED and min(skipped) == 2


def test_a_private_proposal_that_was_read_opens_no_more() -> None:
    random = SeededRandom(4)
    groups = group_of(3, random)
    before = groups[1]
    groups[1], message = groups[1].propose(Remove(2), private=True, random=random)
    target = Target.of(before, message, HANDSHAKE, 0)
    assert target.opens_with(stored(groups[0])) and not target.opens_with(stored(groups[1]))
    groups[0], _ = groups[0].receive_proposal(message)
    assert not target.opens_with(stored(groups[0]))


@pytest.mark.parametrize("spoke", [False, True])
def test_a_private_commit_that_was_applied_opens_no_more(spoke: bool) -> None:
    """Though its epoch is kept for late messages, and whether or not the committer's ratchets were made before."""
    random = SeededRandom(5)
    groups = group_of(4, random)
    if spoke:
        groups[0], _ = groups[0].decrypt(sent(groups, 1, 1, random)[0][0])
    late = sent(groups, 2, 1, random) + sent(groups, 1, 1, random)
    pending = groups[1].commit(private=True, now=NOW, random=random)
    target = Target.of(groups[1], pending.message, HANDSHAKE, 0)
    assert target.opens_with(stored(groups[0]))
    after = follow(groups[0], pending.message)
    assert 1 in after.past_epochs and not target.opens_with(stored(after))
    assert not target.opens_with(stored(groups[1].merge_commit(pending)))
    for message, waiting in late:
        assert waiting.opens_with(stored(after)) and after.decrypt(message)[1].data == b"text"


# ---- epochs ------------------------------------------------------------------------------------------------


def test_an_epoch_that_was_forgotten_opens_no_more() -> None:
    random = SeededRandom(6)
    groups = group_of(3, random)
    late = sent(groups, 1, 2, random)
    former = secrets_of(groups[0])
    groups = commit_by(groups, 2, random)
    assert all(target.opens_with(stored(groups[0])) for _, target in late)
    groups[0], _ = groups[0].decrypt(late[1][0])
    assert [target.opens_with(stored(groups[0])) for _, target in late] == [True, False]
    blob = stored(groups[0].forget_epochs_before(2))
    assert not any(target.opens_with(blob) for _, target in late)
    assert [name for name, secret in former.items() if secret in blob] == ["resumption_psk"]


@dataclass
class Entered:
    """What the key schedule was given and made while epochs began."""

    secrets: list[tuple[bytes, bytes, Derived]] = field(default_factory=list)


@contextmanager
def entering() -> Iterator[Entered]:
    entered, real = Entered(), schedule.advance

    def observed(*arguments: object) -> Derived:
        derived = real(*arguments)  # type: ignore[arg-type]
        entered.secrets.append((arguments[1], arguments[2], derived))  # type: ignore[arg-type]
        return derived

    with mock.patch.object(schedule, "advance", observed):
        yield entered


def test_an_epoch_that_ended_leaves_nothing_to_enter_it_or_the_next_again() -> None:
    random = SeededRandom(7)
    groups = group_of(4, random)
    groups = commit_by(commit_by(groups, 1, random), 3, random)
    messages = sent(groups, 2, 1, random)
    former = [(secrets_of(group), dict(group._state.private_keys)) for group in groups]
    with entering() as entered:
        pending = groups[1].commit(now=NOW, random=random)
        verified = groups[0].verify_commit(pending.message, now=NOW)
        after = [
            groups[0].apply_commit(verified, keep_past=False),
            groups[1].merge_commit(pending, keep_past=False),
        ]
    assert len(entered.secrets) == 2 and entered.secrets[0] == entered.secrets[1]
    init_secret, commit_secret, derived = entered.secrets[0]
    for index, group in enumerate(after):
        blob, before = stored(group), stored(groups[index])
        assert [name for name, secret in former[index][0].items() if secret in blob] == ["resumption_psk"]
        assert all(secret in before for secret in former[index][0].values())
        for secret in (init_secret, commit_secret, derived.joiner_secret, derived.welcome_secret):
            assert secret not in blob
        replaced = {
            node: key for node, key in former[index][1].items() if group._state.private_keys.get(node) != key
        }
        assert replaced and not any(key in blob for key in replaced.values())
        assert all(key in before for key in replaced.values())
        assert messages[0][1].opens_with(before) and not messages[0][1].opens_with(blob)
    after[0], _ = after[0].encrypt(b"first", random=random)
    assert derived.encryption_secret in stored(after[1])
    assert derived.encryption_secret not in stored(after[0])


def test_an_epoch_of_the_past_is_not_entered_even_with_its_commit_secret() -> None:
    """Who follows a commit keeps the leaf key that opens its path: what protects the epoch is that the init secret
    went."""
    random = SeededRandom(8)
    groups = group_of(3, random)
    with entering() as entered:
        groups_after = commit_by(groups, 1, random)
    commit_secret = entered.secrets[0][1]
    messages = sent(groups_after, 1, 1, random)
    assert messages[0][1].opens_with(groups[0].encode(), commit_secret)
    receiver, _ = groups_after[0].decrypt(messages[0][0])
    assert not messages[0][1].opens_with(stored(receiver.forget_epochs_before(2)), commit_secret)


def test_a_commit_of_ones_own_replaces_every_key_that_opens_former_paths() -> None:
    random = SeededRandom(9)
    groups = group_of(3, random)
    pending = groups[1].commit(now=NOW, random=random)
    provisional = groups[0].verify_commit(pending.message, now=NOW).checked.provisional
    groups = advance(groups, 1, pending)
    suite = groups[0].suite
    assert opens_a_path(suite, stored(groups[0]), pending.message, provisional)
    groups = commit_by(groups, 0, random)
    assert not opens_a_path(suite, stored(groups[0]), pending.message, provisional)


def test_keys_of_updates_that_nobody_committed_go_with_the_epoch() -> None:
    random = SeededRandom(10)
    groups = group_of(3, random)
    groups[0], _ = groups[0].propose_update(random=random)
    (private_key,) = groups[0]._state.update_keys.values()
    assert private_key in stored(groups[0])
    assert private_key not in stored(commit_by(groups, 1, random)[0])


def test_what_waits_to_be_accepted_holds_no_keys_of_the_epoch_that_it_ends() -> None:
    """A commit is stored while messages go on: it must not keep what they use up."""
    random = SeededRandom(11)
    groups = commit_by(group_of(3, random), 2, random)
    old = sent(groups, 1, 1, random)
    groups = commit_by(groups, 2, random)
    late = sent(groups, 1, 1, random)
    pending = groups[0].commit(now=NOW, random=random)
    for message, target in (*old, *late):
        assert target.opens_with(stored(groups[0]) + pending.encode())
        groups[0], _ = groups[0].decrypt(message)
        assert not target.opens_with(stored(groups[0]) + pending.encode())
    merged = groups[0].merge_commit(pending)
    assert set(merged.past_epochs) >= {1, 2, 3}
    for message, target in (*old, *late):
        assert not target.opens_with(stored(merged))
        with pytest.raises(ReplayedError):
            merged.decrypt(message)


# ---- joining and leaving -----------------------------------------------------------------------------------


def test_a_welcome_opens_no_more_once_its_bundle_is_destroyed() -> None:
    random = SeededRandom(12)
    (founder,) = group_of(1, random)
    bundle = key_package("new", random)
    with entering() as entered:
        pending = founder.commit([Add(bundle.key_package)], now=NOW, random=random)
    _, _, derived = entered.secrets[0]
    joined = join(pending.welcome, bundle)
    welcome, suite = pending.welcome or b"", founder.suite
    assert opens_a_welcome(suite, KeyPackageBundle.encode(bundle), welcome)
    assert opens_a_welcome(suite, derived.joiner_secret, welcome)
    assert opens_a_welcome(suite, derived.welcome_secret, welcome)
    for group in (joined.group, founder.merge_commit(pending)):
        assert not opens_a_welcome(suite, stored(group), welcome)
    assert not opens_a_welcome(suite, pending.encode().replace(welcome, b""), welcome)


def test_what_a_removed_member_stored_opens_nothing_later() -> None:
    random = SeededRandom(13)
    groups = group_of(4, random)
    removed = groups[2]
    pending = groups[0].commit([Remove(2)], now=NOW, random=random)
    verified = removed.verify_commit(pending.message, now=NOW)
    rest = advance([groups[0], groups[1], groups[3]], 0, pending)
    held = stored(removed)
    provisional = verified.checked.provisional
    assert opens_a_path(removed.suite, stored(groups[1]), pending.message, provisional)
    assert not opens_a_path(removed.suite, held, pending.message, provisional)
    messages = sent(rest, 1, 1, random)
    assert messages[0][1].opens_with(stored(rest[2])) and not messages[0][1].opens_with(held)
    for group in rest:
        assert not set(removed._state.private_keys.values()) & set(group._state.private_keys.values())


def test_an_external_joiner_keeps_nothing_that_enters_its_first_epoch_again() -> None:
    random = SeededRandom(14)
    groups = group_of(2, random)
    info = groups[0].group_info(external_pub=True)
    outsider = key_package("new", random).key_package.leaf_node.credential
    with entering() as entered:
        pending = Group.join_external(info, outsider, random.bytes(32), random=random)
        members = [follow(group, pending.message) for group in groups]
    init_secret, commit_secret, derived = entered.secrets[0]
    for group in (pending.group, *members):
        blob = stored(group)
        for secret in (init_secret, commit_secret, derived.joiner_secret, derived.welcome_secret):
            assert secret not in blob


def test_the_founders_first_epoch_secret_is_not_kept() -> None:
    random, same = SeededRandom(15), SeededRandom(15)
    group = found(random, group_id=b"g")
    same.bytes(32)  # the signature key
    group.suite.kem.generate(same)
    epoch_secret = same.bytes(32)
    encryption_secret, secrets = schedule.from_epoch_secret(group.suite, epoch_secret)
    assert secrets == group._state.secrets, "these are the draws"
    assert encryption_secret in stored(group) and epoch_secret not in stored(group)
