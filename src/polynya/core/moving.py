"""Between a ReInit and its successor: the first record in the ended group's last slot that passes every public check holds
the successor, and whoever reads it goes on there (protocol.md section 5.7)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from polynya.core import (
    epochs,
    formers,
    keypackages,
    leave,
    membership,
    mlsgroup,
    moves,
    operations,
    readd,
    roles,
    successors,
    topics,
    work,
)
from polynya.core._state import (
    Conversation,
    ConversationState,
    MemberLeaf,
    Membership,
    OperationKind,
    OwnCommit,
    Topic,
)
from polynya.core.blobs import Body
from polynya.core.conversation import group, identities, need, put_group, save, set_problem, show_system
from polynya.core.conversation import membership as members_of
from polynya.core.identity import me
from polynya.core.mlsgroup import DAY
from polynya.core.state import MEMBERSHIP, OPERATION, WISH
from polynya.core.transaction import Transaction
from polynya.mls.credential import BasicCredential, Credential
from polynya.mls.described import DescribedGroup, read_group_info
from polynya.mls.errors import MlsError
from polynya.mls.group import Group
from polynya.mls.proposal import ReInit
from polynya.mls.psk import REINIT, PskId, ResumptionPskId, resumption_key
from polynya.wire.errors import WireError
from polynya.wire.messages import Entry, decode_device_credential, decode_moved
from polynya.wire.requests import VerifiedMoved, verify_moved

PROBLEMS = ("outgrown", "cannot-move", "change-refused", "no-key-package", "bad-key-package", "relay-refuses")
"""That a move ends."""


def begin(t: Transaction, conversation: bytes, ended: ReInit, time: int, committer: bytes) -> None:
    """The ReInit is in the log, and the conversation as it was in the ended group's last epoch: only its successor
    follows. Who has committed it founds that at once; others wait for their turn."""
    successors.link(t, ended.group_id, conversation)
    present = members_of(t, conversation)
    t.put(MEMBERSHIP, conversation, replace(present, ended=time, successor=ended.group_id))
    if committer != me(t).identity:
        _drop_moves(t, conversation)
    found = need(t, conversation)
    since = found.since if found.state == ConversationState.LEAVING else None
    save(t, replace(found, state=ConversationState.MOVING, since=since))
    moves.set_timer(t, conversation)
    work.wake(t, b"operation", conversation)


def _drop_moves(t: Transaction, conversation: bytes) -> None:
    for key in t.keys(OPERATION, conversation):
        operation = t.get(OPERATION, key)
        if operation is not None and operation.kind == OperationKind.MOVE:
            operations.drop(t, key)


# ---- which successor counts: what all members judge alike ----


@dataclass(frozen=True, slots=True)
class Judged:
    """A successor that every member accepts."""

    moved: VerifiedMoved
    described: DescribedGroup


def names_the_end(moved: VerifiedMoved, ended: Group) -> bool:
    """The word is of this end of this group, and not kept from another one."""
    return moved.group == ended.group_id and moved.epoch == ended.epoch


def may_found(present: Membership, founder: bytes, time: int) -> bool:
    """Admins found successors; when a day has passed since the ReInit, as the relay tells it, any member: else the group
    would be over where its only admin is gone."""
    if roles.is_admin(present, founder):
        return True
    is_member = founder in identities(present)
    return is_member and present.ended is not None and time - present.ended >= DAY


def is_promised(described: DescribedGroup, ended: ReInit) -> bool:
    """The group that the ReInit named, in the epoch that its founding commit begins (RFC 9420 section 11.2)."""
    context = described.context
    named = (context.group_id, context.cipher_suite, context.extensions)
    return named == (ended.group_id, ended.cipher_suite, ended.extensions) and context.epoch == 1


def founder_signed(described: DescribedGroup, leaves: tuple[MemberLeaf, ...], founder: bytes) -> bool:
    """The GroupInfo is by the founder's own leaf."""
    return any(leaf.leaf == described.signer_leaf_index and leaf.identity == founder for leaf in leaves)


def same_people(before: Membership, leaves: tuple[MemberLeaf, ...]) -> bool:
    """Each member of the ended group once, and nobody else (RFC 9420 section 11.2)."""
    return sorted(leaf.identity for leaf in leaves) == sorted(identities(before))


def admins_stay(before: Membership, leaves: tuple[MemberLeaf, ...]) -> bool:
    """Where no admin is left the founder's leaf would make it one."""
    after = replace(before, members=leaves)
    return roles.effective_admins(after) == roles.effective_admins(before)


def judge(t: Transaction, present: Membership, ended: Group, data: bytes, time: int) -> Judged | None:
    """All public checks; None: the record is not the successor."""
    try:
        moved = verify_moved(decode_moved(data))
        described = read_group_info(moved.group_info)
    except WireError as error:
        work.count(t, f"moved-{error.rule}")
        return None
    except MlsError as error:
        work.count(t, f"moved-{error.code}")
        return None
    return _judge(t, present, ended, moved, described, time)


def _judge(
    t: Transaction,
    present: Membership,
    ended: Group,
    moved: VerifiedMoved,
    described: DescribedGroup,
    time: int,
) -> Judged | None:
    leaves = mlsgroup.read_members(described.members)
    broken = None
    if leaves is None:
        broken = "leaf"
    elif not names_the_end(moved, ended):
        broken = "end"
    elif not may_found(present, moved.identity, time):
        broken = "founder"
    elif ended.reinit is None or not is_promised(described, ended.reinit):
        broken = "promise"
    elif not founder_signed(described, leaves, moved.identity):
        broken = "signer"
    elif not same_people(present, leaves):
        broken = "people"
    elif not admins_stay(present, leaves):
        broken = "admins"
    if broken is not None:
        work.count(t, f"moved-{broken}")
        return None
    return Judged(moved, described)


# ---- going on there ----


def process(
    t: Transaction, conversation: Conversation, topic: Topic, entry: Entry, own: OwnCommit | None, body: Body
) -> None:
    """A record in the ended group's last slot; `topic` is as it was before the entry."""
    present, ended = members_of(t, conversation.id), group(t, conversation.id)
    if own is not None:
        _own(t, conversation, topic, entry, membership.pending_of(own).group)
        return
    if body.state != "ready":
        work.count(t, f"slot-{body.state}")
        return
    judged = judge(t, present, ended, body.data, entry.time)
    if judged is not None:
        _join(t, conversation, topic, entry, judged)


def _own(t: Transaction, conversation: Conversation, topic: Topic, entry: Entry, first: Group) -> None:
    """Our own record is judged as others judge it."""
    present, ended = members_of(t, conversation.id), group(t, conversation.id)
    founder, group_info = me(t).identity, first.group_info()
    moved = VerifiedMoved(ended.group_id, ended.epoch, founder, group_info, None)
    if _judge(t, present, ended, moved, read_group_info(group_info), entry.time) is not None:
        _enter(t, conversation, topic, entry, first, founder, False)
        return
    # The relay's clock was not as far as ours.
    membership.forget(t, conversation)
    _drop_moves(t, conversation.id)
    work.set_timer(t, b"move", conversation.id, t.now + operations.TURN)


def resumes(psks: tuple[PskId, ...], ended: Group) -> bool:
    """The successor's secrets come from the ended group's too: nobody founds it who was not in its last epoch."""
    return any(
        isinstance(psk, ResumptionPskId)
        and (psk.usage, psk.group_id, psk.epoch) == (REINIT, ended.group_id, ended.epoch)
        for psk in psks
    )


def is_same_person(one: Credential, other: Credential) -> bool:
    """Whether two accepted leaves are of one person, whose device may be another one in the successor."""
    if not isinstance(one, BasicCredential) or not isinstance(other, BasicCredential):
        return False
    before, after = decode_device_credential(one.identity), decode_device_credential(other.identity)
    return before.identity == after.identity


def is_described(group: Group, described: DescribedGroup) -> bool:
    """The Welcome led to the very epoch that everybody else has judged, not to one made for us."""
    return described.is_of(group)


def _join(t: Transaction, conversation: Conversation, topic: Topic, entry: Entry, judged: Judged) -> None:
    """By the Welcome in the record; who alone cannot asks the others to be added again."""
    ended = group(t, conversation.id)
    psks = {resumption_key(ended.group_id, ended.epoch): ended.resumption_psk}
    membership.forget(t, conversation)
    try:
        joined = Group.join(
            judged.moved.welcome or b"",
            keypackages.bundles(t),
            tree=judged.described.tree,
            psks=psks,
            former=ended,
            same=is_same_person,
            now=t.time,
        )
    except MlsError as error:
        work.count(t, f"moved-welcome-{error.code}")
        readd.begin(t, conversation.id)
        return
    if not resumes(joined.psks, ended) or not is_described(joined.group, judged.described):
        work.count(t, "moved-welcome")
        readd.begin(t, conversation.id)
        return
    last_resort = keypackages.used(t, joined.bundle)
    _enter(t, conversation, topic, entry, joined.group, judged.moved.identity, last_resort)


def _enter(
    t: Transaction,
    conversation: Conversation,
    topic: Topic,
    entry: Entry,
    first: Group,
    founder: bytes,
    last_resort: bool,
) -> None:
    """The successor's epoch 1 takes the place of the ended group, in the same conversation and a new topic."""
    after = mlsgroup.read_membership(first)
    if after is None:
        # Every leaf was checked before: only a fault of ours leads here.
        readd.begin(t, conversation.id)
        return
    membership.forget(t, conversation)
    _drop_moves(t, conversation.id)
    found = need(t, conversation.id)
    formers.keep(t, found, group(t, found.id), entry.time)
    put_group(t, found.id, first)
    t.put(MEMBERSHIP, found.id, after)
    work.stop_timer(t, b"move", found.id)
    topics.end(t, topic.id, entry.time)
    fresh = topics.start(t, found.id, mlsgroup.topic_secret(first), found.ordinal, 0, None)
    leaving = found.since is not None
    found = replace(
        found,
        state=ConversationState.LEAVING if leaving else ConversationState.ACTIVE,
        epoch=first.epoch,
        topic=fresh.id,
        slot=mlsgroup.slot(first),
        position=0,
        ordinal=found.ordinal + 1,
        past=(),
        gone=(),
        old_topics=(found.topic, *found.old_topics),
        activity=max(found.activity, entry.time),
    )
    save(t, found)
    epochs.set_timer(t, found.id)
    _forget_wishes(t, found.id)
    if found.problem in PROBLEMS:
        set_problem(t, found.id, None)
    content = epochs.suite_content(after.suite)
    order = topics.order(topic, entry.seq)
    show_system(t, found.id, topics.entry_hash(entry), founder, content, entry.time, order)
    if last_resort:
        operations.add(t, found.id, OperationKind.UPDATE)
    if leaving:
        leave.renew(t, found.id)
    for kind in (b"outbox", b"operation"):
        work.wake(t, kind, found.id)


def _forget_wishes(t: Transaction, conversation: bytes) -> None:
    """They are of the ended group's leaves: who still wishes to leave says so again."""
    for key in t.keys(WISH, conversation):
        t.remove(WISH, key)
        work.stop_timer(t, b"wish", key)
