"""Sections of docs/performance.md that commands write: figures are never typed by hand."""

from __future__ import annotations

from pathlib import Path

from scripts.webapp import ROOT

PERFORMANCE = ROOT / "docs" / "performance.md"


def marks(name: str, command: str = "make bench") -> tuple[str, str]:
    """The lines before and after a section."""
    return f"<!-- begin {name}: written by `{command}` -->", f"<!-- end {name} -->"


def put(name: str, content: str, path: Path = PERFORMANCE, command: str = "make bench") -> None:
    """Replaces the section; raises ValueError where the document has none of this name."""
    begin, end = marks(name, command)
    before, found, rest = path.read_text("utf-8").partition(begin)
    _, closed, after = rest.partition(end)
    if not found or not closed:
        raise ValueError(f"{path} has no section between the lines {begin!r} and {end!r}: put them in")
    path.write_text(f"{before}{begin}\n\n{content.strip()}\n\n{end}{after}", "utf-8")
