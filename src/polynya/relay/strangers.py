"""Whose connection ends where there are too many: the oldest one of the address that has most of them."""

from __future__ import annotations

from typing import Generic, TypeVar

V = TypeVar("V")


class Strangers(Generic[V]):
    """Connections by address; every step takes the same time, however many there are."""

    def __init__(self) -> None:
        self._of: dict[str, dict[V, None]] = {}
        self._ranks: dict[int, dict[str, None]] = {}
        """how many connections -> the addresses that have so many"""
        self._most = 0

    def add(self, address: str, visit: V) -> None:
        row = self._of.setdefault(address, {})
        self._move(address, len(row), len(row) + 1)
        row[visit] = None

    def remove(self, address: str, visit: V) -> None:
        """It may have been removed before."""
        row = self._of.get(address)
        if row is None or visit not in row:
            return
        del row[visit]
        self._move(address, len(row) + 1, len(row))
        if not row:
            del self._of[address]

    def _move(self, address: str, before: int, after: int) -> None:
        if before:
            rank = self._ranks[before]
            del rank[address]
            if not rank:
                del self._ranks[before]
        if after:
            self._ranks.setdefault(after, {})[address] = None
        self._most = max(self._most, after)
        while self._most and self._most not in self._ranks:
            self._most -= 1

    def count(self, address: str) -> int:
        return len(self._of.get(address, ()))

    def first(self, address: str | None = None) -> V | None:
        """Who is to go, of this address where one is given; None: there is nobody."""
        if address is None:
            if not self._most:
                return None
            address = next(iter(self._ranks[self._most]))
        return next(iter(self._of.get(address, ())), None)
