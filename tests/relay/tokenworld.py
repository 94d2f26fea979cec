"""A real relay that wants tokens, with a clock of its own, and a client of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from polynya.relay.config import REQUIRED
from polynya.relay.limits import Limits
from polynya.relay.server import RunningRelay
from polynya.relay.store.base import key_number
from polynya.relay.store.sqlite import SqliteStore
from polynya.wire.messages import (
    TOKEN_KEY_PERIOD,
    Done,
    JoinRelay,
    Request,
    Response,
    TokenKind,
)
from tests.relay.client import Client, expect
from tests.relay.purse import Purse, invitation
from tests.support.relay import running_relay

LIMITS = replace(Limits(), disk_reserve=0)
START = 740 * TOKEN_KEY_PERIOD + 5_000
"""ms: early in a period of the token keys, and in a day."""


class Clock:
    def __init__(self, now: int = START) -> None:
        self.now = now

    def __call__(self) -> int:
        return self.now


class World:
    """A relay that wants tokens, and one client of it."""

    def __init__(self, data: Path, running: RunningRelay, client: Client, clock: Clock) -> None:
        self.data = data
        self.running = running
        self.client = client
        self.clock = clock

    async def ask(self, request: Request) -> Response:
        return await self.client.exchange(request)

    async def member(self, token: bytes | None = None) -> Purse:
        """One who was invited, by the relay's owner if `token` says nothing else."""
        purse = Purse(self.client)
        token = token or await invitation(self.client, self.data)
        expect(Done, await self.ask(JoinRelay(purse.secret, token)))
        return purse

    async def stranger(self) -> Purse:
        """A member who has the relay's link and no more."""
        purse = Purse(self.client)
        expect(Done, await self.ask(JoinRelay(purse.secret)))
        return purse

    def spent(self, kind: TokenKind = TokenKind.USE) -> int:
        store = self.running.relay.store
        assert isinstance(store, SqliteStore)
        keys = [row[0] for row in store._writer._db.execute("SELECT key FROM spent_tokens")]
        first = key_number(kind, 0)
        return sum(key % len(TokenKind) == first for key in keys)


@asynccontextmanager
async def world(data: Path, clock: Clock | None = None, **changed: Any) -> AsyncIterator[World]:
    clock = clock or Clock()
    tokens = changed.pop("tokens", REQUIRED)
    limits = replace(LIMITS, **changed)
    async with running_relay(data, clock=clock, limits=limits, tokens=tokens, local="off") as running:
        client = Client(running.address, running.identity, clock)
        yield World(data, running, client, clock)
        await client.close()
