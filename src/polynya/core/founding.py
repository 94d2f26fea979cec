"""New conversations: founded by us, or joined by a Welcome."""

from __future__ import annotations

from dataclasses import replace

from polynya.core import (
    formers,
    keypackages,
    mlsgroup,
    operations,
    profiles,
    reaches,
    successors,
    topics,
    work,
)
from polynya.core._state import (
    Candidate,
    Conversation,
    ConversationState,
    Membership,
    OpenedState,
    OperationKind,
    Topic,
)
from polynya.core.commands import ContactAccepted, ContactsChanged
from polynya.core.conversation import READING, put_group, save, show_system
from polynya.core.conversation import membership as members_of
from polynya.core.epochs import suite_content
from polynya.core.errors import CoreError
from polynya.core.history import TOPIC_STEP, SystemContent
from polynya.core.identity import accepted_leaf, check_name, me, person, save_person
from polynya.core.mlsgroup import suite_for
from polynya.core.state import CONVERSATION, GROUP, LATER, MEMBERSHIP, OPENED, PERSON
from polynya.core.transaction import Transaction
from polynya.mls.errors import MlsError
from polynya.mls.group import Group, Joined
from polynya.wire.errors import WireError
from polynya.wire.labels import topic_id, write_secret
from polynya.wire.messages import (
    CONTENT_RETENTION_DAYS,
    RECEIVE_KEYS_LIFETIME,
    ConversationInfo,
    ConversationKind,
    JoinInfo,
    RelayAddress,
    WelcomeMessage,
    decode_welcome_message,
    encode_welcome_message,
)

GROUP_MEMBERS_MAX = 1000
"""A tree of 1,000 leaves is 136 KB with suite 1; every joiner downloads it."""


# ---- founded ----


def direct(t: Transaction, candidate: Candidate) -> bytes:
    """Founds the conversation with one person; its founding commit adds them."""
    info = ConversationInfo(
        kind=ConversationKind.DIRECT,
        name="",
        admins=(),
        relays=(me(t).relay,),
        retention_days=CONTENT_RETENTION_DAYS,
        members_add=False,
    )
    conversation = _found(t, suite_for(2), info, True)
    operations.add(t, conversation, OperationKind.ADD, candidates=(candidate,))
    profiles.tell(t, conversation)
    return conversation


def create_group(t: Transaction, name: str, members: tuple[bytes, ...]) -> bytes:
    """Founds a group with contacts of ours."""
    name = check_name(name)
    candidates = contacts(t, members)
    own = me(t)
    info = ConversationInfo(
        kind=ConversationKind.GROUP,
        name=name,
        admins=(own.identity,),
        relays=(own.relay,),
        retention_days=CONTENT_RETENTION_DAYS,
        members_add=False,
    )
    conversation = _found(t, suite_for(1 + len(candidates)), info, bool(candidates))
    show_system(t, conversation, conversation, own.identity, SystemContent("created", (), name), t.time, 0)
    if candidates:
        operations.add(t, conversation, OperationKind.ADD, candidates=candidates)
    profiles.tell(t, conversation)
    return conversation


def contacts(t: Transaction, identities: tuple[bytes, ...]) -> tuple[Candidate, ...]:
    """Candidates of these contacts; raises CoreError `unknown-contact`, `blocked` or `too-many`."""
    found = []
    for identity in sorted(set(identities)):
        somebody = t.get(PERSON, identity)
        if somebody is None or not somebody.accepted:
            raise CoreError("unknown-contact")
        if somebody.blocked:
            raise CoreError("blocked")
        reach = reaches.of(t, identity)
        if reach is None:
            raise CoreError("unknown-contact")
        found.append(Candidate(identity, reach))
    if len(found) >= GROUP_MEMBERS_MAX:
        raise CoreError("too-many")
    return tuple(found)


def _found(t: Transaction, suite: int, info: ConversationInfo, founding: bool) -> bytes:
    """Draws the group id (16 bytes), then what `Group.create` draws."""
    own = me(t)
    conversation = t.random.bytes(16)
    group = mlsgroup.new_group(own, suite, conversation, info, t.time, t.random)
    secret = mlsgroup.topic_secret(group)
    row = _row(t, conversation, info.kind, own.relay, group, secret, 0, founding)
    _put(t, row, group, _need_membership(group), topics.start(t, conversation, secret, 0, 0, None))
    return conversation


def _need_membership(group: Group) -> Membership:
    found = mlsgroup.read_membership(group)
    if found is None:
        raise CoreError("state-broken")
    return found


def _row(
    t: Transaction,
    conversation: bytes,
    kind: ConversationKind,
    relay: RelayAddress,
    group: Group,
    secret: bytes,
    ordinal: int,
    founding: bool,
) -> Conversation:
    return Conversation(
        id=conversation,
        kind=kind,
        relay=relay,
        state=ConversationState.ACTIVE,
        epoch=group.epoch,
        topic=topic_id(write_secret(secret)),
        slot=mlsgroup.slot(group),
        position=0,
        ordinal=ordinal + 1,
        number=1,
        founding=founding,
        unread=0,
        activity=t.time,
        past=(),
        gone=(),
        old_topics=(),
        delivered=(),
        read=(),
    )


def _put(t: Transaction, row: Conversation, group: Group, members: Membership, topic: Topic) -> None:
    save(t, row)
    put_group(t, row.id, group)
    t.put(MEMBERSHIP, row.id, members)
    work.wake(t, b"topic", topic.id)


# ---- joined ----


def adder_is_known(t: Transaction, adder: bytes) -> bool:
    """A Welcome is joined without asking only from a contact, or from whom we asked through their invite."""
    somebody = t.get(PERSON, adder)
    if somebody is not None and somebody.blocked:
        return False
    return (somebody is not None and somebody.accepted) or _opened_of(t, adder) is not None


def adder_may_add_again(t: Transaction, conversation: Conversation | None, adder: bytes) -> bool:
    """A member who cannot go on joins again where the adder was a member in its last epoch."""
    if conversation is None or conversation.state != ConversationState.STUCK:
        return False
    return any(member.identity == adder for member in members_of(t, conversation.id).members)


OVER = (ConversationState.STUCK, ConversationState.LEFT, ConversationState.REMOVED)
"""Only a conversation in one of these states is joined anew."""


def is_ahead(t: Transaction, conversation: Conversation, group: Group) -> bool:
    """Whether the group is of a later epoch than we have read to; one that a ReInit has ended never is."""
    if group.group_id == members_of(t, conversation.id).group:
        return group.epoch > conversation.epoch
    return group.group_id not in successors.former(t, conversation.id)


def joined_is_new(conversation: Conversation | None, ahead: bool) -> bool:
    """A Welcome replaces what we have only where we cannot go on, or are no member, and never by an older epoch:
    else any contact could put a group of its own in the place of a conversation."""
    return conversation is None or (conversation.state in OVER and ahead)


def direct_is_of_two(members: Membership, adder: bytes, own: bytes) -> bool:
    """A direct conversation has exactly us and its founder."""
    if members.info.kind != ConversationKind.DIRECT:
        return True
    return sorted(member.identity for member in members.members) == sorted((adder, own))


def _opened_of(t: Transaction, identity: bytes) -> bytes | None:
    """The invite of this person through which we have asked."""
    for key in t.keys(OPENED):
        opened = t.get(OPENED, key)
        if opened is None or opened.card is None or opened.card.identity != identity:
            continue
        if opened.state in (OpenedState.REQUESTING, OpenedState.REQUESTED):
            return key
    return None


def welcome(t: Transaction, message: WelcomeMessage) -> None:
    """Joins, if it is for us, from somebody known, and all is in order."""
    bundles = keypackages.bundles(t)
    try:
        joined = Group.join(message.welcome, bundles, tree=message.tree, now=t.time)
        join = mlsgroup.read_join(joined.group_info_extensions)
    except (MlsError, WireError):
        work.count(t, "welcome-bad")
        return
    group = joined.group
    own = me(t).identity
    members = mlsgroup.read_membership(group)
    known_id = successors.conversation_of(t, group.group_id, message.former or ())
    known = None if known_id is None else t.get(CONVERSATION, known_id)
    if (
        members is None
        or len(group.group_id) != 16
        or not members.info.relays
        or members.suite not in mlsgroup.SUITES
    ):
        work.count(t, "welcome-leaf")
        return
    adder = _adder(joined)
    stuck = known is not None and known.state == ConversationState.STUCK
    if adder is None or not (adder_may_add_again(t, known, adder) if stuck else adder_is_known(t, adder)):
        work.count(t, "welcome-unknown")
        return
    ahead = known is None or is_ahead(t, known, group)
    if known is not None and known.state in READING and ahead:
        # Perhaps we were removed and added again, and have not read so far: decided when the log has been read.
        t.put(LATER, known.id, encode_welcome_message(message))
        return
    if not joined_is_new(known, ahead) or not direct_is_of_two(members, adder, own):
        work.count(t, "welcome-refused")
        return
    last_resort = keypackages.used(t, joined.bundle)
    conversation = group.group_id if known is None else known.id
    before = t.get(MEMBERSHIP, conversation)
    _enter(t, conversation, group, members, join, known)
    _learn_roster(t, conversation, message, adder)
    source = group.group_id + group.epoch_authenticator
    if members.info.kind == ConversationKind.DIRECT:
        _direct_joined(t, conversation, adder)
    elif known is None:
        show_system(t, conversation, source, adder, SystemContent("joined", (own,)), t.time, 0)
    elif before is not None and before.suite != members.suite:
        order = known.ordinal * TOPIC_STEP
        show_system(t, conversation, source, adder, suite_content(members.suite), t.time, order)
    if last_resort:
        operations.add(t, conversation, OperationKind.UPDATE)
    profiles.tell(t, conversation)


def welcome_later(t: Transaction, conversation: bytes) -> None:
    """The conversation is over for us: a Welcome that came too early has its turn."""
    data = t.get(LATER, conversation)
    if data is not None:
        t.remove(LATER, conversation)
        welcome(t, decode_welcome_message(data))


def _adder(joined: Joined) -> bytes | None:
    for member in joined.group.members():
        if member.leaf_index == joined.signer_leaf_index:
            device = accepted_leaf(member.credential, member.signature_key)
            return None if device is None else device.identity
    return None


def _enter(
    t: Transaction,
    conversation: bytes,
    group: Group,
    members: Membership,
    join: JoinInfo | None,
    known: Conversation | None,
) -> None:
    """Without JoinInfo the commit that added us began a new topic: ours to compute, read from its start."""
    secret = mlsgroup.topic_secret(group) if join is None else join.topic_secret
    seq = 0 if join is None else join.seq
    ordinal = 0 if known is None else known.ordinal
    row = _row(t, conversation, members.info.kind, members.info.relays[0], group, secret, ordinal, False)
    if known is not None:
        for former in topics.all_of(known):
            topics.close(t, former)
        row = replace(
            row,
            number=known.number,
            unread=known.unread,
            activity=known.activity,
            inbox=known.inbox,
            last=known.last,
        )
        t.remove(GROUP, conversation)
        formers.forget_all(t, conversation)
        successors.link(t, group.group_id, conversation)
        for timer in (b"move", b"readd"):
            work.stop_timer(t, timer, conversation)
    topic = topics.start(t, conversation, secret, ordinal, seq, None if join is None else join.head)
    _put(t, row, group, members, topic)


def _learn_roster(t: Transaction, conversation: bytes, message: WelcomeMessage, adder: bytes) -> None:
    """Names are the adder's word, except the adder's own; reaches are needed to add and be added."""
    present = {member.identity for member in members_of(t, conversation).members}
    for entry in message.roster:
        if entry.identity not in present or entry.identity == me(t).identity:
            continue
        somebody = person(t, entry.identity)
        if entry.name.strip() and (entry.identity == adder or not somebody.named):
            save_person(t, replace(somebody, name=entry.name, named=entry.identity == adder))
        if entry.reach is not None:
            reaches.learn(t, conversation, entry.identity, entry.reach)


def _direct_joined(t: Transaction, conversation: bytes, adder: bytes) -> None:
    somebody = person(t, adder)
    opened_key = _opened_of(t, adder)
    opened = None if opened_key is None else t.get(OPENED, opened_key)
    if opened is not None and opened_key is not None:
        if opened.card is not None and not somebody.named:
            somebody = replace(somebody, name=opened.card.name, named=True)
        t.put(OPENED, opened_key, replace(opened, state=OpenedState.ACCEPTED, accepted=t.time))
        set_answered_timer(t, opened_key, t.time)
    save_person(t, replace(somebody, accepted=True))
    become_direct(t, conversation, adder)
    t.notify(ContactsChanged())
    t.notify(ContactAccepted(conversation))


def set_answered_timer(t: Transaction, opened: bytes, accepted: int) -> None:
    """The inbox for the answer stays a while: an adder that never heard that its Welcome arrived sends it again."""
    work.set_timer_by_relay(t, b"answered", opened, accepted + RECEIVE_KEYS_LIFETIME)


def close_answered(t: Transaction, opened_id: bytes) -> None:
    opened = t.get(OPENED, opened_id)
    if opened is not None:
        reaches.close(t, opened.inbox)
        t.put(OPENED, opened_id, replace(opened, inbox=None))


def become_direct(t: Transaction, conversation: bytes, identity: bytes) -> None:
    """Two people who accepted each other at once have two conversations: both go on in the one with the lower id."""
    somebody = person(t, identity)
    other = None if somebody.conversation is None else t.get(CONVERSATION, somebody.conversation)
    if other is None or other.id == conversation or other.state != ConversationState.ACTIVE:
        save_person(t, replace(somebody, conversation=conversation))
        return
    keep, drop = sorted((conversation, other.id))
    save_person(t, replace(somebody, conversation=keep))
    dropped = t.get(CONVERSATION, drop)
    if dropped is not None:
        save(t, replace(dropped, state=ConversationState.CLOSED))


def direct_of(t: Transaction, identity: bytes) -> bytes | None:
    """The living direct conversation with somebody."""
    somebody = person(t, identity)
    found = None if somebody.conversation is None else t.get(CONVERSATION, somebody.conversation)
    if found is None or found.state not in (ConversationState.ACTIVE, ConversationState.STUCK):
        return None
    return found.id
