"""The MLS working group's vectors, one test per file; see `tests.vectors.mls`."""

from __future__ import annotations

import pytest

from tests.vectors import mls


def test_every_official_file_has_a_check() -> None:
    if not mls.directory().is_dir():
        assert not mls.required(), f"{mls.directory()} is absent"
        pytest.skip("no MLS test vectors here")
    assert {path.stem for path in mls.directory().glob("*.json")} == set(mls.CHECKS)


@pytest.mark.parametrize("name", sorted(mls.CHECKS))
def test_official_file_passes_in_full(name: str) -> None:
    path = mls.directory() / f"{name}.json"
    if not mls.directory().is_dir() and not mls.required():
        pytest.skip("no MLS test vectors here")
    failures: list[str] = []
    count, passed = mls.run_file(path, failures.append)
    assert not failures, failures[0]
    assert 0 < count == passed


def test_a_wrong_byte_in_a_vector_fails() -> None:
    """The checks are able to fail."""
    if not mls.directory().is_dir() and not mls.required():
        pytest.skip("no MLS test vectors here")
    case = mls.cases(mls.directory() / "passive-client-handling-commit.json")[0]
    case["epochs"][-1]["epoch_authenticator"] = "00" * 32
    with pytest.raises(AssertionError):
        mls.CHECKS["passive-client-handling-commit"](case)
