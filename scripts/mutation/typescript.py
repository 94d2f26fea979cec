"""The TypeScript side: its sites, its tests, and how they are run."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Sequence

from scripts.mutation.board import ROOT, Board, Record, digest
from scripts.mutation.python import RecordFailed
from scripts.mutation.sites import Site
from scripts.mutation.workers import Runner

WEB = ROOT / "web"
NODE = ROOT / ".venv" / "bin" / "node"
RUNNER = "tests/mutation/runner.ts"
TESTS = ("tests/crypto", "tests/wire", "tests/mls", "tests/core", "tests/vectors")


def board(tests: Sequence[str] = TESTS) -> Board:
    folders = [WEB / "src", WEB / "tests", ROOT / "spec"]
    name = (
        "typescript"
        if tuple(tests) == TESTS
        else "typescript-" + "-".join(t.replace("/", ".") for t in tests)
    )
    return Board(name, digest(folders, frozenset({".ts", ".tsx", ".toml", ".json"})))


def _environment() -> dict[str, str]:
    return {**os.environ, "NODE_NO_WARNINGS": "1"}


def runner(tests: Sequence[str] = TESTS) -> Runner:
    return Runner((str(NODE), RUNNER, "serve", *tests), WEB, _environment())


def _run(*arguments: str) -> None:
    command = (str(NODE), RUNNER, *arguments)
    quiet = subprocess.DEVNULL
    subprocess.run(command, cwd=WEB, env=_environment(), stdout=quiet, stderr=quiet, check=False)


def record(board: Board, tests: Sequence[str] = TESTS) -> Record:
    """Runs all tests once, with every check in place; raises RecordFailed."""
    known = board.record()
    if known is None:
        _run("record", str(board.record_path), *tests)
        known = board.record()
    if known is None:
        raise RecordFailed("the tests did not run")
    if known.failed:
        board.forget()
        raise RecordFailed("these tests fail with every check in place: " + ", ".join(known.failed[:5]))
    return known


def sites(board: Board, record: Record) -> list[Site]:
    """Those in the source; where a label is known only when the code runs, those that the record has seen."""
    listing = board.record_path.with_suffix(".sites.json")
    _run("sites", str(listing))
    seen = sorted({site for test in record.tests.values() for site in test["sites"]})
    found = []
    for one in json.loads(listing.read_text("utf-8")):
        names = [one["name"]]
        if one.pop("open"):
            names = [name for name in seen if name.startswith(one["name"])]
        for name in names:
            label = one["label"] or name.removeprefix(one["name"])
            found.append(Site(**{**one, "name": name, "label": label}))
    return list({site.name: site for site in found}.values())
