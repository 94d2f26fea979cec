"""The ordinary web site that everybody sees who does not know the secret path."""

from __future__ import annotations

import asyncio
import re
import stat
import urllib.parse
from pathlib import Path
from typing import BinaryIO

from aiohttp import web

from polynya.relay.web import answer, begin, error, http_date, redirect

PIECE = 65_536
"""Bytes of a file that are in memory at a time."""
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
_RANGE = re.compile(r"bytes=(\d*)-(\d*)\Z")


class Site:
    """Files of a folder. Without a folder: a server whose folder is empty, of which there are millions; a
    page of our own would be the same on every relay, and so tell them all."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    async def respond(self, request: web.BaseRequest) -> web.StreamResponse:
        names = _names(request.rel_url.raw_path)
        if names is None:
            return error(request, 400)
        if request.method not in ("GET", "HEAD"):
            return error(request, 405)
        if self._folder is None:
            return error(request, 404 if names != [""] else 403)
        found = await asyncio.to_thread(_open, self._folder, names)
        if isinstance(found, int):
            if found == 301:
                return redirect(request, request.rel_url.raw_path + "/")
            return error(request, found)
        with found.file:
            return await _send(request, found)


class _Found:
    __slots__ = ("file", "kind", "modified", "size")

    def __init__(self, file: BinaryIO, size: int, modified: float, kind: str) -> None:
        self.file = file
        self.size = size
        self.modified = modified
        self.kind = kind


def _names(raw_path: str) -> list[str] | None:
    """The path's parts after the first slash; None for a path that leads out of the folder or is no path."""
    try:
        path = urllib.parse.unquote(raw_path, errors="strict")
    except UnicodeDecodeError:
        return None
    if not path.startswith("/") or "\0" in path:
        return None
    names: list[str] = []
    for name in path.split("/")[1:]:
        if name == "..":
            if not names:
                return None
            names.pop()
        elif name != ".":
            names.append(name)
    is_folder = path.endswith(("/", "/.", "/.."))
    names = [name for name in names if name]
    return [*names, ""] if is_folder or not names else names


def _open(folder: Path, names: list[str]) -> _Found | int:
    """The file, or an HTTP status."""
    path = folder.joinpath(*names)
    is_folder = names[-1] == ""
    if is_folder:
        path /= "index.html"
    try:
        file = path.open("rb")
        status = path.stat()
    except IsADirectoryError:
        return 301 if not is_folder else 403
    except (FileNotFoundError, NotADirectoryError):
        return 403 if is_folder and path.parent.is_dir() else 404
    except OSError:
        return 403
    if not stat.S_ISREG(status.st_mode):
        file.close()
        return 403
    kind = TYPES.get(path.suffix.lower(), "application/octet-stream")
    return _Found(file, status.st_size, status.st_mtime, kind)


async def _send(request: web.BaseRequest, found: _Found) -> web.StreamResponse:
    headers = {
        "Last-Modified": http_date(found.modified),
        "ETag": f'"{int(found.modified):x}-{found.size:x}"',
    }
    if _is_unchanged(request, headers):
        response = answer(request, 304, headers=headers)
        response.headers.popall("Content-Length", None)
        return response
    start, end, status = _range(request, found.size)
    if status == 416:
        response = error(request, 416)
        response.headers["Content-Range"] = f"bytes */{found.size}"
        return response
    if status == 206:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{found.size}"
    else:
        headers["Accept-Ranges"] = "bytes"
    response_ = begin(request, status, end - start, found.kind, headers)
    await response_.prepare(request)
    if request.method == "GET":
        found.file.seek(start)
        while start < end:
            piece = await asyncio.to_thread(found.file.read, min(PIECE, end - start))
            if not piece:
                break
            start += len(piece)
            await response_.write(piece)
    await response_.write_eof()
    return response_


def _is_unchanged(request: web.BaseRequest, headers: dict[str, str]) -> bool:
    wanted = request.headers.get("If-None-Match")
    if wanted is not None:
        tags = [tag.strip().removeprefix("W/") for tag in wanted.split(",")]
        return "*" in tags or headers["ETag"] in tags
    return request.headers.get("If-Modified-Since") == headers["Last-Modified"]


def _range(request: web.BaseRequest, size: int) -> tuple[int, int, int]:
    """(start, end, status) of the one range that is asked for; anything else is the whole file."""
    match = _RANGE.match(request.headers.get("Range", ""))
    if match is None or "If-Range" in request.headers or not any(match.groups()):
        return 0, size, 200
    first, last = match.groups()
    if not first:
        start, end = max(0, size - int(last)), size
        return start, end, 206 if start < end else 416
    start = int(first)
    end = min(size, int(last) + 1) if last else size
    if last and int(last) < start:
        return 0, size, 200
    return start, end, 206 if start < end else 416
