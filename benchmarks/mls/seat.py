"""A member in a Python process of its own, the counterpart of `web/tests/bench`: one JSON object a line on standard
input, one a line back. `python -m benchmarks.mls.seat ours|mls-rs`.

A request has an `op` and `data`, a list of byte strings in hexadecimal; the answer has `wall` and `cpu` (ms), one
of each for every item of `data`, and `data`, what came of it. What goes wrong is answered by `error`.
"""

from __future__ import annotations

import json
import platform
import sys
import time
from collections.abc import Callable
from typing import Any, Protocol


class Implementation(Protocol):
    """What `commit` makes is never merged. All messages are MLSMessages; errors are of any kind."""

    def start(self, suite: int, identity: bytes, lifetime: tuple[int, int]) -> bytes:
        """A new member's key package."""
        ...

    def join(self, welcome: bytes) -> None: ...

    def commit(self) -> bytes: ...

    def process(self, message: bytes) -> None: ...

    def encrypt(self, data: bytes) -> bytes: ...

    def decrypt(self, message: bytes) -> bytes: ...

    def exported(self) -> bytes:
        """32 bytes of the exporter for the label "bench" and no context."""
        ...

    def leave(self) -> None:
        """Forgets the group."""
        ...


def _act(member: Implementation, request: dict[str, Any]) -> Callable[[bytes], bytes | None]:
    op = request["op"]
    if op == "start":
        suite, identity, lifetime = request["suite"], bytes.fromhex(request["identity"]), request["lifetime"]
        return lambda _: member.start(suite, identity, (lifetime[0], lifetime[1]))
    if op == "commit":
        return lambda _: member.commit()
    if op == "export":
        return lambda _: member.exported()
    if op == "leave":
        return lambda _: member.leave()
    if op == "about":
        return lambda _: f"Python {platform.python_version()}".encode()
    with_data: dict[str, Callable[[bytes], bytes | None]] = {
        "join": member.join,
        "process": member.process,
        "encrypt": member.encrypt,
        "decrypt": member.decrypt,
    }
    return with_data[op]


def answer(member: Implementation, request: dict[str, Any]) -> dict[str, Any]:
    act = _act(member, request)
    wall, cpu, out = [], [], []
    for given in [bytes.fromhex(text) for text in request.get("data", [""])]:
        cpu_before, before = time.process_time_ns(), time.perf_counter_ns()
        made = act(given)
        after, cpu_after = time.perf_counter_ns(), time.process_time_ns()
        wall.append((after - before) / 1e6)
        cpu.append((cpu_after - cpu_before) / 1e6)
        out.append("" if made is None else made.hex())
    return {"wall": wall, "cpu": cpu, "data": out}


def _implementation(name: str) -> Implementation:
    if name == "mls-rs":
        from benchmarks.mls.mlsrs import MlsRs

        return MlsRs()
    from benchmarks.mls.ours import Ours

    return Ours()


def main() -> None:
    member = _implementation(sys.argv[1])
    for line in sys.stdin:
        try:
            told = answer(member, json.loads(line))
        except Exception as error:
            told = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main()
