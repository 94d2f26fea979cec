"""The state as rows, and one step's changes to it: all of them or none."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from polynya.core.commands import (
    AmendMessage,
    AppendMessage,
    AppEvent,
    Call,
    Command,
    DropRelay,
    ForgetHistory,
    Notify,
    Save,
    SetTimer,
    UseRelay,
)
from polynya.core.history import Amendment, StoredMessage
from polynya.crypto.random import Random
from polynya.wire.messages import RelayAddress, Request

V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Table(Generic[V]):
    """One kind of row. Without `encode` its rows live only as long as the core does."""

    name: str
    encode: Callable[[V], bytes] | None = None
    decode: Callable[[bytes], V] | None = None

    def saves(self, key: bytes, before: V | None, after: V | None) -> Iterator[Save]:
        """What makes a row durable that was `before` and is `after`; None: there is no such row."""
        if self.encode is not None and after is not before:
            yield Save(self.name, key, None if after is None else self.encode(after))

    def restore(self, saved: Mapping[bytes, bytes]) -> dict[bytes, V]:
        """The rows that these values were saved of, by key; raises PolynyaError."""
        if self.decode is None:
            raise ValueError(f"rows of {self.name} are not saved")
        return {key: self.decode(value) for key, value in saved.items()}


class State:
    """All rows, by table and key. Values are frozen: a row changes by being replaced."""

    def __init__(self) -> None:
        self._rows: dict[str, dict[bytes, Any]] = {}

    def rows(self, table: Table[V]) -> dict[bytes, V]:
        found = self._rows.get(table.name)
        if found is None:
            found = self._rows[table.name] = {}
        return found

    def get(self, table: Table[V], key: bytes) -> V | None:
        return self.rows(table).get(key)

    def keys(self, table: Table[V], prefix: bytes = b"") -> list[bytes]:
        """Ascending."""
        rows = self.rows(table)
        return sorted(rows) if not prefix else sorted(key for key in rows if key.startswith(prefix))


class Transaction:
    """One step: reads and writes rows at once, remembers how to undo, and gathers the commands."""

    def __init__(self, state: State, now: int, random: Random, difference: int) -> None:
        self.state = state
        self.now = now
        """ms, the device's clock: for timers."""
        self.time = max(0, now + difference)
        """ms, the home relay's clock as well as it is known: for everything that is kept or sent."""
        self.random = random
        self._woken: set[bytes] = set()
        self._queue: list[bytes] = []
        self._before: dict[tuple[str, bytes], tuple[Table[Any], Any]] = {}
        self._history: list[Command] = []
        self._relays: list[Command] = []
        self._calls: list[Call] = []
        self._timer: list[Command] = []
        self._events: list[AppEvent] = []

    # ---- rows ----

    def get(self, table: Table[V], key: bytes = b"") -> V | None:
        return self.state.rows(table).get(key)

    def keys(self, table: Table[V], prefix: bytes = b"") -> list[bytes]:
        """Ascending."""
        return self.state.keys(table, prefix)

    def put(self, table: Table[V], key: bytes, value: V) -> None:
        rows = self.state.rows(table)
        self._remember(table, key, rows.get(key))
        rows[key] = value

    def remove(self, table: Table[V], key: bytes) -> None:
        rows = self.state.rows(table)
        if key in rows:
            self._remember(table, key, rows[key])
            del rows[key]

    def _remember(self, table: Table[V], key: bytes, value: V | None) -> None:
        place = (table.name, key)
        if place not in self._before:
            self._before[place] = (table, value)

    def undo(self) -> None:
        """Puts every row back as it was."""
        for (_, key), (table, value) in self._before.items():
            rows = self.state.rows(table)
            if value is None:
                rows.pop(key, None)
            else:
                rows[key] = value
        self._before = {}

    # ---- work ----

    def wake(self, item: bytes) -> None:
        """The work item is looked at before the step ends."""
        if item not in self._woken:
            self._woken.add(item)
            heapq.heappush(self._queue, item)

    def next_item(self) -> bytes | None:
        """The lowest item that was woken and not looked at since; None: there is none."""
        if not self._queue:
            return None
        item = heapq.heappop(self._queue)
        self._woken.discard(item)
        return item

    # ---- commands ----

    def append(self, message: StoredMessage) -> None:
        self._history.append(AppendMessage(message))

    def amend(self, conversation: bytes, message_id: bytes, amendment: Amendment) -> None:
        self._history.append(AmendMessage(conversation, message_id, amendment))

    def forget_history(self, conversation: bytes) -> None:
        self._history.append(ForgetHistory(conversation))

    def use_relay(self, address: RelayAddress) -> None:
        self._relays.append(UseRelay(address))

    def drop_relay(self, identity: bytes) -> None:
        self._relays.append(DropRelay(identity))
        self._calls = [call for call in self._calls if call.relay != identity]

    def call(self, call_id: int, relay: bytes, request: Request) -> None:
        self._calls.append(Call(call_id, relay, request))

    def set_timer(self, at: int) -> None:
        self._timer = [SetTimer(at)]

    def notify(self, event: AppEvent) -> None:
        """Once a step, however often it happens."""
        if event not in self._events:
            self._events.append(event)

    def commands(self) -> tuple[Command, ...]:
        """The step's commands in their order; changed rows by order of their first change."""
        saves: list[Command] = []
        for (_, key), (table, before) in self._before.items():
            saves += table.saves(key, before, self.state.rows(table).get(key))
        events = [Notify(event) for event in self._events]
        return (*saves, *self._history, *self._relays, *self._calls, *self._timer, *events)
