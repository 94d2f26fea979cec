"""The runner that switches off checks: it finds what is not tested, and a sample of the checks is."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.mutation import python, switch, typescript
from scripts.mutation.board import Board, Verdict
from scripts.mutation.naming import unproven
from scripts.mutation.report import EQUIVALENT, equivalents, summary
from scripts.mutation.sample import draw
from scripts.mutation.sites import Scope, Site, rewrite

SOURCE = """
def check(a, b):
    if a < 0 or not 0 <= b < 9:
        raise WireError("rule")
    return a


def says(a) -> bool:
    return a > 1 and a < 5


def refused(t, a):
    if a:
        work.count(t, "told")
        return
    t.append(a)
"""
SCOPE = Scope(frozenset({"WireError"}), refusals=True)


class WireError(Exception):
    pass


class Work:
    def count(self, t: list[object], reason: str) -> None:
        t.append(reason)


def loaded() -> tuple[dict[str, object], list[Site]]:
    tree, sites = rewrite(SOURCE, "wire/x.py", SCOPE)
    names: dict[str, object] = {"WireError": WireError, "work": Work()}
    exec(compile(tree, "x.py", "exec"), names)  # noqa: S102
    return names, sites


def outcome(names: dict[str, object], function: str, *arguments: object) -> object:
    try:
        return names[function](*arguments)  # type: ignore[operator]
    except WireError as error:
        return str(error)


def test_each_site_is_found_and_changes_nothing_while_it_is_on() -> None:
    names, sites = loaded()
    assert {(site.kind, site.label) for site in sites} >= {
        ("raise", "rule"),
        ("refuse", "told"),
        ("verdict", "yes"),
    }
    assert len({site.name for site in sites}) == len(sites) == 10
    for a, b, expected in ((0, 0, 0), (-1, 0, "rule"), (0, 9, "rule"), (0, -1, "rule"), (3, 8, 3)):
        assert outcome(names, "check", a, b) == expected
    assert [outcome(names, "says", a) for a in (1, 3, 5)] == [False, True, False]


@pytest.mark.parametrize(
    ("site", "function", "arguments", "expected"),
    [
        ("wire/x.py:check rule", "check", (-1, 0), -1),
        ("wire/x.py:check rule / a < 0", "check", (-1, 0), -1),
        ("wire/x.py:check rule / a < 0", "check", (0, 9), "rule"),
        ("wire/x.py:check rule / 0 <= b", "check", (0, -1), 0),
        ("wire/x.py:check rule / 0 <= b", "check", (0, 9), "rule"),
        ("wire/x.py:check rule / b < 9", "check", (0, 9), 0),
        ("wire/x.py:says = yes", "says", (9,), True),
        ("wire/x.py:says = no", "says", (3,), False),
        ("wire/x.py:says says / a < 5", "says", (9,), True),
    ],
)
def test_a_site_that_is_off(
    site: str, function: str, arguments: tuple[int, ...], expected: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    names, sites = loaded()
    assert site in {one.name for one in sites}
    monkeypatch.setattr(switch, "active", site)
    assert outcome(names, function, *arguments) == expected


def test_a_refusal_that_is_off(monkeypatch: pytest.MonkeyPatch) -> None:
    names, _ = loaded()
    for active, expected in ((None, ["told"]), ("wire/x.py:refused told", [1])):
        monkeypatch.setattr(switch, "active", active)
        told: list[object] = []
        outcome(names, "refused", told, 1)
        assert told == expected


def test_sites_are_noted_where_they_would_have_mattered(monkeypatch: pytest.MonkeyPatch) -> None:
    names, _ = loaded()
    seen: set[str] = set()
    monkeypatch.setattr(switch, "seen", seen)
    outcome(names, "check", 0, 0)
    assert seen == set()
    outcome(names, "check", 0, 9)
    assert seen == {
        "wire/x.py:check rule",
        "wire/x.py:check rule / not 0 <= b < 9",
        "wire/x.py:check rule / b < 9",
    }


def test_survivors_and_reasons_that_no_longer_hold_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    excused = next(iter(equivalents("python")))
    sites = [
        Site(name, "raise", "r", "wire/x.py", "f", 1) for name in ("killed", "survives", "unjudged", excused)
    ]
    verdicts = {
        "killed": Verdict("killed", "a test", 3),
        "survives": Verdict("survives", None, 3),
        excused: Verdict(excused, None, 1),
    }
    assert summary("python", sites, verdicts) == ["survives", "unjudged"]
    assert "3 tests pass" in capsys.readouterr().out
    noticed = {**verdicts, excused: Verdict(excused, "a test", 1)}
    assert summary("python", sites, noticed) == ["survives", "unjudged", excused]
    assert EQUIVALENT.is_file()


def test_rules_that_only_others_notice_are_told() -> None:
    def site(name: str, label: str) -> Site:
        return Site(name, "raise", label, "mls/checks.py", "f", 1)

    sites = [
        site("a", "7.3-source"),
        site("b", "7.3-signature"),
        site("c", "12.2-committer"),
        site("d", "no-rule"),
    ]
    verdicts = {
        "a": Verdict("a", "tests/mls/test_fuzz.py::test_x", 1),
        "b": Verdict("b", "tests/mls/test_joining.py::test_x", 1),
        "d": Verdict("d", None, 1),
    }
    assert unproven("python", sites, verdicts) == ["7.3-source"]


def test_verdicts_outlive_an_interruption(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scripts.mutation.board.FOLDER", tmp_path)
    board = Board("python", "state")
    board.add(Verdict("one", "a test", 2))
    with (tmp_path / "python-state.jsonl").open("a") as file:
        file.write('{"site": "two", "kil')
    assert Board("python", "state").verdicts() == {"one": Verdict("one", "a test", 2)}
    assert Board("python", "other").verdicts() == {}


@pytest.mark.parametrize(
    ("side", "language", "tests", "count"),
    [
        (python, "python", ("tests/mls/test_commit_rules.py", "tests/mls/test_joining.py"), 10),
        (typescript, "typescript", ("tests/mls/encodings.test.ts", "tests/mls/succession.test.ts"), 6),
    ],
    ids=["python", "typescript"],
)
def test_a_sample_of_the_checks_is_missed_when_it_is_off(
    side: object, language: str, tests: tuple[str, ...], count: int
) -> None:
    seed, verdicts = draw(side, language, tests, count)
    print(f"drawn by {seed}")
    assert len(verdicts) == count
    assert [verdict.site for verdict in verdicts if verdict.killed is None] == [], f"drawn by {seed}"
