"""A relay and clients for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from polynya.relay.server import RunningRelay
from tests.relay.client import Client
from tests.relay.tokenworld import World, world
from tests.support.relay import running_relay


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[RunningRelay]:
    async with running_relay(tmp_path / "data") as running:
        yield running


@pytest.fixture
async def client(running: RunningRelay) -> AsyncIterator[Client]:
    client = Client(running.address, running.identity)
    yield client
    await client.close()


@pytest.fixture
async def relay(tmp_path: Path) -> AsyncIterator[World]:
    """That wants tokens."""
    async with world(tmp_path / "data") as made:
        yield made
