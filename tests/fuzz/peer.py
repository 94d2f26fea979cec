"""Our TypeScript in a Node process, which tries thousands of inputs a round trip."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from scripts.webapp import node_program
from tests.fuzz import scenes
from tests.fuzz.targets import Input

WORKER = Path(__file__).parents[2] / "web" / "tests" / "fuzz" / "worker.ts"
HEAP = 768
"""Megabytes that Node's heap may grow to: a program that needs more of it for 64 KB ends, which is a fault."""


class PeerError(Exception):
    """The process ended, or does not hold the groups that it was told of."""


class Peer:
    """Started with all scenes; `states` are the blobs in which TypeScript stores its groups."""

    def __init__(self) -> None:
        options = ("--disable-warning=ExperimentalWarning", "--expose-gc", f"--max-old-space-size={HEAP}")
        self._process = subprocess.Popen(
            [str(node_program()), *options, str(WORKER)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        made = [scenes.scene(number) for number in range(len(scenes.NAMES))]
        self._send(json.dumps([scene.describe() for scene in made]).encode())
        told: dict[str, Any] = json.loads(self._receive())
        for scene, authenticator in zip(made, told["authenticators"], strict=True):
            if scene.group.epoch_authenticator.hex() != authenticator:
                raise PeerError(f"the languages hold different groups in scene {scene.name}")
        self._names: dict[str, int] = {name: place for place, name in enumerate(told["names"])}
        self.states = tuple(bytes.fromhex(state) for state in told["states"])

    def _send(self, frame: bytes) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(len(frame).to_bytes(4, "big") + frame)
            self._process.stdin.flush()
        except BrokenPipeError:
            raise PeerError(f"Node ended with {self._process.wait(10)}") from None

    def _receive(self) -> bytes:
        assert self._process.stdout is not None
        head = self._process.stdout.read(4)
        if len(head) < 4:
            raise PeerError(f"Node ended with {self._process.wait(10)}")
        return self._process.stdout.read(int.from_bytes(head, "big"))

    def begin(self, inputs: Sequence[Input]) -> None:
        """Hands over a batch, which Node works on beside us."""
        self._send(
            b"".join(
                bytes((self._names[i.target], i.scene)) + len(i.data).to_bytes(4, "big") + i.data
                for i in inputs
            )
        )

    def finish(self) -> list[str]:
        """The verdicts of the batch handed over."""
        return self._receive().decode().split("\n")

    def __enter__(self) -> Peer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.kill()
        self._process.wait(10)
        self._process.stdin.close()
        self._process.stdout.close()
