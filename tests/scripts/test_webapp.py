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
    "index.html": {
        "file": "main.js",
        "css": ["main.css"],
        "imports": ["_shared.js"],
        "dynamicImports": ["src/mls.ts", "src/later.ts"],
    },
    "_shared.js": {"file": "shared.js"},
    "src/mls.ts": {"file": "mls.js", "imports": ["_shared.js"]},
    "src/later.ts": {"file": "later.js", "dynamicImports": ["src/much_later.ts"]},
    "src/much_later.ts": {"file": "much_later.js"},
}
WEIGHTS = {
    "index.html": 1,
    "main.js": 20,
    "main.css": 300,
    "shared.js": 4_000,
    "mls.js": 50_000,
    "later.js": 600_000,
}


def test_lazy_modules_count_unless_they_are_named(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_build(tree, CHUNKS, {**WEIGHTS, "much_later.js": 7_000_000})
    monkeypatch.setattr(webapp, "LATER", frozenset({"src/later.ts"}))
    assert sum(weight for _, weight in webapp.size()) == 54_321
    monkeypatch.setattr(webapp, "LATER", frozenset())
    assert sum(weight for _, weight in webapp.size()) == 7_654_321


def test_a_module_that_is_no_longer_there_cannot_be_excused(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_build(tree, CHUNKS, WEIGHTS)
    monkeypatch.setattr(webapp, "LATER", frozenset({"src/gone.ts"}))
    with pytest.raises(webapp.BuildError, match=r"src/gone\.ts"):
        webapp.size()


@pytest.mark.parametrize(
    ("weight", "kept"), [(webapp.FIRST_MESSAGE_LIMIT, True), (webapp.FIRST_MESSAGE_LIMIT + 1, False)]
)
def test_the_limit_is_a_limit(tree: Path, monkeypatch: pytest.MonkeyPatch, weight: int, kept: bool) -> None:
    write_build(tree, {"index.html": {"file": "main.js"}}, {"main.js": weight})
    monkeypatch.setattr(webapp, "LATER", frozenset())
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
