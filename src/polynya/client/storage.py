"""A device's store: one SQLite file, encrypted row by row, one writer, durable when `commit` returns.

Blocking calls: the client runs them in a thread of their own, one at a time.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import polynya.client.schema as schema
from polynya.client.errors import StoreDamaged, StoreError, StoreFull
from polynya.client.lock import StoreLock
from polynya.client.rows import RowSeal
from polynya.client.stored import decode_stored, encode_stored
from polynya.client.storekey import WrappedKey, damaged, unwrap, wrap
from polynya.core import history
from polynya.core.commands import AmendMessage, AppendMessage, ForgetHistory, Save
from polynya.core.history import StoredMessage
from polynya.crypto.random import Random

DATABASE = "store.db"
KEY_FILE = "key"
LOCK_FILE = "lock"
OWN = "client/"
"""Tables of the client's own begin so; the core never sees them."""

Change: TypeAlias = Save | AppendMessage | AmendMessage | ForgetHistory

PAGE_MOST = 1_000
"""Messages in one page of history: at ~1 KB each, 1 MB of memory."""


@dataclass(frozen=True, slots=True)
class Arrived:
    """A message with the number under which this store first took it: numbers only grow."""

    arrival: int
    message: StoredMessage


def _mapped(error: sqlite3.Error) -> StoreError:
    code = (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF
    if code == sqlite3.SQLITE_FULL:
        return StoreFull(
            "The disk is full, so nothing of this step was kept. Free some space; Polynya goes on by itself."
        )
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return damaged(str(error))
    return StoreError(f"The store cannot be used: {error}. Check the disk and the folder's permissions.")


@contextlib.contextmanager
def _errors() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise _mapped(error) from error


class Storage:
    """An open store. `Storage.open` makes it where there is none."""

    def __init__(self, folder: Path, db: sqlite3.Connection, lock: StoreLock, seal: RowSeal) -> None:
        self.folder = folder
        self._db = db
        self._lock = lock
        self._seal = seal

    # ---- opening ----

    @classmethod
    def open(cls, folder: Path, *, passphrase: str | None, random: Random) -> Storage:
        """Opens the store in `folder`, or makes one there.

        Raises StoreInUse, PassphraseNeeded, WrongPassphrase, StoreKeyMissing, StoreForeign, StoreTooNew,
        StoreDamaged, StoreFull or StoreError; in each case what was there is unchanged.
        """
        _make_folder(folder)
        lock = StoreLock(folder / LOCK_FILE)
        try:
            path = folder / DATABASE
            if not path.exists():
                _create(folder, passphrase, random)
            try:
                schema.check_ours(path)
            except OSError as error:
                raise StoreError(f"The store {path} cannot be read: {error.strerror}.") from error
            db, master = _connect(folder, passphrase)
            return cls(folder, db, lock, RowSeal(master, random))
        except BaseException:
            lock.release()
            raise

    @staticmethod
    def exists(folder: Path) -> bool:
        return (folder / DATABASE).exists()

    def change_passphrase(self, old: str | None, new: str | None, random: Random) -> None:
        """Wraps the master key anew; None means the key file. Raises as `open` for a wrong `old`."""
        master = unwrap(_wrapped(self._db), passphrase=old, key_file=self.folder / KEY_FILE)
        wrapped = wrap(master, passphrase=new, key_file=self.folder / KEY_FILE, random=random)
        with self._transaction():
            self._db.execute("UPDATE meta SET value = ? WHERE name = 'key'", (wrapped.encode(),))
        with _errors():  # the key under the former passphrase must not stay in the log
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        if new is not None:
            (self.folder / KEY_FILE).unlink(missing_ok=True)

    def forget_former(self) -> None:
        """Takes former versions of rows from the disk: SQLite's log keeps them, keys among them that were used up."""
        with contextlib.suppress(sqlite3.Error):  # no room, perhaps: the next time
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        self.forget_former()
        self._db.close()
        self._lock.release()

    # ---- writing ----

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        """All or nothing, on disk when it ends."""
        try:
            self._db.execute("BEGIN IMMEDIATE")
            yield
            self._db.execute("COMMIT")
        except BaseException as error:
            # On a full disk SQLite has rolled back by itself already.
            with contextlib.suppress(sqlite3.Error):
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
            if isinstance(error, sqlite3.Error):
                raise _mapped(error) from error
            raise

    def commit(self, changes: Iterable[Change], now: int) -> None:
        """Makes all changes durable in one transaction, or none of them. `now` in ms."""
        with self._transaction():
            for change in changes:
                if isinstance(change, Save):
                    self._save(change, now)
                elif isinstance(change, AppendMessage):
                    self._append(change.message, now)
                elif isinstance(change, AmendMessage):
                    self._amend(change, now)
                else:
                    self._db.execute(
                        "DELETE FROM message WHERE conversation = ?",
                        (self._conversation(change.conversation),),
                    )

    def _save(self, save: Save, now: int) -> None:
        table = save.table.encode()
        name = self._seal.name(b"state", table, save.key)
        if save.value is None:
            self._db.execute("DELETE FROM state WHERE name = ?", (name,))
            return
        plain = struct.pack(">HI", len(table), len(save.key)) + table + save.key + save.value
        self._db.execute(
            "INSERT INTO state (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = "
            "excluded.value",
            (name, self._seal.seal(b"state" + name, plain, now)),
        )

    def _append(self, message: StoredMessage, now: int) -> None:
        row = self._row(message, now)
        self._db.execute(
            "INSERT INTO message (conversation, id, place, tie, value) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT (conversation, id) DO NOTHING",
            row,
        )

    def _amend(self, amend: AmendMessage, now: int) -> None:
        before = self.message(amend.conversation, amend.id)
        after = None if before is None else history.apply(before, amend.amendment)
        if after is None:
            return
        conversation, id, place, tie, value = self._row(after, now)
        self._db.execute(
            "UPDATE message SET place = ?, tie = ?, value = ? WHERE conversation = ? AND id = ?",
            (place, tie, value, conversation, id),
        )

    # ---- reading ----

    def load(self) -> list[tuple[str, bytes, bytes]]:
        """All rows of the state: (table, key, value), the client's own among them."""
        with _errors():
            rows = self._db.execute("SELECT name, value FROM state").fetchall()
        return [self._open_state(name, value) for name, value in rows]

    def own(self, table: str, key: bytes = b"") -> bytes | None:
        """A row of the client's own: `table` begins with 'client/'."""
        name = self._seal.name(b"state", table.encode(), key)
        with _errors():
            row = self._db.execute("SELECT value FROM state WHERE name = ?", (name,)).fetchone()
        return None if row is None else self._open_state(name, row[0])[2]

    def message(self, conversation: bytes, id: bytes) -> StoredMessage | None:
        with _errors():
            row = self._db.execute(
                "SELECT arrival, conversation, id, place, tie, value FROM message WHERE "
                "conversation = ? AND id = ?",
                (self._conversation(conversation), self._message(conversation, id)),
            ).fetchone()
        return None if row is None else self._open_message(row).message

    def history(self, conversation: bytes, *, limit: int, before: bytes | None = None) -> list[Arrived]:
        """The newest `limit` messages, or those right before message `before`; oldest first. An unknown
        `before` gives an empty list."""
        name = self._conversation(conversation)
        limit = max(0, min(limit, PAGE_MOST))
        where = "conversation = ?"
        values: list[object] = [name]
        with _errors():
            if before is not None:
                mark = self._db.execute(
                    "SELECT place, tie, arrival FROM message WHERE conversation = ? AND id = ?",
                    (name, self._message(conversation, before)),
                ).fetchone()
                if mark is None:
                    return []
                where += " AND (place, tie, arrival) < (?, ?, ?)"
                values += mark
            rows = self._db.execute(
                f"SELECT arrival, conversation, id, place, tie, value FROM message WHERE {where}"  # noqa: S608
                " ORDER BY place DESC, tie DESC, arrival DESC LIMIT ?",
                (*values, limit),
            ).fetchall()
        return [self._open_message(row) for row in reversed(rows)]

    def arrived(self, after: int, *, limit: int, conversation: bytes | None = None) -> list[Arrived]:
        """Messages with an arrival number above `after`, in order of arrival."""
        where, values = (
            ("", ())
            if conversation is None
            else ("conversation = ? AND ", (self._conversation(conversation),))
        )
        with _errors():
            rows = self._db.execute(
                f"SELECT arrival, conversation, id, place, tie, value FROM message WHERE {where}arrival > ?"  # noqa: S608
                " ORDER BY arrival LIMIT ?",
                (*values, after, max(0, min(limit, PAGE_MOST))),
            ).fetchall()
        return [self._open_message(row) for row in rows]

    def last_arrival(self) -> int:
        with _errors():
            row = self._db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'message'").fetchone()
        return 0 if row is None else int(row[0])

    # ---- rows ----

    def _conversation(self, conversation: bytes) -> bytes:
        return self._seal.name(b"conversation", conversation)

    def _message(self, conversation: bytes, id: bytes) -> bytes:
        return self._seal.name(b"message", conversation, id)

    def _row(self, message: StoredMessage, now: int) -> tuple[bytes, bytes, int, int, bytes]:
        conversation = self._conversation(message.conversation)
        id = self._message(message.conversation, message.id)
        place, tie = (history.NEWEST, message.sent) if message.order is None else (message.order, 0)
        sealed = self._seal.seal(_place_of(conversation, id, place, tie), encode_stored(message), now)
        return conversation, id, place, tie, sealed

    def _open_message(self, row: tuple[int, bytes, bytes, int, int, bytes]) -> Arrived:
        arrival, conversation, id, place, tie, value = row
        return Arrived(
            arrival, decode_stored(self._seal.open(_place_of(conversation, id, place, tie), value))
        )

    def _open_state(self, name: bytes, value: bytes) -> tuple[str, bytes, bytes]:
        plain = self._seal.open(b"state" + name, value)
        table_size, key_size = struct.unpack_from(">HI", plain)
        key_at = 6 + table_size
        return plain[6:key_at].decode(), plain[key_at : key_at + key_size], plain[key_at + key_size :]


def _place_of(conversation: bytes, id: bytes, place: int, tie: int) -> bytes:
    return b"message" + conversation + id + struct.pack(">QQ", place, tie)


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except FileExistsError as error:
        raise StoreError(
            f"{folder} is a file. A store is a folder: choose another one with --store."
        ) from error
    except OSError as error:
        raise StoreError(
            f"The folder {folder} cannot be made: {error.strerror}. Choose another one with --store."
        ) from error


def _create(folder: Path, passphrase: str | None, random: Random) -> None:
    """Writes the new database beside and renames it: a store is there whole or not at all."""
    key_file = folder / KEY_FILE
    wrapped = wrap(random.bytes(32), passphrase=passphrase, key_file=key_file, random=random)
    draft = folder / (DATABASE + ".new")
    draft.unlink(missing_ok=True)
    try:
        os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        with _errors():
            db = sqlite3.connect(draft, isolation_level=None)
            try:
                db.execute("PRAGMA synchronous = FULL")
                db.execute(f"PRAGMA application_id = {schema.APPLICATION_ID}")
                db.execute("BEGIN IMMEDIATE")
                schema.upgrade(db, 0)
                db.execute("INSERT INTO meta (name, value) VALUES ('key', ?)", (wrapped.encode(),))
                db.execute("COMMIT")
            finally:
                db.close()
        draft.replace(folder / DATABASE)
        _sync_folder(folder)
    except OSError as error:
        raise StoreError(f"The store cannot be made in {folder}: {error.strerror}.") from error
    finally:
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    """The rename itself must survive a power cut; Windows has no such call and needs none."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _wrapped(db: sqlite3.Connection) -> WrappedKey:
    row = db.execute("SELECT value FROM meta WHERE name = 'key'").fetchone()
    if row is None or not isinstance(row[0], bytes):
        raise damaged("it has no key record")
    return WrappedKey.decode(row[0])


def _connect(folder: Path, passphrase: str | None) -> tuple[sqlite3.Connection, bytes]:
    """The open database and its master key; nothing is written before the key has opened."""
    with _errors():
        db = sqlite3.connect(folder / DATABASE, isolation_level=None, check_same_thread=False)
        try:
            db.execute("PRAGMA synchronous = FULL")
            db.execute("PRAGMA secure_delete = ON")
            # The file lock has one writer only, so SQLite needs no shared memory and no locks of its own.
            db.execute("PRAGMA locking_mode = EXCLUSIVE")
            version = db.execute("PRAGMA user_version").fetchone()[0]
            schema.check_version(version)
            check = db.execute("PRAGMA quick_check(1)").fetchone()[0]
            if check != "ok":
                raise damaged(check)
            master = unwrap(_wrapped(db), passphrase=passphrase, key_file=folder / KEY_FILE)
            db.execute("PRAGMA journal_mode = WAL")
            if version < schema.VERSION:
                db.execute("BEGIN IMMEDIATE")
                schema.upgrade(db, version)
                db.execute("COMMIT")
        except BaseException:
            db.close()
            raise
    return db, master


__all__ = ["Arrived", "Change", "Storage", "StoreDamaged"]
