"""Randomness of the vectors: a byte stream from a seed, and encapsulations that were recorded once."""

from __future__ import annotations

import builtins
import hashlib
import json
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PublicKey

Case = dict[str, Any]


class Encapsulations:
    """ML-KEM encapsulations by public key, as no library lets them be derandomised: kept in a file, so that
    the vectors come out the same each time. A new key gets a new, real one."""

    def __init__(self, path: Path) -> None:
        self._known: dict[str, list[str]] = json.loads(path.read_text("utf-8")) if path.exists() else {}
        self._used: dict[str, list[str]] = {}

    def of(self, public_key: bytes) -> tuple[bytes, bytes]:
        name = hashlib.sha256(public_key).hexdigest()
        if name not in self._known:
            shared, ciphertext = MLKEM768PublicKey.from_public_bytes(public_key).encapsulate()
            self._known[name] = [shared.hex(), ciphertext.hex()]
        self._used[name] = self._known[name]
        shared_hex, ciphertext_hex = self._known[name]
        return bytes.fromhex(shared_hex), bytes.fromhex(ciphertext_hex)

    def used(self) -> dict[str, list[str]]:
        """What the file should hold."""
        return dict(sorted(self._used.items()))


class Recorder:
    """A Random that remembers what it gave: SHA-256(name || counter) blocks, and recorded encapsulations."""

    def __init__(self, name: str, pool: Encapsulations) -> None:
        self._name = name.encode()
        self._pool = pool
        self._counter = 0
        self._rest = b""
        self._bytes = b""
        self._encapsulations: list[Case] = []

    def bytes(self, n: int) -> builtins.bytes:
        while len(self._rest) < n:
            self._rest += hashlib.sha256(self._name + self._counter.to_bytes(8, "big")).digest()
            self._counter += 1
        taken, self._rest = self._rest[:n], self._rest[n:]
        self._bytes += taken
        return taken

    def encapsulate(self, public_key: builtins.bytes) -> tuple[builtins.bytes, builtins.bytes]:
        shared, ciphertext = self._pool.of(public_key)
        self._encapsulations.append({"shared_secret": shared.hex(), "ciphertext": ciphertext.hex()})
        return shared, ciphertext

    def record(self) -> Case:
        """What was drawn since the last call, for the vector."""
        record = {"bytes": self._bytes.hex(), "encapsulations": self._encapsulations}
        self._bytes, self._encapsulations = b"", []
        return record


def secret(name: str, n: int = 32) -> bytes:
    """A fixed byte string for a name."""
    return hashlib.shake_256(b"polynya vectors " + name.encode()).digest(n)


def flipped(data: bytes, at: int) -> bytes:
    """`data` with the lowest bit of one byte changed; `at` may count from the end."""
    at %= len(data)
    return data[:at] + bytes((data[at] ^ 1,)) + data[at + 1 :]
