"""What a relay tells the service manager that started it (sd_notify(3)): one datagram for each message."""

from __future__ import annotations

import asyncio
import os
import socket
import time
from collections.abc import MutableMapping


class ServiceManager:
    """Where none is listening, nothing is sent. A message that cannot be sent is lost: the relay is what counts."""

    def __init__(self, address: str = "", watchdog: float = 0.0) -> None:
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self._watchdog = watchdog
        """seconds; 0: none"""

    @classmethod
    def of(cls, environment: MutableMapping[str, str], pid: int) -> ServiceManager:
        """From the variables that it set for process `pid`; they are taken, so that no child answers to them."""
        address = environment.pop("NOTIFY_SOCKET", "")
        microseconds = environment.pop("WATCHDOG_USEC", "")
        meant = environment.pop("WATCHDOG_PID", str(pid)) == str(pid)
        seconds = int(microseconds) / 1e6 if meant and microseconds.isdigit() else 0.0
        return cls(address if address[:1] in ("/", "@") else "", seconds)

    @property
    def is_there(self) -> bool:
        return bool(self._address)

    def ready(self, status: str) -> None:
        """At the start, and at the end of each reload."""
        self._send("READY=1", f"STATUS={status}")

    def status(self, text: str) -> None:
        self._send(f"STATUS={text}")

    def reloading(self) -> None:
        self._send("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def stopping(self) -> None:
        self._send("STOPPING=1", "STATUS=Stopping.")

    async def watch(self) -> None:
        """For ever: says twice in each period that the loop still runs; returns where that is not asked for."""
        while self._watchdog:
            self._send("WATCHDOG=1")
            await asyncio.sleep(self._watchdog / 2)

    def _send(self, *lines: str) -> None:
        if not self._address:
            return
        text = "\n".join(" ".join(line.split()) for line in lines)
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out:
                out.setblocking(False)
                out.sendto(os.fsencode(text), self._address)
        except OSError:
            return
