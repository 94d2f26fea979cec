"""Memory of a session that is open and silent."""

from __future__ import annotations

import asyncio
import os
import ssl
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks.relay import crowd, device
from benchmarks.relay.device import Device
from benchmarks.relay.process import rss
from polynya.relay.limits import Limits
from polynya.wire.labels import topic_id
from polynya.wire.messages import CreateTopic, Subscribe
from tests.support.relay import RelayProcess

SETTLES = 2 * Limits().tick + 3
"""Seconds until the relay has found a session silent and given back what only a busy one needs."""


@dataclass(frozen=True, slots=True)
class Idle:
    """Bytes for each of `sessions`."""

    has_tls: bool
    sessions: int
    each: float


def certificate(folder: Path) -> ssl.SSLContext:
    """Makes cert.pem and key.pem in `folder`; a context that trusts them."""
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost"
    subprocess.run(
        [
            *command.split(),
            "-addext",
            "subjectAltName=IP:127.0.0.1",
            "-keyout",
            "key.pem",
            "-out",
            "cert.pem",
        ],
        cwd=folder,
        check=True,
        capture_output=True,
    )
    (folder / "key.pem").chmod(0o600)
    return ssl.create_default_context(cafile=str(folder / "cert.pem"))


async def measure(sessions: int, has_tls: bool) -> Idle:
    """`sessions` open, silent sessions with one topic each, beside the same relay with a tenth of them: what the first
    ones bring with them (code, pages) is no session's."""
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        data = work / "data"
        data.mkdir(mode=0o700)
        (data / "relay.toml").write_text(crowd.UNLIMITED)
        trust, options = None, ["--local", "off"]
        if has_tls:
            trust = certificate(work)
            options += ["--tls-cert", str(work / "cert.pem"), "--tls-key", str(work / "key.pem")]
        async with RelayProcess(data, *options) as relay:
            entrance = await device.entrance(relay, trust)
            devices: list[Device] = []
            secret = os.urandom(32)
            await (await Device.connect(entrance)).call(CreateTopic(secret, 30))
            topic = topic_id(secret)

            async def open_until(count: int) -> int:
                fresh = await Device.connect_many(entrance, count - len(devices))
                await asyncio.gather(*(one.call(Subscribe((topic,), ())) for one in fresh))
                devices.extend(fresh)
                await asyncio.sleep(SETTLES)
                return rss(relay.pid)

            first = sessions // 10
            before = await open_until(first)
            after = await open_until(sessions)
            for one in devices:
                one.leave()
            return Idle(has_tls, sessions, (after - before) / (sessions - first))
