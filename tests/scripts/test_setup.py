"""`make up` on a machine that lacks something says what to do, and touches nothing."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from scripts import fresh

ROOT = Path(__file__).resolve().parents[2]
# Written to the fake Python: which of setup's two questions it answers with yes.
NO_PYTHON = "exit 1"
NO_VENV = 'case "$2" in *ensurepip*) exit 1 ;; esac'


def run_setup(folder: Path, python: str) -> subprocess.CompletedProcess[str]:
    """scripts/setup in a tree of its own, with this shell script as the only Python."""
    for name in ("scripts/setup", "requirements/run.txt", "pyproject.toml"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    programs = folder / "bin"
    programs.mkdir()
    for name in ("cat", "cksum", "dirname", "grep", "rm", "sh"):
        found = shutil.which(name)
        assert found is not None
        (programs / name).symlink_to(found)
    fake = programs / "python3"
    fake.write_text(f"#!{programs}/sh\n{python}\n", "utf-8")
    fake.chmod(0o755)
    environment = {key: value for key, value in os.environ.items() if key != "PYTHON"} | {
        "PATH": str(programs)
    }
    return subprocess.run(
        [str(folder / "scripts" / "setup"), "run"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("python", "words"),
    [(NO_PYTHON, "Polynya needs Python 3.11 or newer"), (NO_VENV, "apt install python3-venv")],
)
def test_what_is_missing_is_said(tmp_path: Path, python: str, words: str) -> None:
    done = run_setup(tmp_path, python)
    assert done.returncode == 1
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / ".venv").exists()


def test_the_readme_names_its_prerequisites_and_first_command() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    assert {"git", "make", "python3", "python3-venv"} == set(fresh.readme_packages(readme))
    assert "make up" in fresh.readme_block(readme).splitlines()


def test_targets_run_the_packaged_node() -> None:
    """npm's scripts ask the path for `node`: a system's own may be older than what they need, or not there."""
    show = ["make", "-s", "--eval", "show: ; @command -v node", "show"]
    done = subprocess.run(show, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(ROOT / ".venv" / "bin" / "node")
