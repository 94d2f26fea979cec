"""Where the parts of an encoded structure are: found by reading it with our own decoders, so that it never goes out
of step with them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from polynya.mls.codec import MAX_LENGTH, Reader, varint
from polynya.mls.errors import MlsError

T = TypeVar("T")
Read = Callable[[Reader], Any]


@dataclass(frozen=True, slots=True)
class Span:
    """`data[start:end]`; of a vector `data[start:body]` is its length. `items`: those of a list, as (start, end)."""

    start: int
    body: int
    end: int
    items: tuple[tuple[int, int], ...] = ()


@dataclass(slots=True)
class Shape:
    """Every vector and every integer of one structure."""

    vectors: list[Span] = field(default_factory=list)
    integers: list[tuple[int, int]] = field(default_factory=list)

    def around(self, start: int, end: int) -> list[Span]:
        """The vectors whose content holds `start` to `end`, the innermost first."""
        found = [v for v in self.vectors if v.body <= start and end <= v.end]
        return sorted(found, key=lambda v: (v.end - v.body, -v.start))


class Tracer(Reader):
    """A Reader that takes notes."""

    __slots__ = ("shape",)

    def __init__(self, data: bytes, shape: Shape, pos: int = 0, end: int | None = None) -> None:
        super().__init__(data, pos, end)
        self.shape = shape

    def _integer(self, size: int) -> int:
        start = self.pos
        value = int.from_bytes(self.take(size), "big")
        self.shape.integers.append((start, size))
        return value

    def u8(self) -> int:
        return self._integer(1)

    def u16(self) -> int:
        return self._integer(2)

    def u32(self) -> int:
        return self._integer(4)

    def u64(self) -> int:
        return self._integer(8)

    def varint(self) -> int:
        """The length's own octets are no integers: the vector is noted instead."""
        plain = Reader(self.data, self.pos, self.end)
        length = plain.varint()
        start, self.pos = self.pos, plain.pos
        self.shape.vectors.append(Span(start, plain.pos, plain.pos + length))
        return length

    def vector(self, read: Callable[[Reader], T]) -> tuple[T, ...]:
        length = self.varint()
        place = len(self.shape.vectors) - 1
        part = Tracer(self.data, self.shape, self.pos, self.pos + length)
        self.take(length)
        values, items = [], []
        while part.pos < part.end:
            start = part.pos
            values.append(read(part))
            items.append((start, part.pos))
        span = self.shape.vectors[place]
        self.shape.vectors[place] = Span(span.start, span.body, span.end, tuple(items))
        return tuple(values)


def trace(read: Read, data: bytes) -> Shape | None:
    """The shape of `data`, or None where it is not what `read` reads."""
    shape = Shape()
    tracer = Tracer(data, shape)
    try:
        read(tracer)
        tracer.finish()
    except MlsError:
        return None
    return shape


def splice(data: bytes, shape: Shape, start: int, end: int, new: bytes) -> bytes:
    """`data` with `new` in place of `data[start:end]`, and the lengths of all vectors around it set right."""
    out = data[:start] + new + data[end:]
    grown = len(new) - (end - start)
    for vector in shape.around(start, end):
        length = min(vector.end - vector.body + grown, MAX_LENGTH)
        prefix = varint(length)
        out = out[: vector.start] + prefix + out[vector.body :]
        grown += len(prefix) - (vector.body - vector.start)
    return out
