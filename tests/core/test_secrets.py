"""All rows that a device has stored, tried against what it has read, sent and joined before."""

from __future__ import annotations

from polynya.core import events as e
from polynya.core.state import PACKAGE
from polynya.mls.keypackage import KeyPackageBundle
from polynya.mls.secrettree import APPLICATION
from tests.mls.everything import Target
from tests.support import hostile
from tests.support.agreement import agree, friends
from tests.support.world import Party, World


def next_message(party: Party, chat: bytes) -> Target:
    """The key that the party's next message will be under."""
    group = hostile.group_of(party, chat)
    state = group._state
    ratchet = state.secret_tree.ratchets.get((state.own_leaf, APPLICATION))
    _, message = group.encrypt(b"any", random=party.random)
    return Target.of(group, message, APPLICATION, 0 if ratchet is None else ratchet.generation)


def leads_to(party: Party, target: Target) -> bool:
    """The rows that hold MLS state are tried byte by byte; in the others the key itself does not lie."""
    rows = party.rows.items()
    return any(target.opens_with(row) for (table, _), row in rows if table in ("group", "commit")) or any(
        target.is_held_in(row) for _, row in rows
    )


def test_nothing_stored_opens_what_was_sent_or_read() -> None:
    world = World(171)
    anna, boris = friends(world, "anna", "boris")
    chat = world.group(anna, boris)
    target = next_message(anna, chat)
    assert leads_to(anna, target) and leads_to(boris, target)
    anna.say(chat, "text")
    world.settle()
    agree(chat, anna, boris)
    assert not leads_to(anna, target) and not leads_to(boris, target)


def test_nothing_stored_opens_what_was_read_while_an_own_commit_waited() -> None:
    world = World(172)
    anna, boris = friends(world, "anna", "boris")
    chat = world.group(anna, boris)
    target = next_message(boris, chat)
    anna.do(e.Rename(chat, "other"))
    anna.calls.clear()  # the commit is on its way, and for long
    boris.say(chat, "meanwhile")
    assert leads_to(anna, target)
    while "meanwhile" not in anna.texts(chat):
        assert world.step()
    assert "commit" in {table for table, _ in anna.rows}
    assert not leads_to(anna, target)


def test_the_keys_of_a_package_are_gone_once_it_was_joined_with() -> None:
    world = World(173)
    anna, boris = friends(world, "anna", "boris")
    before = {
        KeyPackageBundle.decode(row.bundle).init_private for row in boris.core._state.rows(PACKAGE).values()
    }
    stored = b"".join(boris.rows.values())
    assert len(before) > 4 and all(secret in stored for secret in before)
    agree(world.group(anna, boris), anna, boris)
    stored = b"".join(boris.rows.values())
    assert len([secret for secret in before if secret not in stored]) == 1
