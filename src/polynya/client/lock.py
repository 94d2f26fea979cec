"""One writer per store: an operating system's lock on a file, released by itself when the process ends."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from polynya.client.errors import StoreError, StoreInUse

_WINDOWS_OFFSET = 1 << 30
"""Windows locks bytes against reading too: one far behind the holder's name lets others read the name."""


def _try_lock(descriptor: int) -> bool:
    if sys.platform == "win32":
        import msvcrt

        os.lseek(descriptor, _WINDOWS_OFFSET, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        finally:
            os.lseek(descriptor, 0, os.SEEK_SET)
        return True
    import fcntl

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def holder() -> str:
    """How this process shows itself to the next one: its id and the command without its arguments' values."""
    words = [Path(sys.argv[0] or "python").name, *sys.argv[1:2]]
    if words[0] == "__main__.py":
        words[0] = "polynya"
    command = " ".join(word for word in words if not word.startswith("-"))
    return f"process {os.getpid()} ({command[:80]})"


class StoreLock:
    """Holds the lock until `release`. Raises StoreInUse, naming the holder, when another process has it."""

    def __init__(self, path: Path) -> None:
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise StoreError(
                f"The store's folder {path.parent} cannot be used: {error.strerror}. "
                "Check its permissions, or choose another one with --store."
            ) from error
        if not _try_lock(descriptor):
            who = os.read(descriptor, 200).decode("utf-8", "replace").strip() or "another process"
            os.close(descriptor)
            raise StoreInUse(
                f"The store {path.parent} is in use by {who}. Stop it first, or choose another "
                f"store with --store."
            )
        os.ftruncate(descriptor, 0)
        os.write(descriptor, holder().encode())
        self._descriptor: int | None = descriptor

    def release(self) -> None:
        if self._descriptor is not None:
            # The name goes, the file stays: deleting it would let two processes lock two files of one name.
            os.ftruncate(self._descriptor, 0)
            os.close(self._descriptor)
            self._descriptor = None
