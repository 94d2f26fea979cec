"""No check without a test: each rule that the code names is named by a test."""

from __future__ import annotations

import re
from pathlib import Path

import polynya.mls

SOURCE = Path(polynya.mls.__file__).parent
TESTS = Path(__file__).parent

RAISED = re.compile(r"Error\(\s*\"((?:[0-9.]+|state)-[a-z0-9-]+)\"")


def test_every_rule_is_named_by_a_test() -> None:
    rules = {rule for path in SOURCE.glob("*.py") for rule in RAISED.findall(path.read_text())}
    assert len(rules) > 100
    tested = "".join(path.read_text() for path in TESTS.glob("test_*.py"))
    assert sorted(rule for rule in rules if f'"{rule}"' not in tested) == []
