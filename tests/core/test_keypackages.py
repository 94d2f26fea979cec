"""The stock of key packages, and what happens to those who are added by the last resort."""

from __future__ import annotations

from polynya.core import events as e
from polynya.core._state import PackageUse
from polynya.core.keypackages import KEPT_MAX, LAST_RESORT_RENEWED, STOCK
from polynya.core.mlsgroup import PACKAGE_LIFETIME
from polynya.core.state import PACKAGE
from polynya.wire import messages as m
from tests.support import hostile
from tests.support.agreement import agree, friends
from tests.support.hostile import owner_of
from tests.support.world import DAY, Party, World


def uses(party: Party, suite: int = m.SUITE_XWING) -> list[PackageUse]:
    rows = party.core._state.rows(PACKAGE).values()
    return sorted(row.use for row in rows if row.suite == suite)


def test_the_stock_is_filled_and_kept_full() -> None:
    world = World(131)
    anna, boris = friends(world, "anna", "boris")
    assert len(world.relay.packages[owner_of(boris)]) == STOCK
    assert owner_of(boris) in world.relay.last_resorts
    chat = world.group(anna, boris)
    agree(chat, anna, boris)
    assert len(world.relay.packages[owner_of(boris)]) == STOCK
    assert uses(boris).count(PackageUse.STOCK) == STOCK
    assert uses(boris).count(PackageUse.SENT) == 0, "used: its private keys are destroyed"


def test_last_resort_leads_to_an_update_at_once() -> None:
    world = World(132)
    anna, boris, clara = friends(world, "anna", "boris", "clara")
    boris.go_offline()
    world.relay.packages[owner_of(boris)].clear()
    anna.do(e.CreateGroup("urgent", (boris.id, clara.id)))
    world.settle()
    (chat,) = [v.id for v in anna.core.conversations() if v.name == "urgent"]
    assert hostile.conversation_of(anna, chat).epoch == 1
    before = hostile.group_of(anna, chat).member(hostile.leaf_of(anna, chat, boris))
    boris.go_online()
    world.settle()
    agree(chat, anna, boris, clara)
    assert hostile.conversation_of(anna, chat).epoch == 2
    after = hostile.group_of(anna, chat).member(hostile.leaf_of(anna, chat, boris))
    assert before is not None and after is not None
    assert before.leaf_node.encryption_key != after.leaf_node.encryption_key
    assert uses(boris).count(PackageUse.LAST) == 1, "it stays for others"


def test_nobody_home_has_no_key_package() -> None:
    world = World(133)
    anna, boris, clara = friends(world, "anna", "boris", "clara")
    boris.go_offline()
    world.relay.packages[owner_of(boris)].clear()
    world.relay.last_resorts.clear()
    anna.do(e.CreateGroup("without boris", (boris.id, clara.id)))
    world.settle()
    (chat,) = [v.id for v in anna.core.conversations() if v.name == "without boris"]
    assert anna.view(chat).problem == "no-key-package"
    assert anna.members(chat) == ["anna", "clara"]
    assert clara.view(chat).state == "active"


def test_a_relay_that_never_has_enough() -> None:
    world = World(134)
    world.intercept = lambda party, call: (
        m.KeyPackagesStored(0) if isinstance(call.request, m.PutKeyPackages) else None
    )
    anna = world.person("anna")
    world.settle()
    assert len(uses(anna)) <= KEPT_MAX + STOCK


def test_renewal_and_destruction() -> None:
    world = World(135)
    anna = world.person("anna")
    world.settle()
    first = world.relay.last_resorts[owner_of(anna)]
    world.sleep(LAST_RESORT_RENEWED + 2 * DAY)
    assert world.relay.last_resorts[owner_of(anna)] != first
    old = set(anna.core._state.keys(PACKAGE))
    world.sleep(PACKAGE_LIFETIME + DAY)
    assert old.isdisjoint(anna.core._state.keys(PACKAGE))
    anna.check_rows()


def test_an_expired_key_package_is_not_used() -> None:
    world = World(136)
    anna, boris = friends(world, "anna", "boris")
    boris.go_offline()
    world.sleep(PACKAGE_LIFETIME + 2 * DAY)
    world.relay.packages[owner_of(boris)] = world.relay.packages[owner_of(boris)][:1]
    anna.do(e.CreateGroup("too late", (boris.id,)))
    world.settle()
    (chat,) = [v.id for v in anna.core.conversations() if v.name == "too late"]
    assert anna.view(chat).problem == "bad-key-package"
    assert anna.members(chat) == ["anna"]


def test_why_somebody_could_not_be_added_is_forgotten_when_they_are_added_again() -> None:
    world = World(48)
    anna, boris, clara = friends(world, "anna", "boris", "clara")
    owner = hostile.owner_of(boris)
    stock, last = world.relay.packages.pop(owner), world.relay.last_resorts.pop(owner)
    chat = world.group(anna, clara, name="trip")
    anna.do(e.AddMembers(chat, (boris.id,)))
    world.settle(3_000)
    assert (anna.view(chat).problem, anna.members(chat)) == ("no-key-package", ["anna", "clara"])
    anna.do(e.Rename(chat, "sea trip"))
    world.settle(3_000)
    assert anna.view(chat).problem == "no-key-package", "other changes do not mend it"
    world.relay.packages[owner], world.relay.last_resorts[owner] = stock, last
    anna.do(e.AddMembers(chat, (boris.id,)))
    assert anna.view(chat).problem is None
    world.settle(3_000)
    agree(chat, anna, boris, clara)
