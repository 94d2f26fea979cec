"""Many rows in few statements. sqlite3 gives up and takes back the interpreter's lock for every row of
`executemany`; beside a busy event loop each of these costs more than the row."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

CHUNK = 64
"""Most rows of one statement: 64 x 8 columns = 512 variables, of the 32,766 that SQLite allows."""


def insert_rows(db: sqlite3.Connection, head: str, rows: Sequence[tuple[Any, ...]]) -> None:
    """`head` is "INSERT ... INTO table"; rows are of one length. Chunks are powers of two, so that seven
    prepared statements serve every number of rows."""
    marks = f"({','.join('?' * len(rows[0]))})" if rows else ""
    at = 0
    while at < len(rows):
        size = _chunk(len(rows) - at)
        db.execute(
            f"{head} VALUES {','.join([marks] * size)}",
            [value for row in rows[at : at + size] for value in row],
        )
        at += size


def select_by_pairs(
    db: sqlite3.Connection, query: str, pairs: Sequence[tuple[int, int]]
) -> list[tuple[Any, ...]]:
    """`query` selects FROM pairs (columns a, b) joined with others; what it finds, in no order."""
    found: list[tuple[Any, ...]] = []
    at = 0
    while at < len(pairs):
        size = _chunk(len(pairs) - at)
        values = [value for pair in pairs[at : at + size] for value in pair]
        found += db.execute(
            f"WITH pairs (a, b) AS (VALUES {','.join(['(?,?)'] * size)}) {query}", values
        ).fetchall()
        at += size
    return found


def _chunk(left: int) -> int:
    return min(CHUNK, 1 << (left.bit_length() - 1))
