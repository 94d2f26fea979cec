"""docs/mls.md: its program runs from top to bottom without the messenger, and it names what the library has."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from polynya import mls
from tests.bots.documents import ROOT, block_below, python_blocks

TEXT = (ROOT / "docs" / "mls.md").read_text("utf-8")
ALLOWED = frozenset({"polynya", "polynya.errors", "polynya.crypto", "polynya.mls"})


def section(title: str) -> str:
    return TEXT.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def test_the_program_runs_without_the_messenger(tmp_path: Path) -> None:
    blocks = python_blocks(TEXT)
    assert len(blocks) >= 16
    end = "\n\nimport sys\nprint(' '.join(name for name in sorted(sys.modules) if name.startswith('polynya')))\n"
    (tmp_path / "guide.py").write_text("\n\n".join(blocks) + end, "utf-8")
    done = subprocess.run([sys.executable, "guide.py"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    loaded = set(done.stdout.split())
    assert "polynya.mls.group" in loaded
    assert {name for name in loaded if ".".join(name.split(".")[:2]) not in ALLOWED} == set()


def test_the_first_group_is_short() -> None:
    lines = python_blocks(section("A first group"))[1].splitlines()
    assert len([line for line in lines if line.strip()]) <= 20
    assert "SystemRandom" in block_below(TEXT, "a first group")


def test_all_names_are_listed_and_there() -> None:
    listed = re.findall(r"`(\w+)`", section("All names"))
    assert sorted(listed) == sorted(mls.__all__) and len(set(listed)) == len(listed)
    for name in mls.__all__:
        assert getattr(mls, name) is not None
        assert name in dir(mls)
    with pytest.raises(AttributeError):
        mls.nonsense  # type: ignore[attr-defined]  # noqa: B018


def imported_names(code: str) -> Mapping[str, tuple[str, str]]:
    """What type checkers see: public name to module and attribute."""
    found = {}
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("polynya"):
            for alias in node.names:
                found[alias.asname or alias.name] = (node.module or "", alias.name)
    return found


def test_type_checkers_see_the_same_names() -> None:
    code = (ROOT / "src" / "polynya" / "mls" / "__init__.py").read_text("utf-8")
    assert dict(imported_names(code)) == mls._FOUND_IN
    assert set(mls._FOUND_IN) == set(mls.__all__)


def test_a_name_that_is_not_used_loads_nothing() -> None:
    code = "import sys, polynya.mls; print([n for n in sys.modules if n.startswith('polynya.')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['polynya.mls']"


def test_every_call_of_a_group_is_mentioned() -> None:
    public = {name for name in vars(mls.Group) if not name.startswith("_")}
    own = {"context", "epoch", "group_id", "suite", "tree", "tree_hash", "confirmed_transcript_hash"}
    assert public - set(re.findall(r"\w+", TEXT)) - own == set()


def test_limits_are_told_as_they_are() -> None:
    told = dict(re.findall(r"`(MAX_\w+)`, (\d+)", section("Limits")))
    assert {name: int(number) for name, number in told.items()} == {
        name: getattr(mls, name) for name in mls.__all__ if name.startswith("MAX_")
    }


def test_every_error_is_told() -> None:
    errors = {name for name in mls.__all__ if name.endswith("Error")}
    told = set(re.findall(r"`(\w+Error)`", section("Errors")))
    assert told == errors
    assert all(issubclass(getattr(mls, name), mls.MlsError) for name in errors)


def test_files_that_the_guide_names_are_there() -> None:
    named = re.findall(r"`((?:tests|web|src)/[\w./-]+)`", TEXT)
    linked = [target for target in re.findall(r"\]\(([\w./-]+)\)", TEXT) if not target.startswith("#")]
    assert len(named) > 4
    missing = {path for path in named if not (ROOT / path).exists()}
    assert missing | {path for path in linked if not (ROOT / "docs" / path).exists()} == set()
