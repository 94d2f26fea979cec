"""Appending: one run of records, in one transaction, with few statements."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from polynya.crypto.hashes import sha256
from polynya.relay.store.base import (
    BACKWARDS,
    INBOX_RECORDS,
    Append,
    Appended,
    Kind,
    Problem,
    Signer,
    SlotPosition,
    StoreError,
)
from polynya.relay.store.logs import (
    SEQ_BITS,
    SEQ_MASK,
    Log,
    LogCache,
    content_day,
    first_id,
    index_key,
    slot_day,
)
from polynya.relay.store.rows import insert_rows, select_by_pairs
from polynya.wire.messages import Published, Receipt

LAST_POSITION = 65_535
"""Receipt.position's limit: further records of the slot are refused."""


def append_run(
    db: sqlite3.Connection, cache: LogCache, signer: Signer, run: Sequence[Append]
) -> list[Appended | StoreError]:
    """The outcome of each, in order; the caller commits. Raises sqlite3.Error, after which nothing may be
    kept."""
    return _Run(db, cache, signer, run).outcomes()


def may_contradict(log: Log) -> bool:
    """Whether a receipt in this log could speak of a position for which the relay has signed another one: after
    the backup that the log comes from. Two receipts for one position are proof of fraud."""
    return log.restored


def entry_time(now: int, newest: int) -> int:
    """ms: the time of the entry after one of time `newest`. Members judge by entries' times."""
    return newest if now < newest <= now + BACKWARDS else now


class _Run:
    def __init__(
        self, db: sqlite3.Connection, cache: LogCache, signer: Signer, run: Sequence[Append]
    ) -> None:
        self._db = db
        self._cache = cache
        self._signer = signer
        self._run = run
        # Values of rows, one row after another.
        self._plain: list[object] = []
        self._slotted: list[object] = []
        self._index: list[int] = []
        self._names: list[object] = []
        self._visits: list[int] = []
        self._taken: dict[tuple[int, int], list[tuple[bytes, Published]]] = {}
        self._positions: dict[tuple[int, bytes], int] = {}

    def outcomes(self) -> list[Appended | StoreError]:
        logs = self._cache
        found: list[tuple[Append, Log | None, int]] = []
        pairs: list[int] = []
        for append in self._run:
            log = logs.get(append.kind, append.log)
            key = index_key(append.record_hash)
            found.append((append, log, key))
            if log is not None:
                pairs.append(log.number)
                pairs.append(key)
        held: dict[tuple[int, int], list[int]] = {}
        for number, key, seq in select_by_pairs(
            self._db,
            # CROSS JOIN keeps the order: one look-up in the index for each pair.
            "SELECT log, hash, seq FROM pairs CROSS JOIN record_index ON log = a AND hash = b",
            pairs,
        ):
            held.setdefault((number, key), []).append(seq)
        result = [
            StoreError(Problem.UNKNOWN) if log is None else self._one(append, log, key, held)
            for append, log, key in found
        ]
        insert_rows(self._db, "INSERT INTO entries (id, time, record)", 3, self._plain)
        insert_rows(
            self._db,
            "INSERT INTO entries (id, time, record, slot, position, signature, blobs)",
            7,
            self._slotted,
        )
        insert_rows(self._db, "INSERT INTO record_index", 3, self._index)
        insert_rows(self._db, "INSERT OR IGNORE INTO visits", 2, self._visits)
        insert_rows(self._db, "INSERT INTO blob_names", 2, self._names)
        return result

    def _one(
        self, append: Append, log: Log, hash_: int, held: dict[tuple[int, int], list[int]]
    ) -> Appended | StoreError:
        number = log.number
        key = (number, hash_)
        if key in held or key in self._taken:
            published = self._known(append, key, held.get(key, ()))
            if published is not None:
                return Appended(published, False)
        if log.kind == Kind.INBOX and log.held >= INBOX_RECORDS:
            return StoreError(Problem.CROWDED)
        slot, blobs = append.slot, append.blobs
        if slot is not None and may_contradict(log):
            return StoreError(Problem.RESTORED)
        if blobs and not self._are_whole(blobs):
            return StoreError(Problem.BLOB)
        seq = log.head + 1
        if seq > SEQ_MASK:
            return StoreError(Problem.CROWDED)
        receipt = None
        if slot is not None:
            receipt = self._sign(append, log, slot, seq)
            if receipt is None:
                return StoreError(Problem.CROWDED)
        log.head = seq
        log.held += 1
        time = log.newest = entry_time(append.time, log.newest)
        id_ = number << SEQ_BITS | seq
        if receipt is None and not blobs:
            self._plain += (id_, time, append.record)
        else:
            position, signature = (None, None) if receipt is None else (receipt.position, receipt.signature)
            joined = None
            if blobs:
                joined = b"".join(blobs)
                for blob in dict.fromkeys(blobs):
                    self._names += (id_, blob)
            self._slotted += (id_, time, append.record, slot, position, signature, joined)
        self._index += (number, hash_, seq)
        self._plan_visit(append, log, time)
        published = Published(seq, time, receipt)
        self._taken.setdefault(key, []).append((append.record_hash, published))
        return Appended(published, True)

    def _sign(self, append: Append, log: Log, slot: bytes, seq: int) -> Receipt | None:
        """None where the slot is full."""
        position = self._next_position(log, slot)
        if position > LAST_POSITION:
            return None
        self._positions[log.number, slot] = position
        return Receipt(
            position,
            self._signer(SlotPosition(append.log, slot, position, seq, append.record_hash, append.blobs)),
        )

    def _known(self, append: Append, key: tuple[int, int], seqs: Sequence[int]) -> Published | None:
        """What was answered when the log took this record first."""
        for record_hash, published in self._taken.get(key, ()):
            if record_hash == append.record_hash:
                return published
        for seq in seqs:
            record, record_hash, time, position, signature = self._db.execute(
                "SELECT record, record_hash, time, position, signature FROM entries WHERE id = ?",
                (first_id(key[0]) | seq,),
            ).fetchone()
            if append.record_hash == (record_hash if record is None else sha256(record)):
                return Published(seq, time, None if position is None else Receipt(position, signature))
        return None

    def _are_whole(self, blobs: Sequence[bytes]) -> bool:
        return all(
            self._db.execute("SELECT 1 FROM blobs WHERE id = ? AND state = 1", (blob,)).fetchone()
            for blob in blobs
        )

    def _next_position(self, log: Log, slot: bytes) -> int:
        last = self._positions.get((log.number, slot))
        if last is None:
            last = self._db.execute(
                "SELECT position FROM entries WHERE slot = ? AND id > ? AND id < ? ORDER BY id DESC LIMIT 1",
                (slot, first_id(log.number), first_id(log.number + 1)),
            ).fetchone()
            last = -1 if last is None else last[0]
        return int(last) + 1

    def _plan_visit(self, append: Append, log: Log, time: int) -> None:
        if append.slot is None:
            day = content_day(log.kind, log.retention_days, time)
            if day != log.content_day:
                log.content_day = day
                self._visits += (day, log.number)
        else:
            day = slot_day(time)
            if day != log.slot_day:
                log.slot_day = day
                self._visits += (day, log.number)
