"""The checks of the Python code, and the tests that name rules."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

from scripts.mutation.sites import rewrite, scope_of


def checks(package: Path) -> dict[str, list[str]]:
    """Rule id to `file.py:function`, from the errors that are raised below `mls`."""
    found: dict[str, list[str]] = defaultdict(list)
    for path in sorted((package / "mls").glob("*.py")):
        file = path.relative_to(package).as_posix()
        scope = scope_of(file)
        if scope is None:
            continue
        for site in rewrite(path.read_text("utf-8"), file, scope)[1]:
            place = f"{path.name}:{site.function}"
            if (
                site.kind == "raise"
                and site.label[0].isalnum()
                and "-" in site.label
                and place not in found[site.label]
            ):
                found[site.label].append(place)
    return dict(found)


def tests(folder: Path, ids: Iterable[str]) -> dict[str, list[str]]:
    """Rule id to `file.py::test` for each test that names it, itself or through what it uses in its file."""
    known = frozenset(ids)
    found: dict[str, list[str]] = defaultdict(list)
    for path in sorted(folder.glob("test_*.py")):
        tops = _top_level(ast.parse(path.read_text("utf-8")))
        for name in tops:
            if name.startswith("test_"):
                for id_ in sorted(_named(name, tops, known)):
                    found[id_].append(f"{path.name}::{name}")
    return dict(found)


def _top_level(tree: ast.Module) -> dict[str, ast.stmt]:
    """Functions, classes and assignments of a module by name."""
    tops: dict[str, ast.stmt] = {}
    for statement in tree.body:
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            tops[statement.name] = statement
        elif isinstance(statement, ast.Assign | ast.AnnAssign):
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            for target in targets:
                if isinstance(target, ast.Name):
                    tops[target.id] = statement
    return tops


def _named(name: str, tops: Mapping[str, ast.stmt], known: frozenset[str]) -> set[str]:
    """The rule ids among the strings of a definition and of those that it uses."""
    ids: set[str] = set()
    seen, waiting = set(), [name]
    while waiting:
        current = waiting.pop()
        if current in seen or (current.startswith("test_") and current != name):
            continue
        seen.add(current)
        for node in ast.walk(tops[current]):
            if isinstance(node, ast.Constant) and node.value in known:
                ids.add(str(node.value))
            elif isinstance(node, ast.Name) and node.id in tops:
                waiting.append(node.id)
    return ids
