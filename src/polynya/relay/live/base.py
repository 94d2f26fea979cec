"""What a bus is that carries new entries to the sessions that wait for them."""

from __future__ import annotations

from typing import Protocol


class Subscriber(Protocol):
    """A session, on the machine that holds its connection. Neither method may block or raise."""

    def push(self, source: bytes, seq: int, padded: bytes) -> None:
        """A new entry of topic or inbox `source`: `padded` is the whole padded frame, yet to be sealed."""
        ...

    def push_ephemeral(self, source: bytes, padded: bytes) -> None: ...


class Live(Protocol):
    """Called in the event loop. A subscriber hears of each source that it subscribed to, and of no other."""

    def subscribe(self, source: bytes, subscriber: Subscriber) -> None: ...

    def unsubscribe(self, source: bytes, subscriber: Subscriber) -> None: ...

    def is_wanted(self, source: bytes, origin: Subscriber | None) -> bool:
        """False where it is certain that nobody but `origin` waits for this source."""
        ...

    def publish(self, source: bytes, seq: int, padded: bytes, origin: Subscriber | None) -> None:
        """Tells every subscriber but `origin`."""
        ...

    def publish_ephemeral(self, source: bytes, padded: bytes, origin: Subscriber | None) -> None: ...
