"""Many rows in few statements. sqlite3 gives up and takes back the interpreter's lock for every row of
`executemany`; beside a busy event loop each of these costs more than the row."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

CHUNK = 64
"""Most rows of one statement: 64 x 7 columns = 448 variables, of the 32,766 that SQLite allows."""


def insert_rows(db: sqlite3.Connection, head: str, columns: int, values: Sequence[Any]) -> None:
    """`head` is "INSERT ... INTO table"; `values` are those of all rows, one row after another. Chunks are powers of
    two, so that seven prepared statements serve every number of rows."""
    at = 0
    while at < len(values):
        size = _chunk((len(values) - at) // columns)
        end = at + size * columns
        db.execute(_insert(head, columns, size), values[at:end])
        at = end


def select_by_pairs(db: sqlite3.Connection, query: str, values: Sequence[int]) -> list[tuple[Any, ...]]:
    """`query` selects FROM pairs (columns a, b), whose values these are, joined with others; what it finds, in no
    order."""
    found: list[tuple[Any, ...]] = []
    at = 0
    while at < len(values):
        size = _chunk((len(values) - at) // 2)
        end = at + size * 2
        found += db.execute(_select(query, size), values[at:end]).fetchall()
        at = end
    return found


@lru_cache(64)
def _insert(head: str, columns: int, size: int) -> str:
    row = f"({','.join('?' * columns)})"
    return f"{head} VALUES {','.join([row] * size)}"


@lru_cache(16)
def _select(query: str, size: int) -> str:
    return f"WITH pairs (a, b) AS (VALUES {','.join(['(?,?)'] * size)}) {query}"


def _chunk(left: int) -> int:
    return min(CHUNK, 1 << (left.bit_length() - 1))
