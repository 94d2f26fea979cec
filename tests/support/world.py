"""Several cores and relays in memory, driven by a seeded schedule: what happens next is drawn, and can be repeated.

Everything between a core and a relay is a queue: calls, answers and pushes wait there until the schedule takes them.
A crash loads the core anew from what its Save commands made durable.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from polynya.core import commands as c
from polynya.core import events as e
from polynya.core import history
from polynya.core.core import Core
from polynya.core.history import StoredMessage, SystemContent
from polynya.core.state import SAVED
from polynya.core.transaction import Table
from polynya.core.views import ConversationView, LastView
from polynya.wire import messages as m
from tests.support.relaymodel import RelayModel, Session
from tests.support.seeded import SeededRandom

START = 1_790_000_000_000
"""ms: some day of 2026."""
DAY = 86_400_000
LATENCY = 10
"""ms that pass with every delivery."""
STEPS_MAX = 20_000


@dataclass
class Waiting:
    """A call that is on its way, or its answer."""

    call: c.Call
    session: Session
    answer: m.Response | None = None
    time: int = 0


class Crashed(Exception):
    """The party's process ended in the middle of a step."""


class Party:
    """A device: its core, its durable rows, its connections."""

    def __init__(self, world: World, name: str, relay: RelayModel, clock: int = 0) -> None:
        self.world = world
        self.name = name
        self.home = relay
        self.clock = clock
        """ms that the device's clock is ahead."""
        self.random = SeededRandom(f"{world.seed} {name}".encode())
        self.rows: dict[tuple[str, bytes], bytes] = {}
        self.history: dict[tuple[bytes, bytes], StoredMessage] = {}
        self.appended: list[tuple[bytes, bytes]] = []
        self.notified: list[c.AppEvent] = []
        self.wanted: dict[bytes, m.RelayAddress] = {}
        self.sessions: dict[bytes, Session] = {}
        self.calls: list[Waiting] = []
        self.answers: list[Waiting] = []
        self.timer: int | None = None
        self.online = True
        self.stream = True
        self.steps = 0
        self.crash_at: dict[int, str] = {}
        """By step: `saved` (after the saves, before anything leaves) or `called` (after the relay took the calls)."""
        self.core = Core()
        self._start()

    # ---- steps ----

    def now(self) -> int:
        return self.world.now + self.clock

    def _start(self) -> None:
        self.wanted = {}
        self.timer = None
        self._perform(self.core.start(self.now(), self.random), None)

    def handle(self, event: e.Event) -> tuple[c.Command, ...]:
        self.steps += 1
        commands = self.core.handle(event, self.now(), self.random)
        self._perform(commands, self.crash_at.get(self.steps))
        return commands

    def do(self, *actions: e.SingleAction) -> None:
        """What the person does. After a crash in it, it has been done all the same: its saves were durable."""
        for action in actions:
            self.handle(action)

    def _perform(self, commands: tuple[c.Command, ...], crash: str | None) -> None:
        check_order(commands)
        for command in commands:
            match command:
                case c.Save():
                    if command.value is None:
                        self.rows.pop((command.table, command.key), None)
                    else:
                        self.rows[command.table, command.key] = command.value
                case c.AppendMessage():
                    key = (command.message.conversation, command.message.id)
                    self.appended.append(key)
                    self.history.setdefault(key, command.message)
                case c.AmendMessage():
                    self._amend(command)
                case c.ForgetHistory():
                    self.history = {k: v for k, v in self.history.items() if k[0] != command.conversation}
        if crash == "saved":
            self.crash()
            return
        for command in commands:
            match command:
                case c.UseRelay():
                    self.wanted[command.address.identity] = command.address
                case c.DropRelay():
                    self.wanted.pop(command.identity, None)
                    self.disconnect(command.identity)
                case c.Call():
                    session = self.sessions[command.relay]
                    self.calls.append(Waiting(command, session))
                case c.SetTimer():
                    self.timer = command.at
                case c.Notify():
                    self.notified.append(command.event)
        if crash == "called":
            for waiting in list(self.calls):
                self.world.take(self, waiting)
            self.crash()

    def _amend(self, command: c.AmendMessage) -> None:
        key = (command.conversation, command.id)
        if key in self.history:
            changed = history.apply(self.history[key], command.amendment)
            if changed is not None:
                self.history[key] = changed

    def crash(self) -> None:
        """The process is gone and starts again from what is durable."""
        for relay in list(self.sessions):
            self._cut(relay)
        self.core = Core.load([(table, key, value) for (table, key), value in self.rows.items()])
        self._start()

    # ---- connections ----

    def connect(self, relay: bytes) -> None:
        session = Session(self.stream)
        self.sessions[relay] = session
        self.world.relays[relay].sessions.append(session)
        self.handle(e.Connected(relay, self.stream))

    def disconnect(self, relay: bytes) -> None:
        if relay in self.sessions:
            self._cut(relay)
            self.handle(e.Disconnected(relay))

    def _cut(self, relay: bytes) -> None:
        session = self.sessions.pop(relay)
        self.world.relays[relay].sessions.remove(session)
        self.calls = [w for w in self.calls if w.session is not session]
        self.answers = [w for w in self.answers if w.session is not session]

    def go_offline(self) -> None:
        self.online = False
        for relay in list(self.sessions):
            self.disconnect(relay)

    def go_online(self) -> None:
        self.online = True

    # ---- looking ----

    @property
    def id(self) -> bytes:
        me = self.core.me()
        assert me is not None
        return me.identity

    def view(self, conversation: bytes) -> ConversationView:
        view = self.core.conversation(conversation)
        assert view is not None
        return view

    def last(self, conversation: bytes) -> LastView:
        last = self.view(conversation).last
        assert last is not None
        return last

    def direct(self, other: Party) -> bytes:
        """The direct conversation with somebody."""
        for contact in self.core.contacts():
            if contact.identity == other.id and contact.conversation is not None:
                return contact.conversation
        raise AssertionError(f"{self.name} has no conversation with {other.name}")

    def messages(self, conversation: bytes, system: bool = False) -> list[StoredMessage]:
        """Of people (and with `system` all), in the order in which they are shown."""
        found = [v for (owner, _), v in self.history.items() if owner == conversation]
        if not system:
            found = [v for v in found if not isinstance(v.content, SystemContent)]
        return sorted(found, key=lambda v: (v.order is None, v.order or 0, v.sent, v.id))

    def texts(self, conversation: bytes) -> list[str]:
        return [v.content.text for v in self.messages(conversation) if isinstance(v.content, m.Text)]

    def system(self, conversation: bytes) -> list[str]:
        found = []
        for message in self.messages(conversation, True):
            if isinstance(message.content, SystemContent):
                found.append(message.content.kind)
        return found

    def members(self, conversation: bytes) -> list[str]:
        return sorted(self.world.name(member.identity) for member in self.view(conversation).members)

    def admins(self, conversation: bytes) -> list[str]:
        return sorted(self.world.name(v.identity) for v in self.view(conversation).members if v.admin)

    def say(self, conversation: bytes, text: str, reply_to: bytes | None = None) -> bytes:
        """Sends a text; gives back its id."""
        message_id = self.random.bytes(16)
        self.do(e.SendContent(conversation, m.Text(text, reply_to), message_id))
        return message_id

    def saw(self, kind: type[c.AppEvent]) -> list[c.AppEvent]:
        return [event for event in self.notified if isinstance(event, kind)]

    def check_rows(self) -> None:
        """What is durable is what the core holds: a crash loses nothing but the connection."""
        for saved in SAVED:
            table: Table[Any] = saved
            rows = self.core._state.rows(table).items()
            saves = [save for key, value in rows for save in table.saves(key, None, value)]
            held = {(save.table, save.key): save.value for save in saves}
            assert len(held) == len(saves) >= len(rows)
            durable = {place: v for place, v in self.rows.items() if place[0] == table.name}
            assert held == durable, f"{self.name}: table {table.name}"


def check_order(commands: tuple[c.Command, ...]) -> None:
    """Saves and history, then relays, then calls, then the timer, then events."""
    places: list[tuple[type[c.Command], ...]] = [
        (c.Save,),
        (c.AppendMessage, c.AmendMessage, c.ForgetHistory),
        (c.UseRelay, c.DropRelay),
        (c.Call,),
        (c.SetTimer,),
        (c.Notify,),
    ]
    order = [next(i for i, kinds in enumerate(places) if isinstance(command, kinds)) for command in commands]
    assert order == sorted(order)


@dataclass
class Knobs:
    """How unkind the network is; each is a chance out of 100."""

    lose_call: int = 0
    """The call never reaches the relay, and the connection ends."""
    lose_answer: int = 0
    """The relay did it, the answer is lost, and the connection ends."""
    double_push: int = 0
    lose_push: int = 0
    """A push is lost without the connection ending: only the gap shows it."""
    reorder: bool = False
    """Pushes overtake each other and answers."""


@dataclass
class World:
    seed: int = 0
    knobs: Knobs = field(default_factory=Knobs)
    now: int = START
    patience: int = 3_000
    """ms that the helpers below wait for everything to come to rest."""
    parties: dict[str, Party] = field(default_factory=dict)
    relays: dict[bytes, RelayModel] = field(default_factory=dict)
    intercept: Callable[[Party, c.Call], m.Response | None] | None = None
    """What a hostile relay answers instead."""
    on_push: Callable[[Party, m.Push], m.Push | None] | None = None
    """What a hostile relay pushes instead."""

    def __post_init__(self) -> None:
        self.schedule = SeededRandom(f"schedule {self.seed}".encode())
        self.relay = self.add_relay("relay")

    def add_relay(self, name: str) -> RelayModel:
        relay = RelayModel(name)
        self.relays[relay.identity] = relay
        return relay

    def person(self, name: str, relay: RelayModel | None = None, clock: int = 0) -> Party:
        """A registered person."""
        home = relay or self.relay
        party = Party(self, name, home, clock)
        self.parties[name] = party
        party.do(e.CreateIdentity(name, home.address))
        return party

    def people(self, *names: str) -> list[Party]:
        return [self.person(name) for name in names]

    def name(self, identity: bytes) -> str:
        for party in self.parties.values():
            if party.core.me() is not None and party.id == identity:
                return party.name
        return identity.hex()

    # ---- the schedule ----

    def choices(self) -> list[Callable[[], None]]:
        """Everything that may happen next without time passing."""
        found: list[Callable[[], None]] = []
        for party in self.parties.values():
            for relay in sorted(party.wanted):
                if party.online and relay not in party.sessions:
                    found.append(lambda p=party, r=relay: p.connect(r))  # type: ignore[misc]
            # Calls of one session are executed in order, and answered in order.
            for relay, session in sorted(party.sessions.items()):
                mine = [w for w in party.calls if w.session is session]
                if mine:
                    found.append(lambda p=party, w=mine[0]: self._take_call(p, w))  # type: ignore[misc]
                back = [w for w in party.answers if w.session is session]
                if back:
                    found.append(lambda p=party, w=back[0]: self._give_answer(p, w))  # type: ignore[misc]
                if session.pushes:
                    found.append(lambda p=party, s=session, r=relay: self._give_push(p, r, s))  # type: ignore[misc]
        return found

    def take(self, party: Party, waiting: Waiting) -> None:
        """The relay executes a call."""
        party.calls.remove(waiting)
        relay = self.relays[waiting.call.relay]
        answer = None if self.intercept is None else self.intercept(party, waiting.call)
        if answer is None:
            answer = relay.answer(waiting.session, waiting.call.request, self.now)
        waiting.answer = answer
        waiting.time = self.now
        party.answers.append(waiting)

    def _take_call(self, party: Party, waiting: Waiting) -> None:
        if self._chance(self.knobs.lose_call):
            party.disconnect(waiting.call.relay)
            return
        self.take(party, waiting)
        if self._chance(self.knobs.lose_answer):
            party.disconnect(waiting.call.relay)

    def _give_answer(self, party: Party, waiting: Waiting) -> None:
        party.answers.remove(waiting)
        assert waiting.answer is not None
        party.handle(e.Answered(waiting.call.id, waiting.answer, waiting.time))

    def _give_push(self, party: Party, relay: bytes, session: Session) -> None:
        place = self.schedule.below(len(session.pushes)) if self.knobs.reorder else 0
        push = session.pushes[place]
        if not self._chance(self.knobs.double_push):
            del session.pushes[place]
        if isinstance(push, m.EphemeralPush):
            party.handle(e.EphemeralPushed(relay, push))
            return
        if self._chance(self.knobs.lose_push):
            return
        changed = push if self.on_push is None else self.on_push(party, push)
        if changed is not None:
            party.handle(e.Pushed(relay, changed))

    def _chance(self, percent: int) -> bool:
        return percent > 0 and self.schedule.below(100) < percent

    def step(self) -> bool:
        """One thing that can happen happens; False: nothing can without time passing."""
        found = self.choices()
        if not found:
            return False
        self.now += LATENCY
        found[self.schedule.below(len(found))]()
        return True

    def settle(self, wait: int = 60_000) -> None:
        """Until nothing happens any more within `wait` ms."""
        end = self.now + wait
        for _ in range(STEPS_MAX):
            if self.step():
                continue
            if not self._fire(end):
                break
        else:
            raise AssertionError("the world does not come to rest")
        for party in self.parties.values():
            party.check_rows()

    def _fire(self, end: int) -> bool:
        """Lets time pass until the next timer before `end` (ms of the world)."""
        due = []
        for party in self.parties.values():
            if party.timer is not None:
                due.append((max(self.now, party.timer - party.clock), party.name))
        if not due or min(due)[0] > end:
            return False
        at, name = min(due)
        self.now = at
        party = self.parties[name]
        party.timer = None
        party.handle(e.TimerFired())
        return True

    def sleep(self, time: int) -> None:
        """Time passes; timers fire."""
        end = self.now + time
        for _ in range(STEPS_MAX):
            if not self.step() and not self._fire(end):
                break
        self.now = max(self.now, end)
        self.settle(0)

    @contextmanager
    def unkind(self, knobs: Knobs) -> Iterator[None]:
        before, self.knobs = self.knobs, knobs
        yield
        self.knobs = before

    # ---- what people often do ----

    def invite(self, inviter: Party) -> m.InviteLink:
        """A new invite's link."""
        before = {view.id for view in inviter.core.invites()}
        inviter.do(e.CreateInvite())
        self.settle(self.patience)
        (view,) = [view for view in inviter.core.invites() if view.id not in before]
        assert view.link is not None, "the invite is not ready"
        return view.link

    def ask(self, invited: Party, link: m.InviteLink, relay: RelayModel, text: str | None = None) -> None:
        """Uses an invite and sends a contact request."""
        invited.do(e.UseInvite(link, relay.address))
        self.settle(self.patience)
        invited.do(e.SendContactRequest(link.card[:16], text))
        self.settle(self.patience)

    def befriend(self, inviter: Party, invited: Party) -> bytes:
        """Makes two people contacts; gives back their conversation."""
        self.ask(invited, self.invite(inviter), inviter.home)
        for request in inviter.core.requests():
            if request.identity == invited.id:
                inviter.do(e.AcceptRequest(request.id))
        self.settle(self.patience)
        assert inviter.direct(invited) == invited.direct(inviter)
        return inviter.direct(invited)

    def group(self, founder: Party, *members: Party, name: str = "group") -> bytes:
        """A group of contacts, everybody in it."""
        before = {view.id for view in founder.core.conversations()}
        founder.do(e.CreateGroup(name, tuple(member.id for member in members)))
        self.settle(self.patience)
        (conversation,) = [v.id for v in founder.core.conversations() if v.id not in before]
        for member in members:
            assert member.core.conversation(conversation) is not None, f"{member.name} did not join"
        return conversation
