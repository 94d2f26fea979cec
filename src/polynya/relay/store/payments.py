"""Tokens that were spent, in SQLite: a token pays once, in the transaction of what it pays for."""

from __future__ import annotations

import sqlite3

from polynya.crypto.compare import equal
from polynya.relay.store.base import FREE, Payment, Problem, StoreError, key_number
from polynya.wire.messages import TOKEN_KEY_LIFETIME, TokenKind


def spend(db: sqlite3.Connection, payment: Payment | None) -> None:
    """Called before anything is changed; raises StoreError TOKEN where there is no payment, or the token has paid for
    something else."""
    if payment is FREE:
        return
    if payment is None:
        raise StoreError(Problem.TOKEN)
    row = db.execute(
        "SELECT request FROM spent_tokens WHERE key = ? AND nonce = ?", (payment.key, payment.nonce)
    ).fetchone()
    if row is None:
        db.execute("INSERT INTO spent_tokens VALUES (?, ?, ?)", payment)
    elif not equal(row[0], payment.request):
        raise StoreError(Problem.TOKEN)


def first_kept(time: int) -> int:
    """The lowest number of a key whose nonces are kept. They stay for a key's lifetime after its end: a clock that was
    ahead must not make spent tokens good again."""
    return key_number(min(TokenKind), time - 2 * TOKEN_KEY_LIFETIME)


def forget(db: sqlite3.Connection, key: int, most: int) -> int:
    """Removes at most `most` nonces of keys with lower numbers than `key`; how many it removed."""
    old = db.execute("SELECT key, nonce FROM spent_tokens WHERE key < ? LIMIT ?", (key, most)).fetchall()
    for row in old:
        db.execute("DELETE FROM spent_tokens WHERE key = ? AND nonce = ?", row)
    return len(old)
