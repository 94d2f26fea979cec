"""Which web app relays of this process serve."""

from __future__ import annotations

from pathlib import Path

import pytest

from polynya.relay.webapp import WebApp


def use_app(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """That of this folder, whatever was built."""
    monkeypatch.setattr(WebApp.__init__, "__defaults__", (folder,))
