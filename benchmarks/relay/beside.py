"""Publishing and delivering beside the prototype and XMPP servers: rounds of all alternate, and what counts is the
ratio of each round, as a busy machine disturbs both."""

from __future__ import annotations

import os
import signal
import statistics
import tempfile
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.relay import bare, crowd, device, xmpp
from benchmarks.relay.crowd import Load
from tests.support.relay import RelayProcess

PUBLISH = Load(pairs=8, records=6_000, window=8, fan=1)
DELIVERY = Load(pairs=8, records=1_200, window=8, fan=10)
CHAT_RECORDS = 6_000
PEERS = ("prototype", *xmpp.MESSAGES)


@dataclass(slots=True)
class Pair:
    """us of processor for each: a peer's and ours of every round; records a second of the last."""

    peer: list[float] = field(default_factory=list)
    ours: list[float] = field(default_factory=list)

    def add(self, peer: float, ours: float) -> None:
        self.peer.append(peer)
        self.ours.append(ours)

    @property
    def ratio(self) -> float:
        """Median of the rounds: ours to the peer's."""
        return statistics.median(ours / peer for peer, ours in zip(self.peer, self.ours, strict=True))

    @property
    def spread(self) -> tuple[float, float]:
        ratios = [ours / peer for peer, ours in zip(self.peer, self.ours, strict=True)]
        return min(ratios), max(ratios)


@dataclass(slots=True)
class Beside:
    bare: dict[str, Pair] = field(default_factory=dict)
    """by "publish" and "delivery" """
    xmpp: dict[str, Pair] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)


@contextmanager
def stopped(pids: Sequence[int]) -> Iterator[None]:
    """Those programs do nothing within the block: Erlang's schedulers go on turning for a while after a load."""
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


async def measure(rounds: int, peers: Collection[str], tell: Callable[[str], None]) -> Beside:
    """Starts the relay and those of `peers` that are here."""
    found = Beside()
    async with AsyncExitStack() as stack:
        work = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        data = work / "relay"
        data.mkdir(mode=0o700)
        (data / "relay.toml").write_text(crowd.UNLIMITED)
        relay = await stack.enter_async_context(RelayProcess(data, "--local", "off"))
        entrance = await device.entrance(relay)
        servers: dict[str, tuple[int, int]] = {}

        async def ours(load: Load) -> float:
            with stopped([pid for pid, _ in servers.values()]):
                outcome = await crowd.measure(relay, entrance, load)
            return outcome.cpu / load.records / load.fan * 1e6

        for name in PEERS:
            if name not in peers:
                found.missing[name] = "not asked for"
        if "prototype" in peers and (why := bare.missing()):
            found.missing["prototype"] = why
        for name in xmpp.MESSAGES:
            if name in found.missing:
                continue
            if why := xmpp.missing(name):
                found.missing[name] = why
                continue
            folder = work / name
            folder.mkdir()
            try:
                servers[name] = await stack.enter_async_context(xmpp.server(name, folder))
            except (TimeoutError, OSError):
                said = (folder / "said").read_text(errors="replace").strip().splitlines()
                found.missing[name] = f"does not start here: {said[-1] if said else 'it says nothing'}"
        for number in range(rounds):
            if "prototype" not in found.missing:
                for what, load in (("publish", PUBLISH), ("delivery", DELIVERY)):
                    tell(f"{what} beside the prototype, round {number + 1} of {rounds}")
                    with stopped([pid for pid, _ in servers.values()]):
                        outcome = await bare.measure(load, work)
                    peer = outcome.cpu / load.records / load.fan * 1e6
                    found.bare.setdefault(what, Pair()).add(peer, await ours(load))
            for name, (pid, port) in list(servers.items()):
                tell(f"{name}, round {number + 1} of {rounds}")
                try:
                    peer = await xmpp.measure(name, pid, port)
                except (TimeoutError, RuntimeError) as error:
                    found.missing[name] = str(error) or "took too long"
                    del servers[name]
                    continue
                found.xmpp.setdefault(name, Pair()).add(
                    peer, await ours(Load(xmpp.PAIRS, CHAT_RECORDS, xmpp.WINDOW, 1))
                )
    return found
