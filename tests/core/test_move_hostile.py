"""Moves that somebody wants to bend: ReInits and successors without the right, forged ones, and former members."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest

from polynya.core import events as e
from polynya.core import founding, mlsgroup, moving
from polynya.core._state import OperationKind
from polynya.core.operations import add
from polynya.core.state import PACKAGE
from polynya.core.transaction import Transaction
from polynya.mls.credential import BasicCredential, X509Credential
from polynya.mls.group import Group, PendingCommit, decode_key_package, verify_key_package
from polynya.mls.keypackage import KeyPackage
from polynya.mls.proposal import Add, PreSharedKey, Proposal, ReInit
from polynya.mls.psk import REINIT, ResumptionPskId, resumption_key
from polynya.wire import messages as m
from polynya.wire.keypackages import open_key_package
from polynya.wire.labels import write_secret
from polynya.wire.requests import sign_moved
from tests.support import hostile
from tests.support.agreement import agree, friends
from tests.support.moves import (
    HOUR,
    both_ways,
    founded,
    make_admin,
    moved,
    vanish_with_slot_records,
)
from tests.support.world import DAY, Party, World


def key_package_of(world: World, party: Party, suite: int) -> KeyPackage:
    owner, key = hostile.owner_of(party, suite), hostile.me_of(party).package_key
    data = open_key_package(key, owner, world.relay.packages[owner].pop(0))
    return verify_key_package(decode_key_package(data), world.now)


@dataclass
class Successor:
    """What somebody offers as the successor; each field may be bent."""

    founder: Party
    chat: bytes
    others: list[Party]
    group: bytes | None = None
    suite: int | None = None
    info: m.ConversationInfo | None = None
    epochs: int = 1
    psk: bool = True
    extra: list[KeyPackage] = field(default_factory=list)
    tree_inside: bool = False

    def ended(self) -> Group:
        return hostile.group_of(self.founder, self.chat)

    def commit(self) -> PendingCommit:
        ended, founder = self.ended(), self.founder
        assert ended.reinit is not None
        suite = self.suite or ended.reinit.cipher_suite
        name = self.group or ended.reinit.group_id
        info = self.info or hostile.info_of(founder, self.chat)
        own, world = hostile.me_of(founder), founder.world
        group = mlsgroup.new_group(own, suite, name, info, world.now, founder.random)
        for _ in range(self.epochs - 1):
            group = group.merge_commit(group.commit(now=world.now, random=founder.random))
        adds: list[Proposal] = [Add(key_package_of(world, other, suite)) for other in self.others]
        adds += [Add(package) for package in self.extra]
        if self.psk:
            psk = ResumptionPskId(REINIT, ended.group_id, ended.epoch, founder.random.bytes(32))
            adds.append(PreSharedKey(psk))
        return group.commit(
            adds,
            psks={resumption_key(ended.group_id, ended.epoch): ended.resumption_psk},
            tree_in_welcome=self.tree_inside,
            now=world.now,
            random=founder.random,
        )

    def body(self, pending: PendingCommit) -> m.MovedBody:
        ended = self.ended()
        info = pending.group.group_info()
        return m.MovedBody(ended.group_id, ended.epoch, self.founder.id, info, pending.welcome)

    def word(self, **changes: object) -> bytes:
        """The record's body, with these fields of the body bent before it is signed."""
        body = replace(self.body(self.commit()), **changes)  # type: ignore[arg-type]
        return m.encode_moved(sign_moved(hostile.me_of(self.founder).identity_secret, body))

    def publish(self, data: bytes) -> None:
        hostile.publish(self.founder, self.chat, data, hostile.slot_of(self.founder, self.chat))


def refused(party: Party, reason: str) -> int:
    return party.core.counters().get(f"moved-{reason}", 0)


def two_admins_wait(seed: int, patch: pytest.MonkeyPatch) -> tuple[World, bytes, list[Party]]:
    """Anna has committed the ReInit and is gone; Boris, an admin too, and Clara wait."""
    world = World(seed)
    chat, people = founded(world, patch, 3, m.SUITE_XWING)
    make_admin(world, chat, people[0], people[1])
    people[0].do(e.MoveSuite(chat, m.SUITE_X25519))
    vanish_with_slot_records(world, people[0], chat, 1)
    world.settle()
    return world, chat, people


# ---- the ReInit ----


def reinits(party: Party, chat: bytes) -> dict[str, ReInit]:
    group = hostile.group_of(party, chat)
    good = ReInit(b"s" * 16, 1, m.SUITE_X25519, group.context.extensions)
    info = replace(hostile.info_of(party, chat), members_add=True)
    return {
        "good": good,
        "another suite": replace(good, cipher_suite=2),
        "the same suite": replace(good, cipher_suite=m.SUITE_XWING),
        "another version": replace(good, version=2),
        "a short id": replace(good, group_id=b"s" * 15),
        "the same id": replace(good, group_id=chat),
        "another info": replace(good, extensions=(mlsgroup.info_extension(info),)),
        "no info": replace(good, extensions=()),
    }


def test_a_members_reinit_is_skipped_by_all(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(401)
    chat, (anna, boris, clara) = founded(world, monkeypatch, 3, m.SUITE_XWING)
    good = reinits(boris, chat)["good"]
    hostile.publish(boris, chat, hostile.commit(boris, chat, [good]), hostile.slot_of(boris, chat))
    world.settle()
    agree(chat, anna, boris, clara)
    for person in (anna, boris, clara):
        assert person.core.counters()["commit-role-reinit"] == 1
        assert hostile.conversation_of(person, chat).epoch == 1
    anna.do(e.Rename(chat, "unharmed"))
    world.settle()
    agree(chat, anna, boris, clara)


def test_an_admins_reinit_is_what_it_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(402)
    chat, (anna, boris, clara) = founded(world, monkeypatch, 3, m.SUITE_XWING)
    bent = {name: one for name, one in reinits(anna, chat).items() if name != "good"}
    for one in bent.values():
        hostile.publish(anna, chat, hostile.commit(anna, chat, [one]), hostile.slot_of(anna, chat))
    world.settle()
    agree(chat, anna, boris, clara)
    for person in (anna, boris, clara):
        assert person.core.counters()["commit-role-reinit"] == len(bent)


def test_two_people_do_not_move(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(403)
    anna, boris = friends(world, "anna", "boris")
    chat = anna.direct(boris)
    good = reinits(anna, chat)["good"]
    hostile.publish(anna, chat, hostile.commit(anna, chat, [good]), hostile.slot_of(anna, chat))
    world.settle()
    agree(chat, anna, boris)
    assert boris.core.counters()["commit-role-reinit"] == 1


# ---- the successor ----


def bent_successors(boris: Party, chat: bytes, anna: Party, clara: Party) -> dict[str, list[bytes]]:
    """Records that nobody follows, by the reason; Boris is an admin."""
    good = Successor(boris, chat, [anna, clara])
    pending = good.commit()
    body = good.body(pending)
    word = sign_moved(hostile.me_of(boris).identity_secret, body)
    turned = bytes([word.signature[0] ^ 1]) + word.signature[1:]
    own_rules = replace(hostile.info_of(boris, chat), admins=(boris.id,))
    of_clara = Successor(clara, chat, [anna, boris]).commit()
    tree_of_clara = of_clara.group.group_info()
    return {
        "moved-signature": [m.encode_moved(replace(word, signature=turned))],
        "message": [b"junk", m.encode_moved(replace(word, body=b"junk"))],
        "malformed": [good.word(group_info=b"junk")],
        "mls": [good.word(group_info=pending.message)],
        "end": [good.word(group=b"x" * 16), good.word(epoch=body.epoch + 1)],
        "promise": [
            replace(good, group=b"x" * 16).word(),
            replace(good, suite=m.SUITE_XWING).word(),
            replace(good, info=own_rules).word(),
            replace(good, epochs=2, psk=False).word(),
        ],
        "signer": [good.word(group_info=tree_of_clara)],
        "people": [replace(good, others=[anna]).word()],
    }


def test_bent_successors_are_skipped_by_all(monkeypatch: pytest.MonkeyPatch) -> None:
    world, chat, (anna, boris, clara) = two_admins_wait(404, monkeypatch)
    bent = bent_successors(boris, chat, anna, clara)
    for records in bent.values():
        for data in records:
            Successor(boris, chat, []).publish(data)
    world.settle()
    for person in (boris, clara):
        assert person.view(chat).state == "moving"
        found = {reason: refused(person, reason) for reason in bent}
        found["message"] += sum(
            n for name, n in person.core.counters().items() if name.startswith("moved-cbor")
        )
        assert found == {reason: len(records) for reason, records in bent.items()}
    anna.go_online()
    world.settle()
    moved(chat, m.SUITE_X25519, anna, boris, clara)


def test_a_record_that_does_not_open_is_skipped_by_all(monkeypatch: pytest.MonkeyPatch) -> None:
    world, chat, (anna, boris, clara) = two_admins_wait(417, monkeypatch)
    unnamed = m.InBlob(bytes(32), bytes(32), 5000)
    hostile.publish(boris, chat, b"", hostile.slot_of(boris, chat), body=unnamed)
    secret = write_secret(hostile.topic_of(boris, chat).topic_secret)
    junk = m.Publish(secret, bytes(512), hostile.slot_of(boris, chat))
    world.relay.publish(None, junk, world.now)
    world.settle()
    for person in (boris, clara):
        assert person.core.counters()["slot-bad"] == 2
        assert person.view(chat).state == "moving"
    anna.go_online()
    world.settle()
    moved(chat, m.SUITE_X25519, anna, boris, clara)


def test_a_stranger_in_the_successor_is_not_let_in(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(405)
    chat, (anna, boris, clara) = founded(world, monkeypatch, 3, m.SUITE_XWING)
    david = world.person("david")
    world.settle()
    make_admin(world, chat, anna, boris)
    anna.do(e.MoveSuite(chat, m.SUITE_X25519))
    vanish_with_slot_records(world, anna, chat, 1)
    world.settle()
    successor = Successor(boris, chat, [anna, clara, david])
    successor.publish(successor.word())
    world.settle()
    assert [refused(p, "people") for p in (boris, clara)] == [1, 1]
    anna.go_online()
    world.settle()
    moved(chat, m.SUITE_X25519, anna, boris, clara)


def test_a_leaf_that_nobody_signed_in_the_successor(monkeypatch: pytest.MonkeyPatch) -> None:
    """Boris puts a device of his own in Anna's place, under her credential."""
    world, chat, (anna, boris, clara) = two_admins_wait(416, monkeypatch)
    device = replace(hostile.me_of(boris), credential=hostile.me_of(anna).credential, device_secret=b"d" * 32)
    package = mlsgroup.new_key_package(device, m.SUITE_X25519, world.now, False, boris.random).key_package
    successor = Successor(boris, chat, [clara], extra=[package])
    successor.publish(successor.word())
    world.settle()
    assert [refused(p, "leaf") for p in (boris, clara)] == [1, 1]
    assert clara.view(chat).state == "moving"


def test_a_members_successor_does_not_count_before_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clara is no admin: her word counts from a day after the ReInit on, as the relay tells the time."""
    world, chat, (anna, boris, clara) = two_admins_wait(406, monkeypatch)
    boris.go_offline()
    early = Successor(clara, chat, [anna, boris])
    early.publish(early.word())
    world.sleep(DAY - HOUR)
    early.publish(early.word())
    world.settle()
    assert refused(clara, "founder") == 2
    world.sleep(HOUR)
    assert clara.view(chat).state == "moving"
    world.sleep(2 * HOUR)
    assert clara.view(chat).state == "active"
    for person in (anna, boris):
        person.go_online()
    world.settle()
    assert refused(boris, "founder") == 2
    moved(chat, m.SUITE_X25519, anna, boris, clara)
    assert clara.admins(chat) == ["anna", "boris"]


def test_an_own_successor_that_came_too_early(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clara's own core is made to found one at once: it skips its own record as everybody does."""
    world, chat, (anna, boris, clara) = two_admins_wait(407, monkeypatch)
    t = Transaction(clara.core._state, clara.now(), clara.random, 0)
    add(t, chat, OperationKind.MOVE, suite=m.SUITE_X25519)
    clara._perform(clara.core._finish(t), None)
    world.settle()
    assert [refused(p, "founder") for p in (boris, clara)] == [1, 1]
    assert [p.view(chat).state for p in (boris, clara)] == ["moving", "moving"]
    assert clara.view(chat).pending_operations == 0
    anna.go_online()
    world.settle()
    moved(chat, m.SUITE_X25519, anna, boris, clara)


def test_nobody_becomes_admin_by_founding(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no admin is left the member with the lowest leaf is one: a founder's leaf is always the lowest."""
    world = World(408)
    chat, (anna, boris, clara) = founded(world, monkeypatch, 3, m.SUITE_XWING)
    anna.do(e.SetAdmin(chat, anna.id, False))
    world.settle()
    assert clara.admins(chat) == ["anna"]
    anna.do(e.MoveSuite(chat, m.SUITE_X25519))
    vanish_with_slot_records(world, anna, chat, 1)
    world.sleep(2 * DAY)
    assert boris.view(chat).state == clara.view(chat).state == "moving"
    successor = Successor(boris, chat, [anna, clara])
    successor.publish(successor.word())
    world.settle()
    assert [refused(p, "admins") for p in (boris, clara)] == [1, 1]
    anna.go_online()
    world.settle()
    moved(chat, m.SUITE_X25519, anna, boris, clara)
    assert clara.admins(chat) == ["anna"]


def test_a_welcome_into_another_group_than_everybody_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    """An admin shows everybody one group and lets Clara into another one: she does not go there."""
    world, chat, (anna, boris, clara) = two_admins_wait(409, monkeypatch)
    shown, trap = (
        Successor(boris, chat, [anna, clara]),
        Successor(boris, chat, [clara, anna], tree_inside=True),
    )
    secret = hostile.me_of(boris).identity_secret
    body = replace(shown.body(shown.commit()), welcome=trap.commit().welcome)
    bundles_before = set(clara.core._state.rows(PACKAGE))
    shown.publish(m.encode_moved(sign_moved(secret, body)))
    world.settle(0)
    assert clara.view(chat).state == "stuck"
    assert hostile.group_of(clara, chat).reinit is not None
    assert bundles_before <= set(clara.core._state.rows(PACKAGE)), "no key package was spent"


def test_a_successor_without_the_ended_groups_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    world, chat, (anna, boris, clara) = two_admins_wait(410, monkeypatch)
    successor = Successor(boris, chat, [anna, clara], psk=False)
    successor.publish(successor.word())
    world.settle(0)
    assert clara.view(chat).state == "stuck"
    assert hostile.group_of(clara, chat).reinit is not None


def test_two_devices_are_of_one_person_by_their_identity() -> None:
    def credential(identity: int, number: int) -> BasicCredential:
        named = m.DeviceCredential(bytes([identity]) * 32, number, bytes([number]) * 64)
        return BasicCredential(m.encode_device_credential(named))

    assert moving.is_same_person(credential(1, 1), credential(1, 2))
    assert not moving.is_same_person(credential(1, 1), credential(2, 1))
    assert not moving.is_same_person(X509Credential(()), credential(1, 1))
    assert not moving.is_same_person(credential(1, 1), X509Credential(()))


# ---- by the inbox ----


def welcome(party: Party, message: m.WelcomeMessage) -> None:
    t = Transaction(party.core._state, party.now(), party.random, 0)
    founding.welcome(t, message)
    party._perform(party.core._finish(t), None)


def by_inbox(successor: Successor) -> m.WelcomeMessage:
    pending = replace(successor, psk=False).commit()
    assert pending.welcome is not None
    return m.WelcomeMessage(pending.welcome, (), tree=pending.tree, former=(successor.chat,))


def test_a_welcome_with_the_promised_id_leads_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever knows the successor's id, an admin among them, gets nobody there but by the log."""
    world, chat, (anna, boris, clara) = two_admins_wait(411, monkeypatch)
    world.befriend(boris, clara)
    before = hostile.conversation_of(clara, chat)
    welcome(clara, by_inbox(Successor(boris, chat, [clara])))
    welcome(clara, replace(by_inbox(Successor(boris, chat, [clara])), former=None))
    world.settle()
    assert hostile.conversation_of(clara, chat) == before
    assert [view.id for view in clara.core.conversations() if view.kind == m.ConversationKind.GROUP] == [chat]
    anna.go_online()
    world.settle()
    moved(chat, m.SUITE_X25519, anna, boris, clara)
    both_ways(chat, anna, boris, clara)


def test_a_strangers_welcome_with_the_promised_id(monkeypatch: pytest.MonkeyPatch) -> None:
    world, chat, (_, _, clara) = two_admins_wait(412, monkeypatch)
    stranger = world.person("stranger")
    world.settle()
    ended = hostile.group_of(clara, chat)
    assert ended.reinit is not None
    info = hostile.info_of(clara, chat)
    group = mlsgroup.new_group(
        hostile.me_of(stranger), m.SUITE_X25519, ended.reinit.group_id, info, world.now, stranger.random
    )
    pending = group.commit(
        [Add(key_package_of(world, clara, m.SUITE_X25519))], now=world.now, random=stranger.random
    )
    assert pending.welcome is not None
    welcome(clara, m.WelcomeMessage(pending.welcome, (), former=(chat,)))
    assert clara.core.counters()["welcome-unknown"] == 1
    assert clara.view(chat).state == "moving"


def test_an_ended_group_does_not_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who is removed from the successor is not brought into what was before it."""
    world = World(413)
    chat, (anna, _, clara) = founded(world, monkeypatch, 3, m.SUITE_XWING)
    anna.do(e.MoveSuite(chat, m.SUITE_X25519))
    world.settle()
    anna.do(e.RemoveMember(chat, clara.id))
    world.settle()
    assert clara.view(chat).state == "removed"
    own, info = hostile.me_of(anna), hostile.info_of(anna, chat)
    group = mlsgroup.new_group(own, m.SUITE_XWING, chat, info, world.now, anna.random)
    for _ in range(9):
        group = group.merge_commit(group.commit(now=world.now, random=anna.random))
    pending = group.commit(
        [Add(key_package_of(world, clara, m.SUITE_XWING))], now=world.now, random=anna.random
    )
    assert pending.welcome is not None
    welcome(clara, m.WelcomeMessage(pending.welcome, ()))
    assert clara.view(chat).state == "removed"
    assert clara.core.counters()["welcome-refused"] == 1


# ---- who is no member any more ----


def test_who_was_removed_before_the_move_reads_nothing_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(414)
    chat, people = founded(world, monkeypatch, 4, m.SUITE_XWING)
    anna, boris, clara, david = people
    david.go_offline()
    anna.do(e.RemoveMember(chat, david.id))
    anna.do(e.MoveSuite(chat, m.SUITE_X25519))
    world.settle()
    both_ways(chat, anna, boris, clara)
    david.go_online()
    world.settle()
    moved(chat, m.SUITE_X25519, anna, boris, clara)
    assert david.view(chat).state == "removed"
    assert david.texts(chat) == [] and david.system(chat).count("suite") == 0


def test_who_is_removed_after_the_move_writes_nothing_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clara still has the ended group's keys and topic, which the others read for 14 days."""
    world = World(415)
    chat, (anna, boris, clara) = founded(world, monkeypatch, 3, m.SUITE_XWING)
    topic, group = hostile.topic_of(clara, chat), hostile.group_of(clara, chat)

    def words(text: str) -> bytes:
        nonlocal group
        message = m.Message(
            clara.random.bytes(16), world.now, m.Text(text), topic.id, topic.seq, topic.head, 1
        )
        group, data = group.encrypt(m.encode_message(message), random=clara.random)
        return data

    anna.do(e.MoveSuite(chat, m.SUITE_X25519))
    world.settle()
    hostile.publish(clara, chat, words("in time"), topic=topic)
    world.settle()
    assert anna.texts(chat) == boris.texts(chat) == ["in time"]
    anna.do(e.RemoveMember(chat, clara.id))
    world.settle()
    hostile.publish(clara, chat, words("too late"), topic=topic)
    world.settle()
    assert anna.texts(chat) == boris.texts(chat) == ["in time"]
    assert boris.core.counters()["message-removed"] == 1
