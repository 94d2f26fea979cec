"""CPU of the relay for one durable publish and one delivery, beside a bare prototype in the same run.

    python -m benchmarks.relay_publish [--bench FOLDER] [--rounds 3]

FOLDER (or POLYNYA_BENCH) holds bare_relay.py and bare_load.py: a WebSocket server that writes each record to
SQLite and fans it out, without any encryption, identity, de-duplication or limit, and its load. Rounds of
both alternate, so that a busy machine disturbs both alike; the figures are medians."""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import socket
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import uvloop
from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

from polynya.crypto.signature import public_key
from polynya.relay.folder import IDENTITY_FILE
from polynya.relay.system import SystemRandom, now
from polynya.wire.keys import verify_key_configs
from polynya.wire.labels import topic_id
from polynya.wire.messages import Call, CreateTopic, KeyConfig, Ping, Publish, Push, Reply, Subscribe
from polynya.wire.session import ClientHandshake, ClientSession, start_session
from tests.support.relay import RelayProcess

LIMITS = """
[limits]
publishes_per_second = 1000000
publishes_burst = 10000000
calls_per_second = 1000000
calls_burst = 10000000
"""
TARGET_PUBLISH = 1.2
TARGET_DELIVERY = 1.5


@dataclass(frozen=True, slots=True)
class Load:
    """`pairs` topics with one publisher each that keeps `window` records on their way, `fan` readers each."""

    name: str
    pairs: int
    records: int
    window: int
    fan: int


LOADS = (
    Load("publish", pairs=8, records=16_000, window=8, fan=1),
    Load("delivery", pairs=8, records=3_200, window=8, fan=10),
)
BODY = 512
"""Bytes of a record: the smallest step, and the prototype's."""


class _Device(WSListener):
    """One session. A publisher sends its next record when one is acknowledged."""

    def __init__(self, config: KeyConfig, run: _Run) -> None:
        super().__init__()
        self._config = config
        self._run = run
        self._handshake: ClientHandshake | None = None
        self._session: ClientSession | None = None
        self._transport: WSTransport | None = None
        self._answered = asyncio.get_running_loop().create_future()
        self.secret = b""
        self._publishing = False

    def on_ws_connected(self, transport: WSTransport) -> None:
        self._transport = transport
        hello, self._handshake = start_session(self._config, now(), SystemRandom())
        transport.send(WSMsgType.BINARY, hello)

    async def ready(self) -> None:
        await self._answered

    async def call(self, request: CreateTopic | Subscribe | Ping) -> None:
        self._answered = asyncio.get_running_loop().create_future()
        self._send(Call(0, request))
        await self._answered

    def _send(self, call: Call) -> None:
        if self._session is not None and self._transport is not None:
            self._transport.send(WSMsgType.BINARY, self._session.seal(call))

    def publish(self) -> None:
        self._publishing = True
        if self._run.left:
            self._run.left -= 1
            self._send(Call(1, Publish(self.secret, os.urandom(BODY))))

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type != WSMsgType.BINARY:
            return
        data = frame.get_payload_as_bytes()
        if self._session is None:
            if self._handshake is not None:
                self._session = self._handshake.finish(data)
                self._answered.set_result(None)
            return
        message = self._session.open(data)
        if isinstance(message, Push):
            self._run.delivered += 1
            if self._run.delivered == self._run.expected:
                self._run.done.set_result(None)
        elif isinstance(message, Reply) and message.id == 1:
            self.publish()
        else:
            self._answered.set_result(None)


class _Run:
    def __init__(self, load: Load) -> None:
        self.left = load.records
        self.expected = load.records * load.fan
        self.delivered = 0
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()


def _cpu(pid: int) -> float:
    """Seconds of CPU that the process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def measure_relay(relay: RelayProcess, load: Load) -> tuple[float, float]:
    """(CPU in us, publishes per second) of one publish with its deliveries."""
    config = await _keys(relay)
    run = _Run(load)
    url = relay.address.replace("http", "ws", 1) + "/s"

    async def connect() -> _Device:
        device = _Device(config, run)
        await ws_connect(lambda: device, url)
        await device.ready()
        return device

    publishers, readers = [], []
    for _ in range(load.pairs):
        publisher = await connect()
        publisher.secret = os.urandom(32)
        await publisher.call(CreateTopic(publisher.secret, 30))
        publishers.append(publisher)
        for _ in range(load.fan):
            reader = await connect()
            await reader.call(Subscribe((topic_id(publisher.secret),), ()))
            readers.append(reader)
    cpu, started = _cpu(relay.pid), time.perf_counter()
    for publisher in publishers:
        for _ in range(load.window):
            publisher.publish()
    await run.done
    rate = load.records / (time.perf_counter() - started)
    used = _cpu(relay.pid) - cpu
    for device in publishers + readers:
        if device._transport is not None:
            device._transport.disconnect()
    return used / load.records * 1e6, rate


async def _keys(relay: RelayProcess) -> KeyConfig:
    host, _, rest = relay.address.removeprefix("http://").partition("/")
    name, _, port = host.partition(":")
    reader, writer = await asyncio.open_connection(name, int(port))
    writer.write(f"GET /{rest}/keys HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
    body = (await reader.read()).partition(b"\r\n\r\n")[2]
    writer.close()
    identity = public_key((relay.data / IDENTITY_FILE).read_bytes())
    return verify_key_configs(identity, body).newest


async def measure_bare(bench: Path, folder: str, load: Load) -> tuple[float, float]:
    """As measure_relay, of the prototype with its own load program."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    server = await asyncio.create_subprocess_exec(
        sys.executable, bench / "bare_relay.py", str(port), cwd=folder
    )
    try:
        await _wait_for(port)
        numbers = [port, load.pairs, load.records, load.window, load.fan, server.pid]
        client = await asyncio.create_subprocess_exec(
            sys.executable, bench / "bare_load.py", *map(str, numbers), stdout=asyncio.subprocess.PIPE
        )
        out, _ = await client.communicate()
    finally:
        server.terminate()
        await server.wait()
    found = re.search(r": (\d+) pub/s .*cpu/pub ([\d.]+)us", out.decode())
    if found is None:
        raise SystemExit(f"the prototype's load said nothing that is known: {out.decode()!r}")
    return float(found[2]), float(found[1])


async def _wait_for(port: int) -> None:
    for _ in range(200):
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.05)
        else:
            writer.close()
            return
    raise SystemExit("the prototype did not start")


async def compare(bench: Path, rounds: int) -> bool:
    """Prints the table; whether both targets are met."""
    results: dict[str, list[list[float]]] = {}
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        data.mkdir(mode=0o700)
        (data / "relay.toml").write_text(LIMITS)
        async with RelayProcess(data, "--local", "off") as relay:
            for _ in range(rounds):
                for load in LOADS:
                    bare = await measure_bare(bench, folder, load)
                    sealed = await measure_relay(relay, load)
                    results.setdefault(load.name, []).append([*bare, *sealed])
    print(f"{'':10} {'bare us':>9} {'relay us':>9} {'ratio':>6}   {'bare/s':>8} {'relay/s':>8}")
    medians = {
        load.name: [statistics.median(column) for column in zip(*results[load.name], strict=True)]
        for load in LOADS
    }
    ratios = {}
    for load in LOADS:
        bare, bare_rate, sealed, rate = medians[load.name]
        each = load.fan if load.name == "delivery" else 1
        ratios[load.name] = sealed / bare
        print(
            f"{load.name:10} {bare / each:9.1f} {sealed / each:9.1f} {sealed / bare:6.2f}   "
            f"{bare_rate * each:8.0f} {rate * each:8.0f}"
        )
    print(f"targets: publish <= {TARGET_PUBLISH}, delivery <= {TARGET_DELIVERY}")
    return bool(ratios["publish"] <= TARGET_PUBLISH and ratios["delivery"] <= TARGET_DELIVERY)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--bench", type=Path, default=os.environ.get("POLYNYA_BENCH"))
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    if arguments.bench is None or not (arguments.bench / "bare_relay.py").is_file():
        parser.error("give the folder of bare_relay.py with --bench or POLYNYA_BENCH")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return 0 if runner.run(compare(arguments.bench.resolve(), arguments.rounds)) else 1


if __name__ == "__main__":
    sys.exit(main())
