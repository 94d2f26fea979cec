"""A mapping that never changes: another one with a few other values costs little, and so does telling two of them apart.
A member of a large group makes one with every message, and saves what is not as it was."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeAlias, TypeVar

V = TypeVar("V")
Place: TypeAlias = tuple[int, int]
"""(leaf index, kind)"""

BITS = 5
"""Places of 32 leaves are kept together: of 1,000 members 64 places are copied and looked at for a change, and 32 blocks,
not 2,000 places."""


class Places(Mapping[Place, V]):
    """Values by place. Those that are made of one another share what is alike."""

    __slots__ = ("_blocks", "_count")

    def __init__(self, values: Mapping[Place, V] | None = None) -> None:
        self._blocks: dict[int, dict[Place, V]] = {}
        for place, value in (values or {}).items():
            self._blocks.setdefault(place[0] >> BITS, {})[place] = value
        self._count = 0 if values is None else len(values)

    def __getitem__(self, place: Place) -> V:
        return self._blocks[place[0] >> BITS][place]

    def __iter__(self) -> Iterator[Place]:
        for block in self._blocks.values():
            yield from block

    def __len__(self) -> int:
        return self._count

    def replaced(self, values: Mapping[Place, V]) -> Places[V]:
        """The same with these values."""
        made: Places[V] = Places()
        made._blocks = dict(self._blocks)
        for place, value in values.items():
            number = place[0] >> BITS
            made._blocks[number] = {**made._blocks.get(number, {}), place: value}
        made._count = self._count + sum(place not in self for place in values)
        return made

    def changes(self, before: Places[V]) -> Iterator[Place]:
        """Places whose values are not the very same objects as `before`, or only here, or only there."""
        for number in {**before._blocks, **self._blocks}:
            block, known = self._blocks.get(number, {}), before._blocks.get(number, {})
            if block is known:
                continue
            for place, value in block.items():
                if known.get(place) is not value:
                    yield place
            yield from known.keys() - block.keys()
