"""The core: one event in, the commands it leads to out, all of its changes or none."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from polynya.core import (
    actions,
    dispatch,
    drops,
    ephemeral,
    epochs,
    founding,
    invites,
    moves,
    outbox,
    show,
    sync,
    work,
)
from polynya.core._state import CLOCK_BIAS, STATE_VERSION, Clock, ConversationState, Meta
from polynya.core.commands import Command
from polynya.core.errors import CoreError
from polynya.core.events import (
    Answered,
    Batch,
    Connected,
    Disconnected,
    EphemeralPushed,
    Event,
    Failed,
    NetworkEvent,
    Pushed,
    TimerFired,
)
from polynya.core.mlsgroup import DAY
from polynya.core.receipts import GATHERED
from polynya.core.state import (
    CLOCK,
    CONVERSATION,
    COUNT,
    LINK,
    MARK,
    ME,
    META,
    OPENED,
    SAVED,
    SCALAR,
    TOPIC,
    WISH,
)
from polynya.core.transaction import State, Table, Transaction
from polynya.core.views import (
    ContactView,
    ConversationView,
    InviteView,
    MeView,
    OpenedInviteView,
    RequestView,
    SafetyView,
)
from polynya.crypto.random import Random
from polynya.errors import PolynyaError
from polynya.wire.messages import RECEIVE_KEYS_LIFETIME, RelayAddress

CLOCK_CHANGE = 10_000
"""ms: smaller changes of the clocks' difference are not worth a write."""


class Core:
    """Everything a device knows, and what it does next. Not for use by two callers at once."""

    def __init__(self) -> None:
        self._state = State()

    @classmethod
    def load(cls, rows: Iterable[tuple[str, bytes, bytes]]) -> Core:
        """From what Save commands made durable; without rows a new device.

        Raises CoreError `state-too-new`, `state-too-old` or `state-broken`.
        """
        saved: dict[str, dict[bytes, bytes]] = {table.name: {} for table in SAVED}
        for name, key, value in rows:
            if name not in saved:
                raise CoreError("state-too-new")
            saved[name][key] = value
        core = cls()
        try:
            meta = META.restore(saved[META.name]).get(b"")
            if meta is not None:
                check_version(meta.version)
            for each in SAVED:
                table: Table[Any] = each
                core._state.rows(table).update(table.restore(saved[table.name]))
        except CoreError:
            raise
        except PolynyaError:
            raise CoreError("state-broken") from None
        return core

    def start(self, now: int, random: Random) -> tuple[Command, ...]:
        """Once after loading, before the first event: relays to connect to, and the first timer."""
        t = self._begin(now, random)
        if t.get(META) is None:
            t.put(META, b"", Meta(STATE_VERSION))
        outbox.restore(t)
        drops.restore(t)
        invites.restore(t)
        _set_timers(t)
        return self._finish(t)

    def handle(self, event: Event, now: int, random: Random) -> tuple[Command, ...]:
        """One step. `now`: ms, the device's clock. An action may raise CoreError; then nothing has changed."""
        t = self._begin(now, random)
        try:
            if isinstance(event, NETWORK):
                self._network(t, event)
            elif isinstance(event, Batch):
                for action in event.actions:
                    actions.act(t, action)
                for key, value in event.marks:
                    if value is None:
                        t.remove(MARK, key)
                    else:
                        t.put(MARK, key, value)
            else:
                actions.act(t, event)
            return self._finish(t)
        except BaseException:
            t.undo()
            raise

    def _begin(self, now: int, random: Random) -> Transaction:
        clock = self._state.get(CLOCK, b"")
        difference = 0 if clock is None else clock.difference - CLOCK_BIAS
        return Transaction(self._state, now, random, difference)

    def _finish(self, t: Transaction) -> tuple[Command, ...]:
        dispatch.run(t)
        sync.use_relays(t)
        work.ask_for_timer(t)
        return t.commands()

    def _network(self, t: Transaction, event: NetworkEvent) -> None:
        match event:
            case Connected():
                sync.connected(t, event.relay, event.session)
            case Disconnected():
                sync.disconnected(t, event.relay)
            case Answered():
                self._answered(t, event)
            case Failed():
                context = work.finish_call(t, event.call_id)
                if context is not None and t.get(LINK, context.relay) is not None:
                    work.pause(t, *work.split(context.item))
            case Pushed():
                sync.pushed(t, event.push)
            case EphemeralPushed():
                ephemeral.pushed(t, event.push)
            case TimerFired():
                t.remove(SCALAR, b"timer")
                for name in work.due_timers(t):
                    dispatch.timer(t, *work.split(name))

    def _answered(self, t: Transaction, event: Answered) -> None:
        context = work.finish_call(t, event.call_id)
        if context is None:
            return
        _learn_clock(t, context.relay, event.relay_time)
        kind, key = work.split(context.item)
        dispatch.answer(t, kind, key, context.request, event.response)

    # ---- views ----

    def me(self) -> MeView | None:
        return show.me_view(self._state)

    def conversations(self) -> tuple[ConversationView, ...]:
        """Newest activity first."""
        return show.conversations(self._state)

    def conversation(self, conversation: bytes) -> ConversationView | None:
        return show.conversation(self._state, conversation)

    def contacts(self) -> tuple[ContactView, ...]:
        """By name."""
        return show.contacts(self._state)

    def requests(self) -> tuple[RequestView, ...]:
        """Oldest first."""
        return show.requests(self._state)

    def invites(self) -> tuple[InviteView, ...]:
        """Newest first."""
        return show.invites(self._state)

    def opened_invites(self) -> tuple[OpenedInviteView, ...]:
        return show.opened_invites(self._state)

    def relays(self) -> tuple[RelayAddress, ...]:
        """Those that connections are wanted to."""
        needed = sync.relays_needed(self._state)
        return tuple(needed[identity] for identity in sorted(needed))

    def safety_number(self, conversation: bytes) -> SafetyView:
        """Of a direct conversation; raises CoreError `no-safety-number` where there is none to compare now."""
        view = show.safety(self._state, conversation)
        if view is None:
            raise CoreError("no-safety-number")
        return view

    def name_of(self, identity: bytes) -> str:
        """Somebody's name as far as it is known; empty where it is not."""
        return show.name_of(self._state, identity)

    def mark(self, key: bytes) -> bytes | None:
        """What a Batch has saved under `key`."""
        return self._state.get(MARK, key)

    def counters(self) -> dict[str, int]:
        """How often something was skipped since the start, by reason; for diagnosis only."""
        return {key.decode(): self._state.get(COUNT, key) or 0 for key in self._state.keys(COUNT)}


def check_version(version: int) -> None:
    """The state is of this program's version, before anything else of it is read; raises CoreError."""
    if version > STATE_VERSION:
        raise CoreError("state-too-new")
    if version < STATE_VERSION:
        raise CoreError("state-too-old")


LEAVING = (ConversationState.LEAVING, ConversationState.MOVING)
"""In which `since` says when we have asked to leave."""

NETWORK = (Connected, Disconnected, Answered, Failed, Pushed, EphemeralPushed, TimerFired)


def _learn_clock(t: Transaction, relay: bytes, relay_time: int) -> None:
    own = t.get(ME)
    if own is None or own.relay.identity != relay:
        return
    difference = relay_time - t.now + CLOCK_BIAS
    known = t.get(CLOCK)
    if difference < 0 or (known is not None and abs(known.difference - difference) < CLOCK_CHANGE):
        return
    t.put(CLOCK, b"", Clock(difference))
    t.time = relay_time
    _set_timers(t)


def _set_timers(t: Transaction) -> None:
    """All that hang on what is saved; the others belong to a connection and are made with it."""
    work.set_timer(t, b"daily", b"", t.now + DAY)
    for topic in t.keys(TOPIC):
        row = t.get(TOPIC, topic)
        if row is not None and row.ended is not None:
            work.set_timer_by_relay(t, b"close", topic, row.ended + RECEIVE_KEYS_LIFETIME)
    for key in t.keys(WISH):
        wish = t.get(WISH, key)
        if wish is not None:
            work.set_timer_by_relay(t, b"wish", key, wish.due)
    for opened_id in t.keys(OPENED):
        opened = t.get(OPENED, opened_id)
        if opened is not None and opened.inbox is not None and opened.accepted is not None:
            founding.set_answered_timer(t, opened_id, opened.accepted)
    for conversation in t.keys(CONVERSATION):
        found = t.get(CONVERSATION, conversation)
        if found is None:
            continue
        epochs.set_timer(t, conversation)
        moves.set_timer(t, conversation)
        if found.delivered or found.read:
            work.set_timer(t, b"receipts", conversation, t.now + GATHERED)
        if found.state in LEAVING and found.since is not None:
            work.set_timer_by_relay(t, b"left", conversation, found.since + RECEIVE_KEYS_LIFETIME)
        if found.state == ConversationState.STUCK:
            work.set_timer(t, b"readd", conversation, t.now)
    invites.restore(t)
