"""The presentation language of RFC 9420 section 2.1: big-endian integers, vectors with a varint length.

Decoding is canonical: the shortest length, presence octets 0 or 1, nothing left over. There is one way to
fail, `MalformedError`.
"""

from __future__ import annotations

import itertools
import struct
from collections.abc import Callable, Iterable
from typing import TypeVar

from polynya.mls.errors import MalformedError

T = TypeVar("T")
K = TypeVar("K", int, bytes)

MAX_LENGTH = (1 << 30) - 1
"""Largest length that a varint of this encoding can carry: 30 bits (section 2.1.2)."""


class Reader:
    """A cursor over `data[pos:end]`."""

    __slots__ = ("data", "end", "pos")

    def __init__(self, data: bytes, pos: int = 0, end: int | None = None) -> None:
        self.data = data
        self.pos = pos
        self.end = len(data) if end is None else end

    def take(self, n: int) -> bytes:
        """The next `n` bytes."""
        start = self.pos
        stop = start + n
        if stop > self.end:
            raise MalformedError("2.1-truncated")
        self.pos = stop
        return self.data[start:stop]

    def u8(self) -> int:
        return self.take(1)[0]

    def u16(self) -> int:
        return int.from_bytes(self.take(2), "big")

    def u32(self) -> int:
        return int.from_bytes(self.take(4), "big")

    def u64(self) -> int:
        return int.from_bytes(self.take(8), "big")

    def varint(self) -> int:
        """A length; refuses the prefix 0b11 and any but the shortest form (section 2.1.2)."""
        first = self.u8()
        if first < 0x40:
            return first
        if first < 0x80:
            value = (first & 0x3F) << 8 | self.u8()
            if value < 1 << 6:
                raise MalformedError("2.1.2-overlong")
            return value
        if first < 0xC0:
            value = (first & 0x3F) << 24 | int.from_bytes(self.take(3), "big")
            if value < 1 << 14:
                raise MalformedError("2.1.2-overlong")
            return value
        raise MalformedError("2.1.2-prefix")

    def opaque(self) -> bytes:
        """`opaque x<V>`."""
        return self.take(self.varint())

    def vector(self, read: Callable[[Reader], T]) -> tuple[T, ...]:
        """`T x<V>`: items until the length is used up."""
        length = self.varint()
        start = self.pos
        if start + length > self.end:
            raise MalformedError("2.1-truncated")
        part = Reader(self.data, start, start + length)
        items = []
        while part.pos < part.end:
            items.append(read(part))
        self.pos = part.end
        return tuple(items)

    def u16s(self) -> tuple[int, ...]:
        """`uint16 x<V>`."""
        return self._integers(2, "H")

    def u32s(self) -> tuple[int, ...]:
        """`uint32 x<V>`."""
        return self._integers(4, "I")

    def _integers(self, size: int, letter: str) -> tuple[int, ...]:
        data = self.opaque()
        if len(data) % size:
            raise MalformedError("2.1-truncated")
        return struct.unpack(f">{len(data) // size}{letter}", data)

    def present(self) -> bool:
        """The octet before an optional value: 0 or 1 (section 2.1.1)."""
        octet = self.u8()
        if octet > 1:
            raise MalformedError("2.1.1-presence")
        return octet == 1

    def optional(self, read: Callable[[Reader], T]) -> T | None:
        """`optional<T>`."""
        return read(self) if self.present() else None

    def mapping(self, read_key: Callable[[Reader], K], read_value: Callable[[Reader], T]) -> dict[K, T]:
        """A vector of keys and values, for storage: keys ascend, so that there is one encoding."""
        items = self.vector(lambda r: (read_key(r), read_value(r)))
        if any(not a[0] < b[0] for a, b in itertools.pairwise(items)):
            raise MalformedError("state-order")
        return dict(items)

    def finish(self) -> None:
        """Raises unless everything was read."""
        if self.pos != self.end:
            raise MalformedError("2.1-trailing")


def decode(read: Callable[[Reader], T], data: bytes) -> T:
    """The value that `data` is exactly; raises MalformedError."""
    reader = Reader(data)
    value = read(reader)
    reader.finish()
    return value


def u8(n: int) -> bytes:
    return _integer(n, 1)


def u16(n: int) -> bytes:
    return _integer(n, 2)


def u32(n: int) -> bytes:
    return _integer(n, 4)


def u64(n: int) -> bytes:
    return _integer(n, 8)


def _integer(n: int, size: int) -> bytes:
    try:
        return n.to_bytes(size, "big")
    except OverflowError:
        raise MalformedError("2.1-range", f"{n} does not fit {size} bytes") from None


def varint(n: int) -> bytes:
    """A length in its shortest form."""
    if n < 1 << 6:
        return bytes((n,))
    if n < 1 << 14:
        return (n | 0x4000).to_bytes(2, "big")
    if n <= MAX_LENGTH:
        return (n | 0x80000000).to_bytes(4, "big")
    raise MalformedError("2.1.2-range", f"at most {MAX_LENGTH} bytes")


def opaque(data: bytes) -> bytes:
    """`opaque x<V>`."""
    return varint(len(data)) + data


def vector(items: Iterable[bytes]) -> bytes:
    """`T x<V>` of encoded items."""
    return opaque(b"".join(items))


def u16s(values: Iterable[int]) -> bytes:
    """`uint16 x<V>`."""
    return vector(map(u16, values))


def u32s(values: Iterable[int]) -> bytes:
    """`uint32 x<V>`."""
    return vector(map(u32, values))


def optional(encoded: bytes | None) -> bytes:
    """`optional<T>` of an encoded value."""
    return b"\x00" if encoded is None else b"\x01" + encoded
