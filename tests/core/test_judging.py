"""What a core refuses of what others send, one reason at a time, with each step undone after it was looked at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from polynya.core import (
    blobs,
    contacts,
    ephemeral,
    founding,
    identity,
    inboxes,
    keypackages,
    leave,
    leaveproofs,
    mlsgroup,
    reaches,
    readd,
    slots,
    sync,
    topics,
)
from polynya.core import commands as c
from polynya.core import events as e
from polynya.core._state import ConversationState, InboxPurpose, MemberLeaf, SlotReceipt, Upload
from polynya.core.state import ASKED, CONVERSATION, INBOX, INVITE, PERSON, TYPING, UPLOAD, WISH
from polynya.core.transaction import Transaction
from polynya.mls.credential import BasicCredential, X509Credential
from polynya.mls.extensions import Extension
from polynya.mls.group import Group
from polynya.mls.proposal import Add
from polynya.mls.suite import suite_of
from polynya.wire import messages as m
from polynya.wire.credential import sign_device_list, verify_device_list
from polynya.wire.record import seal_ephemeral
from polynya.wire.requests import sign_contact_request, sign_re_add_request
from tests.core.test_checks import key_package_of
from tests.support import hostile
from tests.support.agreement import agree, friends
from tests.support.world import Party, World

DAY = 86_400_000


def step(party: Party) -> Transaction:
    return Transaction(party.core._state, party.now(), party.random, 0)


def counted(party: Party, action: Callable[[Transaction], object]) -> list[str]:
    """The reasons that a step counted; it leaves nothing behind."""
    before = party.core.counters()
    t = step(party)
    action(t)
    after = party.core.counters()
    t.undo()
    return [reason for reason, number in after.items() if number > before.get(reason, 0)]


def with_row(party: Party, table: object, key: bytes, row: object, action: Callable[[], None]) -> None:
    """`action` with another row in the party's state."""
    t = step(party)
    t.put(table, key, row)  # type: ignore[arg-type]
    action()
    t.undo()


# ---- hints ----


def test_hints_are_fresh_and_of_other_members() -> None:
    world = World(201)
    anna, boris, clara = friends(world, "anna", "boris", "clara")
    chat = world.group(anna, boris, clara)
    topic = hostile.topic_of(anna, chat).id
    key = mlsgroup.ephemeral_key(hostile.group_of(boris, chat))

    def hint(leaf: int, sent: int) -> tuple[list[str], bool]:
        body = seal_ephemeral(key, topic, m.EphemeralMessage(leaf, sent, m.Typing(True)), boris.random)
        shown = []

        def push(t: Transaction) -> None:
            ephemeral.pushed(t, m.EphemeralPush(topic, body))
            shown.append(bool(t.keys(TYPING)))

        return counted(anna, push), shown[0]

    leaf, now = hostile.leaf_of(anna, chat, boris), world.now
    assert hint(leaf, now) == ([], True)
    assert hint(leaf, now - ephemeral.FRESH) == hint(leaf, now + ephemeral.FRESH) == ([], True)
    stale = (["ephemeral-stale"], False)
    assert hint(leaf, now - ephemeral.FRESH - 1) == hint(leaf, now + ephemeral.FRESH + 1) == stale
    assert hint(hostile.leaf_of(anna, chat, anna), now) == stale
    assert hint(7, now) == stale
    bad = m.EphemeralPush(topic, bytes(60))
    assert counted(anna, lambda t: ephemeral.pushed(t, bad)) == ["ephemeral-bad"]


# ---- asking to be added again ----


def test_who_is_added_again() -> None:
    world = World(202)
    anna, boris, clara, david = friends(world, "anna", "boris", "clara", "david")
    chat = world.group(anna, boris, clara)
    suite = hostile.group_of(anna, chat).suite.id
    epoch = hostile.conversation_of(anna, chat).epoch

    def ask(by: Party, group: bytes = chat, time: int = 0, of: Party | None = None) -> list[str]:
        package = mlsgroup.new_key_package(hostile.me_of(of or by), suite, world.now, False, by.random)
        data = package.key_package.encode()
        body = m.ReAddBody(group, by.id, epoch, data, time or world.now)
        signed = sign_re_add_request(hostile.me_of(by).identity_secret, body)
        return counted(anna, lambda t: readd.received(t, signed))

    assert ask(boris) == []
    assert ask(boris, bytes(16)) == ["readd-conversation"]
    row = hostile.conversation_of(anna, chat)
    for state in (ConversationState.STUCK, ConversationState.LEFT):
        with_row(
            anna,
            CONVERSATION,
            chat,
            replace(row, state=state),
            lambda: _equal(ask(boris), ["readd-conversation"]),
        )
    assert ask(david) == ["readd-member"]
    assert ask(anna) == ["readd-member"]
    assert ask(boris, of=clara) == ["readd-stale"]
    assert ask(boris, time=world.now - 15 * DAY) == ["readd-stale"]


def _equal(found: object, expected: object) -> None:
    assert found == expected


def test_who_has_no_reach_is_not_added_again() -> None:
    world = World(203)
    anna, boris = friends(world, "anna", "boris")
    chat = world.group(anna, boris)
    suite = hostile.group_of(anna, chat).suite.id
    package = mlsgroup.new_key_package(hostile.me_of(boris), suite, world.now, False, boris.random)
    epoch = hostile.conversation_of(anna, chat).epoch
    body = m.ReAddBody(chat, boris.id, epoch, package.key_package.encode(), world.now)
    signed = sign_re_add_request(hostile.me_of(boris).identity_secret, body)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reaches, "of", lambda *_: None)
        assert counted(anna, lambda t: readd.received(t, signed)) == ["readd-stale"]
    assert counted(anna, lambda t: readd.received(t, signed)) == []


# ---- Welcomes ----


def welcome_into(
    world: World, boris: Party, anna: Party, group_id: bytes, **changes: object
) -> m.WelcomeMessage:
    """Boris invites anna into a group of his own making."""
    info = m.ConversationInfo(m.ConversationKind.GROUP, "", (boris.id,), (world.relay.address,), 30, False)
    own = hostile.me_of(boris)
    package = key_package_of(world, anna)
    told = replace(info, **changes)  # type: ignore[arg-type]
    group = mlsgroup.new_group(own, package.cipher_suite, group_id, told, world.now, boris.random)
    pending = group.commit([Add(package)], now=world.now, random=boris.random)
    assert pending.welcome is not None
    return m.WelcomeMessage(welcome=pending.welcome, roster=())


def test_welcomes_that_are_not_in_order() -> None:
    world = World(204)
    anna, boris = friends(world, "anna", "boris")
    good = welcome_into(world, boris, anna, b"g" * 16)

    def joined(message: m.WelcomeMessage) -> tuple[list[str], int]:
        found = []

        def join(t: Transaction) -> None:
            founding.welcome(t, message)
            found.append(len(t.keys(CONVERSATION)))

        return counted(anna, join), found[0]

    before = len(anna.core._state.keys(CONVERSATION))
    assert joined(good) == ([], before + 1)
    for bad in (
        welcome_into(world, boris, anna, b"g" * 15),
        welcome_into(world, boris, anna, b"g" * 17),
        welcome_into(world, boris, anna, b"h" * 16, relays=()),
    ):
        assert joined(bad) == (["welcome-leaf"], before)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mlsgroup, "SUITES", ())
        assert joined(good) == (["welcome-leaf"], before)
    assert joined(m.WelcomeMessage(welcome=bytes(100), roster=())) == (["welcome-bad"], before)


def test_groups_that_nobody_of_ours_founded_are_not_joined() -> None:
    world = World(205)
    anna, boris = friends(world, "anna", "boris")
    own = hostile.me_of(boris)
    package = key_package_of(world, anna)
    suite = suite_of(package.cipher_suite)

    def found(extensions: tuple[Extension, ...], credential: bytes) -> Group:
        return Group.create(
            suite,
            b"n" * 16,
            BasicCredential(credential),
            own.device_secret,
            extensions=extensions,
            capabilities=mlsgroup.CAPABILITIES,
            lifetime=mlsgroup.lifetime(world.now, DAY),
            random=boris.random,
        )

    info = mlsgroup.info_extension(
        m.ConversationInfo(m.ConversationKind.GROUP, "", (), (world.relay.address,), 30, False)
    )
    assert mlsgroup.read_membership(found((info,), own.credential)) is not None
    topic = Extension(m.EXTENSION_TOPIC, info.data)
    for extensions, credential in (((), own.credential), ((topic,), own.credential), ((info,), b"nobody")):
        group = found(extensions, credential)
        assert mlsgroup.read_membership(group) is None
        pending = group.commit([Add(package)], now=world.now, random=boris.random)
        message = m.WelcomeMessage(welcome=pending.welcome or b"", roster=())
        assert counted(anna, lambda t, message=message: founding.welcome(t, message)) == ["welcome-leaf"]  # type: ignore[misc]
    assert mlsgroup.read_info((info,)) is not None
    assert mlsgroup.read_info((topic,)) is None and mlsgroup.read_info((info, topic)) is None


def test_a_welcome_into_an_epoch_that_we_have_left_behind() -> None:
    world = World(206)
    anna, boris = friends(world, "anna", "boris")
    chat = world.group(boris, anna)
    row = hostile.conversation_of(anna, chat)
    late = welcome_into(world, boris, anna, chat)
    gone = replace(row, state=ConversationState.REMOVED, epoch=5)
    with_row(
        anna,
        CONVERSATION,
        chat,
        gone,
        lambda: _equal(counted(anna, lambda t: founding.welcome(t, late)), ["welcome-refused"]),
    )


def test_only_a_living_direct_conversation_is_used_again() -> None:
    world = World(207)
    anna, boris = friends(world, "anna", "boris")
    chat = anna.direct(boris)
    row = hostile.conversation_of(anna, chat)
    t = step(anna)
    assert founding.direct_of(t, boris.id) == chat
    t.put(CONVERSATION, chat, replace(row, state=ConversationState.STUCK))
    assert founding.direct_of(t, boris.id) == chat
    for state in (ConversationState.CLOSED, ConversationState.LEFT, ConversationState.FRAUD):
        t.put(CONVERSATION, chat, replace(row, state=state))
        assert founding.direct_of(t, boris.id) is None
    t.undo()


# ---- identities ----


def test_leaves_and_key_packages_are_of_whom_they_say() -> None:
    world = World(208)
    anna, boris = friends(world, "anna", "boris")
    own, suite = hostile.me_of(boris), m.SUITE_XWING
    good = BasicCredential(own.credential)
    assert identity.accepted_leaf(good, own.device_key) is not None
    assert identity.accepted_leaf(good, bytes(32)) is None
    assert identity.accepted_leaf(X509Credential((own.credential,)), own.device_key) is None

    def package(credential: bytes) -> bytes:
        me = replace(own, credential=credential)
        return mlsgroup.new_key_package(me, suite, world.now, False, boris.random).key_package.encode()

    listed = verify_device_list(boris.id, own.devices)
    empty = verify_device_list(boris.id, sign_device_list(own.identity_secret, m.DeviceListBody(9, ())))
    data = package(own.credential)
    now = world.now
    assert identity.accepted_key_package(data, suite, boris.id, None, now) is not None
    assert identity.accepted_key_package(data, suite, boris.id, listed, now) is not None
    assert identity.accepted_key_package(data, suite, boris.id, empty, now) is None
    assert identity.accepted_key_package(data, suite, anna.id, None, now) is None
    assert identity.accepted_key_package(data, m.SUITE_X25519, boris.id, None, now) is None
    assert identity.accepted_key_package(package(b"nobody"), suite, boris.id, None, now) is None
    assert identity.accepted_key_package(data[:-1], suite, boris.id, None, now) is None


# ---- contact requests ----


def test_requests_that_are_not_shown() -> None:
    world = World(209)
    anna, boris = world.people("anna", "boris")
    world.settle()
    link = world.invite(anna)
    world.ask(boris, link, world.relay, "it is me")
    (asked,) = anna.core._state.rows(ASKED).values()
    (key,) = [key for key in anna.core._state.keys(INVITE)]
    invite = contacts.invite_of(step(anna), key)
    assert invite is not None

    def request(by: Party, number: int = 1) -> m.ContactRequest:
        own = hostile.me_of(by)
        devices = sign_device_list(own.identity_secret, m.DeviceListBody(number, ()))
        body = m.ContactRequestBody(invite.card, by.id, "name", devices, asked.reach, "text")
        return sign_contact_request(own.identity_secret, body)

    def reasons(by: Party, number: int = 1) -> list[str]:
        signed = request(by, number)
        return counted(anna, lambda t: contacts.request_received(t, invite, signed, world.now))

    assert reasons(boris, 2) == []
    assert reasons(anna) == ["request-blocked"]
    known = replace(
        identity.person(step(anna), boris.id),
        devices=sign_device_list(hostile.me_of(boris).identity_secret, m.DeviceListBody(5, ())),
    )
    with_row(anna, PERSON, boris.id, known, lambda: _equal(reasons(boris, 4), ["request-devices"]))

    def twice(t: Transaction) -> None:
        for _ in range(2):
            contacts.request_received(t, invite, request(boris, 2), world.now)

    assert counted(anna, twice) == ["request-many"]

    def flood(t: Transaction) -> None:
        for number in range(contacts.REQUESTS_MAX):
            t.put(ASKED, number.to_bytes(16, "big"), asked)
        contacts.request_received(t, invite, request(boris, 2), world.now)
        assert len(t.keys(ASKED)) == contacts.REQUESTS_MAX + 1

    assert counted(anna, flood) == ["request-many"]


# ---- inboxes, subscriptions, uploads, key packages: answers of a relay ----


def test_an_inbox_takes_what_it_cannot_read_and_goes_on() -> None:
    world = World(210)
    (anna,) = world.people("anna")
    world.settle()
    world.invite(anna)
    (inbox,) = [row for row in anna.core._state.rows(INBOX).values() if row.purpose == InboxPurpose.INVITE]
    entry = m.Entry(inbox.seq + 1, world.now, bytes(2048))

    def takes(changed: m.Entry) -> Callable[[Transaction], object]:
        def take(t: Transaction) -> None:
            assert inboxes.receive(t, inbox.id, changed) is True
            row = t.get(INBOX, inbox.id)
            assert row is not None and row.seq == changed.seq

        return take

    assert counted(anna, takes(entry)) == ["inbox-record-bad"]
    expired = replace(entry, record=None, record_hash=bytes(32))
    assert counted(anna, takes(expired)) == ["inbox-record-bad"]

    def without_invite(t: Transaction) -> None:
        t.remove(INVITE, inbox.owner)
        takes(entry)(t)

    assert counted(anna, without_invite) == ["inbox-record-bad"]
    nothing = m.Records((), inbox.seq + 3)
    assert counted(anna, lambda t: inboxes._fetched(t, inbox, nothing)) == ["inbox-gap"]
    assert counted(anna, lambda t: inboxes._fetched(t, inbox, m.Records((), inbox.seq))) == []


@pytest.mark.parametrize(
    ("topics", "heads", "counts"), [(1, (1, 1), []), (1, (0, 1), None), (1, (1, 0), None)]
)
def test_heads_are_as_many_as_were_asked_for(
    topics: int, heads: tuple[int, int], counts: list[str] | None
) -> None:
    world = World(211)
    anna, boris = friends(world, "anna", "boris")
    chat = anna.direct(boris)
    topic = hostile.topic_of(anna, chat)
    (inbox, *_) = anna.core._state.rows(INBOX).values()
    request = m.Subscribe((topic.id,), (inbox.read_secret,))
    head = m.Head(True, topic.seq)
    response = m.Heads((head,) * heads[0], (head,) * heads[1])
    found = counted(
        anna, lambda t: sync.answered_subscribe(t, world.relay.address.identity, request, response)
    )
    assert found == (["heads-bad"] if counts is None else counts)


def test_uploads_that_a_relay_answers_wrongly() -> None:
    world = World(212)
    (anna,) = world.people("anna")
    world.settle()
    relay, blob = world.relay.address, bytes(32)
    key = relay.identity + blob
    t = step(anna)
    assert blobs.uploaded(t, relay.identity, None) and blobs.uploaded(t, relay.identity, blob)
    assert not blobs.again(t, relay.identity, None) and not blobs.again(t, relay.identity, blob)
    t.put(UPLOAD, key, Upload(relay, bytes(100), 50, False, 1))
    assert not blobs.uploaded(t, relay.identity, blob)
    assert blobs.again(t, relay.identity, blob)
    request = m.PutBlob(blob, 100, 50, bytes(50))

    def answer(response: m.Response) -> Callable[[Transaction], object]:
        def put(t: Transaction) -> None:
            t.put(UPLOAD, key, Upload(relay, bytes(100), 50, False, 1))
            blobs.answered_upload(t, key, request, response)

        return put

    t.undo()
    assert counted(anna, answer(m.BlobState(100))) == []
    assert counted(anna, answer(m.BlobState(101))) == ["upload-refused"]
    assert counted(anna, answer(m.Done())) == ["upload-refused"]


def test_only_blobs_that_an_entry_names_count() -> None:
    entry = m.Entry(1, 0, b"", blobs=(b"a" * 32,))
    assert blobs.blob_is_named(entry, b"a" * 32)
    assert not blobs.blob_is_named(entry, b"b" * 32)
    assert not blobs.blob_is_named(replace(entry, blobs=None), b"a" * 32)


def test_key_packages_that_a_relay_does_not_take() -> None:
    world = World(213)
    (anna,) = world.people("anna")
    world.settle()
    request = m.PutKeyPackages(bytes(32), (), None)
    key = m.SUITE_XWING.to_bytes(2, "big")
    assert counted(anna, lambda t: keypackages.answered(t, key, request, m.Done())) == ["keys-refused"]


# ---- commits, receipts and wishes ----


def test_receipts_stand_for_one_record_at_one_place() -> None:
    world = World(214)
    anna, boris = friends(world, "anna", "boris")
    chat = world.group(anna, boris)
    row = hostile.conversation_of(anna, chat)
    receipt = m.Receipt(row.position, bytes(64))
    entry = m.Entry(9, 0, b"record", slot=row.slot, receipt=receipt)
    assert slots.position_is_next(row, entry)
    assert not slots.position_is_next(row, replace(entry, receipt=None))
    assert not slots.position_is_next(row, replace(entry, receipt=m.Receipt(row.position + 1, bytes(64))))
    known = SlotReceipt(9, topics.entry_hash(entry), bytes(64))
    assert not slots.receipts_contradict(known, entry)
    assert slots.receipts_contradict(known, replace(entry, seq=10))
    assert slots.receipts_contradict(known, replace(entry, record=b"other"))


def test_an_external_commit_is_nobodys() -> None:
    world = World(215)
    anna, boris, clara = friends(world, "anna", "boris", "clara")
    chat = world.group(anna, boris)
    own = hostile.me_of(clara)
    info = hostile.group_of(boris, chat).group_info(external_pub=True)
    entered = Group.join_external(
        info,
        BasicCredential(own.credential),
        own.device_secret,
        capabilities=mlsgroup.CAPABILITIES,
        authenticated_data=m.encode_commit_data(m.CommitData()),
        random=clara.random,
    )
    hostile.publish(boris, chat, entered.message, hostile.slot_of(boris, chat))
    world.settle()
    assert anna.core.counters()["commit-role-other"] == 1
    assert clara.name not in anna.members(chat)
    anna.do(e.Rename(chat, "ours"))
    world.settle()
    agree(chat, anna, boris)


def test_a_commit_whose_blob_the_relay_denies_is_waited_for() -> None:
    """Else whom the relay denies it would go on without the commit that all others follow."""
    world = World(216)
    anna, boris, clara = friends(world, "anna", "boris", "clara")
    chat = world.group(anna, boris, clara)
    denied: list[bytes] = []

    def deny(party: Party, call: c.Call) -> m.Response | None:
        if party is boris and isinstance(call.request, m.GetBlob) and len(denied) < 3:
            denied.append(call.request.id)
            return m.Refused(m.RefusalCode.UNKNOWN_BLOB, None)
        return None

    world.intercept = deny
    large = "n" * 120
    anna.do(e.Rename(chat, large))
    world.settle(600_000)
    assert denied, "it travels in a blob"
    agree(chat, anna, boris, clara)
    assert boris.view(chat).name == large


def test_wishes_to_leave_are_ones_own() -> None:
    world = World(217)
    anna, boris, clara = friends(world, "anna", "boris", "clara")
    chat = world.group(anna, boris, clara)
    group = hostile.group_of(anna, chat)
    proof = hostile.proof_of(boris, chat)
    member = MemberLeaf(hostile.leaf_of(anna, chat, boris), boris.id, hostile.me_of(boris).device_key)
    assert leaveproofs.wishes(group, member, proof)
    assert not leaveproofs.wishes(group, replace(member, leaf=3), proof)
    assert not leaveproofs.wishes(group, replace(member, identity=clara.id), proof)

    def seen(sender: Party, told: m.LeaveProof | None) -> tuple[list[str], int]:
        wishes = []

        def take(t: Transaction) -> None:
            intent = m.Intent(m.IntentKind.LEAVE, told)
            leave.intent_seen(t, chat, sender.id, intent, 1, world.now, b"s" * 48)
            wishes.append(len(t.keys(WISH)))

        return counted(anna, take), wishes[0]

    assert seen(boris, proof) == ([], 1)
    assert seen(clara, proof) == seen(boris, None) == (["leave-proof"], 0)
    assert seen(anna, hostile.proof_of(anna, chat)) == (["leave-proof"], 0)
