"""A store with something of everything in it, and what a store that has it all must answer.

`python -m tests.relay.filled` writes tests/relay/schemas/<version>.sql, the data of a store of today's schema:
once for each version, as the last thing before the next migration is written.
"""

from __future__ import annotations

import asyncio
import hashlib
import sqlite3
import sys
import tempfile
from pathlib import Path

from polynya.relay.store import schema
from polynya.relay.store.base import DAY, Allowance, Budget, Joins, Kind, Payment, Problem, Store
from polynya.relay.store.sqlite import DATABASE, open_store
from polynya.wire.messages import Receipt, TokenKind
from tests.relay.store_conformance import append, entries, put, sign
from tests.relay.storing import NOW, raises

SCHEMAS = Path(__file__).parent / "schemas"
TOPIC, INBOX, DELETED, OWNER = (hashlib.sha256(name).digest() for name in (b"t", b"i", b"d", b"o"))
SLOT = b"slot" * 4
BLOB = b"a whole blob" * 100
MEMBER, PAID = hashlib.sha256(b"m").digest(), hashlib.sha256(b"p").digest()
BUDGET = Budget(Allowance(80, 20, 160), Allowance(8, 2, 16))
REQUEST = b"request of 16 b."
PAYMENT = Payment(7, b"a nonce of thirty-two bytes long", b"pays for a topic")
GROWING = hashlib.sha256(b"never whole").digest()


async def fill(store: Store) -> None:
    await store.create_topic(TOPIC, 30, NOW)
    await store.create_inbox(INBOX, NOW)
    await store.create_inbox(DELETED, NOW)
    await append(store, DELETED, b"gone" * 20, kind=Kind.INBOX)
    await store.delete_inbox(DELETED, NOW)
    blob = await put(store, BLOB)
    await store.put_blob(GROWING, 3_000, 0, b"g" * 1_000, NOW)
    await append(store, TOPIC, b"expired" * 10, time=NOW - 40 * DAY)
    await append(store, TOPIC, b"commit 0" * 10, slot=SLOT)
    await append(store, TOPIC, b"with a blob" * 10, blobs=(blob,))
    await append(store, TOPIC, b"commit 1" * 10, slot=SLOT)
    for index in range(3):
        await append(store, INBOX, b"drop %d" % index * 10, kind=Kind.INBOX)
    await store.trim_inbox(INBOX, 1, NOW)
    await store.put_key_packages(OWNER, [b"one", b"two", b"three"], b"last resort", NOW)
    assert (await store.take_key_package(OWNER, True, NOW)).package == b"one"
    assert (await store.sweep(NOW)).records == 1
    await store.join(MEMBER, None, Joins(200, 20), {TokenKind.USE: BUDGET}, NOW)
    assert await store.draw(MEMBER, TokenKind.USE, 5, REQUEST, True, BUDGET, NOW)
    await store.create_topic(PAID, 30, NOW, PAYMENT)


async def holds_everything(store: Store) -> None:
    """Asserts that it is all there, and that the store goes on from it."""
    log = await entries(store, TOPIC)
    assert [entry.seq for entry in log] == [1, 2, 3, 4]
    records = [b"commit 0" * 10, b"with a blob" * 10, b"commit 1" * 10]
    assert [entry.record for entry in log] == [None, *records]
    assert log[0].record_hash == hashlib.sha256(b"expired" * 10).digest()
    assert [entry.slot for entry in log] == [None, SLOT, None, SLOT]
    blob = hashlib.sha256(BLOB).digest()
    assert [entry.blobs for entry in log] == [None, None, (blob,), None]
    assert await store.get_blob(blob, 0, 65_536) == (len(BLOB), BLOB)
    assert await store.put_blob(GROWING, 3_000, 0, b"", NOW) == 1_000
    with raises(Problem.UNKNOWN):
        await entries(store, DELETED, kind=Kind.INBOX)
    drops = await entries(store, INBOX, kind=Kind.INBOX)
    assert [(entry.seq, entry.record) for entry in drops] == [
        (2, b"drop 1" * 10),
        (3, b"drop 2" * 10),
    ]
    assert not (await append(store, INBOX, b"drop 0" * 10, kind=Kind.INBOX)).fresh
    assert await store.put_key_packages(OWNER, [b"one", b"two"], None, NOW) == 2
    again = await append(store, TOPIC, b"commit 1" * 10, slot=SLOT)
    assert (again.fresh, again.published.seq, again.published.receipt) == (False, 4, log[3].receipt)
    assert isinstance(log[3].receipt, Receipt)
    new = await append(store, TOPIC, b"commit 2" * 10, slot=SLOT)
    assert new.published.seq == 5
    assert new.published.receipt is not None
    assert new.published.receipt.position == 2
    taken = [await store.take_key_package(OWNER, True, NOW) for _ in range(3)]
    assert [package.package for package in taken] == [b"two", b"three", b"last resort"]


async def write(path: Path) -> None:
    """The data as SQL, but for the blobs' bytes."""
    with tempfile.TemporaryDirectory() as folder:
        store = await open_store(Path(folder), sign, time=NOW, reserve=0)
        await fill(store)
        await store.close()
        db = sqlite3.connect(Path(folder) / DATABASE)
        path.write_text("\n".join(db.iterdump()) + "\n")
        db.close()


def fixture(version: int) -> Path:
    return SCHEMAS / f"{version}.sql"


if __name__ == "__main__":
    today = fixture(len(schema.MIGRATIONS))
    if today.exists():
        sys.exit(f"{today} is there: what a version wrote does not change.")
    asyncio.run(write(today))
