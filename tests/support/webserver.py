"""Ordinary web servers in front of a relay: the real programs, with the settings that `polynya relay proxy` prints, on
ports from the system."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import ADMIN_FOLDERS

PATIENCE = 30.0


@dataclass(frozen=True, slots=True)
class WebServer:
    """Running; `address` is http://127.0.0.1:port, `logs` what it wrote."""

    address: str
    folder: Path

    @property
    def port(self) -> int:
        return int(self.address.rpartition(":")[2])

    def logs(self) -> str:
        return "\n".join(path.read_text("utf-8", "replace") for path in self.folder.glob("*.log"))


def reserved() -> socket.socket:
    """A free port that a server which shares ports (SO_REUSEPORT) can listen on while this is open; it gets nothing
    itself."""
    holder = socket.socket()
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    holder.bind(("127.0.0.1", 0))
    return holder


def site(folder: Path) -> Path:
    root = folder / "www"
    root.mkdir(parents=True, exist_ok=True)
    (root / "index.html").write_text("<h1>Bakery</h1>")
    folder.chmod(0o755)
    return root


NGINX = """
daemon off;
{user}
pid {folder}/nginx.pid;
error_log {folder}/error.log info;
events {{}}
http {{
    access_log {folder}/access.log;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port} reuseport;
        root {root};
        server_tokens off;
{settings}
    }}
}}
"""
CADDY = """
{{
	admin off
	auto_https off
	storage file_system {folder}/storage
	log {{
		output file {folder}/error.log
	}}
}}
http://127.0.0.1:{port} {{
	bind 127.0.0.1
	root * {root}
	file_server
{settings}
}}
"""


@asynccontextmanager
async def web_server(server: str, folder: Path, settings: str) -> AsyncIterator[WebServer]:
    """`server` is nginx or caddy; runs until the block ends."""
    folder.mkdir(parents=True, exist_ok=True)
    holder = reserved()
    port = holder.getsockname()[1]
    template, file = (NGINX, "nginx.conf") if server == "nginx" else (CADDY, "Caddyfile")
    user = "user root;" if os.geteuid() == 0 else ""
    config = folder / file
    config.write_text(
        template.format(folder=folder, port=port, root=site(folder), settings=settings, user=user)
    )
    program = shutil.which(server, path=f"{os.environ['PATH']}:{ADMIN_FOLDERS}")
    assert program is not None
    commands = {
        "nginx": [program, "-c", str(config), "-p", str(folder)],
        "caddy": [program, "run", "--config", str(config), "--adapter", "caddyfile"],
    }
    output = folder / "output.txt"
    with output.open("wb") as out:
        process = subprocess.Popen(
            commands[server],
            stdout=out,
            stderr=subprocess.STDOUT,
            env={**os.environ, "HOME": str(folder), "XDG_DATA_HOME": str(folder)},
        )
    try:
        async with asyncio.timeout(PATIENCE):
            while True:
                assert process.poll() is None, output.read_text()
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                except OSError:
                    await asyncio.sleep(0.02)
                else:
                    writer.close()
                    break
        yield WebServer(f"http://127.0.0.1:{port}", folder)
    finally:
        process.terminate()
        process.wait()
        holder.close()
