"""Rows that are too large to be saved anew at each change: their values are saved in parts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from polynya.core.commands import Save
from polynya.core.errors import CoreError
from polynya.core.transaction import Table

V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class PartedTable(Table[V]):
    """Each part lies under u8 length of the row's key || the row's key || the part's name."""

    changes: Callable[[V | None, V | None], Mapping[bytes, bytes | None]] = field(kw_only=True)
    """Of parts by name, from one value to another; None: gone."""
    join: Callable[[Mapping[bytes, bytes]], V] = field(kw_only=True)

    def saves(self, key: bytes, before: V | None, after: V | None) -> Iterator[Save]:
        if after is not before:
            for name, value in self.changes(before, after).items():
                yield Save(self.name, bytes((len(key),)) + key + name, value)

    def restore(self, saved: Mapping[bytes, bytes]) -> dict[bytes, V]:
        parts: dict[bytes, dict[bytes, bytes]] = {}
        for place, value in saved.items():
            key, name = split_place(place)
            parts.setdefault(key, {})[name] = value
        return {key: self.join(found) for key, found in parts.items()}


def split_place(place: bytes) -> tuple[bytes, bytes]:
    """(key of the row, name of the part); raises CoreError `state-broken`."""
    if not place or len(place) <= place[0]:
        raise CoreError("state-broken")
    end = 1 + place[0]
    return place[1:end], place[end:]
