"""First flights of TLS, good and bad, and what can be seen of the answer without a key."""

from __future__ import annotations

import asyncio
import ssl
import warnings
from contextlib import suppress

from tests.abuse.asking import PATIENCE
from tests.abuse.probes import NOISE, Probe, get

ALERTS = {0: "close_notify", 10: "unexpected_message", 22: "record_overflow", 40: "handshake_failure"}
TYPES = {20: "change", 21: "alert", 22: "handshake", 23: "sealed"}
LATEST = ssl.TLSVersion.TLSv1_3
TWELVE = ssl.TLSVersion.TLSv1_2


def hello(
    name: str | None = "bakery.example",
    protocols: tuple[str, ...] = (),
    ciphers: str = "DEFAULT:@SECLEVEL=0",
    least: ssl.TLSVersion = TWELVE,
    most: ssl.TLSVersion = LATEST,
) -> bytes:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_ciphers(ciphers)
    with warnings.catch_warnings():
        # Old versions are what is asked for.
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version, context.maximum_version = least, most
    if protocols:
        context.set_alpn_protocols(list(protocols))
    out = ssl.MemoryBIO()
    connection = context.wrap_bio(ssl.MemoryBIO(), out, server_hostname=name)
    with suppress(ssl.SSLWantReadError):
        connection.do_handshake()
    return out.read()


def record(kind: int, data: bytes, version: bytes = b"\x03\x01", size: int | None = None) -> bytes:
    return bytes([kind]) + version + (len(data) if size is None else size).to_bytes(2, "big") + data


def _old(version: ssl.TLSVersion) -> bytes:
    return hello(least=version, most=version)


def hellos() -> tuple[Probe, ...]:
    good = hello()
    half = len(good) // 2
    return (
        Probe("hello", good),
        Probe("hello without a name", hello(None)),
        Probe("hello for another name", hello("other.example")),
        Probe("hello for a bad name", good.replace(b"bakery.example", b"bakery..\xff xmpl")),
        Probe("hello of TLS 1.3 alone", hello(least=LATEST)),
        Probe("hello of TLS 1.2", hello(most=TWELVE)),
        Probe("hello of TLS 1.1", _old(ssl.TLSVersion.TLSv1_1)),
        Probe("hello of TLS 1.0", _old(ssl.TLSVersion.TLSv1)),
        Probe("hello, http/1.1", hello(protocols=("http/1.1",))),
        Probe("hello of TLS 1.2, http/1.1", hello(protocols=("http/1.1",), most=TWELVE)),
        Probe("hello, h2 and http/1.1", hello(protocols=("h2", "http/1.1"), most=TWELVE)),
        Probe("hello, h2 alone", hello(protocols=("h2",))),
        Probe("hello of TLS 1.2, h2 alone", hello(protocols=("h2",), most=TWELVE)),
        Probe("hello, unknown protocol", hello(protocols=("smtp",))),
        Probe("hello, ciphers by RSA", hello(ciphers="kRSA:@SECLEVEL=0", most=TWELVE)),
        Probe("hello, ciphers of CBC", hello(ciphers="ECDHE+SHA1:@SECLEVEL=0", most=TWELVE)),
        Probe("hello, AES-256 first", hello(ciphers="ECDHE+AES256+AESGCM:ECDHE+AES128", most=TWELVE)),
        Probe("hello, ChaCha first", hello(ciphers="ECDHE+CHACHA20:ECDHE+AES128", most=TWELVE)),
        Probe("hello, ciphers of DHE", hello(ciphers="DHE", most=TWELVE)),
        Probe("hello with a bit turned", good[:50] + bytes([good[50] ^ 1]) + good[51:]),
        Probe("hello with a wrong length", good[:8] + b"\x01" + good[9:]),
        Probe("hello in two records", record(22, good[5:half]) + record(22, good[half:])),
        Probe("hello twice", good + good),
        Probe("hello, then noise", good + NOISE),
        Probe("no hello but a finish", record(22, b"\x14\0\0\x0c" + bytes(12))),
        Probe("empty record", record(22, b"")),
        Probe("record of 20,000 bytes", record(22, b"\x01" + bytes(60), size=20_000)),
        Probe("record of another version", b"\x16\x09\x09" + good[3:]),
        Probe("record of SSL 3", b"\x16\x03\x00" + good[3:]),
        Probe("alert", record(21, b"\x02\x28")),
        Probe("data without a hello", record(23, bytes(40))),
        Probe("heartbeat", record(24, b"\x01\x40\x00" + bytes(16))),
        Probe("record of no kind", record(99, bytes(40))),
        Probe("hello of SSL 2", b"\x80\x2e\x01\x00\x02\x00\x15\x00\x00\x00\x10" + bytes(range(37))),
        Probe("bits of SSL 2", b"\x80" + NOISE),
        Probe("noise to TLS", NOISE),
        Probe("zeros to TLS", bytes(64)),
        Probe("plain request to TLS", get()),
        Probe("plain bad request to TLS", b"nonsense\r\n\r\n"),
        Probe("plain HTTP/0.9 to TLS", b"GET /\r\n"),
        Probe("plain SSH to TLS", b"SSH-2.0-OpenSSH_9.6\r\n"),
        Probe("half a hello", good[:half], waits=True),
        Probe("one byte of a hello", good[:1], waits=True),
        Probe("nothing at all to TLS", b"", waits=True),
        Probe("half a plain head to TLS", b"GET / HTTP/1.1\r\nHost: b", waits=True),
    )


async def greet(port: int, probe: Probe) -> str:
    """The records that came, and how the connection ended; what speaks no TLS as it is."""
    heard, end = b"", "closed"
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(probe.data)
    try:
        async with asyncio.timeout(PATIENCE):
            while piece := await reader.read(65_536):
                heard += piece
    except ConnectionResetError:
        end = "reset"
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
    if heard[:1] and heard[0] not in TYPES:
        return heard.partition(b"\r\n\r\n")[2].decode("latin-1") + f"[{end}]"
    return f"{' / '.join(_records(heard))} [{end}]"


def _records(heard: bytes) -> list[str]:
    told = []
    while len(heard) >= 5:
        size = int.from_bytes(heard[3:5], "big")
        told.append(_one(heard[0], heard[1:3], heard[5 : 5 + size]))
        heard = heard[5 + size :]
    return told


def _one(kind: int, version: bytes, body: bytes) -> str:
    name = f"{TYPES.get(kind, kind)} {version.hex()}"
    if kind == 21 and len(body) == 2:
        return f"{name} {body[0]} {ALERTS.get(body[1], body[1])}"
    if kind == 22 and body[:1] == b"\x02":
        return f"{name} {_server_hello(body)}"
    return f"{name} {body[0] if kind == 22 and body else ''}"


def _server_hello(body: bytes) -> str:
    """Version, cipher, and extensions in their order, with contents that do not change from one to the next."""
    at = 4 + 2 + 32
    at += 1 + body[at]
    cipher = body[at : at + 2].hex()
    end = at + 5 + int.from_bytes(body[at + 3 : at + 5], "big")
    at += 5
    found = []
    while at < end:
        kind, size = int.from_bytes(body[at : at + 2], "big"), int.from_bytes(body[at + 2 : at + 4], "big")
        content = body[at + 4 : at + 4 + size]
        found.append(f"{kind}={content[:2].hex() if kind == 51 else content.hex()}")
        at += 4 + size
    return f"{body[4:6].hex()} {cipher} {','.join(found)}"
