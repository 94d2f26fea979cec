"""What a relay with many records does as fast as one with few: start, fetch, take another record."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.relay import crowd, device
from benchmarks.relay.device import Device
from polynya.crypto.hashes import sha256
from polynya.relay.store.base import DAY
from polynya.relay.store.logs import SEQ_BITS, index_key
from polynya.relay.store.schema import migrate
from polynya.relay.store.sqlite import DATABASE
from polynya.relay.system import now
from polynya.wire.labels import topic_id
from polynya.wire.messages import Fetch, Publish, Published, Records, Reply
from tests.support.relay import RelayProcess

PER_TOPIC = 1_000
"""Records in each topic."""
BODY = 64
"""Bytes of a stored record here: what grows is the number of rows, and 10 million fit any disk."""
CALLS = 300
LIMIT = 16
"""Entries of one fetch."""
BATCH = 100
"""Topics of one transaction while filling."""


@dataclass(frozen=True, slots=True)
class Stored:
    """Times in ms, medians; `bytes_` of the database."""

    records: int
    bytes_: int
    start: float
    fetch: float
    publish: float


async def measure(sizes: Sequence[int], tell: Callable[[str], None]) -> list[Stored]:
    """`sizes` ascending: the same relay's data is filled further each time."""
    found = []
    with tempfile.TemporaryDirectory() as name:
        data = Path(name) / "data"
        data.mkdir(mode=0o700)
        (data / "relay.toml").write_text(crowd.UNLIMITED)
        async with RelayProcess(data, "--local", "off"):
            """Makes the folder."""
        for size in sizes:
            tell(f"filling up to {size:,} records")
            await asyncio.to_thread(fill, data / DATABASE, size)
            tell(f"a relay with {size:,} records")
            begun = time.perf_counter()
            async with RelayProcess(data, "--local", "off") as relay:
                entrance = await device.entrance(relay)
                start = (time.perf_counter() - begun) * 1000
                fetch, publish = await _calls(entrance, size // PER_TOPIC)
            found.append(Stored(size, (data / DATABASE).stat().st_size, start, fetch, publish))
    return found


def secret_of(topic: int) -> bytes:
    return sha256(b"topic %d" % topic)


def fill(path: Path, size: int) -> None:
    """Rows as the store writes them, in topics of PER_TOPIC, without waiting for the disk in between."""
    db = sqlite3.connect(path, isolation_level=None)
    try:
        migrate(db, now())
        db.execute("PRAGMA synchronous = OFF")
        db.execute("PRAGMA cache_size = -200000")
        made = db.execute("SELECT count(*) FROM logs").fetchone()[0]
        time_ = now()
        while made < size // PER_TOPIC:
            db.execute("BEGIN")
            for topic in range(made, min(made + BATCH, size // PER_TOPIC)):
                cursor = db.execute(
                    "INSERT INTO logs (id, kind, retention_days, created, used) VALUES (?, 1, 30, ?, ?)",
                    (topic_id(secret_of(topic)), time_, time_),
                )
                number = cursor.lastrowid or 0
                records = [os.urandom(BODY) for _ in range(PER_TOPIC)]
                db.executemany(
                    "INSERT INTO entries (id, time, record) VALUES (?, ?, ?)",
                    [(number << SEQ_BITS | seq, time_, record) for seq, record in enumerate(records, 1)],
                )
                keys = sorted((index_key(sha256(record)), seq) for seq, record in enumerate(records, 1))
                db.executemany("INSERT INTO record_index VALUES (?, ?, ?)", [(number, *key) for key in keys])
                db.execute("INSERT INTO visits VALUES (?, ?)", (time_ // DAY + 31, number))
            db.execute("COMMIT")
            made += BATCH
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        db.close()
    with path.open("rb") as file:
        os.fsync(file.fileno())


async def _calls(entrance: device.Entrance, topics: int) -> tuple[float, float]:
    """Median ms of fetching a page somewhere in a topic, and of publishing, in topics all over the database."""
    client = await Device.connect(entrance)
    fetched, published = [], []
    for call in range(CALLS):
        secret = secret_of(call * topics // CALLS)
        begun = time.perf_counter()
        answer = await client.call(Fetch(topic_id(secret), call * 7 % (PER_TOPIC - LIMIT), LIMIT))
        fetched.append(time.perf_counter() - begun)
        assert isinstance(answer, Reply), answer
        assert isinstance(answer.response, Records), answer.response
        assert len(answer.response.entries) == LIMIT
        begun = time.perf_counter()
        answer = await client.call(Publish(secret, os.urandom(512)))
        published.append(time.perf_counter() - begun)
        assert isinstance(answer, Reply), answer
        assert isinstance(answer.response, Published), answer.response
    client.leave()
    return statistics.median(fetched) * 1000, statistics.median(published) * 1000
