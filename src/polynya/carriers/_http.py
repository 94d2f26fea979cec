"""What the carriers over HTTP share: one aiohttp session each, plain headers, foreign errors mapped at
the edge."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager

import aiohttp

from polynya.carriers.base import CarrierError, CarrierProblem

CONNECT_TIMEOUT = 10.0
"""Seconds until a connection must stand: a satellite link needs ~2, a blocked address never answers."""
EXCHANGE_TIMEOUT = 45.0
"""Seconds for one exchange: 100 KB at 24 kbit/s is 33 s."""

HEADERS = {"User-Agent": "Mozilla/5.0", "Accept": "*/*"}
"""Nothing that names the program to whoever stands between."""


def make_session() -> aiohttp.ClientSession:
    """A session that keeps no cookies, follows no proxy settings and shows no program name."""
    return aiohttp.ClientSession(
        headers=HEADERS,
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=EXCHANGE_TIMEOUT, connect=CONNECT_TIMEOUT),
        auto_decompress=False,
    )


@contextmanager
def mapped() -> Iterator[None]:
    """Turns whatever aiohttp, ssl and sockets raise into CarrierError."""
    try:
        yield
    except (aiohttp.ClientConnectorCertificateError, aiohttp.ClientConnectorSSLError, ssl.SSLError) as error:
        raise CarrierError(CarrierProblem.UNTRUSTED, str(error)) from error
    except aiohttp.WSServerHandshakeError as error:
        raise CarrierError(CarrierProblem.NOT_A_RELAY, f"HTTP {error.status}") from error
    except aiohttp.InvalidURL as error:
        raise CarrierError(CarrierProblem.UNREACHABLE, "the relay's address is not a valid URL") from error
    except aiohttp.ClientResponseError as error:
        raise CarrierError(CarrierProblem.NOT_A_RELAY, "not an HTTP answer") from error
    except TimeoutError as error:
        raise CarrierError(CarrierProblem.UNREACHABLE, "no answer in time") from error
    except (aiohttp.ClientError, OSError, ValueError) as error:
        raise CarrierError(CarrierProblem.UNREACHABLE, str(error) or type(error).__name__) from error


async def read_limited(response: aiohttp.ClientResponse, limit: int) -> bytes:
    """The body; raises CarrierError (NOT_A_RELAY: none answers so much) beyond `limit` bytes, and holds no more."""
    length = response.content_length
    if length is not None and length > limit:
        raise CarrierError(CarrierProblem.NOT_A_RELAY, f"{length} bytes")
    pieces: list[bytes] = []
    size = 0
    async for piece in response.content.iter_chunked(16_384):
        size += len(piece)
        if size > limit:
            raise CarrierError(CarrierProblem.NOT_A_RELAY, f"more than {limit} bytes")
        pieces.append(piece)
    return b"".join(pieces)
