"""What the most common web server (nginx, as it comes) takes for the head of a request, and how it refuses all else: a
relay that refused other heads, or in other words, would be told from ordinary sites by one packet."""

from __future__ import annotations

import re
from typing import NamedTuple

SMALL_BUFFER, LARGE_BUFFER, LARGE_BUFFERS = 1_024, 8_192, 4
"""Bytes, and how many: a line must be in one buffer, and a buffer holds whole lines only."""
MOST = SMALL_BUFFER + LARGE_BUFFERS * LARGE_BUFFER
"""Bytes of a head at most."""
LINES = 1_000
"""Of headers at most."""
BODY_DIGITS = 18
"""Of a body's length: more is over 2^63 - 1."""

_PLAIN = re.compile(
    rb"(?:GET|HEAD|POST|PUT|DELETE|OPTIONS|PATCH) /[!-~]* HTTP/1\.1\r\n(?:[A-Za-z0-9-]+:[\t -~\x80-\xff]*\r\n)+\r\n"
)
"""A head with nothing unusual in it; what its headers say is judged all the same."""
_ORDINARY = re.compile(rb"(?:[A-Za-z0-9-]+:[\t -~\x80-\xff]*+\r\n)++")
"""Headers with nothing unusual in them."""
_METHOD_BEGINS = re.compile(rb"[A-Z_-]*(?: |\Z)")
_TARGET = re.compile(
    rb"([A-Z_-]+) +("
    rb"/[^\x00-\x20\x7f]*"
    rb"|[A-Za-z][A-Za-z0-9+.-]*://(?:\[[0-9A-Za-z:._~!$&'()*+,;=-]*\]|[A-Za-z0-9.-]*)(?::[0-9]*)?(?:[/?][^\x00-\x20\x7f]*)?"
    rb") *(.*)",
    re.S,
)
_MAJOR = re.compile(rb"HTTP/([1-9][0-9]*)")
_VERSION = re.compile(rb"HTTP/1\.0*([0-9]{1,2}) *")
_HEADER = re.compile(rb"([^\x00-\x20\x7f:]+)(?:: *([^\x00\r]*))?\r*")
_NAME = re.compile(rb"[A-Za-z0-9-]+")
_VALUE = re.compile(rb"[\t\x20-\x7e\x80-\xff]*")
_HOST = re.compile(
    rb"(?!\.?(?::|\Z))(?:\[[^\]\x00-\x20\x7f/]*\]|(?:[^\x00-\x20\x7f/:.\[]|\.(?!\.))*)(?::[^\x00-\x20\x7f/]*)?"
)
_BYTE = re.compile(rb"[\x80-\xff]")
PARSED = frozenset((b"GET", b"HEAD", b"POST", b"PUT", b"DELETE", b"OPTIONS", b"PATCH"))


class Refusal(NamedTuple):
    """`is_bare`: without a head of its own, as HTTP/0.9 has none."""

    status: int
    detail: str = ""
    is_bare: bool = False


class Head(NamedTuple):
    """`data` is the head as it is passed on. `body` bytes follow it; -1: as many as their chunks say."""

    data: bytes
    body: int = 0
    is_bare: bool = False


BAD = Refusal(400)
TOO_LARGE = Refusal(400, "Request Header Or Cookie Too Large")


class Progress:
    """Of a head that comes in pieces: each line is judged once, in its turn, however they are cut."""

    __slots__ = ("_buffers", "_found", "_left", "_lines", "_searched", "_start")

    def __init__(self) -> None:
        self._start = 0
        self._searched = 0
        self._lines = 0
        self._left = SMALL_BUFFER
        self._buffers = 0
        self._found: int | Head | Refusal | None = None

    @property
    def is_fresh(self) -> bool:
        """Whether not even a line has been seen."""
        return self._lines == 0

    def advance(self, data: bytes | bytearray) -> int | Head | Refusal | None:
        """`data` is all that has come of the head, without empty lines before it. Gives where the head ends; or what is
        known of it before: a refusal, or HTTP/0.9, which is one line; None: nothing yet. What was found once stays."""
        if self._found is None:
            self._found = self._advance(data)
        return self._found

    def _advance(self, data: bytes | bytearray) -> int | Head | Refusal | None:
        while True:
            if self._lines and not self._pass_ordinary(data):
                return TOO_LARGE
            end = data.find(b"\n", self._searched) + 1
            if end == 0:
                self._searched = len(data)
                return self._judge_part(data)
            line = bytes(data[self._start : end])
            judged = self._judge_line(line)
            if judged is not None:
                return judged
            self._lines += 1
            self._start = self._searched = end
            if line in (b"\n", b"\r\n"):
                return end

    def _pass_ordinary(self, data: bytes | bytearray) -> bool:
        """Lines that nothing is to be said of and that fit into the buffer, all at once: one at a time a thousand take a
        millisecond. False: they are too many."""
        run = _ORDINARY.match(data, self._start, self._start + self._left)
        if run is not None:
            end = run.end()
            self._lines += data.count(b"\n", self._start, end)
            self._left -= end - self._start
            self._start = self._searched = end
        return self._lines <= LINES + 1

    def _judge_line(self, line: bytes) -> Head | Refusal | None:
        if self._lines == 0 and _METHOD_BEGINS.match(line) is None:
            return BAD
        if len(line) > self._left:
            self._buffers += 1
            if len(line) > LARGE_BUFFER or self._buffers > LARGE_BUFFERS:
                return self._too_large()
            self._left = LARGE_BUFFER
        self._left -= len(line)
        if self._lines == 0:
            first = _request_line(line)
            if isinstance(first, Refusal):
                return first
            return None if first.minor is not None else _bare(first)
        if line in (b"\n", b"\r\n"):
            return None
        if self._lines > LINES:
            return TOO_LARGE
        return None if _HEADER.fullmatch(line[:-1]) else BAD

    def _judge_part(self, data: bytes | bytearray) -> Refusal | None:
        """Of a line whose end has not come."""
        if self._lines == 0 and _METHOD_BEGINS.match(data) is None:
            return BAD
        size = len(data) - self._start
        if size > LARGE_BUFFER or (size > self._left and self._buffers >= LARGE_BUFFERS):
            return self._too_large()
        return None

    def _too_large(self) -> Refusal:
        return TOO_LARGE if self._lines else Refusal(414)


def judge_plain(data: bytes | bytearray) -> tuple[int, Head] | None:
    """(end, head) of a head as nearly all are, without a further look; None for others, and where it is not whole."""
    end = data.find(b"\r\n\r\n") + 4
    if not 4 < end <= SMALL_BUFFER:
        return None
    head = _judge_plain(bytes(data[:end]))
    return None if head is None else (end, head)


def _bare(line: _Line) -> Head:
    return Head(line.method + b" " + _BYTE.sub(_escape, line.target) + b" HTTP/1.0\r\n\r\n", is_bare=True)


def judge(head: bytes) -> Head | Refusal:
    """A whole head with its end, of which each line was judged."""
    return _judge_plain(head) or _judge_lines(head)


def _judge_plain(head: bytes) -> Head | None:
    if _PLAIN.fullmatch(head) is None:
        return None
    lower = head.lower()
    host, length = _only(lower, b"\r\nhost:"), _only(lower, b"\r\ncontent-length:")
    if not host or not _HOST.fullmatch(host) or b"\r\ntransfer-encoding:" in lower:
        return None
    if length == b"":
        return Head(head)
    if length is not None and length.isdigit() and len(length) <= BODY_DIGITS:
        return Head(head, int(length))
    return None


def _only(lower: bytes, name: bytes) -> bytes | None:
    """The value of a header that is there once; b"": it is not there; None: more than once, or empty."""
    _, found, rest = lower.partition(name)
    if not found:
        return b""
    return None if name in rest else rest[: rest.index(b"\r\n")].strip(b" ") or None


class _Line(NamedTuple):
    method: bytes
    target: bytes
    minor: int | None
    """of HTTP/1; None: HTTP/0.9"""


def _request_line(line: bytes) -> _Line | Refusal:
    line = line[:-2] if line.endswith(b"\r\n") else line[:-1]
    found = _TARGET.fullmatch(line)
    if found is None:
        return BAD
    method, target, version = found.groups()
    if not version:
        return _Line(method, target, None) if method == b"GET" else Refusal(400, is_bare=True)
    if not line[: found.start(3)].endswith(b" "):
        return BAD
    major = _MAJOR.match(version)
    if major is not None and major[1] != b"1":
        return Refusal(505)
    minor = _VERSION.fullmatch(version)
    return BAD if minor is None else _Line(method, target, int(minor[1]))


def _judge_lines(head: bytes) -> Head | Refusal:
    first, _, rest = head.partition(b"\n")
    line = _request_line(first + b"\n")
    if isinstance(line, Refusal):
        return line
    if line.minor is None:
        return _bare(line)
    kept: list[bytes] = []
    named: dict[bytes, bytes] = {}
    for raw in rest.split(b"\n"):
        if raw in (b"", b"\r"):
            break
        header = _HEADER.fullmatch(raw)
        if header is None:
            return BAD
        name, value = header[1], (header[2] or b"").rstrip(b" ")
        lower = name.lower()
        if lower in (b"host", b"content-length", b"transfer-encoding"):
            if lower in named:
                return BAD
            named[lower] = value
        # Others are passed over, as the parser behind this would not take them.
        if header[2] is not None and _NAME.fullmatch(name) and _VALUE.fullmatch(value):
            kept.append(name + b": " + value + b"\r\n")
    body = _body(line, named)
    if isinstance(body, Refusal):
        return body
    # Whatever is no file's method is answered in one way.
    method = line.method if line.method in PARSED else b"PUT"
    version = b"1.1" if line.minor else b"1.0"
    return Head(
        b"".join(
            (method, b" ", _BYTE.sub(_escape, line.target), b" HTTP/", version, b"\r\n", *kept, b"\r\n")
        ),
        body=body,
    )


def _escape(byte: re.Match[bytes]) -> bytes:
    return b"%%%02X" % byte[0][0]


def _body(line: _Line, named: dict[bytes, bytes]) -> int | Refusal:
    """How long the body is, from what the headers say of it and of the host."""
    host = named.get(b"host")
    if host is None and line.minor:
        return BAD
    if host is not None and _HOST.fullmatch(host) is None:
        return BAD
    length = named.get(b"content-length")
    if length is not None and not (length.isdigit() and len(length.lstrip(b"0")) <= BODY_DIGITS):
        return BAD
    if line.method in (b"TRACE", b"CONNECT"):
        return Refusal(405)
    coding = named.get(b"transfer-encoding")
    if coding is None:
        return int(length or b"0")
    if not line.minor:
        return BAD
    if coding.lower() != b"chunked":
        return Refusal(501)
    return BAD if length is not None else -1
