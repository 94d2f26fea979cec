"""Files up to a relay and down from it, part by part, going on where a broken connection or a stopped
program left off."""

from __future__ import annotations

import asyncio
import hashlib
import mimetypes
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from polynya.client.errors import ClientError
from polynya.client.link import Link, LinkDown
from polynya.crypto.hashes import sha256
from polynya.wire import cbor, files
from polynya.wire.errors import WireError
from polynya.wire.messages import (
    BLOB_PART,
    FILE_MAX,
    BlobPart,
    BlobState,
    FileReference,
    GetBlob,
    PutBlob,
    RefusalCode,
    Refused,
    Request,
    Response,
)

Progress = Callable[[int, int], None]
"""(bytes done, bytes in all)."""

TRIES = 8
"""Refusals in a row for one part until we give up; pauses double from a second, so two minutes in all."""

NAME_MOST = 255
"""Bytes of a file's name in FileReference."""


@dataclass(frozen=True, slots=True)
class SealedFile:
    """A file on disk as the blob it becomes. `key` seals this content only: another one needs another key."""

    path: Path
    size: int
    changed: int
    """Modification time in microseconds: tells a file that was written to meanwhile."""
    key: bytes = field(repr=False)
    blob: bytes = b""
    """Id: SHA-256 of the whole blob."""

    @property
    def total(self) -> int:
        return files.blob_size(self.size)

    def encode(self) -> bytes:
        return cbor.encode([str(self.path), self.size, self.changed, self.key, self.blob])

    @classmethod
    def decode(cls, data: bytes) -> SealedFile | None:
        try:
            value = cbor.decode(data)
        except WireError:
            return None
        match value:
            case [str(path), int(size), int(changed), bytes(key), bytes(blob)]:
                return cls(Path(path), size, changed, key, blob)
        return None

    def is_current(self) -> bool:
        """Whether the file is still what was sealed."""
        try:
            state = self.path.stat()
        except OSError:
            return False
        return (state.st_size, _changed(state)) == (self.size, self.changed)

    def part(self, file: BinaryIO, offset: int) -> bytes:
        """The blob from `offset` up to the end of that part (a multiple of BLOB_PART, or the blob's end)."""
        index, within = divmod(offset, files.SEALED_CHUNK)
        count = files.chunk_count(self.size)
        pieces: list[bytes] = []
        if index < count:
            file.seek(index * files.CHUNK)
            chunk = file.read(files.CHUNK)
            expected = min(files.CHUNK, self.size - index * files.CHUNK)
            if len(chunk) != expected:
                raise ClientError("file-unreadable", "it changed while it was sent")
            pieces.append(files.seal_chunk(self.key, index, index == count - 1, chunk))
        start = index * files.SEALED_CHUNK
        end = min(start + BLOB_PART, self.total)
        sealed = b"".join(pieces)
        return (sealed + bytes(max(0, end - start - len(sealed))))[within : end - start]


def _changed(state: os.stat_result) -> int:
    return max(0, state.st_mtime_ns // 1_000)


def seal(path: Path, key: bytes) -> SealedFile:
    """Reads the whole file once for its blob's id. Raises ClientError. Blocking: run in a thread."""
    try:
        with path.open("rb") as file:
            state = os.fstat(file.fileno())
            if not path.is_file():
                raise ClientError("file-unreadable", f"{path} is not a file")
            if state.st_size > FILE_MAX:
                raise ClientError("file-too-large", f"{path}: {state.st_size} bytes")
            sealed = SealedFile(path, state.st_size, _changed(state), key)
            digest = hashlib.sha256()
            for offset in range(0, sealed.total, BLOB_PART):
                digest.update(sealed.part(file, offset))
    except OSError as error:
        raise ClientError("file-unreadable", f"{path}: {error.strerror}") from error
    return SealedFile(path, sealed.size, sealed.changed, key, digest.digest())


def media_type_of(path: Path) -> str:
    return mimetypes.guess_type(path.name)[0] or "application/octet-stream"


def short_name(name: str) -> str:
    """At most NAME_MOST bytes of UTF-8, the ending kept."""
    stem, dot, ending = name.rpartition(".")
    if not dot or len(ending.encode()) > 20:
        stem, dot, ending = name, "", ""
    room = NAME_MOST - len((dot + ending).encode())
    return stem.encode()[:room].decode("utf-8", "ignore") + dot + ending


class Transfers:
    """Moves blobs over one link; waits for it to come back as often as it breaks."""

    def __init__(self, link: Callable[[], Link]) -> None:
        self._link = link

    async def _ask(self, request: Request) -> Response:
        """The relay's answer, however often the connection breaks meanwhile; raises ClientError for a
        lasting refusal."""
        pause, refused = 1.0, 0
        while True:
            link = self._link()
            await link.wait_up()
            try:
                response = await link.ask(request)
            except LinkDown:
                await asyncio.sleep(0.05)
                continue
            if not isinstance(response, Refused):
                return response
            passing = response.code in (RefusalCode.TOO_MANY, RefusalCode.FULL, RefusalCode.INTERNAL)
            refused += 1
            if not passing or refused >= TRIES:
                raise _refusal(response.code)
            asked = response.retry_after
            await asyncio.sleep(min(asked / 1_000, 60.0) if asked is not None else pause)
            pause = min(pause * 2, 30.0)

    async def upload(self, file: SealedFile, progress: Progress | None = None) -> None:
        """Returns when the relay has the whole blob. Raises ClientError."""
        done, stalled = await self._put(file, 0, b""), 0
        while done < file.total:
            part = await asyncio.to_thread(_read_part, file, done)
            before, done = done, await self._put(file, done, part)
            # The relay forgets a blob whose hash is wrong, and says then that it has nothing.
            stalled = stalled + 1 if done <= before else 0
            if stalled >= 3 or (done == 0 and before > 0 and not file.is_current()):
                raise ClientError("upload-refused")
            if progress is not None:
                progress(min(done, file.size), file.size)

    async def _put(self, file: SealedFile, offset: int, part: bytes) -> int:
        answer = await self._ask(PutBlob(file.blob, file.total, offset, part))
        if not isinstance(answer, BlobState) or answer.received > file.total:
            raise ClientError("upload-refused")
        return answer.received

    async def download(
        self, reference: FileReference, target: Path, progress: Progress | None = None
    ) -> None:
        """Writes the file's content to `target`, going on behind whole chunks that are there. Raises
        ClientError."""
        count = files.chunk_count(reference.size)
        index = await asyncio.to_thread(_whole_chunks, target, reference.size)
        while index < count:
            chunk = await self._chunk(reference, index, count)
            await asyncio.to_thread(_append, target, index * files.CHUNK, chunk)
            index += 1
            if progress is not None:
                progress(min(index * files.CHUNK, reference.size), reference.size)

    async def _chunk(self, reference: FileReference, index: int, count: int) -> bytes:
        start = index * files.SEALED_CHUNK
        end = min(start + files.SEALED_CHUNK, files.sealed_size(reference.size))
        sealed = b""
        while len(sealed) < end - start:
            offset = start + len(sealed)
            answer = await self._ask(GetBlob(reference.blob, offset, end - offset))
            if not isinstance(answer, BlobPart) or not answer.part or len(answer.part) > end - offset:
                raise ClientError("file-damaged")
            sealed += answer.part
        try:
            return files.open_chunk(reference.key, index, index == count - 1, sealed)
        except WireError as error:
            raise ClientError("file-damaged") from error


def _refusal(code: RefusalCode) -> ClientError:
    if code is RefusalCode.UNKNOWN_BLOB:
        return ClientError("file-gone")
    if code is RefusalCode.FULL:
        return ClientError("relay-full")
    return ClientError("upload-refused", code.name.lower().replace("_", "-"))


def _read_part(file: SealedFile, offset: int) -> bytes:
    try:
        with file.path.open("rb") as source:
            return file.part(source, offset)
    except OSError as error:
        raise ClientError("file-unreadable", f"{file.path}: {error.strerror}") from error


def _whole_chunks(target: Path, size: int) -> int:
    """Chunks already in `target` from an earlier try. What follows a broken write is fetched again."""
    try:
        return min(target.stat().st_size, size) // files.CHUNK
    except FileNotFoundError:
        return 0
    except OSError as error:
        raise ClientError("file-unwritable", f"{target}: {error.strerror}") from error


def _append(target: Path, offset: int, chunk: bytes) -> None:
    try:
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.seek(offset)
            file.write(chunk)
            file.truncate()
    except OSError as error:
        raise ClientError("file-unwritable", f"{target}: {error.strerror}") from error


_RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\.|$)")


def safe_name(name: str) -> str:
    """A name for a file that a stranger named: no folders, no hidden or control characters, none of
    Windows' devices."""
    kept = "".join(c for c in name if c.isprintable() and c not in '<>:"|?*')
    kept = re.split(r"[/\\]", kept)[-1].strip(" .")
    if not kept or _RESERVED.match(kept):
        kept = f"file-{kept}".rstrip("-")
    return short_name(kept)


def free_names(folder: Path, name: str) -> Iterator[Path]:
    """`name`, then `name (1)` and so on."""
    yield folder / name
    path = Path(name)
    for number in range(1, 1_000):
        yield folder / f"{path.stem} ({number}){path.suffix}"


def temporary_for(final: Path, reference: FileReference) -> Path:
    """Where a download gathers: found again by the next try of the same file."""
    return final.parent / f".polynya-{sha256(reference.key).hex()[:16]}.part"


def finish(temporary: Path, folder_or_file: Path, name: str) -> Path:
    """Gives the finished download its name; never writes over anything. Raises ClientError."""
    names = free_names(folder_or_file, name) if folder_or_file.is_dir() else iter([folder_or_file])
    for final in names:
        try:
            os.link(temporary, final)
        except FileExistsError:
            continue
        except OSError:
            # A file system without hard links: the check and the rename are then two steps.
            if final.exists():
                continue
            try:
                temporary.rename(final)
            except OSError as error:
                raise ClientError("file-unwritable", f"{final}: {error.strerror}") from error
            return final
        temporary.unlink()
        return final
    raise ClientError("file-exists", str(folder_or_file))
