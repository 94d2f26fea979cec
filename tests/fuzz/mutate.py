"""Seeded mutations of encoded structures: some blind, some that know where vectors, lists and numbers are.

The same seed makes the same bytes. What is made goes to both languages, so the generator is in Python alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from tests.fuzz.shape import Read, Shape, Span, splice, trace
from tests.support.seeded import SeededRandom

T = TypeVar("T")

LARGEST = 48 << 10
"""Bytes of an input at most: twelve records of 4 KB, and in hexadecimal still an argument of a command."""

LENGTHS = (0, 1, 31, 32, 33, 63, 64, 65, 255, 16383, 16384, 16385, 1 << 16, (1 << 20) + 1, (1 << 30) - 1)
"""Where the forms of a length begin and end, and sizes of keys."""

POINTS = (
    bytes(32),
    b"\x01" + bytes(31),
    bytes.fromhex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"),
    bytes.fromhex("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
    bytes.fromhex("5866666666666666666666666666666666666666666666666666666666666666"),
    bytes(31) + b"\x80",
    b"\xff" * 32,
)
"""Public keys of small order, not canonical, or no point at all."""


class Mutator:
    """Changes structures. `pool` are contents of vectors from everywhere, to put in place of others."""

    def __init__(self, random: SeededRandom, pool: Sequence[bytes]) -> None:
        self.random = random
        self.pool = pool

    def one(self, items: Sequence[T]) -> T:
        return items[self.random.below(len(items))]

    def chance(self, percent: int) -> bool:
        return self.random.below(100) < percent

    def mutate(self, data: bytes, read: Read, shape: Shape | None = None, times: int | None = None) -> bytes:
        """`data` after one to four changes. `shape`: of `data`, where the caller has it."""
        if times is None:
            times = (1, 1, 1, 1, 2, 2, 3, 4)[self.random.below(8)]
        for _ in range(times):
            if shape is None:
                shape = trace(read, data)
            data = self._once(data, shape)[:LARGEST]
            shape = None
        return data

    def _once(self, data: bytes, shape: Shape | None) -> bytes:
        if shape is None or self.chance(15):
            return self.blind(data)
        listed = [v for v in shape.vectors if v.items]
        kind = self.random.below(10)
        if kind < 3 and shape.integers:
            return self._number(data, shape, *self.one(shape.integers))
        if kind < 5 and listed:
            return self._list(data, shape, self.one(listed))
        if kind < 6 and shape.vectors:
            return self._lie(data, shape, self.one(shape.vectors))
        if shape.vectors:
            return self._content(data, shape, self.one(shape.vectors))
        return self.blind(data)

    # ---- without knowing anything ----------------------------------------------------------------------------

    def blind(self, data: bytes) -> bytes:
        """Bits turned, bytes changed, cut out, put in or cut off, or the rest taken from something else."""
        random = self.random
        place, size = random.below(len(data) + 1), 1 + random.below(8)
        if not data:
            return random.bytes(size)
        at = place % len(data)
        choices: tuple[Callable[[], bytes], ...] = (
            lambda: data[:at] + bytes((data[at] ^ 1 << random.below(8),)) + data[at + 1 :],
            lambda: data[:at] + random.bytes(size) + data[at + size :],
            lambda: data[:at] + data[at + size :],
            lambda: data[:place] + random.bytes(size) + data[place:],
            lambda: data[:place],
            lambda: data + bytes(size),
            lambda: data[:place] + self.one(self.pool),
            lambda: data[:at] + data[place:],
        )
        return self.one(choices)()

    # ---- knowing the structure -------------------------------------------------------------------------------

    def _number(self, data: bytes, shape: Shape, start: int, size: int) -> bytes:
        """An integer at an end of its range, near what it was, a code from a registry, or any."""
        top = (1 << 8 * size) - 1
        old = int.from_bytes(data[start : start + size], "big")
        choices = (
            0,
            1,
            2,
            3,
            4,
            5,
            7,
            8,
            old + 1,
            old - 1,
            top,
            top - 1,
            top >> 1,
            (top >> 1) + 1,
            old ^ 1,
            old << 1,
        )
        value = self.one(choices) if self.chance(85) else int.from_bytes(self.random.bytes(size), "big")
        return data[:start] + (value & top).to_bytes(size, "big") + data[start + size :]

    def _list(self, data: bytes, shape: Shape, span: Span) -> bytes:
        """Items left out, repeated, in another order, or from another list."""
        items = [data[start:end] for start, end in span.items]
        place, kind = self.random.below(len(items)), self.random.below(8)
        if kind == 0:
            del items[place]
        elif kind == 1:
            items.insert(self.random.below(len(items) + 1), items[place])
        elif kind == 2:
            items.reverse()
        elif kind == 3:
            other = self.random.below(len(items))
            items[place], items[other] = items[other], items[place]
        elif kind == 4:
            items *= 1 + self.random.below(1 + 4096 // max(1, len(b"".join(items))))
        elif kind == 5:
            items = []
        elif kind == 6:
            items.append(self.one(self.pool))
        else:
            items[place] = self.blind(items[place])
        return splice(data, shape, span.body, span.end, b"".join(items))

    def _lie(self, data: bytes, shape: Shape, span: Span) -> bytes:
        """A length that is not the content's, or is not in its shortest form."""
        old = span.end - span.body
        length = self.one((*LENGTHS, old, old + 1, max(0, old - 1), 2 * old))
        form = self.random.below(4)
        prefix = (
            bytes((length & 0x3F,)),
            (length & 0x3FFF | 0x4000).to_bytes(2, "big"),
            (length & 0x3FFFFFFF | 0x80000000).to_bytes(4, "big"),
            (length & 0x3FFFFFFF | 0xC0000000).to_bytes(4, "big"),
        )[form]
        if self.chance(50):
            return data[: span.start] + prefix + data[span.body :]
        return splice(data, shape, span.start, span.body, prefix)

    def _content(self, data: bytes, shape: Shape, span: Span) -> bytes:
        """Another content, with the length that it has."""
        old, random = data[span.body : span.end], self.random
        kind = random.below(9)
        if kind == 0:
            new = b""
        elif kind == 1:
            new = bytes(len(old))
        elif kind == 2:
            new = old[: random.below(len(old) + 1)]
        elif kind == 3:
            new = old + random.bytes(1 + random.below(40))
        elif kind == 4:
            new = self.one(self.pool)
        elif kind == 5:
            new = self.one(POINTS)
        elif kind == 6:
            alike = [data[v.body : v.end] for v in shape.vectors if v.end - v.body == len(old)]
            new = self.one(alike)
        elif kind == 7:
            new = random.bytes(len(old) if self.chance(50) else random.below(300))
        else:
            new = self.blind(old)
        return splice(data, shape, span.body, span.end, new)
