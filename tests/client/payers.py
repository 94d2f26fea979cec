"""Clients of a relay that wants tokens, whose owner notes what he sees and may interfere."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from polynya import Client
from polynya.client.purse import Purse
from polynya.client.system import SystemRandom, now
from polynya.core.commands import ProblemRaised, Save
from polynya.core.events import TimerFired
from polynya.relay.config import REQUIRED
from polynya.relay.limits import Limits
from polynya.wire import messages as m
from tests.hostile.operator import Operator, Seen, hostile_relay
from tests.relay.client import Client as RawClient
from tests.relay.purse import invitation

PAYABLE = (m.CreateTopic, m.CreateInbox, m.PutKeyPackages, m.PutBlob)
REFILLING = (m.GetTokenKeys, m.JoinRelay, m.IssueTokens)


class Clock:
    """Of the relay and of the devices."""

    def __init__(self) -> None:
        self.shift = 0

    def __call__(self) -> int:
        return now() + self.shift


class Patient(SystemRandom):
    """Fills a stock that is low as late as may be."""

    def bytes(self, n: int) -> bytes:
        return b"\xff" * 4 if n == 4 else super().bytes(n)


OWNER = bytes(31) + b"\x01"
"""member secret"""


@asynccontextmanager
async def paid_relay(
    data: Path, *, clock: Clock | None = None, tokens: str = REQUIRED, port: int = 0, **limits: Any
) -> AsyncIterator[Operator]:
    """A relay that is somebody's already: whoever comes by its link is not the first."""
    changed = replace(Limits(), disk_reserve=0, **limits)
    async with hostile_relay(data, clock=clock or now, tokens=tokens, limits=changed, port=port) as operator:
        first = _raw(operator)
        try:
            await first.exchange(m.JoinRelay(OWNER))
        finally:
            await first.close()
        operator.seen.clear()
        yield operator


def _raw(operator: Operator) -> RawClient:
    return RawClient(operator.running.address, operator.running.identity, operator.relay.now)


def purse_of(client: Client, relay: bytes | None = None) -> Purse:
    """Of the home relay unless another is named."""
    return client.loop.purses._purse(relay or client.me.relay.identity)


async def invited(operator: Operator, data: Path) -> bytes:
    """A token for joining, from the relay's owner."""
    client = _raw(operator)
    try:
        return await invitation(client, data)
    finally:
        await client.close()


async def crash(client: Client) -> None:
    """Nothing is written any more, and nothing is said."""
    loop = client.loop

    async def lost(saves: list[Save]) -> None:
        """The power is off."""

    loop._write = loop.purses._write = lost  # type: ignore[method-assign, assignment]
    await client.close()


def shown(seen: list[Seen]) -> list[Seen]:
    """Requests with a token for use."""
    return [each for each in seen if isinstance(each.request, PAYABLE) and each.request.token is not None]


def refused_tokens(seen: list[Seen]) -> list[Seen]:
    return [each for each in shown(seen) if each.response == m.Refused(m.RefusalCode.TOKEN)]


def kinds(seen: list[Seen], *wanted: type) -> list[str]:
    return [type(each.request).__name__ for each in seen if isinstance(each.request, wanted)]


def issued(seen: list[Seen]) -> set[bytes]:
    """Blinded messages of kind use that were signed."""
    return {
        blinded
        for each in seen
        if isinstance(each.request, m.IssueTokens)
        and each.request.kind == m.TokenKind.USE
        and isinstance(each.response, m.TokensIssued)
        for blinded in each.request.blinded
    }


def raised(client: Client) -> list[str]:
    """Codes of problems of the relay that the client is told of from now on."""
    found: list[str] = []
    client.loop.listen(
        lambda event: (
            found.append(event.code)
            if isinstance(event, ProblemRaised) and event.conversation is None
            else None
        )
    )
    return found


def look(client: Client) -> None:
    """The device looks at its clock and its timers."""
    client.retry_now()
    client.loop._put(TimerFired())
