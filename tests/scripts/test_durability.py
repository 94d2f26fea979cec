"""What `make soak` says of a relay in the end."""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path
from typing import Any

import pytest

from scripts import durability
from tests.relay.load import Broken


async def test_a_promise_that_was_broken_stays_so_while_other_faults_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One that fails ends while one that began before is still going on."""
    broken = asyncio.Event()

    async def breaks(*_: object) -> str:
        broken.set()
        raise Broken("a record is lost")

    async def lasts(*_: object) -> str:
        await broken.wait()
        await asyncio.sleep(0)
        return "nothing wrong"

    monkeypatch.setattr(durability, "FAULTS", {"lasts": lasts, "breaks": breaks})
    monkeypatch.setattr(durability, "missing", lambda _: None)
    arguments = argparse.Namespace(faults=("lasts", "breaks"), rounds=1, workers=2)
    server: Any = None
    assert not await durability.faults(arguments, tmp_path, 1, server)
    assert "FAILED: breaks: a record is lost" in capsys.readouterr().out
