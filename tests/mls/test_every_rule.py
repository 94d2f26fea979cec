"""No rule of RFC 9420 without its check and its test in both languages, and a table that says so and is not stale."""

from __future__ import annotations

import re
from dataclasses import replace

from scripts import rules
from scripts.mlsrules.listed import Rule


def test_every_rule_has_a_check_and_a_test_in_both_languages() -> None:
    found = rules.find()
    assert len(found.rules) > 150
    assert list(rules.problems(found)) == []
    assert rules.TABLE.read_text("utf-8") == rules.render(found), "run python -m scripts.rules"


def test_what_is_missing_is_told() -> None:
    found = rules.find()
    known = {rule.id for rule in found.rules}
    assert "12.2-committer" in known

    def told(**changes: object) -> str:
        return "\n".join(rules.problems(replace(found, **changes)))  # type: ignore[arg-type]

    for language in ("python", "typescript"):
        other = {name: places for name, places in found.checks.items() if name != language}
        none = {**other, language: {i: p for i, p in found.checks[language].items() if i != "12.2-committer"}}
        assert f"12.2-committer has no check in {language}" in told(checks=none)
        untested = {
            **found.tests,
            language: {i: p for i, p in found.tests[language].items() if i != "7.3-source"},
        }
        assert f"7.3-source has no test in {language}" in told(tests=untested)
    unlisted = [rule for rule in found.rules if rule.id != "12.2-committer"]
    assert len(re.findall("12.2-committer has a check in", told(rules=unlisted))) == 2
    wrong = Rule("1-x", "1", "says", "by", "", ("5.3-x509-key",))
    assert "1-x is said to be enforced by 5.3-x509-key" in told(rules=[*found.rules, wrong])
