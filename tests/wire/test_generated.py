"""What is generated is what the sources say now."""

from __future__ import annotations

from scripts import generate
from scripts.vectors import __main__ as vectors


def test_codecs_are_up_to_date() -> None:
    outputs = generate.outputs()
    assert len(outputs) >= 3
    stale = [path.name for path, text in outputs.items() if path.read_text("utf-8") != text]
    assert not stale, "run: python -m scripts.generate"


def test_vectors_are_up_to_date() -> None:
    outputs = vectors.outputs()
    assert {path for path in vectors.FOLDER.glob("*.json")} == set(outputs)
    stale = [path.name for path, text in outputs.items() if path.read_text("utf-8") != text]
    assert not stale, "run: python -m scripts.vectors"
