"""Both carriers against a server that behaves, and against everything else that may answer in its place."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from polynya.carriers import https, websocket
from polynya.carriers.base import MAX_FRAME, MAX_KEYS, CarrierError, CarrierProblem
from polynya.carriers.https import HttpsCarrier
from polynya.carriers.websocket import WebSocketCarrier
from tests.support.ports import closed_port

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def serving(routes: dict[tuple[str, str], Handler]) -> AsyncIterator[str]:
    """A server on loopback; gives the address up to the secret path."""
    app = web.Application(client_max_size=2**20)
    for (method, path), handler in routes.items():
        app.router.add_route(method, f"/secret/{path}", handler)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    try:
        yield f"http://127.0.0.1:{port}/secret"
    finally:
        await runner.cleanup()


def answering(body: bytes, status: int = 200) -> Handler:
    async def handler(request: web.Request) -> web.Response:
        return web.Response(body=body, status=status)

    return handler


async def problem_of(work: Awaitable[object]) -> CarrierProblem:
    with pytest.raises(CarrierError) as caught:
        await work
    assert caught.value.code == f"carrier-{caught.value.problem.value}"
    return caught.value.problem


# ---- https ----


async def test_an_exchange_carries_the_body_both_ways() -> None:
    async def echo(request: web.Request) -> web.Response:
        assert request.content_type == "text/plain"
        assert "olynya" not in str(request.headers) and "aiohttp" not in str(request.headers)
        assert "Cookie" not in request.headers
        answer = web.Response(body=(await request.read())[::-1])
        answer.set_cookie("track", "me")
        return answer

    async with serving({("POST", "x"): echo, ("GET", "keys"): answering(b"signed keys")}) as url:
        carrier = HttpsCarrier(url)
        assert await carrier.keys() == b"signed keys"
        body = bytes(range(256)) * 300
        assert await carrier.exchange(body) == body[::-1]
        assert await carrier.exchange(b"again") == b"niaga"
        await carrier.close()
        assert await carrier.exchange(b"after close") == b"esolc retfa"
        await carrier.close()


@pytest.mark.parametrize("status", [302, 403, 404, 451, 500, 502])
async def test_another_status_is_not_a_relay(status: int) -> None:
    page = answering(b"<html>blocked</html>", status)
    async with serving({("POST", "x"): page, ("GET", "keys"): page}) as url:
        carrier = HttpsCarrier(url)
        assert await problem_of(carrier.exchange(b"x")) is CarrierProblem.NOT_A_RELAY
        assert await problem_of(carrier.keys()) is CarrierProblem.NOT_A_RELAY
        await carrier.close()


async def test_a_redirect_is_not_followed() -> None:
    followed = False

    async def away(request: web.Request) -> web.Response:
        raise web.HTTPTemporaryRedirect("/secret/elsewhere")

    async def elsewhere(request: web.Request) -> web.Response:
        nonlocal followed
        followed = True
        return web.Response(body=b"trap")

    async with serving({("POST", "x"): away, ("POST", "elsewhere"): elsewhere}) as url:
        carrier = HttpsCarrier(url)
        assert await problem_of(carrier.exchange(b"x")) is CarrierProblem.NOT_A_RELAY
        await carrier.close()
    assert not followed


async def test_what_the_relay_cannot_open_is_told_apart() -> None:
    async with serving({("POST", "x"): answering(b"", 400)}) as url:
        carrier = HttpsCarrier(url)
        assert await problem_of(carrier.exchange(b"x")) is CarrierProblem.NOT_OPENED
        await carrier.close()


@pytest.mark.parametrize("declared", [True, False])
async def test_an_endless_answer_is_cut(declared: bool) -> None:
    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        if declared:
            response.content_length = 2**30
        await response.prepare(request)
        try:
            while True:
                await response.write(bytes(65_536))
        except ConnectionError:
            return response

    async with serving({("POST", "x"): endless, ("GET", "keys"): endless}) as url:
        carrier = HttpsCarrier(url)
        assert await problem_of(carrier.exchange(b"x")) is CarrierProblem.NOT_A_RELAY
        assert await problem_of(carrier.keys()) is CarrierProblem.NOT_A_RELAY
        await carrier.close()


async def test_the_largest_allowed_bodies_pass() -> None:
    async with serving(
        {
            ("POST", "x"): answering(bytes(MAX_FRAME)),
            ("GET", "keys"): answering(bytes(MAX_KEYS)),
        }
    ) as url:
        carrier = HttpsCarrier(url)
        assert len(await carrier.exchange(bytes(MAX_FRAME))) == MAX_FRAME
        assert len(await carrier.keys()) == MAX_KEYS
        assert await problem_of(carrier.exchange(bytes(MAX_FRAME + 1))) is CarrierProblem.TOO_LARGE
        await carrier.close()


@pytest.mark.parametrize(
    "address",
    ["http://127.0.0.1:{port}/p", "http://no-such-host.invalid/p", "http://[bad/p", "http://:99999/p"],
)
async def test_nobody_there_is_unreachable(address: str) -> None:
    url = address.format(port=closed_port())
    posts, sockets = HttpsCarrier(url), WebSocketCarrier(url)
    for work in (posts.exchange(b"x"), posts.keys(), sockets.stream()):
        assert await problem_of(work) is CarrierProblem.UNREACHABLE
    await posts.close()
    await sockets.close()


@asynccontextmanager
async def raw_server(answer: bytes, *, hang: bool = False) -> AsyncIterator[str]:
    """Speaks whatever bytes it was told, to everybody."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(answer)
        await writer.drain()
        if hang:
            await reader.read()
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/p"
    finally:
        server.close()


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\x15\x03\x01\x00\x02\x02\x28",
        b"220 mail ready\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc",
    ],
)
async def test_another_protocol_is_an_error_and_nothing_worse(answer: bytes) -> None:
    async with raw_server(answer) as url:
        posts, sockets = HttpsCarrier(url), WebSocketCarrier(url)
        for work in (posts.exchange(b"x"), sockets.stream()):
            assert await problem_of(work) in (CarrierProblem.UNREACHABLE, CarrierProblem.NOT_A_RELAY)
        await posts.close()
        await sockets.close()


async def test_plain_http_behind_an_https_address_is_untrusted() -> None:
    async with raw_server(b"HTTP/1.1 400 Bad Request\r\n\r\n") as url:
        secure = url.replace("http://", "https://")
        posts, sockets = HttpsCarrier(secure), WebSocketCarrier(secure)
        assert await problem_of(posts.keys()) is CarrierProblem.UNTRUSTED
        assert await problem_of(sockets.stream()) is CarrierProblem.UNTRUSTED
        await posts.close()
        await sockets.close()


async def test_silence_ends_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    from polynya.carriers import _http

    monkeypatch.setattr(_http, "EXCHANGE_TIMEOUT", 0.2)
    monkeypatch.setattr(websocket, "CONNECT_TIMEOUT", 0.2)
    async with raw_server(b"", hang=True) as url:
        posts, sockets = HttpsCarrier(url), WebSocketCarrier(url)
        assert await problem_of(posts.exchange(b"x")) is CarrierProblem.UNREACHABLE
        assert await problem_of(sockets.stream()) is CarrierProblem.UNREACHABLE
        await posts.close()
        await sockets.close()


# ---- WebSocket ----


async def test_frames_go_both_ways_in_order() -> None:
    async def echo(request: web.Request) -> web.WebSocketResponse:
        ws = web.WebSocketResponse(max_msg_size=MAX_FRAME + 1)
        await ws.prepare(request)
        async for message in ws:
            await ws.send_bytes(message.data)
        return ws

    async with serving({("GET", "s"): echo}) as url:
        carrier = WebSocketCarrier(url)
        stream = await carrier.stream()
        frames = [bytes([n]) * n for n in range(1, 60)] + [bytes(MAX_FRAME)]
        for frame in frames:
            await stream.send(frame)
        assert [await stream.receive() for _ in frames] == frames
        assert await problem_of(stream.send(bytes(MAX_FRAME + 1))) is CarrierProblem.TOO_LARGE
        await stream.close()
        assert await problem_of(stream.receive()) is CarrierProblem.CLOSED
        await carrier.close()


async def one_answer(act: Callable[[web.WebSocketResponse], Awaitable[object]]) -> CarrierError:
    async def handler(request: web.Request) -> web.WebSocketResponse:
        ws = web.WebSocketResponse()
        await ws.prepare(request)
        await act(ws)
        await ws.receive()
        return ws

    async with serving({("GET", "s"): handler}) as url:
        carrier = WebSocketCarrier(url)
        stream = await carrier.stream()
        with pytest.raises(CarrierError) as caught:
            await stream.receive()
        await carrier.close()
        return caught.value


async def test_the_close_code_is_told() -> None:
    error = await one_answer(lambda ws: ws.close(code=1008))
    assert (error.problem, error.close_code) == (CarrierProblem.CLOSED, 1008)


async def test_text_and_oversized_frames_end_the_stream() -> None:
    assert (await one_answer(lambda ws: ws.send_str("hello"))).problem is CarrierProblem.CLOSED
    assert (await one_answer(lambda ws: ws.send_bytes(bytes(MAX_FRAME + 2)))).problem is CarrierProblem.CLOSED


@pytest.mark.parametrize("status", [200, 302, 404, 503])
async def test_a_page_in_the_place_of_the_socket_is_not_a_relay(status: int) -> None:
    async with serving({("GET", "s"): answering(b"<html>blocked</html>", status)}) as url:
        carrier = WebSocketCarrier(url)
        assert await problem_of(carrier.stream()) is CarrierProblem.NOT_A_RELAY
        await carrier.close()


async def test_each_carrier_says_what_it_cannot() -> None:
    for work in (
        HttpsCarrier("http://127.0.0.1/p").stream(),
        WebSocketCarrier("http://127.0.0.1/p").exchange(b""),
        WebSocketCarrier("http://127.0.0.1/p").keys(),
    ):
        assert await problem_of(work) is CarrierProblem.CANNOT
    assert https.PROPERTIES.exchanges and not https.PROPERTIES.streams
    assert websocket.PROPERTIES.streams and not websocket.PROPERTIES.exchanges
