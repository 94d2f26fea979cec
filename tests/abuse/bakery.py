"""One ordinary site, served by a relay and by the real nginx, which a stranger is to tell apart."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.browser.authority import Authority
from tests.support.relay import RelayProcess
from tests.support.webserver import web_server

MOMENT = 1_640_995_200
"""Seconds; when all files were written."""
FILES = {
    "index.html": "<h1>Bakery</h1>",
    "page.html": "<p>Bread</p>" * 10,
    "bread.png": "picture",
    "LICENSE": "free",
    "data.bin": "data",
    "style.css": "p {}",
    "script.js": "1",
    "blog/index.html": "<p>Blog</p>",
}
PATIENCE = 1.0
"""Seconds of both servers, in place of the minute that both have by default."""
NGINX = f"""
        include /etc/nginx/mime.types;
        default_type application/octet-stream;
        client_header_timeout {PATIENCE * 1000:.0f}ms;
        client_body_timeout {PATIENCE * 1000:.0f}ms;
        keepalive_timeout {PATIENCE * 2000:.0f}ms;
        lingering_timeout {PATIENCE * 1000:.0f}ms;
"""
RELAY = f"""
[limits]
disk_reserve = 0
head_timeout = {PATIENCE}
body_timeout = {PATIENCE}
keep_alive = {2 * PATIENCE}
"""
TLS = """
        listen 127.0.0.1:{port} ssl;
        ssl_certificate {certificate};
        ssl_certificate_key {key};
        ssl_protocols TLSv1.2 TLSv1.3;
        ssl_ciphers {ciphers};
        ssl_prefer_server_ciphers off;
"""
"""As certbot and Mozilla's generator write it, without HTTP/2."""


@dataclass(frozen=True, slots=True)
class Twins:
    """Ports."""

    nginx: int
    nginx_tls: int
    relay: int
    relay_tls: int


def bake(root: Path) -> Path:
    """The site's files."""
    shutil.rmtree(root, ignore_errors=True)
    (root / "empty").mkdir(parents=True)
    for name, text in FILES.items():
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text(text)
        os.utime(root / name, (MOMENT, MOMENT))
    return root


@asynccontextmanager
async def twins(folder: Path, ciphers: str, port: int) -> AsyncIterator[Twins]:
    """`port`: a free one, for nginx with TLS."""
    folder.chmod(0o755)
    certificate, key = Authority.create(folder / "authority").issue("127.0.0.1")
    settings = NGINX + TLS.format(port=port, certificate=certificate, key=key, ciphers=ciphers)
    site = bake(folder / "nginx" / "www")
    for name in ("plain", "tls"):
        (folder / name).mkdir()
        (folder / name / "relay.toml").write_text(RELAY)
    common = ("--site", str(site), "--local", "off")
    async with (
        # As programs, in the event loop that programs have.
        RelayProcess(folder / "plain", *common) as relay,
        RelayProcess(
            folder / "tls", *common, "--tls-cert", str(certificate), "--tls-key", str(key)
        ) as relay_tls,
        web_server("nginx", folder / "nginx", settings) as server,
    ):
        bake(folder / "nginx" / "www")
        yield Twins(server.port, port, relay.port, relay_tls.port)
