"""Independent implementations of MLS in groups with ours, and what each of them cannot do or does wrongly.

The second half fails when a referee gains what it lacks: then its abilities are to be widened."""

from __future__ import annotations

import secrets
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from polynya.mls.suite import X25519
from scripts.soak import PER_LIFE, main
from tests.referees.cast import MODULES, PLANS, Cast, Plan, installed
from tests.referees.life import Life
from tests.referees.member import Made, Member, RefusedError, Wish, exported_by
from tests.referees.mlsrs import MlsRsMember
from tests.referees.openmls import OpenMlsMember
from tests.referees.python import PythonMember
from tests.referees.rine import RineMember

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = {"rine": "rine-mls", "mls-rs": "agentvault-mls-rs-uniffi", "openmls": "gbp-stack"}
OPEN = Plan("open", X25519, ("python", "typescript", "rine", "mls-rs"))
CLOSED = Plan("closed", X25519, ("python", "openmls"))
LIVES = {"mixed": 3, "all": 3, "ours": 3, "x-wing": 2}
GROUP_ID = b"sixteen bytes id"


@pytest.fixture(scope="module")
def cast() -> Iterator[Cast]:
    with Cast() as made:
        yield made


def test_every_referee_that_has_a_wheel_for_this_platform_takes_part() -> None:
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["dependency-groups"]
    lines = {r.name: r for r in (Requirement(line) for line in groups["dev"] if isinstance(line, str))}
    assert set(PACKAGES) == set(MODULES)
    for kind, package in PACKAGES.items():
        marker = lines[package].marker
        assert (kind in installed()) == (marker is None or marker.evaluate()), kind


@pytest.mark.parametrize("plan", PLANS, ids=lambda plan: plan.name)
def test_lives(cast: Cast, plan: Plan) -> None:
    """A small share of a soak, in which every kind has its part."""
    kinds: set[str] = set()
    for seed in range(LIVES[plan.name]):
        life = Life(cast, plan, seed)
        tally = life.run(PER_LIFE)
        assert tally.operations == PER_LIFE and tally.epochs > 5 and tally.refused > 20
        kinds |= life.kinds
    assert kinds == set(plan.kinds) - cast.missing


def test_a_life_that_nobody_has_seen(cast: Cast) -> None:
    seed = secrets.randbelow(10**9)
    print(f"drawn seed: {seed}")
    Life(cast, PLANS[0], seed).run(PER_LIFE)


def test_the_soak_says_what_it_did(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--seed", "1", "--plan", "ours", "--lives", "1", "--workers", "1"]) == 0
    said = capsys.readouterr().out
    assert "First seed 1." in said and "60 operations" in said and "Everything held." in said


# ---- what they lack


def needs(kind: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(
        kind not in installed(), reason=f"no wheel of {PACKAGES[kind]} for this platform"
    )


class Small:
    """A group of Python members and one referee: `members` by leaf."""

    def __init__(self, cast: Cast, plan: Plan, size: int, referee: str, place: int = 1) -> None:
        kinds = ["python"] * size
        kinds[place] = referee
        self.private = referee == "openmls"
        self.members: list[Member | None] = [
            cast.new(kind, plan, f"small {referee} {secrets.token_hex(4)}", f"{kind} {leaf}")
            for leaf, kind in enumerate(kinds)
        ]
        self.referee = self.at(place)
        self.at(0).found(GROUP_ID)
        adds = tuple(self.at(leaf).key_package() for leaf in range(1, size))
        made = self.at(0).commit(Wish(adds=adds, private=self.private))
        self.at(0).merge()
        for leaf in range(1, size):
            self.at(leaf).join(made.welcomes[0], None)

    def at(self, leaf: int) -> Member:
        member = self.members[leaf]
        assert member is not None
        return member

    def python(self, leaf: int) -> PythonMember:
        member = self.at(leaf)
        assert isinstance(member, PythonMember)
        return member

    def commit(self, wish: Wish, by: int = 0) -> Made:
        made = self.at(by).commit(wish)
        self.at(by).merge()
        for leaf, member in enumerate(self.members):
            if member is not None and leaf != by and not member.apply(made.message):
                self.members[leaf] = None
        return made


@needs("rine")
def test_rine_sends_no_updates_and_commits_nothing_without_an_own_wish(cast: Cast) -> None:
    group = Small(cast, OPEN, 2, "rine")
    assert isinstance(group.referee, RineMember) and not group.referee.can_commit(Wish())
    handle = group.referee._group
    names = {name for name in dir(handle) if not name.startswith("_")}
    assert not any("propose" in name or "update" in name or "export" in name for name in names)


@needs("rine")
def test_rine_gives_out_no_welcome_for_what_others_proposed(cast: Cast) -> None:
    group = Small(cast, OPEN, 2, "rine")
    proposed, own = (cast.new("python", OPEN, "welcomes", name) for name in ("proposed", "own"))
    group.referee.receive_proposal(group.at(0).propose_add(proposed.key_package(), private=False))
    made = group.referee.commit(Wish(adds=(own.key_package(),)))
    assert group.at(0).apply(made.message)
    own.join(made.welcomes[0], None)
    assert len(made.welcomes) == 1
    with pytest.raises(RefusedError):
        proposed.join(made.welcomes[0], None)


@needs("rine")
@needs("mls-rs")
@pytest.mark.parametrize("kind", ["rine", "mls-rs"])
def test_mls_rs_loses_late_messages_of_removed_members(cast: Cast, kind: str) -> None:
    """The message opens, then its sender is looked up in the tree of today (RFC 9420 section 6: a sender is a
    leaf of the epoch that the message is of)."""
    group = Small(cast, OPEN, 3, kind)
    late, also_late = group.at(2).encrypt(b"late"), group.at(2).encrypt(b"later")
    assert group.python(0).decrypt(late).sender == 2
    group.commit(Wish(removes=(2,)))
    assert group.at(0).decrypt(also_late).data == b"later"
    with pytest.raises(RefusedError, match=r"No member|out of bounds"):
        group.referee.decrypt(late)


@needs("rine")
@needs("mls-rs")
@pytest.mark.parametrize("kind", ["rine", "mls-rs"])
def test_mls_rs_commits_two_updates_of_one_leaf(cast: Cast, kind: str) -> None:
    """RFC 9420 section 12.2 forbids the list, and asks the committer to take one; mls-rs itself refuses it too."""
    group = Small(cast, OPEN, 2, kind)
    other = cast.new("mls-rs", OPEN, "other", "other")
    made = group.commit(Wish(adds=(other.key_package(),)))
    other.join(made.welcomes[0], None)
    for _ in range(2):
        message = group.at(0).propose_update(private=False)
        for member in (group.referee, other):
            member.receive_proposal(message)
    added = cast.new("python", OPEN, "added", "added")
    made = group.referee.commit(Wish(adds=(added.key_package(),)))
    with pytest.raises(RefusedError, match="same-leaf"):
        group.at(0).apply(made.message)
    with pytest.raises(RefusedError, match="updating a member twice"):
        other.apply(made.message)


@needs("mls-rs")
def test_mls_rs_uniffi_names_whoever_sits_at_the_leaf_today(cast: Cast) -> None:
    """The same look-up: the message's sender is taken for the one who was given the leaf since."""
    group = Small(cast, OPEN, 3, "mls-rs")
    late = group.at(2).encrypt(b"late")
    group.commit(Wish(removes=(2,)))
    newcomer = cast.new("python", OPEN, "newcomer", "newcomer")
    made = group.commit(Wish(adds=(newcomer.key_package(),)))
    newcomer.join(made.welcomes[0], None)
    assert isinstance(group.referee, MlsRsMember)
    received = group.referee._process(late)
    assert received.sender == group.referee._signing_identity(2)
    assert group.python(0).decrypt(late).identity == b"python 2"


@needs("openmls")
def test_gbp_stack_forgets_proposals(cast: Cast) -> None:
    """RFC 9420 section 12.4: a commit may name by reference whatever was proposed in its epoch."""
    group = Small(cast, CLOSED, 3, "openmls")
    message = group.at(0).propose_update(private=True)
    group.at(2).receive_proposal(message)
    group.referee.receive_proposal(message)
    made = group.at(2).commit(Wish(private=True))
    assert group.at(0).apply(made.message)
    with pytest.raises(RefusedError, match="MissingProposal"):
        group.referee.apply(made.message)


@needs("openmls")
def test_gbp_stack_takes_private_handshakes_only(cast: Cast) -> None:
    group = Small(cast, CLOSED, 2, "openmls")
    made = group.at(0).commit(Wish())
    with pytest.raises(RefusedError, match="IncompatibleWireFormat"):
        group.referee.apply(made.message)


@needs("openmls")
def test_gbp_stack_removes_nobody_right_of_the_number_of_members(cast: Cast) -> None:
    """RFC 9420 section 12.1.3 asks for a leaf that is not blank, whatever the number of members."""
    group = Small(cast, CLOSED, 4, "openmls")
    group.commit(Wish(removes=(2,), private=True))
    assert isinstance(group.referee, OpenMlsMember)
    assert not group.referee.can_commit(Wish(removes=(3,), private=True))
    with pytest.raises(RefusedError, match="out of range"):
        group.referee.commit(Wish(removes=(3,), private=True))


@needs("openmls")
@pytest.mark.parametrize(
    ("size", "removed", "former", "to", "follows"),
    [
        (6, (), 5, 5, True),
        (6, (2, 4), 5, 2, True),
        (8, (4, 6), 7, 4, True),
        (6, (4,), 5, 4, False),
        (8, (4, 5, 6), 7, 4, False),
        (4, (2,), 3, 2, False),
    ],
)
def test_openmls_loses_whoever_returns_elsewhere_in_a_right_half_that_was_emptied(
    cast: Cast, size: int, removed: tuple[int, ...], former: int, to: int, follows: bool
) -> None:
    """An external commit whose Remove empties the right half of the tree, and whose joiner needs it again.

    RFC 9420 section 12.4.2 applies the proposals, which truncates the tree (sections 12.1.3 and 7.8), and then the
    path from the joiner's leaf, for which the tree is extended anew (section 7.7). mls-rs and we do; OpenMLS
    expects a path of another length.
    """
    group = Small(cast, CLOSED, size, "openmls")
    if removed:
        group.commit(Wish(removes=removed, private=True))
    back = group.at(former).successor()
    message = back.enter(group.at(0).group_info(), former)
    assert isinstance(back, PythonMember) and back.group is not None and back.group.own_leaf_index == to
    assert group.at(0).apply(message)
    if follows:
        assert group.referee.apply(message)
    else:
        with pytest.raises(RefusedError, match="PathLengthMismatch"):
            group.referee.apply(message)


@needs("openmls")
@needs("mls-rs")
def test_openmls_takes_a_lifetime_to_begin_after_its_first_second(cast: Cast) -> None:
    """RFC 9420 section 7.2 does not exclude it. mls-rs names the second in which it makes a key package; a few tries
    are enough to do all within one second."""
    for _ in range(5):
        group = Small(cast, CLOSED, 2, "python")
        fresh, joiner = cast.new("mls-rs", OPEN, "", ""), cast.new("openmls", CLOSED, "", "joiner")
        adds = (fresh.key_package(), joiner.key_package())
        made = group.commit(Wish(adds=adds, private=True))
        try:
            joiner.join(made.welcomes[0], None)
        except RefusedError as error:
            assert "Lifetime(NotCurrent)" in str(error)
            return
    pytest.fail("OpenMLS joined with a key package of the same second")


@needs("mls-rs")
def test_exporters_agree_by_both_ways_to_ask_for_them(cast: Cast) -> None:
    group = Small(cast, OPEN, 2, "mls-rs")
    assert isinstance(group.referee, MlsRsMember)
    member = group.python(0).group
    assert member is not None
    exported = exported_by(X25519, member._state.secrets.exporter_secret)
    assert group.referee.view()["exported"] == exported == group.at(0).view()["exported"]
