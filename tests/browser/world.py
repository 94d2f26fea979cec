"""A relay over HTTPS, people at browsers, and people at command lines: each on a host of its own."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from playwright.sync_api import Playwright

from polynya.relay.store.sqlite import DATABASE
from tests.browser.authority import Authority
from tests.browser.namespaces import Host, Network, network
from tests.browser.person import Person

ROOT = Path(__file__).resolve().parents[2]
START_TIMEOUT = 30.0
"""Seconds; only ends a test that hangs."""


class Relay:
    """`polynya up` on a host. `kill` is SIGKILL; `start` again takes up the same data."""

    def __init__(self, host: Host, authority: Authority, data: Path) -> None:
        self.host = host
        self.data = data
        self._certificate, self._key = authority.issue(host.address)
        self._process: subprocess.Popen[str] | None = None

    @property
    def link(self) -> str:
        return (self.data / "link.txt").read_text().strip()

    @property
    def address(self) -> str:
        return self.link.partition("#")[0]

    def start(self) -> None:
        """Returns when it serves."""
        arguments = [
            sys.executable, "-m", "polynya", "up",
            "--host", self.host.address, "--port", "443", "--data", str(self.data), "--local", "off",
            "--tls-cert", str(self._certificate), "--tls-key", str(self._key),
            "--origin-url", f"https://{self.host.address}",
        ]  # fmt: skip
        self._process = self.host.spawn(arguments, {**os.environ, "PYTHONUNBUFFERED": "1"})
        assert self._process.stdout is not None
        said = []
        for line in self._process.stdout:
            said.append(line)
            if line.startswith("Ready"):
                return
        raise AssertionError("the relay did not start:\n" + "".join(said))

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def _end(self, number: signal.Signals) -> None:
        if self._process is None:
            return
        self._process.send_signal(number)
        self._process.wait(timeout=START_TIMEOUT)
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._process = None


class Typist:
    """A person at a command line: each command is a program of its own, as in a shell."""

    def __init__(self, host: Host, authority: Authority, store: Path, name: str) -> None:
        self.name = name
        self._host = host
        self._environment = {
            **os.environ,
            "POLYNYA_STORE": str(store),
            "SSL_CERT_FILE": str(authority.certificate),
        }

    def run(self, *arguments: str) -> str:
        """What `polynya ARGUMENTS` prints. Raises AssertionError with what it said where it fails."""
        command = self._host.command([sys.executable, "-m", "polynya", *arguments])
        done = subprocess.run(command, env=self._environment, capture_output=True, text=True, timeout=90)
        assert done.returncode == 0, f"polynya {' '.join(arguments)}: {done.stdout}{done.stderr}"
        return done.stdout

    def register(self, link: str) -> None:
        self.run("register", self.name, link)

    def messages(self, chat: str) -> list[dict[str, Any]]:
        lines = self.run("tail", chat, "--once", "--json").splitlines()
        return [message for line in lines if (message := json.loads(line))["type"] == "message"]

    def reads(self, chat: str, text: str) -> None:
        """Waits until `text` is there, exactly once."""
        end = time.monotonic() + START_TIMEOUT
        while True:
            found = [message for message in self.messages(chat) if message["text"] == text]
            if len(found) == 1:
                return
            assert not found, f"{text!r} is there {len(found)} times"
            assert time.monotonic() < end, f"{self.name} never got {text!r}"


class Disk:
    """A file system of its own with little room, which can be filled to the last byte."""

    SIZE = 320
    """MiB: above the room that the relay keeps free of blobs (256 MiB)."""

    def __init__(self, folder: Path) -> None:
        self._database = folder / DATABASE
        self._ballast = folder / "ballast"

    def fill(self) -> None:
        # What has been written back leaves room in the write-ahead log, which a record would find.
        with closing(sqlite3.connect(self._database, timeout=10)) as database:
            busy, _, _ = database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            assert not busy, "somebody holds the write-ahead log"
        with suppress(OSError), self._ballast.open("wb", buffering=0) as ballast:
            while True:
                ballast.write(bytes(2**20))
        with suppress(OSError), self._ballast.open("ab", buffering=0) as ballast:
            while True:
                ballast.write(bytes(1))

    def free(self) -> None:
        self._ballast.unlink()


class World:
    """Everything of one test; made by `world`."""

    def __init__(self, net: Network, playwright: Playwright, folder: Path, stack: ExitStack) -> None:
        self._net = net
        self._playwright = playwright
        self._folder = folder
        self._stack = stack
        self._authority = Authority.create(folder / "authority")
        self.relay = Relay(net.host("relay"), self._authority, folder / "relay")
        stack.callback(self.relay.stop)
        self.relay.start()

    def person(self, name: str, shift: int = 0) -> Person:
        """Somebody at a browser, on a host of the same name; `shift`: ms by which their clock is wrong."""
        folder = self._folder / name.lower()
        made = Person(self._playwright, self._net.host(name.lower()), folder, name, shift)
        self._authority.trust_in_home(folder)
        self._stack.callback(made.close)
        return made

    def typist(self, name: str) -> Typist:
        return Typist(
            self._net.host(name.lower()), self._authority, self._folder / name.lower() / "store", name
        )

    @contextmanager
    def relay_on_small_disk(self) -> Iterator[Disk]:
        """A new relay in place of the first, on a disk of its own; it is ended on leaving."""
        self.relay.stop()
        shutil.rmtree(self.relay.data)
        self.relay.data.mkdir()
        where = str(self.relay.data)
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={Disk.SIZE}m", "tmpfs", where], check=True)
        try:
            self.relay.start()
            yield Disk(self.relay.data)
        finally:
            self.relay.stop()
            subprocess.run(["umount", where], check=True)

    def host(self, person: Person | Typist) -> Host:
        return self._net.host(person.name.lower())

    def meet(self, inviter: Person, friend: Person) -> None:
        """`friend`, new here, opens a link of `inviter`, who accepts: both have the chat open."""
        friend.open(inviter.invite())
        friend.register()
        friend.ask(f"It is me, {friend.name}")
        inviter.accept(friend.name)
        friend.see("Write the first message")


@contextmanager
def world(playwright: Playwright, folder: Path) -> Iterator[World]:
    """A network with a running relay; on leaving everything is ended and taken down."""
    with network() as net, ExitStack() as stack:
        yield World(net, playwright, folder, stack)
