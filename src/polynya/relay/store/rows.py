"""Many rows in few statements. sqlite3 gives up and takes back the interpreter's lock for every row of
`executemany`; beside a busy event loop each of these costs more than the row."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

CHUNK = 256
"""Most rows of one statement: 256 x 7 columns = 1,792 variables, of the 32,766 that SQLite allows."""


def insert_rows(db: sqlite3.Connection, head: str, columns: int, values: Sequence[Any]) -> None:
    """`head` is "INSERT ... INTO table"; `values` are those of all rows, one row after another, whose first column is
    never NULL. A statement has room for a power of two of rows, and what is left of it is NULL: nine prepared statements
    serve every number."""
    for at, size in _chunks(len(values) // columns):
        db.execute(_insert(head, columns, size), _filled(values, at * columns, size * columns))


def select_by_pairs(db: sqlite3.Connection, query: str, values: Sequence[int]) -> list[tuple[Any, ...]]:
    """`query` selects FROM pairs (columns a, b), whose values these are, joined with others so that NULLs find nothing;
    what it finds, in no order."""
    found: list[tuple[Any, ...]] = []
    for at, size in _chunks(len(values) // 2):
        found += db.execute(_select(query, size), _filled(values, at * 2, size * 2)).fetchall()
    return found


def _chunks(rows: int) -> Iterator[tuple[int, int]]:
    """(first row, room in rows) of each statement."""
    for at in range(0, rows, CHUNK):
        yield at, min(CHUNK, 1 << (rows - at - 1).bit_length())


def _filled(values: Sequence[Any], at: int, room: int) -> Sequence[Any]:
    part = values[at : at + room]
    return part if len(part) == room else [*part, *[None] * (room - len(part))]


@lru_cache(64)
def _insert(head: str, columns: int, size: int) -> str:
    row = f"({','.join('?' * columns)})"
    if size == 1:
        return f"{head} VALUES {row}"
    rows = f"(VALUES {','.join([row] * size)})"
    return f"{head} SELECT * FROM {rows} WHERE column1 IS NOT NULL"  # noqa: S608 - no value is in it


@lru_cache(16)
def _select(query: str, size: int) -> str:
    return f"WITH pairs (a, b) AS (VALUES {','.join(['(?,?)'] * size)}) {query}"
