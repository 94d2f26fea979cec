"""The MLS working group's test vectors, every file in full for all suites that we have: `python -m tests.vectors.mls`.

The directory is POLYNYA_MLS_VECTORS, else ../shared/vectors/mls beside the project. Where it is absent
nothing runs, and that fails if CI or POLYNYA_REQUIRE_MLS_VECTORS=1 is set."""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from polynya.mls.suite import SUITES
from tests.vectors import mls_groups, mls_parts

Case = dict[str, Any]

CHECKS: dict[str, Callable[[Case], None]] = {
    "crypto-basics": mls_parts.crypto_basics,
    "deserialization": mls_parts.deserialization,
    "key-schedule": mls_parts.key_schedule,
    "message-protection": mls_parts.message_protection,
    "messages": mls_parts.messages,
    "passive-client-handling-commit": mls_groups.passive_client,
    "passive-client-random": mls_groups.passive_client,
    "passive-client-welcome": mls_groups.passive_client,
    "psk_secret": mls_parts.psk_secret,
    "secret-tree": mls_parts.secret_tree,
    "transcript-hashes": mls_parts.transcript_hashes,
    "tree-math": mls_parts.tree_math,
    "tree-operations": mls_groups.tree_operations,
    "tree-validation": mls_groups.tree_validation,
    "treekem": mls_groups.treekem_case,
    "welcome": mls_groups.welcome,
}
"""By kind: all sixteen that the working group has."""

NOT_EVERYWHERE = {"passive-client-random"}
"""Kinds whose files are too large to be handed around with the others: run where they are."""


def directory() -> Path:
    default = Path(__file__).resolve().parents[3] / "shared" / "vectors" / "mls"
    return Path(os.environ.get("POLYNYA_MLS_VECTORS") or default)


def required() -> bool:
    return bool(os.environ.get("CI")) or os.environ.get("POLYNYA_REQUIRE_MLS_VECTORS") == "1"


def kind_of(path: Path) -> str | None:
    """The kind that a file is named after: its own name, or the beginning of it before a hyphen."""
    return next((kind for kind in CHECKS if f"{path.stem}-".startswith(f"{kind}-")), None)


def files() -> list[Path]:
    """Every file of the directory."""
    return sorted(directory().glob("*.json"))


def missing() -> set[str]:
    """Kinds without a file that should have one."""
    return set(CHECKS) - NOT_EVERYWHERE - {kind_of(path) for path in files()}


def cases(path: Path) -> list[Case]:
    """The file's cases for suites that we have; all of them where the file has no suites."""
    loaded: list[Case] = json.loads(path.read_text())
    return [case for case in loaded if case.get("cipher_suite", 1) in SUITES]


def run_file(path: Path, report: Callable[[str], None]) -> tuple[int, int]:
    """(cases in the file for our suites, cases that passed)."""
    kind = kind_of(path)
    if kind is None:
        report(f"{path.name} is of no kind that has a check")
        return 1, 0
    found = cases(path)
    passed = 0
    for number, case in enumerate(found):
        try:
            CHECKS[kind](case)
            passed += 1
        except Exception:
            report(f"{path.stem} case {number}:\n{traceback.format_exc()}")
    return len(found), passed


def main() -> int:
    root = directory()
    if not root.is_dir():
        print(f"no MLS test vectors: {root} is absent")
        return 1 if required() else 0
    total = failed = 0
    print(f"{'file':34} cases passed")
    for path in files():
        count, passed = run_file(path, print)
        print(f"{path.stem:34} {count:5} {passed:6}{'' if count else '  nothing to run'}")
        total += count
        failed += count - passed if count else 1
    for kind in sorted(missing()):
        print(f"{kind:34} is missing")
        failed += 1
    print(f"{total - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
