"""The public address of a machine that has no name."""

from __future__ import annotations

import ipaddress
import socket

from polynya.relay.errors import ConfigError

PROBES = ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1"))
"""Addresses of documentation (RFC 5737, RFC 3849): the system tells from where it would ask them; nothing is sent."""


def public_address(wanted: str) -> str:
    """`wanted`, or, for auto, the address from which this machine reaches the internet, IPv4 first. Raises ConfigError
    where that one is private."""
    if wanted != "auto":
        return wanted
    private = []
    for family, probe in PROBES:
        address = _source(family, probe)
        if address is not None and address.is_global:
            return str(address)
        if address is not None:
            private.append(str(address))
    found = f"only {' and '.join(private)}, which others cannot reach" if private else "none at all"
    raise ConfigError(
        f"This machine has no public address of its own ({found}). If its router or provider has one and passes port "
        "443 on, say it: --public ADDRESS."
    )


def own_address() -> str:
    """The address of this machine that its network knows; else the loopback address."""
    return str(_source(*PROBES[0]) or "127.0.0.1")


def _source(family: socket.AddressFamily, probe: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as asking:
            asking.connect((probe, 9))
            return ipaddress.ip_address(asking.getsockname()[0].partition("%")[0])
    except OSError:
        return None
