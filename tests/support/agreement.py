"""What must hold once everything has come to rest."""

from __future__ import annotations

from tests.support.hostile import conversation_of
from tests.support.world import Party, World


def friends(world: World, *names: str) -> list[Party]:
    """Registered people; the first is everybody's contact."""
    people = world.people(*names)
    world.settle()
    for other in people[1:]:
        world.befriend(people[0], other)
    return people


def agree(chat: bytes, *people: Party, problem: str | None = None) -> None:
    """All are members and agree on members, name, admins, epoch, topic and order of messages; each message is there
    once; nothing waits."""
    first = people[0]
    names = sorted(person.name for person in people)
    for other in people:
        view, wanted = other.view(chat), first.view(chat)
        assert view.state == "active", (other.name, view.state, view.problem)
        assert view.problem == problem, (other.name, view.problem)
        assert other.members(chat) == names, other.name
        assert other.admins(chat) == first.admins(chat), other.name
        assert view.name == wanted.name or len(names) == 2, other.name
        assert view.pending_operations == 0, other.name
        ours, theirs = conversation_of(other, chat), conversation_of(first, chat)
        assert (ours.epoch, ours.topic, ours.slot) == (theirs.epoch, theirs.topic, theirs.slot), other.name
        assert len(other.appended) == len(set(other.appended)), other.name
        messages = other.messages(chat)
        assert all(v.order is not None and v.status in (None, "sent") for v in messages), other.name
        own = [v.id for v in messages]
        assert len(own) == len(set(own)), other.name
        known = {v.id for v in first.messages(chat)}
        common = [i for i in own if i in known]
        assert common == [v.id for v in first.messages(chat) if v.id in set(common)], other.name
