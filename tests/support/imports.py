"""Reads what imports what, in Python and in TypeScript, and finds cycles."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

Graph = Mapping[str, frozenset[str]]


@dataclass(frozen=True, slots=True)
class Module:
    """One source file. `imports` are module names (Python) or specifiers (TypeScript), as written."""

    path: Path
    imports: frozenset[str]
    code: str


def python_imports(code: str, name: str, is_package: bool) -> frozenset[str]:
    """Absolute names that `code` of the module `name` imports; `from a import b` gives a and a.b."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parts = name.split(".") if is_package else name.split(".")[:-1]
            above = parts[: len(parts) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            found.add(base)
            found.update(f"{base}.{alias.name}" for alias in node.names)
    return frozenset(found)


def python_modules(package: Path) -> dict[str, Module]:
    """Every module below `package`, by dotted name."""
    modules: dict[str, Module] = {}
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package.parent).with_suffix("").parts
        is_package = parts[-1] == "__init__"
        name = ".".join(parts[:-1] if is_package else parts)
        code = path.read_text("utf-8")
        modules[name] = Module(path, python_imports(code, name, is_package), code)
    return modules


def python_graph(modules: Mapping[str, Module]) -> Graph:
    """Edges between the project's own modules: the most exact name wins (a.b before a)."""
    graph: dict[str, frozenset[str]] = {}
    for name, module in modules.items():
        own = {target for target in module.imports if target in modules}
        bases = {target.rpartition(".")[0] for target in own}
        # `from package import module` reads the module; the package only where a name of its own is taken.
        names = {target for target in module.imports if target not in modules}
        own -= {base for base in bases if not any(n.rpartition(".")[0] == base for n in names)}
        graph[name] = frozenset(own - {name})
    return graph


_TS_TOKEN = re.compile(
    r"""
    (?P<comment>//[^\n]*|/\*.*?\*/)
    | (?P<string>'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`)
    """,
    re.VERBOSE | re.DOTALL,
)
_TS_IMPORT = re.compile(
    r"""
    ^\s*(?:import|export)\b[^;'"]*?\bfrom\s*(['"])(?P<from>[^'"]+)\1
    | ^\s*import\s*(['"])(?P<bare>[^'"]+)\3
    | \bimport\(\s*(['"])(?P<lazy>[^'"]+)\5
    """,
    re.VERBOSE | re.MULTILINE,
)


def typescript_code(text: str) -> str:
    """`text` without comments and with the insides of strings emptied."""
    return _TS_TOKEN.sub(lambda token: " " if token["comment"] else "''", text)


def typescript_imports(text: str) -> frozenset[str]:
    """Specifiers that `text` imports or re-exports, types and lazy ones included."""
    plain = _TS_TOKEN.sub(lambda token: " " if token["comment"] else token[0], text)
    found = (match["from"] or match["bare"] or match["lazy"] for match in _TS_IMPORT.finditer(plain))
    return frozenset(found)


def typescript_modules(folder: Path) -> dict[str, Module]:
    """Every .ts and .tsx file below `folder`, by path relative to it."""
    modules: dict[str, Module] = {}
    for path in sorted([*folder.rglob("*.ts"), *folder.rglob("*.tsx")]):
        text = path.read_text("utf-8")
        name = path.relative_to(folder).as_posix()
        modules[name] = Module(path, typescript_imports(text), typescript_code(text))
    return modules


def resolve(specifier: str, importer: str) -> str | None:
    """The module that a relative specifier means, relative to the same folder; None for a package."""
    if not specifier.startswith("."):
        return None
    parts = importer.split("/")[:-1]
    for step in specifier.partition("?")[0].split("/"):
        if step == "..":
            parts.pop()
        elif step != ".":
            parts.append(step)
    return "/".join(parts)


def typescript_graph(modules: Mapping[str, Module]) -> Graph:
    """Edges between the project's own files; a relative import of something else than code is left out."""
    return {
        name: frozenset(target for s in module.imports if (target := resolve(s, name)) in modules and target)
        for name, module in modules.items()
    }


def find_cycle(graph: Graph) -> tuple[str, ...] | None:
    """A cycle as the names along it, or None."""
    done: set[str] = set()
    for root in sorted(graph):
        trail: list[str] = []
        work: list[tuple[str, bool]] = [(root, False)]
        while work:
            name, leaving = work.pop()
            if leaving:
                trail.pop()
                done.add(name)
            elif name in trail:
                return tuple(trail[trail.index(name) :])
            elif name not in done:
                trail.append(name)
                work.append((name, True))
                work.extend((target, False) for target in sorted(graph[name]))
    return None


def layer_of(name: str, separator: str) -> str:
    """The layer of a module: the first folder below the root, or the file's own name there."""
    parts = name.split(separator)
    return parts[0].removesuffix(".ts").removesuffix(".tsx")


def upward(graph: Graph, separator: str, allowed: Mapping[str, Iterable[str]]) -> list[str]:
    """Imports that leave their layer for one that it may not know, as "a imports b"."""
    found: list[str] = []
    for name, targets in sorted(graph.items()):
        layer = layer_of(name, separator)
        for target in sorted(targets):
            other = layer_of(target, separator)
            if other != layer and other not in set(allowed.get(layer, ())):
                found.append(f"{name} imports {target}")
    return found
