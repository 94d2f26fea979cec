"""Fixtures of tests with a client on a relay."""

from __future__ import annotations

import pytest

from polynya.client import loop
from polynya.paths import backoff


@pytest.fixture
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clients come back after 50 ms to a second: the schedule's shape stays, a test that ends a relay is quick."""
    monkeypatch.setattr(loop, "RESTART_MOST", 200)
    pause = backoff.pause
    monkeypatch.setattr(
        backoff, "pause", lambda failures, chance, **more: pause(failures, chance, first=50, largest=1_000)
    )
