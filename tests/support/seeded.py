"""Randomness that tests can repeat."""

from __future__ import annotations

import builtins
import hashlib

from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PublicKey


class SeededRandom:
    """The byte stream SHA-256(seed || u64(0)) || SHA-256(seed || u64(1)) || ...; an int seed is its 8 bytes.

    Encapsulations are real: the library does not let them be derandomised.
    """

    def __init__(self, seed: builtins.bytes | int) -> None:
        self._seed = seed.to_bytes(8, "big") if isinstance(seed, int) else seed
        self._counter = 0
        self._rest = b""

    def bytes(self, n: int) -> builtins.bytes:
        while len(self._rest) < n:
            self._rest += hashlib.sha256(self._seed + self._counter.to_bytes(8, "big")).digest()
            self._counter += 1
        taken, self._rest = self._rest[:n], self._rest[n:]
        return taken

    def encapsulate(self, public_key: builtins.bytes) -> tuple[builtins.bytes, builtins.bytes]:
        return MLKEM768PublicKey.from_public_bytes(public_key).encapsulate()

    def below(self, n: int) -> int:
        """An int from 0 to n - 1, near enough to uniform for choosing what a test does."""
        return int.from_bytes(self.bytes(8), "big") % n
