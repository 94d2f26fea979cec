"""Encapsulations that were used: a recorded request must not be answered twice."""

from __future__ import annotations

from polynya.crypto.hashes import sha256
from polynya.wire.messages import REQUEST_WINDOW

KEPT = 2 * REQUEST_WINDOW
"""ms: a request whose time is a window ahead of the relay's stays acceptable for two windows."""
HASH_SIZE = 16
"""Bytes of the hash that are kept: 2^64 encapsulations until two share one."""


class Seen:
    """Two generations of `KEPT`: what is looked up is at least `KEPT` and at most twice that old. How many
    there can be is bounded by Limits.opens_per_second."""

    def __init__(self) -> None:
        self._young: set[bytes] = set()
        self._old: set[bytes] = set()
        self._since = 0.0

    def is_repeated(self, enc: bytes, elapsed: float) -> bool:
        """Whether this encapsulation was asked about before; `elapsed` is a monotonic clock in ms."""
        if elapsed - self._since > KEPT:
            self._old = self._young if elapsed - self._since <= 2 * KEPT else set()
            self._young = set()
            self._since = elapsed
        key = sha256(enc)[:HASH_SIZE]
        if key in self._young or key in self._old:
            return True
        self._young.add(key)
        return False

    def __len__(self) -> int:
        return len(self._young) + len(self._old)
