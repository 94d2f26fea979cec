"""A share of `make soak`'s hostile bytes: a seed that is always the same, and one that is drawn. And that what looks for
faults finds them."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import pytest

from polynya.mls import checks, codec, protect
from polynya.mls.codec import Reader, decode
from polynya.mls.errors import MlsError
from polynya.mls.framing import encode_message, read_message
from polynya.mls.group import Group
from polynya.mls.places import Places
from polynya.mls.secrettree import SecretTree
from tests.fuzz import recorded, scenes, seeds, targets
from tests.fuzz.differential import Differential
from tests.fuzz.inputs import Source
from tests.fuzz.mutate import LARGEST, Mutator
from tests.fuzz.peer import Peer
from tests.fuzz.regressions import Regression, regressions
from tests.fuzz.shape import splice, trace
from tests.fuzz.targets import BY_NAME, Input, verdict
from tests.mls.parties import unchecked
from tests.support.seeded import SeededRandom

BATCHES = 10
"""Of 512 inputs, for each of two seeds: 10,240 x 1 ms in both languages."""


@pytest.fixture(scope="module")
def peer() -> Iterator[Peer]:
    with Peer() as started:
        yield started


@pytest.mark.parametrize("seed", ["always", None])
def test_both_say_the_same_of_hostile_bytes(peer: Peer, seed: str | None) -> None:
    seed = seed or str(secrets.randbelow(10**9))
    differential, source = Differential(peer), Source(seed)
    for number in range(BATCHES):
        differential.run(source.batch(number))
    report = differential.report
    assert not report.differences, "\n".join(
        [f"seed {seed}, {len(report.differences)} differences:", *map(str, report.differences[:3])]
    )
    kinds = Counter((target, kind.partition(" ")[0]) for target, kind in report.seen.elements())
    for target in BY_NAME:
        assert kinds[target, "accepted"] and kinds[target, "refused"], (
            f"seed {seed}: {target} does only one of the two"
        )
    rules = {kind for _, kind in report.seen if kind.startswith("refused")}
    assert len(rules) > 80, f"seed {seed}: {len(rules)} rules reached"


@pytest.mark.parametrize("regression", regressions(), ids=lambda r: r.why)
def test_what_was_wrong_once_stays_right(peer: Peer, regression: Regression) -> None:
    differential = Differential(peer)
    assert not differential.run([regression.given])
    [(_, kind)] = differential.report.seen
    assert kind == regression.verdict


def test_there_are_regressions() -> None:
    assert len(regressions()) >= 5
    assert len({r.why for r in regressions()}) == len(regressions())


# ---- the corpus ----------------------------------------------------------------------------------------------


def test_the_recorded_scenes_are_what_the_code_makes() -> None:
    text = recorded.text()
    assert text == recorded.FILE.read_text(), "run python -m tests.fuzz.recorded"
    assert len(text) < 200_000


@pytest.mark.parametrize("number", range(len(scenes.NAMES)))
def test_good_bytes_are_accepted_where_they_belong(number: int) -> None:
    """Else mutations of them would never come further than the first check."""
    mutator = Mutator(SeededRandom(1), seeds.pool())
    for seed in seeds.corpus(number):
        said = [verdict(Input(target, number, seed.finish(seed.data, mutator))) for target in seed.targets]
        assert not [text for text in said if text.startswith("fault")], seed.name
    kinds = {
        seed.targets
        for seed in seeds.corpus(number)
        if any(
            verdict(Input(target, number, seed.finish(seed.data, mutator))).startswith("accepted")
            for target in seed.targets
            for _ in range(6)
        )
    }
    accepted = {target for names in kinds for target in names}
    wanted = set(BY_NAME)
    if scenes.NAMES[number] == "over":
        wanted -= {"receive-proposal", "verify-commit", "apply-commit"}
    if scenes.NAMES[number] == "last":
        wanted -= {"verify-commit", "apply-commit", "stored-commit", "join-external"}
    assert wanted <= accepted


def test_what_is_behind_a_signature_is_reached() -> None:
    """Mutations that are signed anew break rules that only members could."""
    source = Source("behind", ["apply-commit", "receive-proposal", "join"])
    found = {verdict(given).rpartition(" ")[2] for number in range(6) for given in source.batch(number)}
    assert {
        "7.6-ciphertexts",
        "7.9.2-parent-hash",
        "12.2-same-leaf",
        "12.1.4-nonce",
        "7.3-encryption-key",
    } <= found
    assert {"6.3.1-padding", "12.4.3-signer", "9.1-too-far-ahead", "12.4.2-confirmation-tag"} <= found


def test_the_same_seed_makes_the_same_inputs() -> None:
    names = ["message", "verify-commit", "decrypt"]
    one, other = Source("same", names), Source("same", names)
    honest = [given for given in one.batch(3) if scenes.NAMES[given.scene] != "xwing"]
    assert honest == [given for given in other.batch(3) if scenes.NAMES[given.scene] != "xwing"]
    assert len(honest) > 100 and one.batch(4) != one.batch(3)


def test_a_target_without_seeds_is_refused() -> None:
    with pytest.raises(ValueError, match="no seed"):
        Source("none", ["nothing"])


# ---- mutations -----------------------------------------------------------------------------------------------


def test_lengths_around_a_change_are_set_right() -> None:
    seed = next(s for s in seeds.corpus(0) if s.name == "commit add")
    assert seed.shape is not None
    whole = decode(read_message, seed.data)
    assert encode_message(whole) == seed.data
    deep = [v for v in seed.shape.vectors if len(seed.shape.around(v.body, v.end)) > 2]
    assert deep
    for span in deep:
        if span.items:
            continue
        longer = splice(seed.data, seed.shape, span.start, span.end, codec.opaque(bytes(20_000)))
        grown = trace(read_message, longer)
        assert grown is not None or span.end - span.body in (4, 6, 10), span


def test_mutations_are_bounded_and_differ() -> None:
    mutator = Mutator(SeededRandom(2), seeds.pool())
    seed = next(s for s in seeds.corpus(1) if s.name == "welcome by tree")
    made = {mutator.mutate(seed.data, seed.read, seed.shape) for _ in range(300)}
    assert len(made) > 250
    assert max(map(len, made)) <= LARGEST
    well_formed = [data for data in made if trace(seed.read, data) is not None]
    assert len(made) / 5 < len(well_formed) < len(made)


# ---- faults are found ----------------------------------------------------------------------------------------


def faults(name: str, data: bytes = b"", scene: int = 0) -> str:
    said = verdict(Input(name, scene, data))
    assert said.startswith("fault"), said
    return said


def test_other_errors_are_faults(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(BY_NAME, "psk", replace(BY_NAME["psk"], run=lambda scene, data: bytes(data[9])))
    assert "IndexError" in faults("psk")


def test_two_encodings_are_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Reader, "finish", lambda self: None)
    assert "encodes to" in faults("psk", b"\x01\x00\x00\x00")


def test_endless_work_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    def endless(*_: object) -> bytes:
        while True:
            pass

    monkeypatch.setitem(BY_NAME, "psk", replace(BY_NAME["psk"], run=endless))
    monkeypatch.setattr(targets, "HANGS", 0.2)
    assert "not done" in faults("psk")


def test_long_work_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(targets, "SECONDS", -1.0)
    assert " s for 1 bytes" in faults("psk", b"\x01")


def test_memory_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(targets, "MEGABYTES", 1)

    def hungry(_: object, data: bytes) -> bytes:
        return bytes(3 << 20)[:0] + data

    monkeypatch.setitem(BY_NAME, "psk", replace(BY_NAME["psk"], run=hungry))
    assert verdict(Input("psk", 0, b""), measured=True).startswith("fault 3 MB")


def test_too_much_memory_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(BY_NAME, "psk", replace(BY_NAME["psk"], run=lambda scene, data: bytes(8 << 30)))
    assert "MemoryError" in faults("psk")


def test_a_missing_check_is_a_difference(peer: Peer) -> None:
    source = Source("check", ["verify-commit", "receive-proposal", "join"])
    for module, name in ((protect, "check_membership_tag"), (checks, "check_public_keys")):
        differential = Differential(peer)
        with unchecked(module, name):
            for number in range(4):
                differential.run(source.batch(number))
        assert differential.report.differences, name


def test_a_group_that_changes_is_found(peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    differential = Differential(peer)
    given = Input("decrypt", 0, b"")
    assert not differential.run([given])
    changed = scenes.scene(0).group
    tree = SecretTree(changed._state.secret_tree.leaf_count, {}, Places())
    monkeypatch.setitem(
        scenes.scene(0).groups, scenes.scene(0).victim, Group(replace(changed._state, secret_tree=tree))
    )
    with pytest.raises(AssertionError, match="changed the group of scene pair"):
        differential.run([given])


def test_lengths_are_lied_about_in_every_form() -> None:
    mutator = Mutator(SeededRandom(3), seeds.pool())
    seed = next(s for s in seeds.corpus(0) if s.name == "tree")
    rules = set()
    for _ in range(2000):
        try:
            decode(seed.read, mutator.mutate(seed.data, seed.read, seed.shape, times=1))
        except MlsError as error:
            rules.add(error.rule)
    assert {"2.1-truncated", "2.1.2-overlong", "2.1.2-prefix", "2.1-trailing", "2.1.1-presence"} <= rules
    assert codec.MAX_LENGTH == (1 << 30) - 1
