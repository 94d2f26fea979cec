"""Whatever people do, in whatever order, on whatever network: once all is quiet, all members agree."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from polynya.core import events as e
from polynya.core.errors import CoreError
from tests.support.agreement import agree, friends
from tests.support.world import Knobs, Party, World

NAMES = ("anna", "boris", "clara", "david")
NAME = st.sampled_from(NAMES)
ACTION = st.one_of(
    st.tuples(st.just("say"), NAME),
    st.tuples(st.just("say"), NAME),
    st.tuples(st.just("steps"), st.integers(1, 40)),
    st.tuples(st.just("remove"), NAME, NAME),
    st.tuples(st.just("add"), NAME, NAME),
    st.tuples(st.just("rename"), NAME),
    st.tuples(st.just("admin"), NAME, NAME, st.booleans()),
    st.tuples(st.just("leave"), NAME),
    st.tuples(st.just("offline"), NAME),
    st.tuples(st.just("online"), NAME),
    st.tuples(st.just("crash"), NAME),
    st.tuples(st.just("sleep"), st.integers(1, 90)),
)


@dataclass
class Story:
    """A group and what is known of it from outside."""

    world: World
    chat: bytes
    gone: set[str] = field(default_factory=set)
    """Everybody who was ever out."""
    forbidden: dict[str, set[bytes]] = field(default_factory=dict)
    """Messages written while this person was out, until it is in again."""
    said: int = 0

    def party(self, name: object) -> Party:
        return self.world.parties[str(name)]

    def look(self) -> None:
        for name, party in self.world.parties.items():
            if party.view(self.chat).state in ("removed", "left"):
                self.gone.add(name)
                self.forbidden.setdefault(name, set())
            else:
                self.forbidden.pop(name, None)

    def do(self, action: tuple[object, ...]) -> None:
        kind, *rest = action
        self.look()
        with contextlib.suppress(CoreError):
            self._do(str(kind), rest)

    def _do(self, kind: str, rest: list[object]) -> None:
        party = self.party(rest[0]) if isinstance(rest[0], str) else self.party("anna")
        match kind:
            case "say":
                self.said += 1
                message_id = party.say(self.chat, f"{party.name} {self.said}")
                for ids in self.forbidden.values():
                    ids.add(message_id)
            case "steps":
                for _ in range(int(str(rest[0]))):
                    self.world.step()
            case "remove":
                party.do(e.RemoveMember(self.chat, self.party(rest[1]).id))
            case "add":
                party.do(e.AddMembers(self.chat, (self.party(rest[1]).id,)))
            case "rename":
                self.said += 1
                party.do(e.Rename(self.chat, f"name {self.said}"))
            case "admin":
                party.do(e.SetAdmin(self.chat, self.party(rest[1]).id, bool(rest[2])))
            case "leave":
                party.do(e.Leave(self.chat))
            case "offline":
                party.go_offline()
            case "online":
                party.go_online()
            case "crash":
                party.crash()
            case "sleep":
                self.world.sleep(int(str(rest[0])) * 1000)

    def check(self) -> None:
        self.look()
        parties = self.world.parties
        inside = [party for party in parties.values() if party.view(self.chat).state == "active"]
        for party in parties.values():
            assert party.view(self.chat).state in ("active", "removed", "left"), party.name
        if inside:
            problems = {party.view(self.chat).problem for party in inside}
            assert problems <= {None, "change-refused", "no-key-package"}, problems
            for party in inside:
                agree(self.chat, *inside, problem=party.view(self.chat).problem) if len(
                    problems
                ) == 1 else None
                assert party.members(self.chat) == sorted(p.name for p in inside)
        always = [parties[name] for name in NAMES if name not in self.gone]
        for sender in parties.values():
            for message in sender.messages(self.chat):
                if message.sender != sender.id or message.order is None:
                    continue
                for receiver in always:
                    assert (self.chat, message.id) in receiver.history, (sender.name, receiver.name)
        for name, ids in self.forbidden.items():
            assert not {(self.chat, i) for i in ids} & set(parties[name].history), name


@settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(
    seed=st.integers(0, 10_000),
    actions=st.lists(ACTION, min_size=3, max_size=25),
    bad=st.booleans(),
)
def test_all_agree(seed: int, actions: list[tuple[object, ...]], bad: bool) -> None:
    world = World(seed)
    anna, boris, clara, david = friends(world, *NAMES)
    world.befriend(boris, clara)
    world.befriend(boris, david)
    story = Story(world, world.group(anna, boris, clara, david))
    knobs = Knobs(5, 5, 10, 0, True) if bad else Knobs()
    with world.unkind(knobs):
        for action in actions:
            story.do(action)
    for party in world.parties.values():
        party.go_online()
    world.settle(200_000)
    world.sleep(15 * 86_400_000)
    story.check()
