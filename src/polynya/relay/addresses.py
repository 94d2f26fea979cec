"""Names of hosts and addresses, told apart."""

from __future__ import annotations

import ipaddress
from typing import TypeAlias

IPAddress: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address


def as_ip(text: str) -> IPAddress | None:
    """None where the text is no IP address, such as a host's name."""
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None
