"""Groups that a ReInit has ended: their messages are read for RECEIVE_KEYS_LIFETIME more (protocol.md section 5.7)."""

from __future__ import annotations

from dataclasses import replace

from polynya.core._state import Conversation, FormerGroup, PastEpoch, RemovedLeaf
from polynya.core.conversation import membership
from polynya.core.groupcell import GroupCell
from polynya.core.state import FORMER, GROUP
from polynya.core.transaction import Transaction
from polynya.mls.errors import MlsError
from polynya.mls.group import Group, inspect


def keep(t: Transaction, conversation: Conversation, group: Group, time: int) -> None:
    """Of the conversation as it is in the ended group's last epoch, which the record of `time` leaves."""
    key = conversation.id + group.group_id
    last = PastEpoch(conversation.epoch, conversation.topic, conversation.slot, time)
    members = membership(t, conversation.id).members
    t.put(FORMER, key, FormerGroup(members, (*conversation.past, last), conversation.gone))
    t.put(GROUP, key, GroupCell(group))


def group_of_message(t: Transaction, conversation: Conversation, data: bytes) -> bytes:
    """Key of the group that the message names, which is an ended one or else the one in force."""
    try:
        key = conversation.id + inspect(data).group_id
    except MlsError:
        return conversation.id
    return conversation.id if t.get(FORMER, key) is None else key


def gone(t: Transaction, conversation: Conversation, key: bytes) -> tuple[RemovedLeaf, ...]:
    """Removed leaves of the group with this key."""
    found = t.get(FORMER, key)
    return conversation.gone if found is None else found.gone


def note_removed(t: Transaction, conversation: bytes, identities: tuple[bytes, ...], time: int) -> None:
    """Who is removed from a successor knows the ended group's keys: what they write there from then on is nobody's."""
    for key in t.keys(FORMER, conversation):
        found = t.get(FORMER, key)
        if found is None:
            continue
        epoch = found.past[-1].epoch + 1
        removed = tuple(RemovedLeaf(m.leaf, epoch, time) for m in found.members if m.identity in identities)
        if removed:
            t.put(FORMER, key, replace(found, gone=(*found.gone, *removed)))


def forget_old(t: Transaction, conversation: bytes, before: int) -> None:
    """Receive keys of epochs that ended at `before` (ms) or earlier, and groups without any other."""
    for key in t.keys(FORMER, conversation):
        found = t.get(FORMER, key)
        cell = t.get(GROUP, key)
        if found is None or cell is None:
            continue
        kept = tuple(past for past in found.past if past.ended > before)
        if not kept:
            t.remove(FORMER, key)
            t.remove(GROUP, key)
        elif len(kept) != len(found.past):
            t.put(FORMER, key, replace(found, past=kept))
            t.put(GROUP, key, GroupCell(cell.group().forget_epochs_before(kept[0].epoch)))


def first_ended(t: Transaction, conversation: bytes) -> int | None:
    """When the oldest epoch that is kept here ended."""
    rows = (t.get(FORMER, key) for key in t.keys(FORMER, conversation))
    return min((row.past[0].ended for row in rows if row is not None), default=None)


def forget_all(t: Transaction, conversation: bytes) -> None:
    for key in t.keys(FORMER, conversation):
        t.remove(FORMER, key)
        t.remove(GROUP, key)
