"""Each check that guards safety is a named function, and a scenario breaks without it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from polynya.core import (
    blobs,
    commits,
    contents,
    ephemeral,
    formers,
    founding,
    history,
    identity,
    leave,
    leaveproofs,
    messages,
    mlsgroup,
    moving,
    operations,
    outbox,
    readd,
    roles,
    slots,
    successors,
)
from polynya.core import events as e
from polynya.core._state import ConversationState, MemberLeaf
from polynya.core.state import CONVERSATION, ME
from polynya.core.transaction import Transaction
from polynya.mls.credential import BasicCredential
from polynya.mls.errors import MlsError
from polynya.mls.group import Group, decode_key_package, verify_key_package
from polynya.mls.proposal import Add
from polynya.wire import messages as m
from polynya.wire.credential import VerifiedDevice, sign_device_list
from polynya.wire.keypackages import open_key_package
from tests.core import (
    test_contacts,
    test_contents,
    test_groups,
    test_history,
    test_hostile_relay,
    test_keypackages,
    test_leaving,
    test_move_hostile,
    test_move_recovery,
    test_races,
    test_readd,
    test_roles,
)
from tests.support import hostile
from tests.support.agreement import agree, friends
from tests.support.world import Party, World

# ---- scenarios that no other file has ----


def key_package_of(world: World, party: Party) -> Any:
    own = party.core._state.get(ME, b"")
    assert own is not None
    owner = hostile.owner_of(party)
    data = open_key_package(own.package_key, owner, world.relay.packages[owner].pop(0))
    return verify_key_package(decode_key_package(data), world.now)


def welcome(party: Party, data: bytes) -> None:
    t = Transaction(party.core._state, party.now(), party.random, 0)
    founding.welcome(t, m.WelcomeMessage(welcome=data, roster=()))
    party._perform(party.core._finish(t), None)


def a_direct_conversation_of_three() -> None:
    """A contact sends a Welcome for a "direct" conversation in which somebody else reads along."""
    world = World(141)
    anna, boris, clara = friends(world, "anna", "boris", "clara")
    own = boris.core._state.get(ME, b"")
    assert own is not None
    info = m.ConversationInfo(m.ConversationKind.DIRECT, "", (), (world.relay.address,), 30, False)
    group = mlsgroup.new_group(own, m.SUITE_XWING, b"t" * 16, info, world.now, boris.random)
    adds = [Add(key_package_of(world, anna)), Add(key_package_of(world, clara))]
    pending = group.commit(adds, now=world.now, random=boris.random)
    assert pending.welcome is not None
    welcome(anna, pending.welcome)
    world.settle()
    assert anna.core.conversation(b"t" * 16) is None


def a_stuck_member_and_a_contact_who_is_no_member() -> None:
    """Only those who were members in the last epoch may add her again."""
    world = World(142)
    anna, boris, clara = friends(world, "anna", "boris", "clara")
    chat = world.group(anna, clara)
    row = replace(hostile.conversation_of(anna, chat), state=ConversationState.STUCK)
    anna.core._state.rows(CONVERSATION)[chat] = row
    anna.rows["conversation", chat] = CONVERSATION.encode(row)  # type: ignore[misc]
    own = boris.core._state.get(ME, b"")
    info = mlsgroup.read_info(hostile.group_of(anna, chat).context.extensions)
    assert own is not None and info is not None
    group = mlsgroup.new_group(own, m.SUITE_XWING, chat, info, world.now, boris.random)
    for _ in range(5):
        group = group.merge_commit(group.commit(now=world.now, random=boris.random))
    pending = group.commit([Add(key_package_of(world, anna))], now=world.now, random=boris.random)
    assert pending.welcome is not None
    welcome(anna, pending.welcome)
    assert hostile.conversation_of(anna, chat).state == ConversationState.STUCK


def an_older_epoch_does_not_come_back() -> None:
    world = World(143)
    anna = world.person("anna")
    world.settle()
    chat = world.group(anna)
    group = group_at(chat, 7)
    t = Transaction(anna.core._state, anna.now(), anna.random, 0)
    for state, epoch, wanted in (
        (ConversationState.REMOVED, 7, False),
        (ConversationState.REMOVED, 6, True),
        (ConversationState.FRAUD, 6, False),
    ):
        row = replace(hostile.conversation_of(anna, chat), state=state, epoch=epoch)
        assert founding.joined_is_new(row, founding.is_ahead(t, row, group)) is wanted


def group_at(group_id: bytes, epoch: int) -> Group:
    world = World(144)
    anna = world.person("anna")
    own = anna.core._state.get(ME, b"")
    assert own is not None
    info = m.ConversationInfo(m.ConversationKind.GROUP, "", (), (world.relay.address,), 30, False)
    group = mlsgroup.new_group(own, m.SUITE_XWING, group_id, info, world.now, anna.random)
    for _ in range(epoch):
        group = group.merge_commit(group.commit(now=world.now, random=anna.random))
    return group


def leaving_in_anothers_name() -> None:
    world = World(145)
    anna, boris = friends(world, "anna", "boris")
    chat = anna.direct(boris)
    intent = m.Intent(m.IntentKind.LEAVE, replace(hostile.proof_of(anna, chat), identity=boris.id))
    hostile.publish(boris, chat, hostile.message(boris, chat, intent))
    world.settle()
    assert anna.view(chat).state == "active"


def an_older_device_list() -> None:
    world = World(146)
    anna, boris = friends(world, "anna", "boris")
    own = boris.core._state.get(ME, b"")
    assert own is not None
    empty = sign_device_list(own.identity_secret, m.DeviceListBody(0, ()))
    t = Transaction(anna.core._state, anna.now(), anna.random, 0)
    assert not identity.learn_devices(t, boris.id, empty)
    assert identity.learn_devices(t, boris.id, sign_device_list(own.identity_secret, m.DeviceListBody(2, ())))
    t.undo()


def words_are_not_said_to_whom_we_remove() -> None:
    """What is written after "remove" goes to the topic that the removed member cannot read."""
    world = World(147)
    anna, boris, clara = friends(world, "anna", "boris", "clara")
    chat = world.group(anna, boris, clara)
    old = hostile.topic_of(anna, chat).id
    anna.do(e.RemoveMember(chat, clara.id))
    anna.say(chat, "now that she is gone")
    world.settle()
    agree(chat, anna, boris)
    assert boris.texts(chat) == ["now that she is gone"]
    entries = world.relay.topics[old].entries
    assert [entry.slot is not None for entry in entries][-1], "nothing follows the commit in the former topic"
    assert "now that she is gone" not in clara.texts(chat)


def a_stranger_in_a_group_types() -> None:
    test_contents.test_typing_from_outside_is_not_believed()


def rules_without(name: str) -> tuple[tuple[str, Any], ...]:
    return tuple(rule for rule in roles.RULES if rule[0] != name)


def all_role_cases() -> None:
    for _, case, rule in test_roles.CASES:
        assert roles.broken_rule(case) == rule


def moves(scenario: Callable[[pytest.MonkeyPatch], None]) -> Callable[[], None]:
    """A scenario that makes limits small for itself."""

    def run() -> None:
        with pytest.MonkeyPatch.context() as patch:
            scenario(patch)

    return run


# ---- what the checks are replaced by ----


def yes(*args: object) -> bool:
    return True


def no(*args: object) -> bool:
    return False


def whose(group: Group, member: MemberLeaf, proof: m.LeaveProof) -> bool:
    """Does not ask which leaf the proof names."""
    return member.identity == proof.identity


def lax_leaf(credential: Any, signature_key: bytes) -> VerifiedDevice | None:
    """Reads the credential and believes it."""
    if not isinstance(credential, BasicCredential):
        return None
    decoded = m.decode_device_credential(credential.identity)
    return VerifiedDevice(decoded.identity, signature_key, decoded.list_number)


def lax_key_package(data: bytes, suite: int, who: bytes, devices: object, now: int) -> Any:
    """Does not ask whose it is."""
    try:
        return decode_key_package(data).key_package
    except MlsError:
        return None


def nothing(*args: object) -> None:
    """Does not do what keeps others out."""


def without_former(t: Transaction, group_id: bytes, former: tuple[bytes, ...] = ()) -> bytes | None:
    """Does not ask which groups went on in this one."""
    return CONVERSATION_OF(t, group_id)


CONVERSATION_OF = successors.conversation_of


def lax_commit_data(data: bytes) -> m.CommitData:
    return m.CommitData()


CHECKS: list[tuple[str, list[tuple[Any, str, Any]], Callable[[], None]]] = [
    (
        "slots.receipt_is_signed",
        [(slots, "receipt_is_signed", yes)],
        test_hostile_relay.test_a_commit_without_a_valid_receipt_waits_and_is_told_of,
    ),
    (
        "slots.receipt_is_signed (fraud)",
        [(slots, "receipt_is_signed", yes)],
        test_hostile_relay.test_the_same_receipt_twice_is_no_fraud_and_neither_is_an_unsigned_one,
    ),
    (
        "slots.position_is_next",
        [(slots, "position_is_next", yes)],
        test_hostile_relay.test_a_withheld_position_is_waited_for,
    ),
    (
        "slots.receipts_contradict",
        [(slots, "receipts_contradict", no)],
        test_hostile_relay.test_two_receipts_for_one_position_stop_the_conversation,
    ),
    (
        "contents.history_differs",
        [(contents, "history_differs", no)],
        test_hostile_relay.test_a_forked_history_shows,
    ),
    (
        "blobs.blob_is_named",
        [(blobs, "blob_is_named", yes)],
        test_contents.test_a_body_whose_blob_the_entry_does_not_name,
    ),
    (
        "blobs.blob_is_named (slot)",
        [(blobs, "blob_is_named", yes)],
        test_races.test_a_commit_in_a_blob_that_comes_later_stays_junk,
    ),
    (
        "messages.sender_was_removed",
        [(messages, "sender_was_removed", no)],
        test_groups.test_what_a_removed_member_still_writes_is_nobodys_message,
    ),
    ("outbox.epoch_is_ours", [(outbox, "epoch_is_ours", yes)], words_are_not_said_to_whom_we_remove),
    (
        "commits.commit_is_public",
        [(commits, "commit_is_public", yes)],
        test_races.test_commits_without_the_right_are_skipped_by_all,
    ),
    (
        "commits._commit_data",
        [(commits, "_commit_data", lax_commit_data)],
        test_races.test_commits_without_the_right_are_skipped_by_all,
    ),
    *(
        (f"roles {name} (cases)", [(roles, "RULES", rules_without(name))], all_role_cases)
        for name in ("role-add", "role-remove", "role-info", "role-update", "role-reinit", "role-other")
    ),
    *(
        (
            f"roles {name}",
            [(roles, "RULES", rules_without(name))],
            test_races.test_commits_without_the_right_are_skipped_by_all,
        )
        for name in ("role-add", "role-remove", "role-info")
    ),
    (
        "roles role-remove (direct)",
        [(roles, "RULES", rules_without("role-remove"))],
        test_races.test_nobody_removes_the_other_from_a_direct_conversation,
    ),
    *(
        (
            f"roles role-reinit ({scenario.__name__})",
            [(roles, "RULES", rules_without("role-reinit"))],
            moves(scenario),
        )
        for scenario in (
            test_move_hostile.test_a_members_reinit_is_skipped_by_all,
            test_move_hostile.test_an_admins_reinit_is_what_it_may_be,
            test_move_hostile.test_two_people_do_not_move,
        )
    ),
    *(
        (f"moving.{name}", [(moving, name, yes)], moves(scenario))
        for name, scenario in (
            ("names_the_end", test_move_hostile.test_bent_successors_are_skipped_by_all),
            ("is_promised", test_move_hostile.test_bent_successors_are_skipped_by_all),
            ("founder_signed", test_move_hostile.test_bent_successors_are_skipped_by_all),
            ("same_people", test_move_hostile.test_a_stranger_in_the_successor_is_not_let_in),
            ("may_found", test_move_hostile.test_a_members_successor_does_not_count_before_its_time),
            ("admins_stay", test_move_hostile.test_nobody_becomes_admin_by_founding),
            ("is_described", test_move_hostile.test_a_welcome_into_another_group_than_everybody_judged),
            ("resumes", test_move_hostile.test_a_successor_without_the_ended_groups_secret),
        )
    ),
    (
        "moving.may_found (our own)",
        [(moving, "may_found", yes)],
        moves(test_move_hostile.test_an_own_successor_that_came_too_early),
    ),
    (
        "moving, accepted leaves",
        [(mlsgroup, "accepted_leaf", lax_leaf)],
        moves(test_move_hostile.test_a_leaf_that_nobody_signed_in_the_successor),
    ),
    (
        "formers.note_removed",
        [(formers, "note_removed", nothing)],
        moves(test_move_hostile.test_who_is_removed_after_the_move_writes_nothing_before_it),
    ),
    (
        "founding, READING (moving)",
        [(founding, "READING", ()), (founding, "joined_is_new", yes)],
        moves(test_move_hostile.test_a_welcome_with_the_promised_id_leads_nowhere),
    ),
    (
        "founding.is_ahead (an ended group)",
        [(founding, "is_ahead", yes)],
        moves(test_move_hostile.test_an_ended_group_does_not_come_back),
    ),
    *(
        (
            f"successors.conversation_of, former ({scenario.__name__})",
            [(successors, "conversation_of", without_former)],
            moves(scenario),
        )
        for scenario in (
            test_move_recovery.test_who_was_stuck_before_the_move_is_added_to_the_successor,
            test_move_recovery.test_removed_and_added_again_across_the_move_while_away,
            test_move_recovery.test_removed_before_the_move_and_added_after_it,
        )
    ),
    (
        "identity.accepted_leaf",
        [(commits, "accepted_leaf", lax_leaf), (mlsgroup, "accepted_leaf", lax_leaf)],
        test_races.test_a_leaf_that_nobody_signed_is_not_let_in,
    ),
    (
        "identity.accepted_key_package (whose)",
        [(operations, "accepted_key_package", lax_key_package)],
        test_hostile_relay.test_a_contact_who_hands_out_a_foreign_key_package,
    ),
    (
        "identity.accepted_key_package (lifetime)",
        [(operations, "accepted_key_package", lax_key_package)],
        test_keypackages.test_an_expired_key_package_is_not_used,
    ),
    ("identity.newer_device_list", [(identity, "newer_device_list", yes)], an_older_device_list),
    (
        "founding.adder_is_known",
        [(founding, "adder_is_known", yes)],
        test_contacts.test_a_stranger_with_our_reach_adds_us_nowhere,
    ),
    (
        "founding.adder_is_known (blocked)",
        [(founding, "adder_is_known", yes)],
        test_contacts.test_a_blocked_contact,
    ),
    (
        "founding.adder_may_add_again",
        [(founding, "adder_may_add_again", yes)],
        a_stuck_member_and_a_contact_who_is_no_member,
    ),
    ("founding.joined_is_new", [(founding, "joined_is_new", yes)], an_older_epoch_does_not_come_back),
    ("founding.is_ahead", [(founding, "is_ahead", yes)], an_older_epoch_does_not_come_back),
    ("founding.direct_is_of_two", [(founding, "direct_is_of_two", yes)], a_direct_conversation_of_three),
    (
        "founding, READING",
        [(founding, "READING", ()), (founding, "joined_is_new", yes)],
        test_readd.test_a_contact_cannot_replace_a_conversation_by_a_group_of_its_own,
    ),
    ("leave.proof_is_senders", [(leave, "proof_is_senders", yes)], leaving_in_anothers_name),
    (
        "leaveproofs.wishes",
        [(leaveproofs, "wishes", whose)],
        test_leaving.test_who_came_back_is_not_removed_by_the_wish_of_before,
    ),
    (
        "leaveproofs.wishes (intent)",
        [(leaveproofs, "wishes", whose)],
        test_leaving.test_a_wish_that_is_said_again_by_somebody_else_does_nothing,
    ),
    ("readd.request_is_fresh", [(readd, "request_is_fresh", yes)], test_readd.test_old_requests_do_not_count),
    (
        "history.may_amend",
        [(history, "may_amend", yes)],
        test_contents.test_edits_and_deletions_by_others_change_nothing,
    ),
    (
        "history.may_amend (pure)",
        [(history, "may_amend", yes)],
        test_history.test_only_the_sender_edits_and_deletes,
    ),
    (
        "conversation.is_blocked_direct",
        [(contents, "is_blocked_direct", no), (ephemeral, "is_blocked_direct", no)],
        test_contacts.test_a_blocked_contact,
    ),
]


@pytest.mark.parametrize(("patches", "scenario"), [(c[1], c[2]) for c in CHECKS], ids=[c[0] for c in CHECKS])
def test_the_scenario_breaks_without_the_check(
    patches: list[tuple[Any, str, Any]], scenario: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    scenario()
    for module, name, replacement in patches:
        assert hasattr(module, name)
        monkeypatch.setattr(module, name, replacement)
    with pytest.raises((AssertionError, KeyError)):
        scenario()
