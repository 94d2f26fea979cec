"""Every Python block of docs/bots.md, written to the file that it names and run as its readers would."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.bots.documents import ROOT, block_below, python_blocks

NAME = re.compile(r"# ([a-z_]+\.py)\n")


@pytest.fixture
def blocks() -> dict[str, str]:
    found = {}
    for block in python_blocks((ROOT / "docs" / "bots.md").read_text("utf-8")):
        name = NAME.match(block)
        assert name is not None, "every block names its file in its first line"
        found[name[1]] = block
    assert {"echo_bot.py", "counter_bot.py", "private_bot.py", "test_bots.py"} == set(found)
    return found


def test_the_documents_tests_pass(tmp_path: Path, blocks: dict[str, str]) -> None:
    for name, code in blocks.items():
        (tmp_path / name).write_text(code, "utf-8")
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("POLYNYA_", "PYTEST_"))}
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "--rootdir",
            str(tmp_path),
            "test_bots.py",
        ],
        cwd=tmp_path,
        env={**environment, "PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 passed" in done.stdout


def test_the_readme_has_the_same_bot() -> None:
    def handler(code: str) -> str:
        return code[code.index("@bot.message") :].partition("\n\n\n")[0]

    readme = block_below((ROOT / "README.md").read_text("utf-8"), "bot")
    guide = block_below((ROOT / "docs" / "bots.md").read_text("utf-8"), "first bot")
    assert handler(readme) == handler(guide)
