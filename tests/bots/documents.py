"""Python code as it stands in the documents, for tests that run it unchanged."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^#+ .*$", re.MULTILINE)


def python_blocks(text: str) -> list[str]:
    return _BLOCK.findall(text)


def block_below(text: str, word: str) -> str:
    """The first Python block below the first heading that holds `word` in any case."""
    for heading in _HEADING.finditer(text):
        if word in heading[0].lower():
            return python_blocks(text[heading.end() :])[0]
    raise AssertionError(f"no heading holds {word!r}")
