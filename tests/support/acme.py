"""A certificate authority for tests: Debian's pebble, with names and validation ports of the test's own. All on
loopback, all ports from the system."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import re
import socket
import ssl
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
from aiohttp import web

from tests.browser.authority import Authority

PATIENCE = 30.0


class Names(asyncio.DatagramProtocol):
    """A name server: A records out of a table; any other name does not exist."""

    def __init__(self) -> None:
        self.addresses: dict[str, str] = {}
        self.port = 0
        self._transport: asyncio.DatagramTransport | None = None

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=("127.0.0.1", 0))
        self._transport = transport
        self.port = transport.get_extra_info("sockname")[1]

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """RFC 1035 section 4: one question, answered from the table."""
        labels, at = [], 12
        while data[at]:
            labels.append(data[at + 1 : at + 1 + data[at]].decode("ascii"))
            at += 1 + data[at]
        question = data[12 : at + 5]
        kind = int.from_bytes(data[at + 1 : at + 3], "big")
        address = self.addresses.get(".".join(labels).lower())
        answer = b""
        if address is not None and kind == 1:
            answer = b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x00\x00\x04" + socket.inet_aton(address)
        flags = b"\x81\x80" if address is not None else b"\x81\x83"
        counts = b"\x00\x01" + (b"\x00\x01" if answer else bytes(2)) + bytes(4)
        assert self._transport is not None
        self._transport.sendto(data[:2] + flags + counts + question + answer, addr)


@dataclass(slots=True)
class Pebble:
    """A running authority. It validates on `https_port` and `http_port` of the addresses that `names` has."""

    directory: str
    root: Path
    """of the certificates that it issues"""
    server_root: Path
    """by which its own server is known"""
    names: Names
    process: subprocess.Popen[bytes]
    authority: Authority
    log: Path = field(repr=False)

    def stop(self) -> None:
        """It is down from now on."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


def _listening(pid: int) -> list[int]:
    """The TCP ports on which a process listens, in the order of its file descriptors."""
    inodes = []
    for fd in sorted(Path(f"/proc/{pid}/fd").iterdir(), key=lambda path: int(path.name)):
        try:
            found = re.fullmatch(r"socket:\[(\d+)\]", os.readlink(fd))
        except OSError:
            continue
        if found:
            inodes.append(found[1])
    ports: dict[str, int] = {}
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            words = line.split()
            if words[3] == "0A":
                ports[words[9]] = int(words[1].rpartition(":")[2], 16)
    return [ports[inode] for inode in inodes if inode in ports]


@asynccontextmanager
async def pebble(
    folder: Path,
    https_port: int,
    http_port: int,
    *,
    lifetime: int = 5 * 365 * 86_400,
) -> AsyncIterator[Pebble]:
    """Runs until the block ends; `lifetime` is that of its certificates, in seconds."""
    names = Names()
    await names.start()
    authority = Authority.create(folder / "server")
    certificate, key = authority.issue("127.0.0.1")
    config = folder / "pebble.json"
    settings = {
        "listenAddress": "127.0.0.1:0",
        "managementListenAddress": "127.0.0.1:0",
        "certificate": str(certificate),
        "privateKey": str(key),
        "httpPort": http_port,
        "tlsPort": https_port,
        "certificateValidityPeriod": lifetime,
    }
    config.write_text(json.dumps({"pebble": settings}))
    log = folder / "pebble.log"
    quick = {
        "PEBBLE_VA_NOSLEEP": "1",
        "PEBBLE_AUTHZREUSE": "0",
        "PEBBLE_WFE_NONCEREJECT": "0",
    }
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["pebble", "-config", str(config), "-dnsserver", f"127.0.0.1:{names.port}"],
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **quick},
        )
    try:
        async with asyncio.timeout(PATIENCE):
            while True:
                assert process.poll() is None, log.read_text()
                directory, root = await _look(process.pid, authority)
                if directory and root:
                    break
                await asyncio.sleep(0.02)
        issued = folder / "issued-root.pem"
        issued.write_bytes(root)
        yield Pebble(directory, issued, authority.certificate, names, process, authority, log)
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        names.close()


async def _look(pid: int, authority: Authority) -> tuple[str, bytes]:
    """The directory's address and the root of issued certificates, once both listeners answer."""
    context = ssl.create_default_context(cafile=str(authority.certificate))
    directory, root = "", b""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context)) as http:
        for port in _listening(pid):
            base = f"https://127.0.0.1:{port}"
            try:
                async with http.get(f"{base}/dir") as response:
                    if response.status == 200:
                        directory = f"{base}/dir"
                async with http.get(f"{base}/roots/0") as response:
                    if response.status == 200:
                        root = await response.read()
            except aiohttp.ClientError:
                continue
    return directory, root


class Front:
    """Stands before a pebble, whose addresses then are its own: adds what newer authorities have, is down or refuses
    as it is told, and remembers what was asked."""

    def __init__(self, behind: Pebble) -> None:
        self._behind = behind
        self._base = behind.directory.removesuffix("/dir")
        self.directory = ""
        self.is_down = False
        self.refusal: tuple[str, str, int] | None = None
        """(kind of problem, detail, Retry-After in s) with which every order is refused"""
        self.renewal_window: tuple[str, str] | None = None
        """RFC 3339 times: renewal information is offered, and says this"""
        self.profiles: dict[str, str] = {}
        self.orders: list[dict[str, object]] = []
        """payloads of new orders"""

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Front]:
        server = web.Server(self._respond, access_log=None)
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(*self._behind.authority.issue("127.0.0.1"))
        listener = await asyncio.get_running_loop().create_server(server, "127.0.0.1", 0, ssl=tls)
        self.directory = f"https://127.0.0.1:{listener.sockets[0].getsockname()[1]}/dir"
        trust = ssl.create_default_context(cafile=str(self._behind.server_root))
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=trust)) as self._http:
            yield self
        listener.close()
        await server.shutdown(0)

    async def _respond(self, request: web.BaseRequest) -> web.StreamResponse:
        if self.is_down:
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        if request.path.startswith("/renewal-info/") and self.renewal_window is not None:
            start, end = self.renewal_window
            window = {"suggestedWindow": {"start": start, "end": end}}
            return web.json_response(window, headers={"Retry-After": "21600"})
        body = await request.read()
        if request.path == "/order-plz":
            payload = json.loads(body)["payload"]
            self.orders.append(json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))))
            if self.refusal is not None:
                return self._refuse(*self.refusal)
        headers = {
            name: request.headers[name] for name in ("Host", "Content-Type") if name in request.headers
        }
        async with self._http.request(
            request.method, self._base + request.path_qs, data=body or None, headers=headers
        ) as answer:
            content = await answer.read()
            if request.path == "/dir":
                content = self._extended(json.loads(content))
            kept = ("Content-Type", "Location", "Link", "Replay-Nonce", "Retry-After")
            pairs = [(name, value) for name, value in answer.headers.items() if name in kept]
            response = web.Response(status=answer.status, body=content)
            for name, value in pairs:
                if name == "Content-Type":
                    response.headers[name] = value
                else:
                    response.headers.add(name, value)
            return response

    def _extended(self, directory: dict[str, object]) -> bytes:
        if self.renewal_window is not None:
            directory["renewalInfo"] = self.directory.removesuffix("dir") + "renewal-info"
        if self.profiles:
            meta = directory.setdefault("meta", {})
            assert isinstance(meta, dict)
            meta["profiles"] = self.profiles
        return json.dumps(directory).encode()

    def _refuse(self, kind: str, detail: str, retry_after: int) -> web.Response:
        problem = {"type": f"urn:ietf:params:acme:error:{kind}", "detail": detail, "status": 429}
        return web.Response(
            status=429,
            body=json.dumps(problem).encode(),
            content_type="application/problem+json",
            headers={"Retry-After": str(retry_after), "Replay-Nonce": "bm9uY2U"},
        )
