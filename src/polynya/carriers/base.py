"""What every carrier is: declared properties, one exchange of bytes, and a stream of frames where it can."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from polynya.errors import PolynyaError

MAX_FRAME = 131_072
"""Bytes of one body or frame: the largest padded plaintext (98,304) with its length, key and seal is below
100 KB; twice a 64 KiB blob part is more than any valid frame needs and bounds what a hostile peer can
make us hold."""

MAX_KEYS = 16_384
"""Bytes of the answer to `keys`: four X-Wing keys (1,216 B each) with times and signature are ~5 KB."""


class CarrierProblem(StrEnum):
    """Why bytes did not get through; `paths` judges by it, never by text."""

    UNREACHABLE = "unreachable"
    """no connection: no such host, refused, silent, broken off"""
    UNTRUSTED = "untrusted"
    """the TLS certificate is not valid for this host"""
    NOT_A_RELAY = "not-a-relay"
    """something answered, but not as a relay does: a block page, a login page, a wrong address"""
    NOT_OPENED = "not-opened"
    """the relay could not open the request: its key is gone or the bytes were changed"""
    CLOSED = "closed"
    """the stream has ended"""
    TOO_LARGE = "too-large"
    """ours, over the carrier's largest frame"""
    CANNOT = "cannot"
    """this carrier has no such ability"""


class CarrierError(PolynyaError):
    """Bytes did not get through. `problem` says why; `close_code` is WebSocket's where there is one."""

    def __init__(self, problem: CarrierProblem, detail: str = "", *, close_code: int | None = None) -> None:
        super().__init__(f"{problem.value}: {detail}" if detail else problem.value)
        self.problem = problem
        self.detail = detail
        self.close_code = close_code
        self.code = f"carrier-{problem.value}"


@dataclass(frozen=True, slots=True)
class CarrierProperties:
    """What a carrier is good for, as data: `paths` chooses by these."""

    max_frame: int
    """bytes of the largest body or frame"""
    latency: int
    """ms, typical time of one exchange on a healthy network"""
    exchanges: bool
    """has `keys` and `exchange`"""
    streams: bool
    """has `stream`"""
    needs_udp: bool
    in_browser: bool
    store_and_forward: bool
    """delivers while the relay is away, in its own time"""


class Stream(Protocol):
    """Frames both ways, in order. All methods raise CarrierError; after one has, the stream is dead."""

    async def send(self, frame: bytes) -> None: ...

    async def receive(self) -> bytes: ...

    async def close(self) -> None: ...


class Carrier(Protocol):
    """One way to one relay. Methods raise CarrierError and nothing else of the network's."""

    @property
    def name(self) -> str: ...

    @property
    def properties(self) -> CarrierProperties: ...

    async def keys(self) -> bytes:
        """The relay's encoded SignedKeyConfigs, unverified."""
        ...

    async def exchange(self, body: bytes) -> bytes:
        """One sealed request, its sealed response."""
        ...

    async def stream(self) -> Stream:
        """Opens a stream for one sealed session."""
        ...

    async def close(self) -> None: ...
