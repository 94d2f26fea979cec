"""Pre-shared keys, resumption of this group and of others, re-initialisation and branching (RFC 9420 section
8.4)."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

from polynya.mls import joining, psk
from polynya.mls.codec import Reader, decode
from polynya.mls.group import X25519, X_WING, Group, KeyPackageBundle, PendingCommit
from polynya.mls.proposal import Add, PreSharedKey, Proposal, ReInit
from polynya.mls.psk import APPLICATION, BRANCH, REINIT, ExternalPskId, ResumptionPskId, resumption_key
from polynya.mls.succession import SameClient
from polynya.mls.suite import Suite
from tests.mls.parties import NOW, advance, commit_by, found, group_of, in_agreement, key_package, refuses
from tests.support.seeded import SeededRandom


def test_psk_secret_depends_on_every_key_and_their_order() -> None:
    ids = [ExternalPskId(b"a", bytes(32)), ExternalPskId(b"b", bytes(32))]
    first = psk.psk_secret(X25519, [(ids[0], b"1"), (ids[1], b"2")])
    assert first != psk.psk_secret(X25519, [(ids[1], b"2"), (ids[0], b"1")])
    assert first != psk.psk_secret(X25519, [(ids[0], b"1"), (ids[1], b"3")])
    assert psk.psk_secret(X25519, []) == bytes(32)


def test_joiners_mix_the_psks_too() -> None:
    random = SeededRandom(1)
    groups = group_of(2, random)
    bundle = key_package("new", random)
    psks = {b"one": b"1", b"two": b"2"}
    by_value: list[Proposal] = [
        PreSharedKey(ExternalPskId(b"one", random.bytes(32))),
        Add(bundle.key_package),
        PreSharedKey(ExternalPskId(b"two", random.bytes(32))),
    ]
    pending = groups[0].commit(by_value, psks=psks, now=NOW, random=random)
    assert pending.welcome is not None
    joined = Group.join(pending.welcome, [bundle], psks=psks, now=NOW)
    assert [p.lookup_key for p in joined.psks] == [b"one", b"two"]
    member = groups[1].apply_commit(groups[1].verify_commit(pending.message, now=NOW), psks=psks)
    assert in_agreement([groups[0].merge_commit(pending), member, joined.group])
    welcome = pending.welcome
    refuses("12.4.2-psk-missing", lambda: Group.join(welcome, [bundle], now=NOW))
    other = {**psks, b"two": b"3"}
    refuses("12.4.3.1-group-info", lambda: Group.join(welcome, [bundle], psks=other, now=NOW))


def test_resumption_keys_of_former_epochs_are_found_by_themselves() -> None:
    random = SeededRandom(2)
    groups = group_of(2, random)
    for _ in range(3):
        groups = [Group.decode(g.encode()) for g in commit_by(groups, 0, random)]
    for epoch in (1, 3, 4):
        resumption = ResumptionPskId(APPLICATION, groups[0].group_id, epoch, random.bytes(32))
        pending = groups[1].commit([PreSharedKey(resumption)], now=NOW, random=random)
        assert in_agreement(advance(groups, 1, pending))
    unknown = ResumptionPskId(APPLICATION, groups[0].group_id, 9, random.bytes(32))
    refuses(
        "12.4.2-psk-missing",
        lambda: groups[0].commit([PreSharedKey(unknown)], now=NOW, random=random),
    )


def test_resumption_keys_are_kept_for_a_few_epochs() -> None:
    random = SeededRandom(3)
    (alone,) = group_of(1, random)
    for _ in range(12):
        alone = alone.merge_commit(alone.commit(now=NOW, random=random))
    assert list(alone._state.resumption) == list(range(4, 12))


def succeed(
    usage: int,
    old: Group,
    suite: Suite,
    random: SeededRandom,
    commits: int = 0,
    group_id: bytes = b"next",
    names: Sequence[str] = ("1",),
) -> tuple[PendingCommit, KeyPackageBundle, dict[bytes, bytes]]:
    """The first commit of a group that follows `old`, with "0" as its founder; the first name's bundle."""
    bundles = [key_package(name, random, suite) for name in names]
    psks = {resumption_key(old.group_id, old.epoch): old.resumption_psk}
    new = found(random, suite, group_id=group_id)
    for _ in range(commits):
        new = new.merge_commit(new.commit(now=NOW, random=random))
    resumption = ResumptionPskId(usage, old.group_id, old.epoch, random.bytes(suite.secret_size))
    by_value: list[Proposal] = [*(Add(bundle.key_package) for bundle in bundles), PreSharedKey(resumption)]
    return new.commit(by_value, psks=psks, now=NOW, random=random), bundles[0], psks


def test_a_group_moves_to_another_suite() -> None:
    random = SeededRandom(4)
    groups = group_of(2, random)
    groups = commit_by(groups, 0, random, ReInit(b"next", 1, X_WING.id, ()))
    pending, bundle, psks = succeed(REINIT, groups[0], X_WING, random)
    assert pending.welcome is not None
    assert psks == {resumption_key(groups[1].group_id, groups[1].epoch): groups[1].resumption_psk}
    joined = Group.join(pending.welcome, [bundle], psks=psks, former=groups[1], now=NOW)
    assert isinstance(joined.psks[0], ResumptionPskId) and joined.psks[0].usage == REINIT
    assert in_agreement([pending.group, joined.group]) and joined.group.suite is X_WING


def test_a_group_that_follows_another_is_held_against_it() -> None:
    """Its inviter knows the former group's secret, and still cannot make of it what the ReInit did not say."""
    random = SeededRandom(6)
    before = group_of(2, random)
    groups = commit_by(before, 0, random, ReInit(b"next", 1, X_WING.id, ()))

    def joins(former: Group | None, suite: Suite = X_WING, **options: Any) -> None:
        pending, bundle, psks = succeed(REINIT, groups[0], suite, random, **options)
        Group.join(pending.welcome or b"", [bundle], psks=psks, former=former, now=NOW)

    joins(groups[1])
    elsewhere = found(random, group_id=b"elsewhere")
    for other in (None, before[1], elsewhere):
        refuses("12.4.3.1-former-group", lambda other=other: joins(other))  # type: ignore[misc]
    refuses("12.4.3.1-reinit", lambda: joins(groups[1], group_id=b"another"))
    refuses("12.4.3.1-reinit", lambda: joins(groups[1], X25519))
    refuses("12.4.3.1-reinit-members", lambda: joins(groups[1], names=("2",)))
    joins(groups[1], names=("1", "2"))

    on = [Group.decode(group.encode()) for group in commit_by(before, 0, random)]
    refuses("12.4.3.1-reinit", lambda: follows(on, REINIT, on[1], random))


def follows(groups: list[Group], usage: int, former: Group, random: SeededRandom, **options: Any) -> Group:
    """Joins a group that follows the first of `groups` as it is."""
    pending, bundle, psks = succeed(usage, groups[0], X25519, random, **options)
    return Group.join(pending.welcome or b"", [bundle], psks=psks, former=former, now=NOW).group


def test_a_branch_is_of_members_only() -> None:
    random = SeededRandom(7)
    groups = group_of(3, random)
    assert follows(groups, BRANCH, groups[1], random).epoch == 1
    on = commit_by(groups, 2, random)
    assert follows(groups, BRANCH, on[1], random, names=("1", "2")).epoch == 1, (
        "the epoch that is named counts"
    )
    refuses("12.4.3.1-branch-members", lambda: follows(groups, BRANCH, groups[1], random, names=("1", "9")))
    refuses("12.4.3.1-former-group", lambda: follows(on, BRANCH, groups[1], random))
    pending, bundle, psks = succeed(BRANCH, groups[0], X_WING, random)
    welcome = pending.welcome or b""
    refuses(
        "12.4.3.1-branch",
        lambda: Group.join(welcome, [bundle], psks=psks, former=groups[1], now=NOW),
    )


def test_the_caller_says_who_is_the_same_client() -> None:
    random = SeededRandom(8)
    groups = group_of(2, random)
    pending, bundle, psks = succeed(BRANCH, groups[0], X25519, random, names=("another device of 1",))
    welcome = pending.welcome or b""

    def join(same: SameClient) -> Group:
        return Group.join(welcome, [bundle], psks=psks, former=groups[1], same=same, now=NOW).group

    refuses("12.4.3.1-branch-members", lambda: join(operator.eq))
    assert in_agreement([pending.group, join(lambda one, other: True)])


def test_a_branch_begins_with_epoch_1() -> None:
    random = SeededRandom(5)
    groups = group_of(2, random)
    pending, bundle, psks = succeed(BRANCH, groups[0], X25519, random)
    assert pending.welcome is not None
    assert Group.join(pending.welcome, [bundle], psks=psks, former=groups[1], now=NOW).group.epoch == 1
    refuses("12.1.4-usage", lambda: succeed(BRANCH, groups[0], X25519, random, commits=1))
    late = (ResumptionPskId(BRANCH, b"g", 1, bytes(32)),)
    refuses("12.4.3.1-resumption-epoch", lambda: joining.check_first_epoch(late, 2))
    refuses("12.4.3.1-resumption", lambda: joining.check_welcome_psks(late * 2))
    joining.check_welcome_psks((*late, ExternalPskId(b"", bytes(32))))


def test_psk_ids_have_one_encoding() -> None:
    for psk_id in (ExternalPskId(b"id", b"n"), ResumptionPskId(REINIT, b"g", 7, b"n")):
        assert decode(psk.read_psk_id, psk_id.encode()) == psk_id
    for data, rule in (
        (b"\x00", "8.4-type"),
        (b"\x03", "8.4-type"),
        (b"\x02\x00", "8.4-usage"),
        (b"\x02\x04", "8.4-usage"),
    ):
        refuses(rule, lambda data=data: psk.read_psk_id(Reader(data)))  # type: ignore[misc]
