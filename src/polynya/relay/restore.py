"""`polynya relay restore`: brings a backup back, whole or not at all.

It is copied to a folder within the data folder, and checked there. Only then that folder gets the name which says
that the rest is a matter of moving files: a restore that is interrupted before changed nothing, one that is
interrupted after is finished by the next, and the relay does not start in between.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from polynya.relay.backup import copy_blob, is_backup, why_not
from polynya.relay.check import Progress, check_data, no_progress
from polynya.relay.config import CONFIG_FILE
from polynya.relay.errors import DataError
from polynya.relay.files import sync_folder, write_private
from polynya.relay.folder import IDENTITY_FILE, LOCK_FILE, PATH_FILE, UNFINISHED
from polynya.relay.store.sqlite import BLOB_FOLDER, DATABASE, prepare_restored

STAGING = "restore-staging"
ORDER = (CONFIG_FILE, PATH_FILE, IDENTITY_FILE, BLOB_FOLDER, DATABASE)
"""In which a restore's files take their places: the database last."""
LEFT_OVERS = (f"{DATABASE}-wal", f"{DATABASE}-shm")
"""Belong to the database that was there before, and to no other."""
HARMLESS = (LOCK_FILE, CONFIG_FILE, STAGING, "lost+found")
"""What an empty data folder may hold."""
REPLACED = "replaced"


@dataclass(frozen=True, slots=True)
class Restored:
    finished: bool
    """an earlier restore was interrupted, and was finished now instead"""
    replaced: Path | None
    """where the data is that was there before"""


def restore_backup(
    source: Path, data: Path, now: int, *, replace: bool = False, progress: Progress = no_progress
) -> Restored:
    """Brings the backup in `source` back into `data`, a new or empty folder; where a relay's data is there
    already, `replace` moves it aside first. Raises DataError."""
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(data / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            _lock(lock, data)
            if (data / UNFINISHED).exists():
                return Restored(True, _move_in(data))
            _check(source, data, replace)
            _stage(source, data, now, progress)
            os.rename(data / STAGING, data / UNFINISHED)
            sync_folder(data)
            return Restored(False, _move_in(data))
        finally:
            os.close(lock)
    except (sqlite3.Error, OSError) as error:
        raise DataError(why_not(error, data)) from None


def _lock(lock: int, data: Path) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise DataError(f"A relay is running on {data}. Stop it first.") from None


def _check(source: Path, data: Path, replace: bool) -> None:
    if not is_backup(source) or not (source / DATABASE).is_file():
        raise DataError(f"{source} is not a whole backup. One is made with: polynya relay backup FOLDER")
    inside, outside = source.resolve(), data.resolve()
    if inside.is_relative_to(outside) or outside.is_relative_to(inside):
        raise DataError(
            f"{source} and the data folder {data} lie within each other. Move the backup elsewhere."
        )
    others = sorted(entry.name for entry in data.iterdir() if entry.name not in HARMLESS)
    if others and not replace:
        raise DataError(
            f"{data} is not empty ({others[0]}). Choose another folder with --data, or give --replace: then what "
            "is there is moved aside."
        )


def _stage(source: Path, data: Path, now: int, progress: Progress) -> None:
    staging = data / STAGING
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir(mode=0o700)
    try:
        for name in (PATH_FILE, IDENTITY_FILE, DATABASE):
            _copy(source / name, staging / name)
        if (source / CONFIG_FILE).exists() and not (data / CONFIG_FILE).exists():
            _copy(source / CONFIG_FILE, staging / CONFIG_FILE)
        for blob in prepare_restored(staging, now):
            name = blob.hex()
            copy_blob(source / BLOB_FOLDER / name[:2] / name, staging / BLOB_FOLDER / name[:2] / name, blob)
        (staging / BLOB_FOLDER).mkdir(mode=0o700, exist_ok=True)
        sync_folder(staging / BLOB_FOLDER)
        problems = check_data(staging, progress)
        if problems:
            raise DataError(f"The backup in {source} is damaged: {'; '.join(problems)}. Take another one.")
        sync_folder(staging)
    except FileNotFoundError:
        shutil.rmtree(staging, ignore_errors=True)
        raise DataError(
            f"The backup in {source} is not whole: a file is missing. Take another one."
        ) from None
    except BaseException:
        shutil.rmtree(staging, ignore_errors=True)
        raise


def _copy(source: Path, place: Path) -> None:
    fd = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with source.open("rb") as file, os.fdopen(fd, "wb") as copy:
        shutil.copyfileobj(file, copy, 1 << 20)
        copy.flush()
        os.fsync(fd)


def _move_in(data: Path) -> Path | None:
    """From any point at which it was interrupted. What waits in the folder of the unfinished restore has not
    been moved yet, and a file of its name outside is of before."""
    unfinished = data / UNFINISHED
    replaced = _aside(data)
    if (unfinished / DATABASE).exists():
        for name in LEFT_OVERS:
            _move_aside(data / name, replaced)
    for name in ORDER:
        if (unfinished / name).exists():
            _move_aside(data / name, replaced)
            os.rename(unfinished / name, data / name)
            sync_folder(data)
    shutil.rmtree(unfinished)
    sync_folder(data)
    return replaced if replaced.exists() else None


def _aside(data: Path) -> Path:
    """Where this restore puts what was there: the first free name, which an interrupted one has kept."""
    noted = data / UNFINISHED / REPLACED
    if not noted.exists():
        number = 1
        while (data / f"{REPLACED}-{number}").exists():
            number += 1
        write_private(noted, f"{REPLACED}-{number}".encode())
    return data / noted.read_text()


def _move_aside(path: Path, replaced: Path) -> None:
    if path.exists():
        replaced.mkdir(mode=0o700, exist_ok=True)
        os.rename(path, replaced / path.name)
        sync_folder(replaced)
