"""Who may connect: connections are counted in all and by address, people behind a proxy by what the proxy says."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
from collections import Counter
from collections.abc import Callable
from typing import TypeAlias

from polynya.relay.limits import Limits
from polynya.relay.metrics import Metrics

logger = logging.getLogger("polynya.relay")

Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network
LOOPBACK: tuple[Network, ...] = (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128"))
FORWARDED = "X-Forwarded-For"
"""The header that a trusted proxy ends with the address that it was asked from."""
Release: TypeAlias = Callable[[], None]


class Admission:
    """`proxies`: the networks that a proxy may be in, a Unix socket always among them; None: there is none. Addresses
    are held while their connections last and are told to nobody."""

    def __init__(self, limits: Limits, metrics: Metrics, proxies: tuple[Network, ...] | None = None) -> None:
        self.limits = limits
        self._metrics = metrics
        self._proxies = proxies
        self._addresses: Counter[str] = Counter()
        self.unnamed = 0
        """requests from the proxy that did not say whose they are"""

    def is_proxy(self, peer: object) -> bool:
        """Whether what `peer` says of others is believed."""
        if self._proxies is None:
            return False
        if not isinstance(peer, tuple) or not peer:
            return True
        address = _address(str(peer[0]))
        return address is not None and any(address in network for network in self._proxies)

    def is_full(self) -> bool:
        """Whether one more connection would be too many."""
        return self._metrics.connections >= self.limits.connections

    def connection(self, transport: asyncio.Transport) -> Release | None:
        """Counts a connection; returns what uncounts it, or None where there are too many. A proxy's connections count
        in all only: it has those of many people."""
        peer = transport.get_extra_info("peername")
        if self.is_full():
            self._metrics.turned_away += 1
            return None
        counted = nothing if self.is_proxy(peer) else self._count(group(peer))
        if counted is None:
            return None
        self._metrics.connections += 1

        def release() -> None:
            self._metrics.connections -= 1
            counted()

        return release

    def person(self, transport: asyncio.Transport | None, forwarded: str) -> Release | None:
        """Counts a session, or a request while it is answered, for whom the proxy names; `forwarded` is the header. As
        `connection`; for a connection without a proxy there is nothing to do any more."""
        if transport is None or not self.is_proxy(transport.get_extra_info("peername")):
            return nothing
        # Who asks can begin the list with anything; the proxy adds the end.
        address = _address(forwarded.rpartition(",")[2].strip())
        if address is None:
            if not self.unnamed:
                logger.warning(
                    "the proxy does not say %s: all people count as one address. "
                    "Compare its settings with `polynya relay proxy nginx`.",
                    FORWARDED,
                )
            self.unnamed += 1
            return self._count("")
        return self._count(_household(address))

    def _count(self, address: str) -> Release | None:
        if self._addresses[address] >= self.limits.connections_per_address:
            self._metrics.turned_away += 1
            return None
        self._addresses[address] += 1

        def release() -> None:
            self._addresses[address] -= 1
            if not self._addresses[address]:
                del self._addresses[address]

        return release


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
