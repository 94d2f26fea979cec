"""The repository speaks of the project alone, and everything that it installs is pinned and explained."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support.imports import python_modules, typescript_modules

ROOT = Path(__file__).resolve().parents[1]
LOCKS = ("run", "dev")

# Written so that this file does not match itself.
MACHINE_PATH = re.compile(r"(?<![\w.$}~-])/(?:work|root|home|tmp|Users)/[\w.-]")
REGISTRY_HOST = re.compile(
    r"\b(?:pypi\.(?:org|python)|files\.pythonhosted\.|test\.pypi\.|registry\.(?:npmjs|yarnpkg)\.|registry\.npm"
    r"|deb\.debian\.|(?:snapshot|security)\.debian\.|nodejs\.org/dist|crates\.io|proxy\.golang\.)"
)
UNFINISHED = re.compile(r"\b(?:TO" r"DO|FIX" r"ME|X" r"XX|HA" r"CK)\b")


def repository_files() -> list[Path]:
    """Every text file of the repository, new ones included; without git, what lies below the root."""
    git = shutil.which("git")
    if git is not None and (ROOT / ".git").exists():
        command = [git, "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        listed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        paths = [ROOT / name for name in listed.split("\0") if name]
    else:
        ignored = {".venv", "node_modules", "build", "dist", "webapp", "__pycache__"}
        paths = [path for path in ROOT.rglob("*") if not ignored & set(path.relative_to(ROOT).parts)]
    return [path for path in paths if path.is_file() and b"\0" not in path.read_bytes()[:8192]]


def offences(pattern: re.Pattern[str], files: list[Path]) -> list[str]:
    """Lines that match, as "path:line: text"."""
    found: list[str] = []
    for path in files:
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
            if pattern.search(line):
                found.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()[:120]}")
    return found


@pytest.fixture(scope="module")
def files() -> list[Path]:
    found = [path for path in repository_files() if path != Path(__file__)]
    assert len(found) > 50
    return found


@pytest.fixture(scope="module")
def pyproject() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


@pytest.fixture(scope="module")
def package() -> dict[str, Any]:
    content: dict[str, Any] = json.loads((ROOT / "web" / "package.json").read_text("utf-8"))
    return content


def python_requirements(pyproject: dict[str, Any], lock: str) -> list[Requirement]:
    """What the lock `run` or `dev` must satisfy."""
    project, groups = pyproject["project"], pyproject["dependency-groups"]
    lines = [*project["dependencies"], *project["optional-dependencies"]["relay"], *groups["build"]]
    if lock == "dev":
        lines += [line for line in groups["dev"] if isinstance(line, str)]
    return [Requirement(line) for line in lines]


def locked(lock: str) -> dict[str, str]:
    """Name to exact version; every entry of the lock must be pinned and hashed."""
    text = (ROOT / "requirements" / f"{lock}.txt").read_text("utf-8")
    entries = re.split(r"\n(?=[a-z0-9])", "\n" + re.sub(r"(?m)^\s*#.*\n", "", text))
    versions: dict[str, str] = {}
    for entry in (entry for entry in entries if entry.strip()):
        pin = re.match(r"([a-z0-9._-]+)==([^\s;]+)[^\n]*\\\n", entry)
        assert pin is not None, entry
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", entry), entry
        versions[canonicalize_name(pin[1])] = pin[2]
    return versions


def test_no_machine_paths(files: list[Path]) -> None:
    assert offences(MACHINE_PATH, files) == []


def test_no_registry_hosts(files: list[Path]) -> None:
    assert offences(REGISTRY_HOST, files) == []


def test_nothing_is_left_unfinished(files: list[Path]) -> None:
    assert offences(UNFINISHED, files) == []


@pytest.mark.parametrize("lock", LOCKS)
def test_python_lock_satisfies_pyproject(pyproject: dict[str, Any], lock: str) -> None:
    versions = locked(lock)
    for requirement in python_requirements(pyproject, lock):
        version = versions.get(canonicalize_name(requirement.name))
        assert version is not None, f"{requirement.name} is not locked: make locks"
        assert requirement.specifier.contains(version), f"{requirement} is locked at {version}: make locks"


def test_both_python_locks_agree() -> None:
    run, dev = locked("run"), locked("dev")
    assert {name: dev.get(name) for name in run} == run


@pytest.mark.parametrize("lock", LOCKS)
def test_python_lock_names_no_index(lock: str) -> None:
    text = (ROOT / "requirements" / f"{lock}.txt").read_text("utf-8")
    assert not re.search(r"(?m)^\s*(?:-i|-f|--(?:extra-)?index-url|--find-links|--trusted-host)\b|://", text)


def test_the_build_uses_what_is_locked(pyproject: dict[str, Any]) -> None:
    groups = {Requirement(line).name: line for line in pyproject["dependency-groups"]["build"]}
    assert pyproject["build-system"]["requires"] == [groups["hatchling"]]


def test_node_lock_is_pinned_and_names_no_host(package: dict[str, Any]) -> None:
    lock = json.loads((ROOT / "web" / "package-lock.json").read_text("utf-8"))
    direct = {**package["dependencies"], **package["devDependencies"]}
    assert lock["packages"][""]["dependencies"] == package["dependencies"]
    assert lock["packages"][""]["devDependencies"] == package["devDependencies"]
    others = {name: entry for name, entry in lock["packages"].items() if name}
    assert len(others) > len(direct)
    assert [
        name for name, entry in others.items() if not entry.get("integrity", "").startswith("sha512-")
    ] == []
    assert [name for name, entry in others.items() if "resolved" in entry] == []
    assert {name: others[f"node_modules/{name}"]["version"] for name in direct} == direct


def test_every_dependency_is_explained(pyproject: dict[str, Any], package: dict[str, Any]) -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text("utf-8")
    explained = re.findall(r"(?m)^\| `([^`]+)` \| \S.*\|$", text.partition("## Dependencies")[2])
    python = {requirement.name for requirement in python_requirements(pyproject, "dev")}
    assert sorted(explained) == sorted(
        python | package["dependencies"].keys() | package["devDependencies"].keys()
    )


def test_python_imports_only_declared_packages(pyproject: dict[str, Any]) -> None:
    project = pyproject["project"]
    lines = [*project["dependencies"], *project["optional-dependencies"]["relay"]]
    declared = {Requirement(line).name for line in lines} | {"polynya"}
    modules = python_modules(ROOT / "src" / "polynya").values()
    imported = {name.partition(".")[0] for module in modules for name in module.imports}
    assert {name for name in imported if name not in sys.stdlib_module_names} <= declared


def test_the_web_app_imports_only_declared_packages(package: dict[str, Any]) -> None:
    modules = typescript_modules(ROOT / "web" / "src").values()
    bare = {name for module in modules for name in module.imports if not name.startswith(".")}
    imported = {re.sub(r"^(@[^/]+/[^/]+|[^@/][^/]*).*", r"\1", name) for name in bare}
    assert imported <= package["dependencies"].keys()


@pytest.mark.parametrize("line", ["cd /work/main", "'/tmp/x'", "see /root/.cache"])
def test_a_machine_path_is_found(line: str) -> None:
    assert MACHINE_PATH.search(line)
    assert not MACHINE_PATH.search("src/polynya/work/x $HOME/work/x https://example.org/home/x ./tmp/x")
