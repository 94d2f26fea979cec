"""Our commits: built from an operation, published in the epoch's slot, and the Welcome once the log has them."""

from __future__ import annotations

from dataclasses import replace

from polynya.core import (
    blobs,
    drops,
    entries,
    leaveproofs,
    moves,
    operations,
    reaches,
    successors,
    topics,
    work,
)
from polynya.core._state import (
    Candidate,
    Conversation,
    ConversationState,
    DropKind,
    Membership,
    Operation,
    OperationKind,
    OwnCommit,
    Topic,
)
from polynya.core.conversation import group, identities, membership, set_problem
from polynya.core.identity import accepted_key_package, known_devices, me, name_of, person
from polynya.core.mlsgroup import info_extension, join_extension
from polynya.core.state import COMMIT, CONVERSATION, OPERATION, TOPIC
from polynya.core.transaction import Transaction
from polynya.mls.errors import MlsError
from polynya.mls.group import PendingCommit
from polynya.mls.proposal import Add, GroupContextExtensions, Proposal, Remove
from polynya.wire.labels import record_hash, record_key, write_secret
from polynya.wire.messages import (
    CommitData,
    JoinInfo,
    Publish,
    Published,
    Reach,
    RefusalCode,
    Refused,
    Request,
    Response,
    RosterEntry,
    WelcomeMessage,
    encode_commit_data,
)
from polynya.wire.record import seal_record

COMMITTING = (ConversationState.ACTIVE, ConversationState.MOVING, ConversationState.CLOSED)
"""States in which operations are done."""
FORMER_MAX = 16
"""As WelcomeMessage holds; one that a member who was away knows is enough."""


def work_operation(t: Transaction, conversation: bytes) -> None:
    """Turns the first operation into a commit, as soon as the log is known to its end."""
    found = t.get(CONVERSATION, conversation)
    if found is None or found.state not in COMMITTING:
        return
    if t.get(COMMIT, conversation) is not None or not topics.in_sync(t, found):
        return
    skipped: list[bytes] = []
    while True:
        next_one = operations.first(t, conversation, skipped)
        if next_one is None:
            return
        key, operation = next_one
        operation = _usable(t, operations.suite_of(t, operation), key, operation)
        if operations.missing(operation):
            operations.take_missing(t, key, operation)
            if operation.kind != OperationKind.MOVE:
                return
            # It takes a key package of every member: other changes do not wait for that.
            skipped.append(key)
            continue
        if _build(t, found, key, operation):
            return
        _give_up(t, found, key)


def _give_up(t: Transaction, conversation: Conversation, key: bytes) -> None:
    """The operation cannot be done. After a ReInit there must be a successor: we try again."""
    operations.drop(t, key)
    if conversation.state == ConversationState.MOVING:
        operations.cannot_move(t, conversation)
    else:
        set_problem(t, conversation.id, "change-refused")


def _usable(t: Transaction, suite: int, key: bytes, operation: Operation) -> Operation:
    """Key packages that have expired since are asked for anew."""
    checked = []
    for candidate in operation.candidates:
        if candidate.key_package is not None:
            devices = known_devices(person(t, candidate.identity))
            if (
                accepted_key_package(candidate.key_package, suite, candidate.identity, devices, t.time)
                is None
            ):
                candidate = replace(candidate, key_package=None)
        checked.append(candidate)
    changed = replace(operation, candidates=tuple(checked))
    operations.put(t, key, changed)
    return changed


def _proposals(t: Transaction, present: Membership, operation: Operation) -> list[Proposal]:
    """Removes by leaf, then adds in the candidates' order, then the group's new extensions."""
    gone = set(operation.identities) if operation.kind == OperationKind.REMOVE else set()
    if operation.kind == OperationKind.READD:
        gone = {candidate.identity for candidate in operation.candidates}
    removes = tuple(member for member in present.members if member.identity in gone)
    if operation.kind == OperationKind.LEAVE and operation.proof is not None:
        present_group = group(t, operation.conversation)
        removes = leaveproofs.leaves_of_wish(present_group, present, operation.proof)
    proposals: list[Proposal] = [Remove(member.leaf) for member in removes]
    for candidate in operation.candidates:
        devices = known_devices(person(t, candidate.identity))
        package = accepted_key_package(
            candidate.key_package or b"", present.suite, candidate.identity, devices, t.time
        )
        if package is not None:
            proposals.append(Add(package))
    if operation.kind == OperationKind.MOVE:
        return [moves.reinit(t, operation)]
    if operation.kind in (OperationKind.RENAME, OperationKind.ADMIN, OperationKind.UNADMIN):
        proposals.append(GroupContextExtensions((info_extension(operations.new_info(present, operation)),)))
    return proposals


def _build(t: Transaction, conversation: Conversation, key: bytes, operation: Operation) -> bool:
    topic = t.get(TOPIC, conversation.topic)
    if topic is None:
        return False
    if conversation.state == ConversationState.MOVING:
        made = moves.found_successor(t, operation)
        if made is not None:
            _put(t, conversation, topic, key, *made, ())
        return made is not None
    proposals = _proposals(t, membership(t, conversation.id), operation)
    proofs = None if operation.proof is None else (operation.proof,)
    removes = any(isinstance(proposal, Remove) for proposal in proposals)
    adds = any(isinstance(proposal, Add) for proposal in proposals)
    join = JoinInfo(topic.topic_secret, topic.seq, topic.head)
    extensions = (join_extension(join),) if adds and not removes else ()
    try:
        pending = group(t, conversation.id).commit(
            proposals,
            include_pending=False,
            authenticated_data=encode_commit_data(CommitData(proofs)),
            group_info_extensions=extensions,
            now=t.time,
            random=t.random,
        )
    except MlsError as error:
        work.count(t, f"commit-{error.rule}")
        return False
    _put(t, conversation, topic, key, pending.message, pending, operation.candidates if adds else ())
    return True


def _put(
    t: Transaction,
    conversation: Conversation,
    topic: Topic,
    key: bytes,
    body: bytes,
    pending: PendingCommit,
    recipients: tuple[Candidate, ...],
) -> None:
    """Ours for the present epoch's slot, kept until the log decides."""
    prepared = blobs.prepare(t, body)
    blobs.want(t, conversation.relay, prepared)
    record = seal_record(record_key(topic.topic_secret), topic.id, prepared.body, t.random)
    row = OwnCommit(
        operation=int.from_bytes(key[16:], "big"),
        epoch=conversation.epoch,
        topic=topic.id,
        slot=conversation.slot,
        record=record,
        pending=pending.encode(),
        recipients=recipients,
        blob=prepared.blob,
    )
    t.put(COMMIT, conversation.id, row)
    work.wake(t, b"commit", conversation.id)


# ---- on its way ----


def work_commit(t: Transaction, conversation: bytes) -> None:
    found = t.get(CONVERSATION, conversation)
    row = t.get(COMMIT, conversation)
    topic = None if row is None else t.get(TOPIC, row.topic)
    if found is None or row is None or topic is None or not topic.created:
        return
    relay = found.relay.identity
    if blobs.uploaded(t, relay, row.blob) and work.may_call(t, relay, work.item(b"commit", conversation)):
        named = None if row.blob is None else (row.blob,)
        request = Publish(write_secret(topic.topic_secret), row.record, row.slot, named)
        work.call(t, relay, work.item(b"commit", conversation), request)


def answered_commit(t: Transaction, conversation: bytes, request: Request, response: Response) -> None:
    work.wake(t, b"commit", conversation)
    placed = True
    if isinstance(response, Published) and isinstance(request, Publish):
        placed = entries.published(t, request, response)
    row = t.get(COMMIT, conversation)
    found = t.get(CONVERSATION, conversation)
    if row is None or found is None or not isinstance(request, Publish) or request.record != row.record:
        return
    if isinstance(response, Published):
        if placed:
            work.placed(t, b"commit", conversation)
        else:
            work.count(t, "publish-misplaced")
            work.pause(t, b"commit", conversation)
        return
    if work.postponed(t, b"commit", conversation, response):
        return
    code = response.code if isinstance(response, Refused) else None
    if code == RefusalCode.UNKNOWN_TOPIC:
        topics.missing(t, row.topic)
        work.pause(t, b"commit", conversation)
    elif code == RefusalCode.UNKNOWN_BLOB and blobs.again(t, found.relay.identity, row.blob):
        work.pause(t, b"commit", conversation)
    else:
        forget(t, found)
        _give_up(t, found, operation_key(conversation, row))


def operation_key(conversation: bytes, row: OwnCommit) -> bytes:
    return conversation + row.operation.to_bytes(8, "big")


def left_by(t: Transaction, conversation: bytes, row: OwnCommit) -> tuple[bytes, ...]:
    """Whose wish to leave our commit fulfils."""
    operation = t.get(OPERATION, operation_key(conversation, row))
    return () if operation is None or operation.proof is None else (operation.proof.identity,)


def is_own(t: Transaction, conversation: bytes, hash_: bytes) -> OwnCommit | None:
    """Our commit on its way, if this is its record."""
    row = t.get(COMMIT, conversation)
    return row if row is not None and record_hash(row.record) == hash_ else None


def forget(t: Transaction, conversation: Conversation) -> None:
    """Our commit lost, or is in the log: either way its record is not sent any more."""
    row = t.get(COMMIT, conversation.id)
    if row is not None:
        blobs.release(t, conversation.relay.identity, row.blob)
        t.remove(COMMIT, conversation.id)
        work.succeeded(t, b"commit", conversation.id)
        work.wake(t, b"operation", conversation.id)


def pending_of(row: OwnCommit) -> PendingCommit:
    return PendingCommit.decode(row.pending)


def won(t: Transaction, conversation: Conversation, row: OwnCommit) -> None:
    """The log has our commit: the operation is done, and those it added get their Welcome.

    Called after the new epoch's rows are in place, so that the roster is the new one.
    """
    operations.drop(t, operation_key(conversation.id, row))
    welcome = pending_of(row).welcome
    if welcome is None or not row.recipients:
        return
    former = successors.former(t, conversation.id)[:FORMER_MAX] or None
    message = WelcomeMessage(welcome=welcome, roster=_roster(t, conversation.id), tree=None, former=former)
    reached: list[Reach] = [candidate.reach for candidate in row.recipients]
    drops.send(t, reached, message, DropKind.WELCOME, conversation.id)
    for candidate in row.recipients:
        _keep_reach(t, conversation.id, candidate)


def _keep_reach(t: Transaction, conversation: bytes, candidate: Candidate) -> None:
    if reaches.of(t, candidate.identity, conversation) is None:
        reaches.learn(t, conversation, candidate.identity, candidate.reach)


def _roster(t: Transaction, conversation: bytes) -> tuple[RosterEntry, ...]:
    """What we know of the members, ourselves included."""
    own = me(t).identity
    roster = []
    for identity in identities(membership(t, conversation)):
        reach = reaches.own(t, conversation) if identity == own else reaches.of(t, identity, conversation)
        roster.append(RosterEntry(identity, name_of(t, identity), reach))
    return tuple(roster)
