"""The threat model names tests that exist, and names every test of misbehaviour."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = ROOT / "spec" / "threat-model.md"
NAMED = re.compile(r"`(tests/[\w/]+\.py)(?:::(\w+))?`")
MISBEHAVIOURS = [f"H{n}" for n in range(1, 11)]


def names_in(path: Path) -> set[str]:
    tree = ast.parse(path.read_text("utf-8"))
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {node.name for node in tree.body if isinstance(node, functions) and node.name.startswith("test_")}


def named() -> set[tuple[str, str]]:
    return set(NAMED.findall(DOCUMENT.read_text("utf-8")))


def test_each_test_that_the_threat_model_names_exists() -> None:
    found = named()
    assert len(found) > 50
    for file, test in sorted(found):
        assert (ROOT / file).is_file(), file
        assert not test or test in names_in(ROOT / file), f"{file}::{test}"


def test_each_misbehaviour_has_a_line_with_a_test_and_each_test_a_line() -> None:
    lines = [line for line in DOCUMENT.read_text("utf-8").splitlines() if line.startswith("| H")]
    tested = {line.split("|")[1].strip() for line in lines if NAMED.search(line)}
    assert tested == set(MISBEHAVIOURS)
    assert all(NAMED.search(line) for line in lines)
    files = [*(ROOT / "tests" / "knows").glob("test_*.py"), ROOT / "tests/ui_browser/test_hostile_relay.py"]
    files += [file for file in (ROOT / "tests" / "hostile").glob("test_*.py") if file != Path(__file__)]
    there = {(str(file.relative_to(ROOT)), test) for file in files for test in names_in(file)}
    assert there - named() == set()


def test_the_words_in_the_threat_model_are_those_of_the_app() -> None:
    document = DOCUMENT.read_text("utf-8")
    text = (ROOT / "web" / "src" / "ui" / "text" / "en_later.ts").read_text("utf-8")
    words = dict(re.findall(r"'error:([a-z-]+)': '((?:[^'\\]|\\.)+)'", text))
    for code in ("relay-misbehaves", "history-differs", "relay-fraud", "bad-key-package", "no-key-package"):
        assert f'"{words[code]}"' in document, code
