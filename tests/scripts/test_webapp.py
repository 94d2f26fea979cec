"""The build of the web app: it is repeated when it must be, and its weight is counted honestly."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

from scripts import webapp


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A source tree with one of each kind of source, in place of the real one."""
    for name in (
        "web/src/ui/a.ts",
        "web/public/icon.svg",
        "web/build/step.ts",
        "web/index.html",
        "web/package-lock.json",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name, "utf-8")
    monkeypatch.setattr(webapp, "ROOT", tmp_path)
    monkeypatch.setattr(webapp, "WEB", tmp_path / "web")
    monkeypatch.setattr(webapp, "OUTPUT", tmp_path / "webapp")
    monkeypatch.setattr(webapp, "MANIFEST", tmp_path / "manifest.json")
    return tmp_path


def write_build(tree: Path, chunks: dict[str, dict[str, object]], weights: dict[str, int]) -> None:
    (tree / "manifest.json").write_text(json.dumps(chunks), "utf-8")
    (tree / "webapp").mkdir(exist_ok=True)
    (tree / "webapp" / "index.html").write_text('<script src="./first.js">', "utf-8")
    for name, weight in weights.items():
        path = tree / "webapp" / f"{name}.br"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bytes(weight))


def test_every_kind_of_source_makes_a_build_stale(tree: Path) -> None:
    before = webapp._digest(webapp.sources())
    assert len(webapp.sources()) == 5
    for source in webapp.sources():
        content = source.read_text("utf-8")
        source.write_text("changed", "utf-8")
        assert webapp._digest(webapp.sources()) != before, source
        source.write_text(content, "utf-8")
    (tree / "web/src/ui/a.ts").rename(tree / "web/src/ui/b.ts")
    assert webapp._digest(webapp.sources()) != before


CHUNKS: dict[str, dict[str, object]] = {
    "_first.js": {
        "file": "first.js",
        "name": "first",
        "css": ["first.css"],
        "imports": ["_shared.js"],
        "dynamicImports": ["_client.js", "src/later.ts", "src/en.ts", "src/ru.ts"],
    },
    "_shared.js": {"file": "shared.js", "name": "shared"},
    "_client.js": {"file": "client.js", "name": "client", "imports": ["_first.js", "_wire.js"]},
    "_wire.js": {"file": "wire.js", "name": "wire", "dynamicImports": ["src/later.ts"]},
    "src/later.ts": {"file": "later.js", "name": "later", "css": ["later.css"]},
    "src/en.ts": {"file": "en.js", "name": "en"},
    "src/ru.ts": {"file": "ru.js", "name": "ru"},
}
WEIGHTS = {
    "index.html": 1,
    "first.js": 20,
    "first.css": 300,
    "shared.js": 4_000,
    "client.js": 50_000,
    "wire.js": 600_000,
    "later.js": 7_000_000,
    "later.css": 7_000_000,
    "en.js": 1_000_000,
    "ru.js": 2_000_000,
}


def test_all_that_is_imported_and_what_is_needed_by_name_counts_and_nothing_else(tree: Path) -> None:
    write_build(tree, CHUNKS, WEIGHTS)
    assert sum(webapp.size().values()) == 2_654_321


def test_the_larger_language_counts(tree: Path) -> None:
    write_build(tree, CHUNKS, {**WEIGHTS, "en.js": 3_000_000})
    assert sum(webapp.size().values()) == 3_654_321


@pytest.mark.parametrize("gone", ["_client.js", "src/ru.ts"])
def test_a_part_that_is_counted_by_name_must_be_there(tree: Path, gone: str) -> None:
    write_build(tree, {key: chunk for key, chunk in CHUNKS.items() if key != gone}, WEIGHTS)
    with pytest.raises(webapp.BuildError, match=str(CHUNKS[gone]["name"])):
        webapp.size()


@pytest.mark.parametrize(
    ("weight", "kept"), [(webapp.FIRST_MESSAGE_LIMIT, True), (webapp.FIRST_MESSAGE_LIMIT + 1, False)]
)
def test_the_limit_is_a_limit(tree: Path, weight: int, kept: bool) -> None:
    weights = dict.fromkeys(WEIGHTS, 0)
    write_build(tree, CHUNKS, {**weights, "client.js": weight})
    assert webapp.report_size() is kept


def test_node_comes_from_the_locked_package() -> None:
    pyproject = tomllib.loads((webapp.ROOT / "pyproject.toml").read_text("utf-8"))
    assert webapp.node_requirement() in pyproject["dependency-groups"]["build"]
    assert webapp.node_program().is_file()
    assert webapp.npm_script().is_file()


def test_an_unpacked_sdist_is_not_built_again(tree: Path) -> None:
    assert not webapp.is_prebuilt()
    (tree / "PKG-INFO").touch()
    assert not webapp.is_prebuilt(), (
        "an sdist without the app must be refused by the build, not installed without it"
    )
    (tree / "webapp").mkdir()
    (tree / "webapp" / "index.html").touch()
    assert webapp.is_prebuilt()
