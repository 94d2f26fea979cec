"""Imports point one way, there is no cycle, no file is too long, and what must not do I/O cannot."""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

import pytest

from tests.support.imports import (
    Graph,
    Module,
    find_cycle,
    layer_of,
    python_graph,
    python_imports,
    python_modules,
    resolve,
    typescript_code,
    typescript_graph,
    typescript_imports,
    typescript_modules,
    upward,
)

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "src" / "polynya"
WEB = ROOT / "web" / "src"

_CRYPTO = ("errors", "crypto")
_WIRE = (*_CRYPTO, "wire")
_CORE = (*_WIRE, "mls")
_PATHS = (*_WIRE, "carriers")
_CLIENT = (*_CORE, "core", "carriers", "paths")

# Layer to the layers that it may import. `config` holds typed settings only.
PYTHON_LAYERS: dict[str, tuple[str, ...]] = {
    "errors": (),
    "config": ("errors",),
    "crypto": ("errors",),
    "wire": _CRYPTO,
    "mls": _CRYPTO,
    "core": _CORE,
    "carriers": _WIRE,
    "paths": _PATHS,
    "client": (*_CLIENT, "config"),
    "bots": (*_CLIENT, "config", "client"),
    "relay": (*_WIRE, "config"),
    "bridge": (*_WIRE, "config"),
    "testing": (*_CLIENT, "config", "client", "bots", "relay"),
    "cli": (*_CLIENT, "config", "client", "bots", "relay", "bridge"),
}
TYPESCRIPT_LAYERS: dict[str, tuple[str, ...]] = {
    "errors": (),
    "crypto": ("errors",),
    "wire": _CRYPTO,
    "mls": _CRYPTO,
    "core": _CORE,
    "carriers": _WIRE,
    "paths": _PATHS,
    "client": _CLIENT,
    "ui": ("errors", "client"),
    "main": ("ui",),
    "worker": (),
}
PURE = ("errors", "crypto", "wire", "mls", "core")

# Modules of the standard library that reach the world outside, a clock or a source of randomness.
IMPURE_MODULES = frozenset({
    "asyncio", "concurrent", "datetime", "fcntl", "ftplib", "http", "imaplib", "io", "mmap",
    "multiprocessing", "os", "pathlib", "poplib", "queue", "random", "sched", "secrets", "select",
    "selectors", "shelve", "shutil", "signal", "smtplib", "socket", "socketserver", "sqlite3", "ssl",
    "subprocess", "tempfile", "threading", "time", "urllib", "uuid", "zoneinfo",
})  # fmt: skip
PURE_PACKAGES = frozenset({"cryptography"})
RELAY_ONLY = frozenset({"gmpy2", "picows", "uvloop"})
# Builtins that reach the world without an import, or hide what they import.
IMPURE_BUILTINS = frozenset({"__import__", "breakpoint", "input", "open", "print"})
IMPURE_TYPESCRIPT = re.compile(
    r"\bDate\b|\bperformance\.|\bMath\.random\b|\bgetRandomValues\b|\brandomUUID\b|\brandomBytes\b"
    r"|\brandomSecretKey\b|\bfetch\(|\bXMLHttpRequest\b|\bWebSocket\b|\bEventSource\b|\bset(?:Timeout|Interval)\b"
    r"|\bqueueMicrotask\b|\bindexedDB\b|\b(?:local|session)Storage\b|\bcaches\b|\bnavigator\b|\bwindow\b|\bdocument\b"
    r"|\blocation\b|\bconsole\b"
)
ANY = re.compile(r"(?:[:<,|&(\[]|\bas|\bextends|=)\s*any\b(?!\s*[(:=])")
LONGEST = 600


@pytest.fixture(scope="module")
def python() -> dict[str, Module]:
    return {name.removeprefix("polynya."): module for name, module in python_modules(PACKAGE).items()}


@pytest.fixture(scope="module")
def python_edges() -> Graph:
    graph = python_graph(python_modules(PACKAGE))
    return {
        name.removeprefix("polynya."): frozenset(target.removeprefix("polynya.") for target in targets)
        for name, targets in graph.items()
    }


@pytest.fixture(scope="module")
def typescript() -> dict[str, Module]:
    return typescript_modules(WEB)


def impure_imports(imports: frozenset[str]) -> set[str]:
    """Top-level names among `imports` that a pure layer must not know."""
    tops = {name.partition(".")[0] for name in imports} - {"polynya", "__future__"}
    foreign = {top for top in tops if top not in sys.stdlib_module_names and top not in PURE_PACKAGES}
    return foreign | (tops & IMPURE_MODULES)


def impure_calls(code: str) -> list[str]:
    """Calls in `code` that do I/O or draw randomness of their own (`generate()` with no argument)."""
    found: list[str] = []
    for node in ast.walk(ast.parse(code)):
        if not isinstance(node, ast.Call):
            continue
        name = ast.unparse(node.func)
        draws = (
            name.rpartition(".")[2] in {"generate", "generate_key"} and not node.args and not node.keywords
        )
        if name in IMPURE_BUILTINS or draws:
            found.append(name)
    return found


def generates_keys(code: str) -> bool:
    """True where WebCrypto makes a key for more than asking whether it can (`feature` discards it)."""
    return len(re.findall(r"\bgenerateKey\b", code)) > len(re.findall(r"=\s*feature\(", code))


def is_generated(path: Path) -> bool:
    return path.name.startswith("_") and "Generated from" in path.read_text("utf-8")[:80]


# Python


def test_every_python_module_has_a_layer(python: dict[str, Module]) -> None:
    layers = {layer_of(name, ".") for name in python} - {"polynya", "__main__"}
    assert {"errors", "crypto", "wire"} <= layers
    assert layers <= set(PYTHON_LAYERS)


def test_python_imports_point_one_way(python_edges: Graph) -> None:
    # The root package only re-exports the SDK; what it takes, nobody below may take from it.
    allowed = {**PYTHON_LAYERS, "polynya": PYTHON_LAYERS["cli"], "__main__": ("cli",)}
    allowed["cli"] = (*allowed["cli"], "polynya")
    assert upward(python_edges, ".", allowed) == []


def test_python_has_no_import_cycle(python_edges: Graph) -> None:
    assert find_cycle(python_edges) is None


def test_a_carrier_knows_no_other_carrier(python_edges: Graph) -> None:
    carriers = {name: targets for name, targets in python_edges.items() if name.startswith("carriers.")}
    wrong = {
        f"{name} imports {target}"
        for name, targets in carriers.items()
        for target in targets
        if target.startswith("carriers.") and not target.startswith(("carriers.base", "carriers._"))
    }
    assert wrong == set()


def test_pure_python_does_no_io(python: dict[str, Module]) -> None:
    wrong = [
        f"{name}: {bad}"
        for name, module in python.items()
        if layer_of(name, ".") in PURE
        for bad in (*sorted(impure_imports(module.imports)), *impure_calls(module.code))
    ]
    assert wrong == []


def test_only_the_relay_needs_the_relay_extra(python: dict[str, Module]) -> None:
    wrong = [
        name
        for name, module in python.items()
        if layer_of(name, ".") != "relay" and {i.partition(".")[0] for i in module.imports} & RELAY_ONLY
    ]
    assert wrong == []


# TypeScript


def test_every_typescript_module_has_a_layer(typescript: dict[str, Module]) -> None:
    layers = {layer_of(name, "/") for name in typescript}
    assert {"errors", "crypto", "wire", "ui", "worker"} <= layers
    assert layers <= set(TYPESCRIPT_LAYERS)


def test_typescript_imports_point_one_way(typescript: dict[str, Module]) -> None:
    assert upward(typescript_graph(typescript), "/", TYPESCRIPT_LAYERS) == []


def test_typescript_imports_carry_their_extension(typescript: dict[str, Module]) -> None:
    wrong = [
        f"{name}: {specifier}"
        for name, module in typescript.items()
        for specifier in module.imports
        if specifier.startswith(".") and not (module.path.parent / specifier.partition("?")[0]).is_file()
    ]
    assert wrong == []


def test_typescript_has_no_import_cycle(typescript: dict[str, Module]) -> None:
    assert find_cycle(typescript_graph(typescript)) is None


def test_pure_typescript_does_no_io(typescript: dict[str, Module]) -> None:
    pure = {name: module for name, module in typescript.items() if layer_of(name, "/") in PURE}
    wrong = [
        f"{name}: {bad}" for name, module in pure.items() for bad in IMPURE_TYPESCRIPT.findall(module.code)
    ]
    wrong += [f"{name}: generateKey" for name, module in pure.items() if generates_keys(module.code)]
    wrong += [
        f"{name}: {specifier}"
        for name, module in pure.items()
        for specifier in module.imports
        if not specifier.startswith((".", "@noble/"))
    ]
    assert wrong == []


def test_typescript_has_no_any(typescript: dict[str, Module]) -> None:
    assert [f"{name}: {bad}" for name, module in typescript.items() for bad in ANY.findall(module.code)] == []


# Both


def test_no_file_is_too_long() -> None:
    folders = (
        ROOT / "src",
        ROOT / "scripts",
        ROOT / "tests",
        WEB,
        ROOT / "web" / "tests",
        ROOT / "web" / "build",
    )
    files = [
        path for folder in folders for path in folder.rglob("*") if path.suffix in {".py", ".ts", ".tsx"}
    ]
    assert len(files) > 20
    lines = {path: path.read_text("utf-8").count("\n") for path in files if not is_generated(path)}
    assert {str(path.relative_to(ROOT)): count for path, count in lines.items() if count > LONGEST} == {}


def test_both_languages_have_the_same_layers() -> None:
    shared = {layer for layer in TYPESCRIPT_LAYERS if layer not in {"ui", "main", "worker"}}
    assert {layer: PYTHON_LAYERS[layer] for layer in shared - {"client"}} == {
        layer: TYPESCRIPT_LAYERS[layer] for layer in shared - {"client"}
    }


# The checks themselves


def test_relative_and_lazy_python_imports_are_seen() -> None:
    code = "from . import b\nfrom ..wire.cbor import encode\ndef f():\n    import socket\n"
    assert python_imports(code, "polynya.mls.a", is_package=False) == {
        "polynya.mls",
        "polynya.mls.b",
        "polynya.wire.cbor",
        "polynya.wire.cbor.encode",
        "socket",
    }


def test_a_module_of_a_package_is_not_the_package() -> None:
    codes = {"p": "", "p.a": "from p import b\nfrom p.b import name", "p.b": "from p import name"}
    graph = python_graph(
        {
            name: Module(Path(name), python_imports(code, name, is_package=False), code)
            for name, code in codes.items()
        }
    )
    assert (graph["p.a"], graph["p.b"]) == (frozenset({"p.b"}), frozenset({"p"}))


def test_typescript_imports_of_all_forms_are_seen() -> None:
    text = """
import type { A } from './a.ts'; // from './comment.ts'
import {
  b,
} from "../b.ts";
import './c.css';
export * from './d.ts';
const e = await import('./e.ts');
const text = "import './not.ts'";
/* import './neither.ts'; */
"""
    assert typescript_imports(text) == {"./a.ts", "../b.ts", "./c.css", "./d.ts", "./e.ts"}
    assert resolve("../b.ts", "ui/chat/row.tsx") == "ui/b.ts"
    assert resolve("preact", "ui/chat/row.tsx") is None


def test_a_cycle_is_found() -> None:
    assert find_cycle({"a": frozenset("b"), "b": frozenset("c"), "c": frozenset("b")}) == ("b", "c")
    assert find_cycle({"a": frozenset("bc"), "b": frozenset("c"), "c": frozenset()}) is None


def test_an_upward_import_is_found() -> None:
    graph = {
        "wire.cbor": frozenset({"mls.tree", "crypto.hashes"}),
        "mls.tree": frozenset(),
        "crypto.hashes": frozenset(),
    }
    assert upward(graph, ".", PYTHON_LAYERS) == ["wire.cbor imports mls.tree"]


@pytest.mark.parametrize("name", ["socket", "os.path", "time", "secrets", "aiohttp", "polynya_evil"])
def test_an_impure_import_is_found(name: str) -> None:
    assert impure_imports(frozenset({name, "hashlib", "cryptography.hazmat"})) == {name.partition(".")[0]}


@pytest.mark.parametrize(
    "code", ["Date.now()", "new Date()", "crypto.getRandomValues(x)", "await fetch(url)"]
)
def test_impure_typescript_is_found(code: str) -> None:
    assert IMPURE_TYPESCRIPT.search(typescript_code(code))
    assert not IMPURE_TYPESCRIPT.search(typescript_code(f"// {code}\nconst text = '{code}';"))


@pytest.mark.parametrize(
    "code", ["let a: any;", "x as any", "Array<any>", "f(b: string, c: any)", "type T = any;"]
)
def test_any_is_found(code: str) -> None:
    assert ANY.search(typescript_code(code))
    assert not ANY.search("let many: Company; const any = f(any_);")
