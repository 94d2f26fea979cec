"""The bytes of blobs: one file each. A growing blob lies in `incoming`, a whole one under the first byte of
its id."""

from __future__ import annotations

import errno
import hashlib
import os
from pathlib import Path

from polynya.relay.files import sync_folder
from polynya.relay.store.base import Problem, StoreError

READ_SIZE = 1 << 20
NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class BlobFiles:
    """Blocking; called in worker threads. What a method wrote is on disk when it returns."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._incoming = folder / "incoming"
        self._incoming.mkdir(mode=0o700, parents=True, exist_ok=True)
        # A killed relay may have made files whose names were not on disk yet.
        sync_folder(self._incoming)
        sync_folder(folder)

    def free_bytes(self) -> int:
        """What an ordinary user may still write on this disk."""
        disk = os.statvfs(self._folder)
        return disk.f_bavail * disk.f_frsize

    def write(self, blob: bytes, offset: int, part: bytes) -> None:
        """Puts `part` at `offset`, and cuts off what an interrupted write left behind it. Raises
        StoreError."""
        path = self._growing(blob)
        is_new = not path.exists()
        try:
            fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise _problem(error) from None
        try:
            if os.fstat(fd).st_size < offset:
                raise StoreError(Problem.FAILED, "a growing blob has lost bytes")
            os.ftruncate(fd, offset)
            view, at = memoryview(part), offset
            while view:
                written = os.pwrite(fd, view, at)
                view, at = view[written:], at + written
            os.fsync(fd)
        except OSError as error:
            raise _problem(error) from None
        finally:
            os.close(fd)
        if is_new:
            sync_folder(self._incoming)

    def is_finished(self, blob: bytes, total: int) -> bool:
        """Whether the whole blob was moved to its place already: before a crash, perhaps, that left its row behind."""
        place = self._place(blob)
        try:
            if self._growing(blob).exists() or not place.exists() or place.stat().st_size != total:
                return False
            self._sync_place(place)
            return True
        except OSError as error:
            raise _problem(error) from None

    def finish(self, blob: bytes, total: int) -> bool:
        """Moves the whole blob to its place; False, and nothing is left of it, where its hash is wrong."""
        path, place = self._growing(blob), self._place(blob)
        try:
            if path.stat().st_size != total or hash_file(path) != blob:
                self.remove(blob)
                return False
            place.parent.mkdir(mode=0o700, exist_ok=True)
            path.rename(place)
            self._sync_place(place)
        except OSError as error:
            raise _problem(error) from None
        return True

    def read(self, blob: bytes, offset: int, length: int) -> bytes:
        """Raises StoreError UNKNOWN where the file is gone."""
        try:
            with self._place(blob).open("rb", buffering=0) as file:
                return os.pread(file.fileno(), length, offset)
        except FileNotFoundError:
            raise StoreError(Problem.UNKNOWN) from None
        except OSError as error:
            raise _problem(error) from None

    def remove(self, blob: bytes) -> None:
        """Whatever there is of the blob; raises StoreError."""
        try:
            self._growing(blob).unlink(missing_ok=True)
            self._place(blob).unlink(missing_ok=True)
        except OSError as error:
            raise _problem(error) from None

    def _sync_place(self, place: Path) -> None:
        """The name of a whole blob is on disk, and its former one is not."""
        sync_folder(place.parent)
        sync_folder(self._folder)
        sync_folder(self._incoming)

    def _growing(self, blob: bytes) -> Path:
        return self._incoming / blob.hex()

    def _place(self, blob: bytes) -> Path:
        name = blob.hex()
        return self._folder / name[:2] / name


def hash_file(path: Path) -> bytes:
    """SHA-256 of its bytes, read piece by piece. Raises OSError."""
    digest = hashlib.sha256()
    with path.open("rb", buffering=0) as file:
        while piece := file.read(READ_SIZE):
            digest.update(piece)
    return digest.digest()


def _problem(error: OSError) -> StoreError:
    """Without the file's name: it is the blob's id."""
    problem = Problem.FULL if error.errno in NO_SPACE else Problem.FAILED
    return StoreError(problem, os.strerror(error.errno or 0))
