"""The data folder: the relay's identity and secret path, and the lock that keeps a second relay out."""

from __future__ import annotations

import base64
import fcntl
import os
import re
from dataclasses import dataclass, field
from pathlib import Path

from polynya.crypto.random import Random
from polynya.crypto.signature import SEED_SIZE, public_key
from polynya.relay.errors import DataError
from polynya.relay.files import write_private
from polynya.relay.store.sqlite import DATABASE

IDENTITY_FILE = "identity.key"
PATH_FILE = "path"
LOCK_FILE = "lock"
LINK_FILE = "link.txt"
LOCAL_FILE = "local.txt"
"""Where the running relay's local address is, for `polynya relay status`."""
UNFINISHED = "restore-unfinished"
"""A folder that is there while a restore moves its files into place."""
PATH_SIZE = 16
"""Random bytes of the secret path: 128 bits."""
_PATH = re.compile(r"[A-Za-z0-9_-]{22,128}\Z")


@dataclass(frozen=True, slots=True)
class DataFolder:
    """An open, locked data folder. `close` gives the lock back."""

    folder: Path
    seed: bytes = field(repr=False)
    """the identity's Ed25519 private key"""
    secret_path: str = field(repr=False)
    """without slashes"""
    is_new: bool
    _lock: int = field(repr=False)

    @property
    def identity(self) -> bytes:
        """Ed25519 public key."""
        return public_key(self.seed)

    def close(self) -> None:
        os.close(self._lock)


def open_folder(folder: Path, random: Random) -> DataFolder:
    """Opens the relay's data, or makes a new relay where the folder is missing or empty. Raises DataError."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(folder / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise DataError(
            f"The data folder {folder} cannot be written ({os.strerror(error.errno or 0)}). Give the user "
            "that runs the relay the right to write there, or choose another folder with --data."
        ) from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        raise DataError(
            f"Another relay is running on the data folder {folder}. "
            "Stop it first, or choose another folder with --data."
        ) from None
    try:
        return _open_locked(folder, lock, random)
    except BaseException:
        os.close(lock)
        raise


def _open_locked(folder: Path, lock: int, random: Random) -> DataFolder:
    identity, path = folder / IDENTITY_FILE, folder / PATH_FILE
    if (folder / UNFINISHED).exists():
        raise DataError(
            f"A restore into {folder} was interrupted. Finish it with: polynya relay restore FOLDER, "
            "with the same options."
        )
    try:
        is_new = not identity.exists()
        if is_new:
            if (folder / DATABASE).exists():
                raise DataError(
                    f"{identity} is missing: without it this relay's people cannot recognise it. "
                    "Bring the file back from a backup, or start a new relay in another folder with --data."
                )
            if not path.exists():
                write_private(path, base64.urlsafe_b64encode(random.bytes(PATH_SIZE)).rstrip(b"=") + b"\n")
            write_private(identity, random.bytes(SEED_SIZE))
        seed, secret_path = identity.read_bytes(), path.read_text("ascii", "replace").strip()
    except OSError as error:
        raise DataError(
            f"{error.filename or folder}: {os.strerror(error.errno or 0)}. "
            "The user that runs the relay must be able to read and write everything in its data folder."
        ) from None
    if len(seed) != SEED_SIZE:
        raise DataError(f"{identity} is damaged: it must be {SEED_SIZE} bytes. Bring it back from a backup.")
    if _PATH.match(secret_path) is None:
        raise DataError(
            f"{path} is damaged: it must hold 22 to 128 letters, digits, - and _. "
            "Bring it back from a backup."
        )
    return DataFolder(folder, seed, secret_path, is_new, lock)
