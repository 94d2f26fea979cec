"""The MLS working group's vectors, one test per file; see `tests.vectors.mls`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.vectors import mls

FILES = mls.files()


def require_vectors() -> None:
    if not mls.directory().is_dir():
        assert not mls.required(), f"{mls.directory()} is absent"
        pytest.skip("no MLS test vectors here")


def test_every_kind_has_a_file_and_every_file_a_check() -> None:
    require_vectors()
    assert not mls.missing()
    assert all(mls.kind_of(path) for path in FILES)
    assert len(mls.CHECKS) == 16


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_official_file_passes_in_full(path: Path) -> None:
    failures: list[str] = []
    count, passed = mls.run_file(path, failures.append)
    assert not failures, failures[0]
    assert 0 < count == passed


def test_a_wrong_byte_in_a_vector_fails() -> None:
    """The checks are able to fail."""
    require_vectors()
    case = mls.cases(mls.directory() / "passive-client-handling-commit.json")[0]
    case["epochs"][-1]["epoch_authenticator"] = "00" * 32
    with pytest.raises(AssertionError):
        mls.CHECKS["passive-client-handling-commit"](case)


def test_new_files_of_known_kinds_are_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    require_vectors()
    for path in FILES:
        (tmp_path / path.name).write_text(json.dumps(mls.cases(path)[:1]))
    for new, like in (("passive-client-random", "passive-client-welcome"), ("tree-math-large", "tree-math")):
        (tmp_path / f"{new}.json").symlink_to(f"{like}.json")
    monkeypatch.setenv("POLYNYA_MLS_VECTORS", str(tmp_path))
    assert mls.main() == 0
    said = capsys.readouterr().out
    assert "passive-client-random" in said and "tree-math-large" in said

    (tmp_path / "novelty.json").write_text("[]")
    (tmp_path / "welcome.json").unlink()
    assert mls.main() == 1
    said = capsys.readouterr().out
    assert "novelty.json is of no kind" in said
    assert [line.split() for line in said.splitlines() if line.endswith("missing")] == [
        ["welcome", "is", "missing"]
    ]
