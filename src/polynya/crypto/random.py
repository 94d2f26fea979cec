"""Randomness as an argument: everything below the client draws from the `Random` it is handed."""

from __future__ import annotations

import builtins
from typing import Protocol


class Random(Protocol):
    """A source of random bytes and of ML-KEM-768 encapsulations (no library lets those be derandomised)."""

    def bytes(self, n: int) -> builtins.bytes:
        """`n` unpredictable bytes."""
        ...

    def encapsulate(self, public_key: builtins.bytes) -> tuple[builtins.bytes, builtins.bytes]:
        """ML-KEM-768 (FIPS 203) to `public_key` (1,184 bytes): (secret of 32, ciphertext of 1,088 bytes).

        Raises ValueError or CryptoError for a key that fails the encapsulation key check.
        """
        ...
