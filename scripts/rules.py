"""The table of MLS rules: which check enforces each, in both languages, and which tests break it.

`python -m scripts.rules` writes `docs/mls-rules.md` from `spec/mls-rules.toml`, the code and the tests; with `--check`
it writes nothing and says what does not fit together. That each named test fails without its check is what
`python -m scripts.mutation` shows.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from scripts.mlsrules import pysource, tssource
from scripts.mlsrules.listed import LANGUAGES, Rule, read_rules

ROOT = Path(__file__).resolve().parents[1]
LIST = ROOT / "spec" / "mls-rules.toml"
TABLE = ROOT / "docs" / "mls-rules.md"
SHOWN = 3
"""Tests that the table names for a rule and language; the others it counts."""

Places = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Found:
    """The list, and for each language the places of checks and tests by rule id."""

    rules: Sequence[Rule]
    checks: Mapping[str, Places]
    tests: Mapping[str, Places]


def find() -> Found:
    rules = read_rules(LIST)
    ids = [rule.id for rule in rules]
    web = ROOT / "web"
    return Found(
        rules,
        {
            "python": pysource.checks(ROOT / "src" / "polynya"),
            "typescript": tssource.checks(web / "src" / "mls"),
        },
        {
            "python": pysource.tests(ROOT / "tests" / "mls", ids),
            "typescript": tssource.tests(web / "tests" / "mls", ids),
        },
    )


def problems(found: Found) -> Iterator[str]:
    """What is missing or does not fit, one sentence each."""
    ids = {rule.id: rule for rule in found.rules}
    for language in LANGUAGES:
        checks, tests = found.checks[language], found.tests[language]
        for id_ in sorted(set(checks) - set(ids)):
            yield f"{id_} has a check in {language} ({checks[id_][0]}) and is not in {LIST.name}"
        for rule in found.rules:
            if rule.is_checked_in(language) and rule.id not in checks:
                yield f"{rule.id} has no check in {language}"
            if not rule.is_checked_in(language) and rule.id in checks:
                yield f"{rule.id} has a check in {language}, which {LIST.name} does not expect"
            if rule.needs_tests_in(language) and rule.id not in tests:
                yield f"{rule.id} has no test in {language}"
    for rule in found.rules:
        for other in rule.by:
            if other not in ids or ids[other].form not in ("check", "only"):
                yield f"{rule.id} is said to be enforced by {other}, which has no check"


def render(found: Found) -> str:
    lines = [
        "# The rules of MLS, their checks and their tests",
        "",
        "Computed by `python -m scripts.rules` from [mls-rules.toml](../spec/mls-rules.toml), the code and the tests; a",
        "test fails where it is stale. Each check is switched off in turn by `make mutation`, and some test must fail.",
        "",
        _count(found),
    ]
    section = ""
    for rule in found.rules:
        if rule.section != section:
            section = rule.section
            lines += ["", f"## {_heading(section)}", ""]
        lines += _entry(rule, found)
    return "\n".join(lines) + "\n"


def _count(found: Found) -> str:
    checked = sum(rule.form in ("check", "only") for rule in found.rules)
    application = sum(rule.form == "application" for rule in found.rules)
    held = sum(rule.form in ("by", "construction") for rule in found.rules)
    accepted = len(found.rules) - checked - application - held
    return (
        f"{len(found.rules)} rules: {checked} with checks of their own, {held} held by other checks or by construction, "
        f"{accepted} about what must be accepted, {application} left to the application."
    )


def _heading(section: str) -> str:
    return f"RFC 9420 section {section}" if section[0].isdigit() else f"Our own: {section}"


def _entry(rule: Rule, found: Found) -> Iterator[str]:
    yield f"- **{rule.id}**: {rule.says}"
    if rule.by:
        yield f"  - held by {', '.join(rule.by)}"
    if rule.note:
        word = {"only": f"{rule.only} only", "application": "application", "construction": "by construction"}[
            rule.form
        ]
        yield f"  - {word}: {rule.note}"
    for language in LANGUAGES:
        checks, tests = found.checks[language].get(rule.id, ()), found.tests[language].get(rule.id, ())
        if checks or tests:
            yield f"  - {language}: {', '.join(f'`{c}`' for c in checks) or 'no check'}; {_tests(tests)}"


def _tests(tests: Sequence[str]) -> str:
    if not tests:
        return "no test"
    more = f" and {len(tests) - SHOWN} more" if len(tests) > SHOWN else ""
    return "tests: " + ", ".join(f"`{test}`" for test in tests[:SHOWN]) + more


def main(arguments: list[str]) -> int:
    found = find()
    wrong = list(problems(found))
    table = render(found)
    if "--check" in arguments:
        if not TABLE.is_file() or TABLE.read_text("utf-8") != table:
            wrong.append(f"{TABLE.name} is stale: run python -m scripts.rules")
    else:
        TABLE.write_text(table, "utf-8")
    for problem in wrong:
        print(problem)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
