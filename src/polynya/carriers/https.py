"""One HTTP request per exchange: `POST <address>/x`, keys by `GET <address>/keys`."""

from __future__ import annotations

import aiohttp

from polynya.carriers._http import make_session, mapped, read_limited
from polynya.carriers.base import (
    MAX_FRAME,
    MAX_KEYS,
    CarrierError,
    CarrierProblem,
    CarrierProperties,
    Stream,
)

PROPERTIES = CarrierProperties(
    max_frame=MAX_FRAME,
    latency=200,
    exchanges=True,
    streams=False,
    needs_udp=False,
    in_browser=True,
    store_and_forward=False,
)


class HttpsCarrier:
    """Exchanges with the relay at `url` (http(s)://host[:port]/path, no slash at the end)."""

    name = "https"
    properties = PROPERTIES

    def __init__(self, url: str) -> None:
        self._url = url
        self._session: aiohttp.ClientSession | None = None

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None or self._session.closed:
            self._session = make_session()
        return self._session

    async def keys(self) -> bytes:
        with mapped():
            async with self._open().get(f"{self._url}/keys", allow_redirects=False) as response:
                if response.status != 200:
                    raise CarrierError(CarrierProblem.NOT_A_RELAY, f"HTTP {response.status}")
                return await read_limited(response, MAX_KEYS)

    async def exchange(self, body: bytes) -> bytes:
        if len(body) > MAX_FRAME:
            raise CarrierError(CarrierProblem.TOO_LARGE, f"{len(body)} bytes")
        with mapped():
            async with self._open().post(
                f"{self._url}/x", data=body, headers={"Content-Type": "text/plain"}, allow_redirects=False
            ) as response:
                if response.status == 400:
                    raise CarrierError(CarrierProblem.NOT_OPENED)
                if response.status != 200:
                    raise CarrierError(CarrierProblem.NOT_A_RELAY, f"HTTP {response.status}")
                return await read_limited(response, MAX_FRAME)

    async def stream(self) -> Stream:
        raise CarrierError(CarrierProblem.CANNOT, "https has no stream")

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None
