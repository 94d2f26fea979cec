"""What a stranger sees, and how the web app is served below the secret path."""

from __future__ import annotations

import gzip
import re
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from polynya.relay.routes import below
from polynya.relay.server import RunningRelay
from tests.relay.test_adapter import path_of, raw
from tests.support.relay import running_relay
from tests.support.webapp import use_app

TELLING = re.compile(rb"polynya|picows|aiohttp|python|uvloop|relay|websocket|access-control", re.IGNORECASE)


@pytest.fixture
def site(tmp_path: Path) -> Path:
    folder = tmp_path / "site"
    (folder / "blog").mkdir(parents=True)
    (folder / "index.html").write_text("<h1>Bakery</h1>")
    (folder / "blog" / "index.html").write_text("<h1>Bread</h1>")
    (folder / "bread.jpg").write_bytes(bytes(range(256)) * 1_000)
    (folder / "empty").mkdir()
    return folder


@pytest.fixture
async def bakery(tmp_path: Path, site: Path) -> AsyncIterator[RunningRelay]:
    async with running_relay(tmp_path / "data", site=site) as running:
        yield running


async def ask(running: RunningRelay, line: str, *headers: str) -> tuple[int, dict[str, str], bytes]:
    request = "\r\n".join([f"{line} HTTP/1.1", "Host: bakery.example", *headers, "Connection: close", "", ""])
    head, _, body = (await raw(running, request.encode())).partition(b"\r\n\r\n")
    assert TELLING.search(head + body) is None
    lines = head.decode().split("\r\n")
    return int(lines[0].split()[1]), dict(one.split(": ", 1) for one in lines[1:]), body


async def test_the_owners_site_is_served_as_any(bakery: RunningRelay) -> None:
    status, headers, body = await ask(bakery, "GET /")
    assert (status, body) == (200, b"<h1>Bakery</h1>")
    assert list(headers) == [
        "Server",
        "Date",
        "Content-Type",
        "Content-Length",
        "Last-Modified",
        "Connection",
        "ETag",
        "Accept-Ranges",
    ]
    assert (await ask(bakery, "GET /", f"If-None-Match: {headers['ETag']}"))[0] == 304
    assert (await ask(bakery, "GET /", f"If-Modified-Since: {headers['Last-Modified']}"))[0] == 304
    assert (await ask(bakery, "GET /blog/"))[2] == b"<h1>Bread</h1>"
    status, headers, _ = await ask(bakery, "GET /blog")
    assert (status, headers["Location"]) == (301, f"http://bakery.example:{bakery.port}/blog/")
    assert (await ask(bakery, "HEAD /bread.jpg"))[1]["Content-Length"] == "256000"


async def test_ranges_and_methods_as_anywhere(bakery: RunningRelay) -> None:
    whole = bytes(range(256)) * 1_000
    assert (await ask(bakery, "GET /bread.jpg"))[2] == whole
    for wanted, (start, end) in {
        "5-9": (5, 10),
        "255990-": (255_990, 256_000),
        "-7": (255_993, 256_000),
    }.items():
        status, headers, body = await ask(bakery, "GET /bread.jpg", f"Range: bytes={wanted}")
        assert (status, body) == (206, whole[start:end])
        assert headers["Content-Range"] == f"bytes {start}-{end - 1}/256000"
    assert (await ask(bakery, "GET /bread.jpg", "Range: bytes=256000-"))[0] == 416
    assert (await ask(bakery, "POST /"))[0] == 405
    assert (await ask(bakery, "DELETE /bread.jpg"))[0] == 405


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/nothing", 404),
        ("/empty/", 403),
        ("/x", 404),
        ("/s", 404),
        ("/keys", 404),
        ("/metrics", 404),
        ("/health", 404),
        ("/.well-known/anything", 404),
        ("/../data/identity.key", 400),
        ("/%2e%2e/data/identity.key", 400),
        ("/blog/%2e%2e/%2e%2e/data/path", 400),
        ("/a%00b", 400),
        ("/%ff", 404),
        ("/%zz", 400),
    ],
)
async def test_everything_else_is_an_ordinary_error(bakery: RunningRelay, path: str, status: int) -> None:
    got, headers, body = await ask(bakery, f"GET {path}")
    assert got == status
    assert headers["Server"] == "nginx"
    assert f"<center><h1>{status} ".encode() in body


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00", b"400 Bad Request"),
        (b"nonsense\r\n\r\n", b"400 Bad Request"),
        (b"GET / HTTP/9.9\r\nHost: a\r\n\r\n", b"505 HTTP Version Not Supported"),
    ],
)
async def test_what_is_not_http_gets_an_ordinary_error(
    bakery: RunningRelay, data: bytes, status: bytes
) -> None:
    answer = await raw(bakery, data)
    assert answer.startswith(b"HTTP/1.1 " + status + b"\r\nServer: nginx\r\n")
    assert TELLING.search(answer) is None


async def test_without_a_site_it_is_an_empty_server(running: RunningRelay) -> None:
    assert (await ask(running, "GET /"))[0] == 403
    assert (await ask(running, "GET /index.html"))[0] == 404


def test_only_the_whole_path_leads_below() -> None:
    assert below("secret", "/secret") == ""
    assert below("secret", "/secret/") == "/"
    assert below("secret", "/secret/x") == "/x"
    for path in (
        "",
        "/",
        "secret/",
        "/secre",
        "/secretx",
        "/secret2/x",
        "//secret/",
        "/SECRET/",
        "/a/secret/",
    ):
        assert below("secret", path) is None


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "app"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html><title>Polynya</title>")
    (folder / "sw.js").write_text("// service worker")
    (folder / "assets" / "main-1a2b.js").write_text("start()")
    (folder / "assets" / "main-1a2b.js.br").write_bytes(b"brotli bytes")
    (folder / "assets" / "main-1a2b.js.gz").write_bytes(gzip.compress(b"start()"))
    use_app(monkeypatch, folder)
    return folder


@pytest.mark.usefixtures("app")
async def test_the_web_app_is_served_below_the_secret_path(tmp_path: Path) -> None:
    async with (
        running_relay(tmp_path / "data") as running,
        aiohttp.ClientSession(auto_decompress=False) as http,
    ):
        assert running.has_app
        async with http.get(running.address, allow_redirects=False) as response:
            assert response.status == 301
            assert response.headers["Location"] == running.address + "/"
        async with http.get(running.address + "/") as response:
            assert "Polynya" in await response.text()
            assert response.headers["Content-Type"] == "text/html; charset=utf-8"
            assert response.headers["Cache-Control"] == "no-cache"
            assert "frame-ancestors 'none'" in response.headers["Content-Security-Policy"]
            assert response.headers["Referrer-Policy"] == "no-referrer"
            assert response.headers["X-Content-Type-Options"] == "nosniff"
            tag = response.headers["ETag"]
        async with http.get(running.address + "/", headers={"If-None-Match": tag}) as response:
            assert response.status == 304
        async with http.get(running.address + "/sw.js") as response:
            assert response.headers["Cache-Control"] == "no-cache"
            assert response.headers["Content-Type"].startswith("text/javascript")
            assert "default-src 'none'" in response.headers["Content-Security-Policy"]
        script = running.address + "/assets/main-1a2b.js"
        packings = {
            "gzip, deflate, br": b"brotli bytes",
            "gzip": gzip.compress(b"start()"),
            "br;q=0": b"start()",
        }
        for accepted, body in packings.items():
            async with http.get(script, headers={"Accept-Encoding": accepted}) as response:
                received = await response.read()
                assert gzip.decompress(received) == b"start()" if accepted == "gzip" else received == body
                assert "immutable" in response.headers["Cache-Control"]
                assert response.headers["Vary"] == "Accept-Encoding"
                assert response.headers["X-Content-Type-Options"] == "nosniff"
                assert "Content-Security-Policy" not in response.headers
        for missing in ("/nothing", "/assets/../../path", "/assets/main-1a2b.js.br"):
            async with http.get(running.address + missing) as response:
                assert response.status == 404
    assert path_of(running)
