"""Files as blobs (protocol.md section 8), chunk by chunk: nothing here holds more than a few chunks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from polynya.crypto.aead import AES_256_GCM
from polynya.crypto.errors import CryptoError
from polynya.wire.errors import WireError
from polynya.wire.messages import FILE_MAX

CHUNK = 65520
TAG = 16
SEALED_CHUNK = CHUNK + TAG
PADDING_UNIT_MIN = 1024


def chunk_count(size: int) -> int:
    """Chunks of a file of `size` bytes; raises WireError `file-size` above FILE_MAX."""
    if not 0 <= size <= FILE_MAX:
        raise WireError("file-size")
    return max(1, -(-size // CHUNK))


def sealed_size(size: int) -> int:
    """Bytes of a file's sealed chunks: where the padding starts."""
    return size + chunk_count(size) * TAG


def blob_size(size: int) -> int:
    """Bytes of the whole blob of a file of `size` bytes."""
    sealed = sealed_size(size)
    unit = max(PADDING_UNIT_MIN, (1 << (sealed.bit_length() - 1)) // 16)
    return -(-sealed // unit) * unit


def _nonce(index: int, last: bool) -> bytes:
    return last.to_bytes(4, "big") + index.to_bytes(8, "big")


def seal_chunk(key: bytes, index: int, last: bool, chunk: bytes) -> bytes:
    """One chunk under the file's key, which seals one file only."""
    return AES_256_GCM.seal(key, _nonce(index, last), b"", chunk)


def open_chunk(key: bytes, index: int, last: bool, sealed: bytes) -> bytes:
    """Raises WireError `file-open`, also for a chunk of another place or a false end."""
    try:
        return AES_256_GCM.open(key, _nonce(index, last), b"", sealed)
    except CryptoError:
        raise WireError("file-open") from None


def seal_file(key: bytes, size: int, pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The blob of a file of `size` bytes that comes in pieces of any length: sealed chunks, then the padding.

    Raises WireError `file-size` if the pieces have another length in all.
    """
    count = chunk_count(size)
    chunks = _recut(pieces, CHUNK, size)
    for index in range(count):
        yield seal_chunk(key, index, index == count - 1, next(chunks, b""))
    if next(chunks, None) is not None:
        raise WireError("file-size")
    yield from _zeros(blob_size(size) - sealed_size(size))


def open_file(key: bytes, size: int, pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The file of `size` bytes in a blob that comes in pieces of any length, chunk by chunk.

    What was yielded is authentic; the file is whole only when the iteration ends without error. Raises
    WireError `file-size` (another length than a blob of such a file has), `file-open` or `file-padding`.
    """
    count, sealed, whole = chunk_count(size), sealed_size(size), blob_size(size)
    received = 0
    pending = b""
    index = 0
    for piece in pieces:
        received += len(piece)
        if received > whole:
            raise WireError("file-size")
        pending += piece
        while index < count:
            n = SEALED_CHUNK if index < count - 1 else sealed - index * SEALED_CHUNK
            if len(pending) < n:
                break
            yield open_chunk(key, index, index == count - 1, pending[:n])
            pending = pending[n:]
            index += 1
        if index == count:
            if pending.count(0) != len(pending):
                raise WireError("file-padding")
            pending = b""
    if received != whole:
        raise WireError("file-size")


def _recut(pieces: Iterable[bytes], length: int, total: int) -> Iterator[bytes]:
    """The same bytes in pieces of `length`, the last one shorter; raises WireError `file-size` if not
    `total` in all."""
    pending = b""
    received = 0
    for piece in pieces:
        received += len(piece)
        pending += piece
        while len(pending) >= length:
            yield pending[:length]
            pending = pending[length:]
    if received != total:
        raise WireError("file-size")
    if pending:
        yield pending


def _zeros(n: int) -> Iterator[bytes]:
    while n:
        part = min(n, SEALED_CHUNK)
        yield bytes(part)
        n -= part
