"""The ordinary web site that everybody sees who does not know the secret path."""

from __future__ import annotations

import asyncio
import email.utils
import errno
import os
import re
import stat
import urllib.parse
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from polynya.relay.ranges import Ranges, judge_ranges
from polynya.relay.turns import Places
from polynya.relay.web import address_of, answer, begin, error, http_date, moved, scheme

PIECE = 65_536
"""Bytes of a file that are in memory at a time."""
READ_AT_ONCE = 1
"""Files that are read at the same time: each thread takes the interpreter's lock from the loop and from the store, for
which all wait longer than for one another."""
BODY_MAX = 1 << 20
"""Bytes of a request's body that an ordinary site takes."""
TYPES = {
    ".avif": "image/avif",
    ".css": "text/css",
    ".gif": "image/gif",
    ".htm": "text/html",
    ".html": "text/html",
    ".ico": "image/x-icon",
    ".jpeg": "image/jpeg",
    ".jpg": "image/jpeg",
    ".js": "application/javascript",
    ".json": "application/json",
    ".mp3": "audio/mpeg",
    ".mp4": "video/mp4",
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
    ".webm": "video/webm",
    ".webp": "image/webp",
    ".woff": "font/woff",
    ".woff2": "font/woff2",
    ".xml": "text/xml",
    ".zip": "application/zip",
}
ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")
PORTS = {"http": 80, "https": 443}


class Site:
    """Files of a folder. Without a folder: a server whose folder is empty, of which there are millions; a
    page of our own would be the same on every relay, and so tell them all. `port`: at which people reach it, where
    it is not the one that they are connected to."""

    def __init__(self, folder: Path | None, port: int | None = None) -> None:
        self._folder = folder
        self._places = Places(READ_AT_ONCE)
        self._port = port

    async def respond(self, request: web.BaseRequest) -> web.StreamResponse:
        raw, names = names_of(request.raw_path)
        if names is None:
            return error(request, 400)
        if (request.content_length or 0) > BODY_MAX:
            return error(request, 413)
        if request.method not in ("GET", "HEAD", "POST"):
            return error(request, 405)
        if self._folder is None:
            return error(request, 404 if names != [b""] else 403)
        address = address_of(request)
        async with self._places.place(address):
            found = await asyncio.to_thread(_look, self._folder, names)
        if isinstance(found, int):
            return moved(request, self._below(request, raw)) if found == 301 else error(request, found)
        if request.method == "POST":
            return error(request, 405)
        return await self._send(request, found, address)

    def _below(self, request: web.BaseRequest, raw: str) -> str:
        """The address of a folder, which its slash was left out of. Ordinary servers say their port themselves."""
        path, mark, query = raw.partition("?")
        name = request.transport.get_extra_info("sockname") if request.transport is not None else None
        own = (name[0], name[1]) if isinstance(name, tuple) else ("localhost", None)
        where = origin(scheme(request), host_of(request, str(own[0])), self._port or own[1])
        return f"{where}{path}/{mark}{query}"

    async def _send(self, request: web.BaseRequest, found: _Found, address: str | None) -> web.StreamResponse:
        headers = {
            "Last-Modified": http_date(found.modified),
            "ETag": f'"{int(found.modified):x}-{found.size:x}"',
        }
        if _is_changed(request, found, headers):
            return error(request, 412)
        if _is_unchanged(request, headers):
            response = answer(request, 304, headers=headers)
            response.headers.popall("Content-Length", None)
            return response
        ranges = judge_ranges(
            request.headers.get("Range"), request.headers.get("If-Range"), headers, found.size
        )
        if ranges is None:
            return error(request, 416, headers={"Content-Range": f"bytes */{found.size}"})
        parts = Ranges(ranges, found.size, found.kind)
        if ranges:
            headers |= parts.headers
        else:
            headers["Accept-Ranges"] = "bytes"
        whole = begin(request, 206 if ranges else 200, parts.length, parts.kind, headers)
        await whole.prepare(request)
        if request.method == "GET":
            for before, start, end in parts.pieces():
                if before:
                    await whole.write(before)
                while start < end:
                    piece = await self._read(found, start, min(PIECE, end - start), address)
                    if not piece:
                        raise ConnectionResetError("the file changed")
                    start += len(piece)
                    await whole.write(piece)
                    await request.writer.drain()
        await whole.write_eof()
        return whole

    async def _read(self, found: _Found, start: int, size: int, address: str | None) -> bytes:
        if found.whole is not None:
            return found.whole[start : start + size]
        async with self._places.place(address):
            return await asyncio.to_thread(_piece, found, start, size)


def host_of(request: web.BaseRequest, own: str) -> str:
    """As an ordinary server understands it, without a port; `own` where the request names none."""
    host = (_split(request.raw_path)[0] or request.headers.get("Host", own)).lower()
    return host[: host.index("]") + 1] if host.startswith("[") else host.partition(":")[0].removesuffix(".")


def origin(protocol: str, host: str, port: int | None) -> str:
    """The beginning of an address; None: the usual port."""
    return f"{protocol}://{host}" + ("" if port in (None, PORTS[protocol]) else f":{port}")


@dataclass(frozen=True, slots=True)
class _Found:
    path: Path
    size: int
    modified: float
    kind: str
    whole: bytes | None
    """what is in it, where that is one piece at most"""


def _split(target: str) -> tuple[str, str]:
    """(host, the rest) of a request in absolute form; no host of any other."""
    if target.startswith("/"):
        return "", target
    rest = target.partition("://")[2]
    end = min((rest.index(mark) for mark in "/?" if mark in rest), default=len(rest))
    return rest[:end], rest[end:] or "/"


def names_of(target: str) -> tuple[str, list[bytes] | None]:
    """What the request asks for, without a host, and its path's parts after the first slash; None for a path that leads
    out of the folder or is no path."""
    target = _split(target)[1]
    raw = os.fsencode(target.partition("#")[0].partition("?")[0])
    path = urllib.parse.unquote_to_bytes(raw)
    if ESCAPE.search(raw) or b"\0" in path:
        return target, None
    names: list[bytes] = []
    for name in path.split(b"/")[1:]:
        if name == b"..":
            if not names:
                return target, None
            names.pop()
        elif name != b".":
            names.append(name)
    is_folder = path.endswith((b"/", b"/.", b"/.."))
    names = [name for name in names if name]
    return target, [*names, b""] if is_folder or not names else names


def _look(folder: Path, names: list[bytes]) -> _Found | int:
    """The file, or an HTTP status."""
    path = folder.joinpath(*map(os.fsdecode, names))
    is_folder = names[-1] == b""
    if is_folder:
        path /= "index.html"
    try:
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            is_small = stat.S_ISREG(status.st_mode) and status.st_size <= PIECE
            whole = file.read(status.st_size) if is_small else None
    except IsADirectoryError:
        return 301 if not is_folder else 403
    except OSError as problem:
        if problem.errno not in (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG):
            return 403
        return 403 if is_folder and path.parent.is_dir() else 404
    if not stat.S_ISREG(status.st_mode):
        return 403
    kind = TYPES.get(path.suffix.lower(), "application/octet-stream")
    return _Found(path, status.st_size, status.st_mtime, kind, whole)


def _piece(found: _Found, start: int, size: int) -> bytes:
    """Opened anew each time: those who read slowly would keep a file handle each. b"": it is another file now."""
    try:
        with found.path.open("rb") as file:
            status = os.fstat(file.fileno())
            if (status.st_size, status.st_mtime) != (found.size, found.modified):
                return b""
            file.seek(start)
            return file.read(size)
    except OSError:
        return b""


def _is_changed(request: web.BaseRequest, found: _Found, headers: dict[str, str]) -> bool:
    """Whether the client wants it only as it was."""
    since = request.headers.get("If-Unmodified-Since")
    if since is not None:
        limit = email.utils.parsedate_to_datetime(since) if _is_date(since) else None
        if limit is None or limit.timestamp() < int(found.modified):
            return True
    wanted = request.headers.get("If-Match")
    return wanted is not None and wanted.strip() != "*" and headers["ETag"] not in _tags(wanted)


def _tags(text: str) -> list[str]:
    return [tag.strip() for tag in text.split(",")]


def _is_date(text: str) -> bool:
    try:
        email.utils.parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return False
    return True


def _is_unchanged(request: web.BaseRequest, headers: dict[str, str]) -> bool:
    wanted = request.headers.get("If-None-Match")
    if wanted is not None:
        tags = [tag.removeprefix("W/") for tag in _tags(wanted)]
        return "*" in tags or headers["ETag"] in tags
    return request.headers.get("If-Modified-Since") == headers["Last-Modified"]
