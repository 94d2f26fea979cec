"""Whether the tests that the table of rules names for a rule are those that its check is missed by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from scripts.mutation.board import Verdict
from scripts.mutation.sites import Site
from scripts.rules import find

TESTS = "tests/mls/"


def files_by_rule(language: str) -> dict[str, tuple[str, ...]]:
    """For each rule of MLS the test files that name it, as tests' names begin."""
    tests = find().tests[language]
    return {
        rule: tuple({f"{TESTS}{place.partition(':')[0]}" for place in places})
        for rule, places in tests.items()
    }


def unproven(language: str, sites: Sequence[Site], verdicts: Mapping[str, Verdict]) -> list[str]:
    """Rules whose checks no test misses that is in a file which names them; judged sites alone count."""
    files = files_by_rule(language)
    proven: dict[str, bool] = {}
    for site in sites:
        verdict = verdicts.get(site.name)
        if (
            site.kind != "raise"
            or site.label not in files
            or verdict is None
            or not site.file.startswith("mls/")
        ):
            continue
        # Those that name the rule run first: without an end, it is theirs that does not come.
        by_name = verdict.killed is not None and verdict.killed.startswith((*files[site.label], "time"))
        proven[site.label] = proven.get(site.label, False) or by_name
    return sorted(rule for rule, is_proven in proven.items() if not is_proven)
