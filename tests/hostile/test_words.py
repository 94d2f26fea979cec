"""Whatever goes wrong by itself has plain words at the command line and in the web app, in each of its languages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from polynya.cli import problems
from polynya.client.purse import PROBLEMS
from polynya.core.problems import CODES

TEXTS = Path(__file__).resolve().parents[2] / "web" / "src" / "ui" / "text"


def test_the_command_line_has_words_for_each_problem() -> None:
    assert problems.WORDS.keys() == {*CODES, *PROBLEMS}
    for code in problems.WORDS:
        words = problems.WORDS[code]
        assert len(words) > 20 and words[0].isupper() and not words.endswith(".")
        assert problems.explained(code) == f"{code}. {words}"


@pytest.mark.parametrize("language", ["en", "ru"])
def test_the_web_app_has_words_for_each_problem(language: str) -> None:
    text = "".join((TEXTS / name).read_text("utf-8") for name in (f"{language}.ts", f"{language}_later.ts"))
    there = dict(re.findall(r"'error:([a-z-]+)': '((?:[^'\\]|\\.)+)'", text))
    assert {*CODES, *PROBLEMS} <= there.keys()
    assert all(len(there[code]) > 20 for code in (*CODES, *PROBLEMS))
