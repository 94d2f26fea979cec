"""Randomness that a vector recorded, and messages in the vectors' JSON form."""

from __future__ import annotations

import builtins
import dataclasses
import json
from enum import IntEnum
from pathlib import Path
from typing import Any

from scripts.codecs import schema

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "spec" / "vectors"

_SCHEMA = schema.load(ROOT / "spec" / "messages.toml")
_TAGGED = {member for union in _SCHEMA.unions.values() for member in union.members} | {"Unknown"}

Case = dict[str, Any]


def cases(name: str) -> list[Case]:
    """All cases of a file; fails if the file holds another number of them than it says, or none."""
    content = json.loads((FOLDER / f"{name}.json").read_text("utf-8"))
    found: list[Case] = content["cases"]
    assert len(found) == content["count"] > 0
    return found


class RecordedRandom:
    """Gives what the vector recorded, in the same order; `assert_used` fails if something is left."""

    def __init__(self, record: Case) -> None:
        self._bytes = bytes.fromhex(record["bytes"])
        self._encapsulations = list(record["encapsulations"])

    def bytes(self, n: int) -> builtins.bytes:
        assert len(self._bytes) >= n
        taken, self._bytes = self._bytes[:n], self._bytes[n:]
        return taken

    def encapsulate(self, public_key: builtins.bytes) -> tuple[builtins.bytes, builtins.bytes]:
        recorded = self._encapsulations.pop(0)
        return bytes.fromhex(recorded["shared_secret"]), bytes.fromhex(recorded["ciphertext"])

    def assert_used(self) -> None:
        assert not self._bytes
        assert not self._encapsulations


def as_json(value: object) -> Any:
    """A message as the vectors write it: bytes as "0x...", union members with their `type`, nothing
    absent."""
    if isinstance(value, bytes):
        return "0x" + value.hex()
    if isinstance(value, IntEnum):
        return int(value)
    if isinstance(value, tuple):
        return [as_json(item) for item in value]
    if dataclasses.is_dataclass(value):
        name = type(value).__name__
        fields = {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
        tag = {"type": name} if name in _TAGGED else {}
        return tag | {key: as_json(item) for key, item in fields.items() if item is not None}
    return value
