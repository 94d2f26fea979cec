"""The web app under the secret path: its files are read once, and served in the packing that a browser
takes."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from polynya.relay.web import answer

FOLDER = Path(__file__).resolve().parent.parent / "webapp"
PACKED = {"br": ".br", "gzip": ".gz"}
"""Content codings and the suffixes of their files, the smallest first."""
TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
}
HASHED = "assets/"
"""Files in this folder carry their hash in their name."""
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
    "media-src 'self' blob:; font-src 'self'; connect-src http: https: ws: wss:; worker-src 'self'; "
    "manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
SECURITY = {"X-Content-Type-Options": "nosniff"}
"""With every file."""
CONTEXT = {
    **SECURITY,
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "geolocation=(), payment=(), usb=(), serial=()",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
}
"""With what a browser runs in a context of its own, pages and the service worker: it reads these nowhere else, and half a
KiB with each file is 5 % of what a first message costs."""
RUN_ALONE = (".html", ".svg", "sw.js")


@dataclass(frozen=True, slots=True)
class _File:
    body: bytes
    packed: dict[str, bytes]
    kind: str
    tag: str
    cache: str
    security: dict[str, str]


class WebApp:
    """The files of `folder`; `is_there` is False in an installation that was not built."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self._files = {name: _read(folder, name) for name in _names(folder)}

    @property
    def is_there(self) -> bool:
        return "index.html" in self._files

    def respond(self, request: web.BaseRequest, name: str) -> web.Response | None:
        """The answer for the file of this name, "" being the start page; None where there is none."""
        file = self._files.get(name or "index.html")
        if file is None:
            return None
        headers = {"Cache-Control": file.cache, "ETag": file.tag, "Vary": "Accept-Encoding", **file.security}
        if file.tag in request.headers.get("If-None-Match", ""):
            response = answer(request, 304, headers=headers)
            response.headers.popall("Content-Length", None)
            return response
        body = file.body
        accepted = _accepted(request.headers.get("Accept-Encoding", ""))
        for coding, packed in file.packed.items():
            if coding in accepted:
                body = packed
                headers["Content-Encoding"] = coding
                break
        return answer(request, 200, body, file.kind, headers)


def _names(folder: Path) -> list[str]:
    if not folder.is_dir():
        return []
    names = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]
    return [
        name for name in names if not name.endswith(tuple(PACKED.values())) and Path(name).suffix in TYPES
    ]


def _read(folder: Path, name: str) -> _File:
    path = folder / name
    body = path.read_bytes()
    packed = {
        coding: beside.read_bytes()
        for coding, suffix in PACKED.items()
        if (beside := path.with_name(path.name + suffix)).is_file()
    }
    # 64 bits: it tells one version of a file from the next, and every file's headers count.
    tag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
    cache = "public, max-age=31536000, immutable" if name.startswith(HASHED) else "no-cache"
    security = CONTEXT if name.endswith(RUN_ALONE) else SECURITY
    return _File(body, packed, TYPES[path.suffix], tag, cache, security)


def _accepted(header: str) -> set[str]:
    """Codings that the browser takes; one with q=0 is not."""
    accepted = set()
    for item in header.split(","):
        coding, _, parameters = item.partition(";")
        if parameters.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000"):
            accepted.add(coding.strip().lower())
    return accepted
