"""The step from one epoch to the next: new rows, new topic where someone was removed, and what the history shows."""

from __future__ import annotations

from dataclasses import dataclass, replace

from polynya.core import formers, mlsgroup, roles, slots, topics, work
from polynya.core._state import Conversation, Membership, PastEpoch, RemovedLeaf, Topic
from polynya.core.conversation import (
    identities,
    membership,
    need,
    not_in,
    put_group,
    save,
    set_problem,
    show_system,
)
from polynya.core.history import SystemContent
from polynya.core.identity import me
from polynya.core.state import CONVERSATION, GROUP, MEMBERSHIP, WISH
from polynya.core.transaction import Transaction
from polynya.mls.group import Group
from polynya.wire.messages import RECEIVE_KEYS_LIFETIME, SUITE_XWING, ConversationKind, Entry


@dataclass(frozen=True, slots=True)
class Summary:
    """What a commit did."""

    committer: bytes
    removed_leaves: tuple[int, ...]
    left: tuple[bytes, ...]
    """Identities that went by their own wish."""


def enter(
    t: Transaction,
    conversation: Conversation,
    topic: Topic,
    entry: Entry,
    group: Group,
    after: Membership,
    summary: Summary,
) -> None:
    """The entry's commit ends the epoch; `topic` is as it was before the entry."""
    before = membership(t, conversation.id)
    past = PastEpoch(conversation.epoch, topic.id, conversation.slot, entry.time)
    gone = tuple(RemovedLeaf(leaf, conversation.epoch + 1, entry.time) for leaf in summary.removed_leaves)
    put_group(t, conversation.id, group)
    t.put(MEMBERSHIP, conversation.id, after)
    found = need(t, conversation.id)
    found = replace(
        found,
        epoch=found.epoch + 1,
        slot=mlsgroup.slot(group),
        position=0,
        founding=False,
        past=(*found.past, past),
        gone=(*found.gone, *gone),
        activity=max(found.activity, entry.time),
    )
    if summary.removed_leaves:
        topics.end(t, topic.id, entry.time)
        secret = mlsgroup.topic_secret(group)
        fresh = topics.start(t, found.id, secret, found.ordinal, 0, None)
        old = (found.topic, *found.old_topics)
        found = replace(found, topic=fresh.id, ordinal=found.ordinal + 1, old_topics=old)
    save(t, found)
    _set_problem(t, found, after)
    _show(t, found, before, after, summary, entry, topics.order(topic, entry.seq))
    _forget_wishes(t, found.id, after)
    formers.note_removed(t, found.id, not_in(identities(before), identities(after)), entry.time)
    set_timer(t, found.id)
    for kind in (b"outbox", b"operation"):
        work.wake(t, kind, found.id)


def suite_content(suite: int) -> SystemContent:
    """What the history shows where a suite takes the place of another one."""
    return SystemContent("suite", (), "post-quantum" if suite == SUITE_XWING else "classical")


def _set_problem(t: Transaction, conversation: Conversation, after: Membership) -> None:
    """Changes go through again; and admins of a group that its suite has become too costly for are told."""
    outgrown = not mlsgroup.fits(after.suite, len(after.members)) and roles.is_admin(after, me(t).identity)
    if conversation.problem in ("stuck", "change-refused", "cannot-move"):
        set_problem(t, conversation.id, None)
    if outgrown and need(t, conversation.id).problem is None:
        set_problem(t, conversation.id, "outgrown")
    elif not outgrown and conversation.problem == "outgrown":
        set_problem(t, conversation.id, None)


def _forget_wishes(t: Transaction, conversation: bytes, after: Membership) -> None:
    members = {member.identity for member in after.members}
    for key in t.keys(WISH, conversation):
        if key[16:] not in members:
            t.remove(WISH, key)
            work.stop_timer(t, b"wish", key)


def _show(
    t: Transaction,
    conversation: Conversation,
    before: Membership,
    after: Membership,
    summary: Summary,
    entry: Entry,
    order: int,
) -> None:
    if conversation.kind == ConversationKind.DIRECT:
        return
    old, new = identities(before), identities(after)
    added, gone = not_in(new, old), not_in(old, new)
    shown = []
    if added:
        shown.append(SystemContent("added", added))
    for identity in gone:
        by_wish = identity in summary.left or identity == summary.committer
        shown.append(SystemContent("left" if by_wish else "removed", (identity,)))
    if before.info.name != after.info.name:
        shown.append(SystemContent("renamed", (), after.info.name))
    admins_before, admins_after = roles.effective_admins(before), roles.effective_admins(after)
    up = not_in(admins_after, admins_before)
    down = tuple(i for i in not_in(admins_before, admins_after) if i in new)
    if up:
        shown.append(SystemContent("admin", up))
    if down:
        shown.append(SystemContent("unadmin", down))
    source = topics.entry_hash(entry)
    for content in shown:
        by = content.subjects[0] if content.kind == "left" else summary.committer
        show_system(t, conversation.id, source, by, content, entry.time, order)


def forget_old(t: Transaction, conversation: bytes) -> None:
    """Receive keys, receipts and removed leaves of epochs that ended RECEIVE_KEYS_LIFETIME ago."""
    found = t.get(CONVERSATION, conversation)
    if found is None:
        return
    before = t.time - RECEIVE_KEYS_LIFETIME
    kept = tuple(past for past in found.past if past.ended > before)
    if len(kept) != len(found.past):
        for past in found.past:
            if past.ended <= before:
                slots.forget(t, past.topic, past.slot)
        oldest = kept[0].epoch if kept else found.epoch
        cell = t.get(GROUP, conversation)
        if cell is not None:
            put_group(t, conversation, cell.group().forget_epochs_before(oldest))
        gone = tuple(leaf for leaf in found.gone if leaf.time > before)
        found = replace(found, past=kept, gone=gone)
        t.put(CONVERSATION, conversation, found)
    formers.forget_old(t, conversation, before)
    set_timer(t, conversation)


def set_timer(t: Transaction, conversation: bytes) -> None:
    """For when the oldest receive keys are to be forgotten."""
    found = t.get(CONVERSATION, conversation)
    times = [] if found is None or not found.past else [found.past[0].ended]
    former = formers.first_ended(t, conversation)
    if former is not None:
        times.append(former)
    if times:
        work.set_timer_by_relay(t, b"epochs", conversation, min(times) + RECEIVE_KEYS_LIFETIME)
