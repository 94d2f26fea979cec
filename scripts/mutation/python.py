"""The Python side: its sites, its tests, and how they are run."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence

from scripts.mutation.board import ROOT, Board, Record, digest
from scripts.mutation.sites import Site, all_sites
from scripts.mutation.workers import Runner

PACKAGE = ROOT / "src" / "polynya"
TESTS = ("tests/crypto", "tests/wire", "tests/mls", "tests/core", "tests/vectors", "tests/relay")


class RecordFailed(RuntimeError):
    """Tests fail with every check in place: there is nothing to compare with."""


def sites(board: Board, record: Record) -> list[Site]:
    """Those in the source, as `typescript.sites`; the record adds none."""
    return list(all_sites(PACKAGE))


def board(tests: Sequence[str] = TESTS) -> Board:
    folders = [PACKAGE, ROOT / "tests", ROOT / "spec"]
    name = (
        "python" if tuple(tests) == TESTS else "python-" + "-".join(test.replace("/", ".") for test in tests)
    )
    return Board(name, digest(folders, frozenset({".py", ".toml", ".json"})))


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}


def runner(tests: Sequence[str] = TESTS) -> Runner:
    command = (sys.executable, "-m", "scripts.mutation.suite", "serve", *tests)
    return Runner(command, ROOT, _environment())


def record(board: Board, tests: Sequence[str] = TESTS) -> Record:
    """Runs all tests once, with every check in place; raises RecordFailed."""
    known = board.record()
    if known is None:
        command = (sys.executable, "-m", "scripts.mutation.suite", "record", str(board.record_path), *tests)
        subprocess.run(command, cwd=ROOT, env=_environment(), stdout=subprocess.DEVNULL, check=False)
        known = board.record()
    if known is None:
        raise RecordFailed("the tests did not run")
    if known.failed:
        board.forget()
        raise RecordFailed("these tests fail with every check in place: " + ", ".join(known.failed[:5]))
    return known
