"""The members that are measured: each is started as a program of its own and asked, with a limit of time."""

from __future__ import annotations

import importlib.util
import json
import os
import select
import subprocess
import sys
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from scripts.webapp import ROOT, node_program

X25519 = 0x0001
X_WING = 0xF001
NODE_SEAT = ROOT / "web" / "tests" / "bench" / "node.ts"


class LateError(Exception):
    """The member did not answer in time; it was ended, and begins anew."""


class FailedError(Exception):
    """The member could not do what it was asked."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One call: milliseconds by the clock, and of processor time in all threads (None: cannot be read)."""

    wall: float
    cpu: float | None


@dataclass(frozen=True, slots=True)
class Answer:
    samples: tuple[Sample, ...]
    data: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Kind:
    """A column of the tables."""

    key: str
    title: str
    suites: tuple[int, ...]


KINDS = (
    Kind("python", "Python", (X25519, X_WING)),
    Kind("node", "Node", (X25519, X_WING)),
    Kind("chromium", "Chromium", (X25519, X_WING)),
    Kind("ts-mls", "ts-mls", (X25519,)),
    Kind("mls-rs", "mls-rs", (X25519,)),
)
KIND = {kind.key: kind for kind in KINDS}


class Member(ABC):
    """One member at a time: `start` gives it up for a new one."""

    def __init__(self, kind: Kind) -> None:
        self.kind = kind

    @abstractmethod
    def _ask(self, request: dict[str, Any], limit: float) -> dict[str, Any]:
        """Raises LateError after `limit` seconds."""

    @abstractmethod
    def close(self) -> None: ...

    def ask(
        self, op: str, data: Sequence[bytes] = (b"",), *, limit: float = 60.0, **values: object
    ) -> Answer:
        """Raises LateError or FailedError."""
        answer = self._ask({"op": op, "data": [each.hex() for each in data], **values}, limit)
        if "error" in answer:
            raise FailedError(f"{self.kind.title}, {op}: {answer['error']}")
        wall = answer["wall"]
        cpu = answer["cpu"] or [None] * len(wall)
        samples = tuple(Sample(*each) for each in zip(wall, cpu, strict=True))
        return Answer(samples, tuple(bytes.fromhex(text) for text in answer["data"]))

    def start(self, suite: int, identity: bytes, lifetime: tuple[int, int]) -> bytes:
        """The key package of a new member."""
        asked = self.ask("start", suite=suite, identity=identity.hex(), lifetime=list(lifetime))
        return asked.data[0]


class Program(Member):
    """A member behind standard input and output."""

    def __init__(self, kind: Kind, command: Sequence[str]) -> None:
        super().__init__(kind)
        self._command = command
        self._process: subprocess.Popen[bytes] | None = None

    def _running(self) -> tuple[IO[bytes], IO[bytes]]:
        if self._process is None:
            self._process = subprocess.Popen(
                self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT
            )
        assert self._process.stdin is not None and self._process.stdout is not None
        return self._process.stdin, self._process.stdout

    def _ask(self, request: dict[str, Any], limit: float) -> dict[str, Any]:
        stdin, stdout = self._running()
        stdin.write(json.dumps(request).encode() + b"\n")
        stdin.flush()
        if not select.select([stdout], [], [], limit)[0]:
            self._end()
            raise LateError(f"{self.kind.title}, {request['op']}: no answer in {limit:g} s")
        line = stdout.readline()
        if not line:
            self._end()
            raise FailedError(f"{self.kind.title}, {request['op']}: the program ended")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def close(self) -> None:
        if self._process is not None:
            assert self._process.stdin is not None
            self._process.stdin.close()
            self._process.wait(10)
            assert self._process.stdout is not None
            self._process.stdout.close()
            self._process = None


def program(key: str) -> Program:
    """The member of a kind that is not a browser's."""
    if key in ("node", "ts-mls"):
        name = "ours" if key == "node" else "ts-mls"
        command = [str(node_program()), "--disable-warning=ExperimentalWarning", str(NODE_SEAT), name]
    else:
        command = [sys.executable, "-m", "benchmarks.mls.seat", "ours" if key == "python" else "mls-rs"]
    return Program(KIND[key], command)


def missing() -> dict[str, str]:
    """Kinds that this machine cannot have, and why."""
    from scripts.screenshots import CHROMIUM

    found = {}
    if not (Path(CHROMIUM).exists() and os.access(CHROMIUM, os.X_OK)):
        found["chromium"] = f"there is no {CHROMIUM}"
    if importlib.util.find_spec("mls_rs_uniffi") is None:
        found["mls-rs"] = "its wheel is not made for this platform"
    return found
