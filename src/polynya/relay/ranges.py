"""Parts of a file that a client asks for (RFC 9110 section 14), as ordinary servers understand and answer it."""

from __future__ import annotations

import itertools
import re
import time
from collections.abc import Iterator, Mapping

_ONE = re.compile(r"\s*(\d*)\s*-\s*(\d*)\s*")
_numbers = itertools.count(time.time_ns() // 1_000_000)


def judge_ranges(
    wanted: str | None, condition: str | None, headers: Mapping[str, str], size: int
) -> list[tuple[int, int]] | None:
    """Places [start, end) in a file of `size` bytes; none: all of it is sent; None: no part of it is meant (416).
    `headers` are the file's; `condition` is If-Range."""
    if wanted is None or not wanted.lower().startswith("bytes="):
        return []
    if condition is not None and condition not in (headers["ETag"], headers["Last-Modified"]):
        return []
    ranges: list[tuple[int, int]] = []
    for text in wanted[6:].split(","):
        one = _ONE.fullmatch(text)
        if one is None or not any(one.groups()):
            return None
        first, last = one.groups()
        if not first:
            start, end = max(0, size - int(last[:19])), size
        else:
            start, end = int(first[:19]), min(size, int(last[:19]) + 1) if last else size
        if start < end:
            ranges.append((start, end))
        elif first and last and int(last[:19]) < int(first[:19]):
            return None
    if not ranges:
        return None
    # Parts that are together more than the file are of somebody who wants to load the server.
    return ranges if sum(end - start for start, end in ranges) <= size else []


class Ranges:
    """How they are sent: one as it is, several as multipart/byteranges."""

    def __init__(self, ranges: list[tuple[int, int]], size: int, kind: str) -> None:
        self._ranges = ranges
        self._size = size
        self._boundary = f"{next(_numbers) % 10**10:020d}"
        self._part_kind = kind
        self.kind = kind if len(ranges) < 2 else f"multipart/byteranges; boundary={self._boundary}"
        self.headers: dict[str, str] = {}
        if len(ranges) == 1:
            self.headers["Content-Range"] = self._place(*ranges[0])

    def _place(self, start: int, end: int) -> str:
        return f"bytes {start}-{end - 1}/{self._size}"

    @property
    def length(self) -> int:
        """Bytes of the answer's body."""
        return sum(len(before) + end - start for before, start, end in self.pieces())

    def pieces(self) -> Iterator[tuple[bytes, int, int]]:
        """What is sent before a part, and the part's place in the file."""
        if len(self._ranges) < 2:
            yield (b"", *(self._ranges[0] if self._ranges else (0, self._size)))
            return
        for start, end in self._ranges:
            yield (
                f"\r\n--{self._boundary}\r\nContent-Type: {self._part_kind}\r\nContent-Range: "
                f"{self._place(start, end)}\r\n\r\n".encode(),
                start,
                end,
            )
        yield f"\r\n--{self._boundary}--\r\n".encode(), 0, 0
