"""What a bus is that carries new entries to the sessions that wait for them. `tests/relay/live_conformance.py` holds
every implementation to it."""

from __future__ import annotations

from typing import Protocol


class Subscriber(Protocol):
    """A session, in the process that holds its connection. No method may block or raise; all may subscribe and
    unsubscribe. Called in the event loop."""

    def push(self, source: bytes, seq: int, padded: bytes) -> None:
        """A new entry of topic or inbox `source`: `padded` is the whole padded frame, yet to be sealed."""
        ...

    def push_ephemeral(self, source: bytes, padded: bytes) -> None: ...

    def missed(self) -> None:
        """Entries of its sources may have been lost on the way. No later one may come that would show it."""
        ...


class Live(Protocol):
    """Called in the event loop; nothing here waits but `ready`. A subscriber hears of each source that it
    subscribed to once, however often it did, and of no other.

    What one process publishes for a source is heard in that order. What several processes publish is heard in any, a later
    seq before an earlier one too, and something may be lost where a process or the network between
    them fails. Publishing raises nothing then, and subscriptions are in force again as soon as the way is open,
    without being asked for anew; once they are, every subscriber is told that it `missed` something, so that its client
    asks for heads and fetches. Nothing is heard twice.

    Frames have up to FRAME_MAX bytes (98,320). Whoever makes a bus opens and closes it.
    """

    def subscribe(self, source: bytes, subscriber: Subscriber) -> None:
        """In force at the latest when a `ready` that is called after it returns; something may be
        heard before."""
        ...

    async def ready(self) -> None:
        """Returns when all subscriptions made before are in force: what any process publishes from now on is
        heard. What was published before is in the store: who subscribes asks for heads then. Raises where it cannot
        be so: then the relay refuses the Subscribe, and no device believes that it is told what it is not."""
        ...

    def unsubscribe(self, source: bytes, subscriber: Subscriber) -> None:
        """In force when it returns, also for what is being told just then. Nothing happens where there is no
        subscription."""
        ...

    def is_wanted(self, source: bytes, origin: Subscriber | None) -> bool:
        """False where it is certain that nobody but `origin` waits for this source; True where other processes
        may have subscribers and nobody knows."""
        ...

    def publish(self, source: bytes, seq: int, padded: bytes, origin: Subscriber | None) -> None:
        """Tells every subscriber but `origin`, which is of this process: now, or soon."""
        ...

    def publish_ephemeral(self, source: bytes, padded: bytes, origin: Subscriber | None) -> None: ...
