"""Looking for what a relay must not know: in files, databases, texts and memory, as it is and in the usual encodings."""

from __future__ import annotations

import base64
import binascii
import codecs
import re
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, suppress
from pathlib import Path
from typing import BinaryIO, cast

HEX = re.compile(rb"[0-9a-fA-F]{12,}")
BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{12,}")
ESCAPED = re.compile(rb"(?:[ -\[\]-~]|\\(?:x[0-9a-f]{2}|[ntr'\"\\])){8,}")
LARGE = 4 * 2**20
"""Bytes from which on grep is faster."""
URL = bytes.maketrans(b"-_", b"+/")


def forms(secret: bytes | str) -> dict[str, bytes]:
    """How a program may hold a secret without encoding it. "wide": in two or four bytes a character, zeros left out."""
    if isinstance(secret, bytes):
        return {"raw": secret}
    found = {
        "raw": secret.encode(),
        "wide": secret.encode("utf-16-le").replace(b"\0", b""),
        "wide, high byte first": secret.encode("utf-16-be").replace(b"\0", b""),
    }
    with suppress(UnicodeEncodeError):
        found["latin-1"] = secret.encode("latin-1")
    return found


class Search:
    """For a set of secrets, by name."""

    def __init__(self, secrets: Mapping[str, bytes | str]) -> None:
        self._wanted = [
            (name, form, data) for name, each in secrets.items() for form, data in forms(each).items()
        ]
        shortest = min(self._wanted, key=lambda each: len(each[2]))
        assert len(shortest[2]) >= 8, f"{shortest[0]} is so short that it may be there by chance"

    def _in(self, data: bytes) -> Iterator[tuple[str, str]]:
        for name, form, wanted in self._candidates(data):
            if wanted in data:
                yield name, form

    def _candidates(self, data: bytes) -> list[tuple[str, str, bytes]]:
        """Of many secrets those that much data may hold: grep looks for a part of each, all at once."""
        if len(data) < LARGE:
            return self._wanted
        parts = {wanted: part_of(wanted) for _, _, wanted in self._wanted}
        with tempfile.NamedTemporaryFile() as patterns:
            patterns.write(b"\n".join(part for part in parts.values() if part))
            patterns.flush()
            command = ["grep", "-a", "-o", "-F", "-f", patterns.name]
            ran = subprocess.run(command, input=data, capture_output=True, env={"LC_ALL": "C"}, check=False)
        assert ran.returncode in (0, 1), ran.stderr
        there = set(ran.stdout.split(b"\n"))
        return [each for each in self._wanted if not parts[each[2]] or parts[each[2]] in there]

    def find(self, data: bytes, *, escaped: bool = False) -> set[tuple[str, str]]:
        """(name, form) of what is in `data`: as it is, in hex, in base64 and base64url; with `escaped` also as Python
        writes bytes."""
        found = {each for each in self._in(data) if not each[1].startswith("wide")}
        found |= {each for each in self._in(data.replace(b"\0", b"")) if each[1].startswith("wide")}
        found |= {(name, "hex") for name, _ in self._in(b"\0".join(decoded_hex(data)))}
        found |= {(name, "base64") for name, _ in self._in(b"\0".join(decoded_base64(data)))}
        if escaped:
            found |= {(name, "escaped") for name, _ in self._in(b"\0".join(decoded_escapes(data)))}
        return found


def part_of(wanted: bytes) -> bytes:
    """Its longest piece without what ends grep's lines; nothing where that is short."""
    longest = max(re.split(rb"[\n\0]", wanted), key=len)
    return longest[:24] if len(longest) >= 6 else b""


def decoded_hex(data: bytes) -> Iterator[bytes]:
    for match in HEX.finditer(data):
        digits = match.group()
        for start in (0, 1):
            part = digits[start:]
            yield binascii.unhexlify(part[: len(part) // 2 * 2])


def decoded_base64(data: bytes) -> Iterator[bytes]:
    for match in BASE64.finditer(data):
        digits = match.group().translate(URL)
        for start in range(4):
            part = digits[start:]
            cut = len(part) // 4 * 4
            yield base64.b64decode(part[:cut])
            rest = part[cut:]
            if len(rest) > 1:
                yield base64.b64decode(part[max(0, cut - 64) :] + b"=" * (4 - len(rest)))


def decoded_escapes(data: bytes) -> Iterator[bytes]:
    for match in ESCAPED.finditer(data):
        if b"\\" in match.group():
            yield codecs.escape_decode(match.group())[0]


# ---- places ----


def cells(database: Path) -> Iterator[bytes]:
    """Every value of every table, and the schema; of the database as it is with its write-ahead log."""
    with closing(sqlite3.connect(database)) as db:
        db.text_factory = bytes
        names = [row[0].decode() for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for name in ["sqlite_master", *names]:
            for row in db.execute(f'SELECT * FROM "{name}"'):  # noqa: S608 - a name from the schema
                for value in row:
                    if isinstance(value, bytes):
                        yield value
                    elif isinstance(value, int):
                        yield value.to_bytes(8, "big", signed=True)
                        yield str(value).encode()


def files(folder: Path) -> Iterator[tuple[str, bytes]]:
    """(place, content) of all files of a folder, and once all their names."""
    names = []
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        names.append(name)
        if path.is_file():
            yield name, path.read_bytes()
    yield "names of files", "\n".join(names).encode()


def memory(pid: int) -> bytes:
    """All that a process can write to and read: heap, stacks, data of libraries, everything anonymous."""
    parts: list[bytes] = []
    with Path(f"/proc/{pid}/maps").open() as maps, Path(f"/proc/{pid}/mem").open("rb", 0) as mem:
        for line in maps:
            where, rights, *_ = line.split()
            if not rights.startswith("rw"):
                continue
            start, end = (int(each, 16) for each in where.split("-"))
            parts.append(read_mapping(cast("BinaryIO", mem), start, end))
    return b"".join(parts)


def read_mapping(mem: BinaryIO, start: int, end: int) -> bytes:
    """Without the pages of zeros that were never used; pages beside each other stay beside each other."""
    found = bytearray()
    size = 1 << 20
    mem.seek(start)
    for at in range(start, end, size):
        data = mem.read(min(size, end - at))
        if data.count(0) == len(data):
            found += b"\0"
        else:
            found += data
    return bytes(found)


def report(found: Iterable[tuple[str, str]]) -> list[str]:
    return sorted(f"{name} ({form})" for name, form in found)
