"""Who may connect: connections are counted in all and by address, people behind a proxy by what the proxy says. Where
there are too many, strangers give way, who have shown no knowledge of the secret path."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import math
import sys
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import TypeAlias

from polynya.relay.limits import Limits
from polynya.relay.metrics import Metrics
from polynya.relay.rates import Rates
from polynya.relay.strangers import Strangers
from polynya.relay.turns import Turns

logger = logging.getLogger("polynya.relay")

Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network
LOOPBACK: tuple[Network, ...] = (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128"))
FORWARDED = "X-Forwarded-For"
"""The header that a trusted proxy ends with the address that it was asked from."""
LATELY = 600.0
"""Seconds."""
Release: TypeAlias = Callable[[], None]


class Visit:
    """One connection, as long as it lasts; calling it ends the visit, once. `Visit()` is nobody's."""

    __slots__ = ("_admission", "_unread", "abort", "address")

    def __init__(
        self,
        admission: Admission | None = None,
        address: str | None = None,
        abort: Callable[[], None] | None = None,
    ) -> None:
        self._admission = admission
        self.address = address
        """None: a proxy's, which is not counted by address and gives way to nobody"""
        self.abort = abort or _nothing
        """ends the connection at once"""
        self._unread = 0

    def __call__(self) -> None:
        admission, self._admission = self._admission, None
        if admission is not None:
            self.abort = _nothing
            admission.end(self, self._unread)

    def settle(self) -> None:
        """It is no stranger's: it gives way to nobody any more."""
        if self._admission is not None:
            self._admission.settle(self)

    def leave_unread(self, size: int) -> None:
        """So many bytes wait for who connected; 0: it keeps up."""
        if self._admission is not None:
            change, self._unread = size - self._unread, size
            self._admission.count_unread(self, change, size)


class Admission:
    """`proxies`: the networks that a proxy may be in, a Unix socket always among them; None: there is none. Addresses
    are held while their connections last and are told to nobody. `files`: connections for which there are file handles,
    whatever the limits say."""

    def __init__(
        self,
        limits: Limits,
        metrics: Metrics,
        proxies: tuple[Network, ...] | None = None,
        files: int = sys.maxsize,
    ) -> None:
        self.limits = limits
        self.turns = Turns()
        self._metrics = metrics
        self._proxies = proxies
        self._files = files
        self._addresses: Counter[str] = Counter()
        self._strangers: Strangers[Visit] = Strangers()
        self._slow: dict[Visit, None] = {}
        self._unread = 0
        self._unnamed = -math.inf
        self._replacements = _replacements(limits)

    def apply(self, limits: Limits) -> None:
        """Other limits, from now on."""
        self.limits = limits
        self._replacements = _replacements(limits)

    def is_proxy(self, peer: object) -> bool:
        """Whether what `peer` says of others is believed."""
        if self._proxies is None:
            return False
        if not isinstance(peer, tuple) or not peer:
            return True
        address = _address(str(peer[0]))
        return address is not None and any(address in network for network in self._proxies)

    def has_unnamed(self) -> bool:
        """Whether the proxy lately sent a request without saying whose it is."""
        return time.monotonic() - self._unnamed < LATELY

    def is_full(self) -> bool:
        """Whether one more connection would be too many."""
        return self._metrics.connections >= min(self.limits.connections, self._files)

    def visit(self, peer: object, abort: Callable[[], None]) -> Visit | None:
        """Counts a connection, which `abort` ends at once; None where there are too many and none gives way. A proxy's
        connections count in all only: it has those of many people."""
        address = None if self.is_proxy(peer) else group(peer)
        if (
            address is not None
            and self._addresses[address] >= self.limits.connections_per_address
            and not self._replacements.take(address.encode(), time.monotonic())
        ):
            self._give_way(address)
        if self.is_full():
            self._give_way(None)
        if self.is_full():
            self._metrics.turned_away += 1
            return None
        if address is not None and not self._count(address):
            return None
        self._metrics.connections += 1
        visit = Visit(self, address, abort)
        if address is not None:
            self._strangers.add(address, visit)
        return visit

    def _give_way(self, address: str | None) -> None:
        """Ends a stranger's connection, of `address` where one is given."""
        visit = self._strangers.first(address)
        if visit is not None:
            self._dismiss(visit)

    def _dismiss(self, visit: Visit) -> None:
        abort = visit.abort
        self._metrics.turned_away += 1
        visit()
        abort()

    def settle(self, visit: Visit) -> None:
        if visit.address is not None:
            self._strangers.remove(visit.address, visit)

    def knows(self, address: str | None) -> bool:
        """Whether somebody is connected from there who is no stranger."""
        return address is None or self._addresses[address] > self._strangers.count(address)

    def end(self, visit: Visit, unread: int) -> None:
        self.settle(visit)
        self.count_unread(visit, -unread, 0)
        self._metrics.connections -= 1
        if visit.address is not None:
            self._uncount(visit.address)

    def count_unread(self, visit: Visit, change: int, size: int) -> None:
        """Where all who read slowly leave more than Limits.buffers_total unread, the first of them go."""
        self._unread += change
        if size:
            self._slow[visit] = None
        else:
            self._slow.pop(visit, None)
        while self._unread > self.limits.buffers_total and self._slow:
            self._dismiss(next(iter(self._slow)))

    def person(self, transport: asyncio.Transport | None, forwarded: str) -> Release | None:
        """Counts a session, or a request while it is answered, for whom the proxy names; `forwarded` is the header. As
        `connection`; for a connection without a proxy there is nothing to do any more."""
        if transport is None or not self.is_proxy(transport.get_extra_info("peername")):
            return nothing
        # Who asks can begin the list with anything; the proxy adds the end.
        address = _address(forwarded.rpartition(",")[2].strip())
        if address is None:
            if self._unnamed < 0:
                logger.warning(
                    "the proxy does not say %s: all people count as one address. "
                    "Compare its settings with `polynya relay proxy nginx`.",
                    FORWARDED,
                )
            self._unnamed = time.monotonic()
        counted = "" if address is None else _household(address)
        return partial(self._uncount, counted) if self._count(counted) else None

    def _count(self, address: str) -> bool:
        if self._addresses[address] >= self.limits.connections_per_address:
            self._metrics.turned_away += 1
            return False
        self._addresses[address] += 1
        return True

    def _uncount(self, address: str) -> None:
        self._addresses[address] -= 1
        if not self._addresses[address]:
            del self._addresses[address]


def _replacements(limits: Limits) -> Rates:
    return Rates(limits.replacements_per_second, limits.replacements_burst)


def _nothing() -> None: ...


def nothing() -> None:
    """A Release of what was not counted."""


def group(peer: object) -> str:
    """What counts as one address. A Unix socket's peers are one."""
    if not isinstance(peer, tuple) or not peer:
        return ""
    address = _address(str(peer[0]))
    return "" if address is None else _household(address)


def _household(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> str:
    """Of IPv6 the /64 that one household has."""
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((int(address) >> 64 << 64, 64)))
    return str(address)


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """An address, with a port too; IPv4 inside IPv6 is IPv4."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address
