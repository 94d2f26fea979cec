"""`polynya relay backup`: a copy of a relay's data that is consistent, complete and checked, of a running relay too.

A backup is a folder laid out as the data folder is. It holds the database, whole blobs, the relay's identity, its
secret path and its configuration file; never the keys that requests are sealed to, as their end is what protects
recorded traffic. In its database all topics are marked as restored: whatever brings it back, the relay signs no
receipt that could contradict one of after the backup.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import sqlite3
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from polynya.relay.check import Progress, check_data, is_whole, no_progress
from polynya.relay.config import CONFIG_FILE
from polynya.relay.errors import DataError
from polynya.relay.files import sync_file, sync_folder, write_private
from polynya.relay.folder import IDENTITY_FILE, LOCK_FILE, PATH_FILE
from polynya.relay.store import schema
from polynya.relay.store.blobfiles import NO_SPACE, hash_file
from polynya.relay.store.sqlite import BLOB_FOLDER, DATABASE, mark_restored
from polynya.relay.store.threads import connect_read_only

ABOUT = "backup.json"
"""Tells a backup from other folders, and when it was begun."""
SMALL_FILES = (IDENTITY_FILE, PATH_FILE)
PAGES = 4_096
"""Of the database, copied between two words of progress: 16 MiB."""
NEW = ".new"
READ_SIZE = 1 << 20


@dataclass(frozen=True, slots=True)
class BackedUp:
    """What a backup holds, and what of it this run had to copy. Sizes in bytes."""

    database: int
    topics: int
    records: int
    blobs: int
    blob_bytes: int
    new_blobs: int
    new_bytes: int
    removed_blobs: int


def make_backup(data: Path, folder: Path, now: int, progress: Progress = no_progress) -> BackedUp:
    """Makes `folder` a backup of the relay whose data is in `data`, or brings an earlier one there up to date:
    blobs that it has are not copied again. Until the new one is complete the earlier one stays. Raises DataError."""
    try:
        _check_places(data, folder)
        _begin(folder)
        with _locked(folder):
            return _Backup(data, folder, progress).make(now)
    except (sqlite3.Error, OSError) as error:
        raise DataError(why_not(error, folder)) from None


def _check_places(data: Path, folder: Path) -> None:
    for name in (DATABASE, *SMALL_FILES):
        if not (data / name).is_file():
            raise DataError(f"There is no relay's data in {data}: {name} is missing. Check --data.")
    inside, outside = folder.resolve(), data.resolve()
    if inside.is_relative_to(outside) or outside.is_relative_to(inside):
        raise DataError(
            f"{folder} and the data folder {data} lie within each other. Choose a folder elsewhere."
        )
    if folder.is_file():
        raise DataError(f"{folder} is a file. Choose a new or empty folder.")
    if not folder.exists() or not any(entry.name != LOCK_FILE for entry in folder.iterdir()):
        return
    if not is_backup(folder):
        raise DataError(f"{folder} holds something else than a backup. Choose a new or empty folder.")
    identity = folder / IDENTITY_FILE
    if identity.exists() and identity.read_bytes() != (data / IDENTITY_FILE).read_bytes():
        raise DataError(f"{folder} is a backup of another relay. Choose another folder.")


def is_backup(folder: Path) -> bool:
    return (folder / ABOUT).is_file()


def _begin(folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    if not is_backup(folder):
        write_private(folder / ABOUT, b"{}\n")
    (folder / BLOB_FOLDER).mkdir(mode=0o700, exist_ok=True)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    lock = os.open(folder / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise DataError(f"Another backup to {folder} is under way. Wait until it has ended.") from None
        yield
    finally:
        os.close(lock)


class _Backup:
    def __init__(self, data: Path, folder: Path, progress: Progress) -> None:
        self._data = data
        self._folder = folder
        self._progress = progress
        self._new = folder / (DATABASE + NEW)
        self._copied = self._copied_bytes = 0

    def make(self, now: int) -> BackedUp:
        """The database first, then the blobs that it names; once both are checked, the names that make them the backup."""
        try:
            self._copy_database(now)
            blobs = self._copy_blobs()
            for name in SMALL_FILES:
                write_private(self._folder / name, (self._data / name).read_bytes())
            self._check(blobs)
            counts = self._counts()
            if (self._data / CONFIG_FILE).is_file():
                write_private(self._folder / CONFIG_FILE, (self._data / CONFIG_FILE).read_bytes())
            os.replace(self._new, self._folder / DATABASE)
            write_private(self._folder / ABOUT, json.dumps({"begun": now, **counts}).encode() + b"\n")
            sync_folder(self._folder)
        except BaseException:
            self._new.unlink(missing_ok=True)
            raise
        removed = self._remove_others(blobs)
        size = sum(blobs.values())
        return BackedUp(
            (self._folder / DATABASE).stat().st_size,
            counts["topics"],
            counts["records"],
            len(blobs),
            size,
            self._copied,
            self._copied_bytes,
            removed,
        )

    def _check(self, blobs: Collection[bytes]) -> None:
        """Of what is damaged nothing takes the place of the earlier backup. Raises DataError."""
        problems = check_data(self._folder, self._progress, self._new.name, blobs)
        if problems:
            raise DataError(
                f"No backup was made, as it is not in order: {'; '.join(problems)}. An earlier one in {self._folder} is as "
                "it was. Check the relay with: polynya relay check"
            )

    def _copy_database(self, now: int) -> None:
        """A snapshot: what is committed while it is copied is not in it."""
        self._new.unlink(missing_ok=True)
        os.close(os.open(self._new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        source = connect_read_only(self._data / DATABASE)
        target = sqlite3.connect(self._new, isolation_level=None)
        try:
            version = schema.version_of(source)
            if version > len(schema.MIGRATIONS):
                raise DataError(
                    f"The data was written by a newer Polynya (schema {version}). Use that one for backups."
                )
            source.execute("BEGIN")
            source.execute("SELECT count(*) FROM sqlite_master").fetchone()
            source.backup(target, pages=PAGES, progress=self._tell_pages)
            source.execute("COMMIT")
            target.execute("PRAGMA journal_mode = DELETE")
            target.execute("PRAGMA secure_delete = ON")
            schema.migrate(target, now)
            mark_restored(target)
        finally:
            source.close()
            target.close()
        sync_file(self._new)

    def _tell_pages(self, _: int, left: int, total: int) -> None:
        self._progress("database", total - left, total)

    def _copy_blobs(self) -> dict[bytes, int]:
        """By id the size of each blob that the backup's database says is whole; the bytes of all were hashed."""
        target = sqlite3.connect(self._new, isolation_level=None)
        source = connect_read_only(self._data / DATABASE)
        try:
            blobs = dict(target.execute("SELECT id, total FROM blobs ORDER BY id").fetchall())
            for index, (blob, size) in enumerate(tuple(blobs.items())):
                if not self._copy_blob(blob, size):
                    if is_whole(source, blob):
                        raise DataError(
                            "The bytes of a file are missing. Check the relay with: polynya relay check"
                        )
                    # Retention let it go while the backup was made.
                    target.execute("DELETE FROM blobs WHERE id = ?", (blob,))
                    target.execute("DELETE FROM blob_names WHERE blob = ?", (blob,))
                    del blobs[blob]
                self._progress("files", index + 1, len(blobs))
        finally:
            source.close()
            target.close()
        sync_file(self._new)
        sync_folder(self._folder / BLOB_FOLDER)
        return blobs

    def _copy_blob(self, blob: bytes, size: int) -> bool:
        """False where the relay does not have its bytes."""
        name = blob.hex()
        place = self._folder / BLOB_FOLDER / name[:2] / name
        if _holds(place, blob):
            return True
        try:
            copy_blob(self._data / BLOB_FOLDER / name[:2] / name, place, blob)
        except FileNotFoundError:
            return False
        self._copied += 1
        self._copied_bytes += size
        return True

    def _counts(self) -> dict[str, int]:
        target = sqlite3.connect(self._new, isolation_level=None)
        try:
            return {
                "topics": target.execute("SELECT count(*) FROM logs WHERE kind = 1").fetchone()[0],
                "records": target.execute("SELECT count(*) FROM entries WHERE record IS NOT NULL").fetchone()[
                    0
                ],
            }
        finally:
            target.close()

    def _remove_others(self, blobs: dict[bytes, int]) -> int:
        """Blobs of an earlier backup that the relay has destroyed since, and what an interrupted one left."""
        kept = {blob.hex() for blob in blobs}
        removed = 0
        for path in (self._folder / BLOB_FOLDER).glob("*/*"):
            if path.name not in kept:
                path.unlink()
                removed += not path.name.endswith(NEW)
        return removed


def _holds(place: Path, blob: bytes) -> bool:
    """Whether the file is there and has the blob's bytes; what cannot be read has not."""
    try:
        return hash_file(place) == blob
    except OSError:
        return False


def copy_blob(source: Path, place: Path, blob: bytes) -> None:
    """Copies and checks; on disk when it returns. Raises OSError, and DataError where the bytes are not the
    blob's."""
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    beside = place.with_name(place.name + NEW)
    digest = hashlib.sha256()
    with source.open("rb", buffering=0) as file:
        fd = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            with os.fdopen(fd, "wb") as copy:
                while piece := file.read(READ_SIZE):
                    digest.update(piece)
                    copy.write(piece)
                copy.flush()
                os.fsync(fd)
            if digest.digest() != blob:
                raise DataError(
                    "A file's bytes are not what they were. Check both disks with: polynya relay check"
                )
            os.replace(beside, place)
        except BaseException:
            beside.unlink(missing_ok=True)
            raise
    sync_folder(place.parent)


def why_not(error: OSError | sqlite3.Error, folder: Path) -> str:
    """What to tell the operator whose files could not be copied to `folder`."""
    if isinstance(error, OSError):
        is_full = error.errno in NO_SPACE
        text = f"{error.filename or folder}: {os.strerror(error.errno or 0)}"
    else:
        is_full = getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_FULL
        text = f"The database could not be copied ({error})"
    if is_full:
        return f"The disk of {folder} is full. What was there before is whole. Make room, and try again."
    return f"{text}. Check the disks, and that this user may read and write there."
