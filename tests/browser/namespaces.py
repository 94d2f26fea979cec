"""Hosts as network namespaces on one bridge: each test makes its own and leaves nothing behind.

Addresses are of 198.18.0.0/15, set aside for testing networks (RFC 2544), inside the namespaces only:
nothing is routed out of them.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

SUBNET = "198.18.0"


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True, text=True)


@dataclass(frozen=True, slots=True)
class Host:
    """One namespace. `name` is its kernel name, `address` its IPv4 address."""

    name: str
    address: str

    def command(self, arguments: Sequence[str]) -> list[str]:
        """The command line that runs `arguments` on this host."""
        return ["ip", "netns", "exec", self.name, *arguments]

    def spawn(self, arguments: Sequence[str], environment: Mapping[str, str]) -> subprocess.Popen[str]:
        """Start a process on this host; the caller ends it."""
        return subprocess.Popen(
            self.command(arguments),
            env=dict(environment),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def unplug(self) -> None:
        """Take the cable out: the host has no network until `plug`."""
        _ip("-n", self.name, "link", "set", "eth0", "down")

    def plug(self) -> None:
        _ip("-n", self.name, "link", "set", "eth0", "up")


@dataclass(slots=True)
class Network:
    """Hosts on one switch; the switch is a namespace too, so the machine's own interfaces are untouched."""

    prefix: str
    hosts: dict[str, Host] = field(default_factory=dict)

    @property
    def switch(self) -> str:
        return f"{self.prefix}-switch"

    def host(self, label: str) -> Host:
        """Make a host, or return the one with this label."""
        if label in self.hosts:
            return self.hosts[label]
        number = len(self.hosts) + 1
        made = Host(f"{self.prefix}-{label}", f"{SUBNET}.{number}")
        port = f"port{number}"
        _ip("netns", "add", made.name)
        self.hosts[label] = made
        # An IPv6 address that appears by itself a second later looks to browsers like another network.
        for which in ("all", "default"):
            setting = f"/proc/sys/net/ipv6/conf/{which}/disable_ipv6"
            _ip("netns", "exec", made.name, "sh", "-c", f"! test -e {setting} || echo 1 > {setting}")
        _ip("-n", made.name, "link", "set", "lo", "up")
        _ip(
            "-n", self.switch, "link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", made.name
        )
        _ip("-n", self.switch, "link", "set", port, "master", "br0", "up")
        _ip("-n", made.name, "address", "add", f"{made.address}/24", "dev", "eth0")
        _ip("-n", made.name, "link", "set", "eth0", "up")
        return made


@contextmanager
def network() -> Iterator[Network]:
    """A fresh network; on leaving every namespace in it is deleted.

    Raises subprocess.CalledProcessError where namespaces are not allowed (not root).
    """
    net = Network(f"plny{os.getpid()}")
    _ip("netns", "add", net.switch)
    try:
        _ip("-n", net.switch, "link", "add", "br0", "type", "bridge")
        _ip("-n", net.switch, "link", "set", "br0", "up")
        yield net
    finally:
        for host in net.hosts.values():
            _ip("netns", "delete", host.name)
        _ip("netns", "delete", net.switch)
