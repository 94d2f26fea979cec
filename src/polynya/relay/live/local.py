"""The bus of a relay that is one process."""

from __future__ import annotations

from polynya.relay.live.base import Subscriber


class LocalLive:
    """See Live."""

    def __init__(self) -> None:
        self._subscribers: dict[bytes, dict[Subscriber, None]] = {}

    def subscribe(self, source: bytes, subscriber: Subscriber) -> None:
        self._subscribers.setdefault(source, {})[subscriber] = None

    async def ready(self) -> None:
        """Subscriptions are in force at once."""

    def unsubscribe(self, source: bytes, subscriber: Subscriber) -> None:
        subscribers = self._subscribers.get(source)
        if subscribers is not None:
            subscribers.pop(subscriber, None)
            if not subscribers:
                del self._subscribers[source]

    def is_wanted(self, source: bytes, origin: Subscriber | None) -> bool:
        subscribers = self._subscribers.get(source)
        return subscribers is not None and (len(subscribers) > 1 or origin not in subscribers)

    def publish(self, source: bytes, seq: int, padded: bytes, origin: Subscriber | None) -> None:
        subscribers = self._subscribers.get(source, {})
        # A copy: a session that is closed while it is told takes itself out.
        for subscriber in tuple(subscribers):
            if subscriber is not origin and subscriber in subscribers:
                subscriber.push(source, seq, padded)

    def publish_ephemeral(self, source: bytes, padded: bytes, origin: Subscriber | None) -> None:
        subscribers = self._subscribers.get(source, {})
        for subscriber in tuple(subscribers):
            if subscriber is not origin and subscriber in subscribers:
                subscriber.push_ephemeral(source, padded)
