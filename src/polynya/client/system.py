"""The real clock and the real source of randomness; everything below the client is handed them."""

from __future__ import annotations

import builtins
import os
import time

from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PublicKey


class SystemRandom:
    """Randomness of the operating system."""

    def bytes(self, n: int) -> builtins.bytes:
        return os.urandom(n)

    def encapsulate(self, public_key: builtins.bytes) -> tuple[builtins.bytes, builtins.bytes]:
        """ML-KEM-768 to `public_key`: (shared secret of 32, ciphertext of 1,088 bytes)."""
        return MLKEM768PublicKey.from_public_bytes(public_key).encapsulate()


def now() -> int:
    """The device's clock: milliseconds since the Unix epoch."""
    return time.time_ns() // 1_000_000
