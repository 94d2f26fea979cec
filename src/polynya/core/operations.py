"""Changes of a conversation that we want, kept until a commit of ours or of somebody else has made them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from polynya.core import leaveproofs, reaches, roles, work
from polynya.core._state import (
    Candidate,
    Conversation,
    ConversationState,
    Membership,
    Operation,
    OperationKind,
)
from polynya.core.conversation import group, membership, need, next_number, save, set_problem
from polynya.core.conversation import identities as people_of
from polynya.core.identity import accepted_key_package, known_devices, me, person
from polynya.core.mlsgroup import fits
from polynya.core.state import CONVERSATION, OPERATION
from polynya.core.transaction import State, Transaction
from polynya.wire.errors import WireError
from polynya.wire.keypackages import open_key_package
from polynya.wire.messages import (
    ConversationInfo,
    ConversationKind,
    KeyPackageTaken,
    LeaveProof,
    RefusalCode,
    Refused,
    RelayAddress,
    Request,
    Response,
    TakeKeyPackage,
)

TURN = 3_600_000
"""ms by which each founder of a successor waits longer than the one before, so that one is enough."""


def add(
    t: Transaction,
    conversation: bytes,
    kind: OperationKind,
    *,
    candidates: tuple[Candidate, ...] = (),
    identities: tuple[bytes, ...] = (),
    name: str | None = None,
    proof: LeaveProof | None = None,
    suite: int | None = None,
) -> None:
    key = next_number(t, conversation)
    t.put(OPERATION, key, Operation(conversation, kind, candidates, identities, name, proof, suite))
    save(t, need(t, conversation))
    work.wake(t, b"operation", conversation)


def first(
    t: Transaction, conversation: bytes, skipped: Collection[bytes] = ()
) -> tuple[bytes, Operation] | None:
    """(key, operation) of the next one that still makes sense; those that do not are dropped. While the conversation is
    moving all but the move wait."""
    moving = need(t, conversation).state == ConversationState.MOVING
    for key in t.keys(OPERATION, conversation):
        operation = t.get(OPERATION, key)
        if operation is None or key in skipped or (moving and operation.kind != OperationKind.MOVE):
            continue
        revised = revise(t, membership(t, conversation), need(t, conversation), operation)
        if revised is not None:
            t.put(OPERATION, key, revised)
            return key, revised
        drop(t, key)
    return None


def put(t: Transaction, key: bytes, operation: Operation) -> None:
    t.put(OPERATION, key, operation)


def drop(t: Transaction, key: bytes) -> None:
    """It is done, or will never be."""
    operation = t.get(OPERATION, key)
    if operation is None:
        return
    t.remove(OPERATION, key)
    conversation = need(t, operation.conversation)
    founders_left = [k for k in t.keys(OPERATION, operation.conversation) if _adds(t, k)]
    if conversation.founding and not founders_left:
        conversation = replace(conversation, founding=False)
        work.wake(t, b"outbox", conversation.id)
    save(t, conversation)


def _adds(t: Transaction, key: bytes) -> bool:
    operation = t.get(OPERATION, key)
    return operation is not None and operation.kind == OperationKind.ADD


def drop_all(t: Transaction, conversation: bytes) -> None:
    for key in t.keys(OPERATION, conversation):
        t.remove(OPERATION, key)


def revise(
    t: Transaction, present: Membership, conversation: Conversation, operation: Operation
) -> Operation | None:
    """The part of the operation that is still wanted and allowed; None: nothing is."""
    own = me(t).identity
    members = {member.identity for member in present.members}
    kind = operation.kind
    if kind == OperationKind.UPDATE:
        return operation
    if kind == OperationKind.ADD:
        candidates = tuple(c for c in operation.candidates if c.identity not in members)
        if not candidates:
            return None
        if not roles.may_add(present, own, conversation.epoch):
            return _refused(t, conversation)
        return replace(operation, candidates=candidates)
    if kind == OperationKind.READD:
        candidates = tuple(
            c for c in operation.candidates if c.identity in members and not _is_in(t, conversation, c)
        )
        return replace(operation, candidates=candidates) if candidates else None
    if kind == OperationKind.LEAVE:
        if operation.proof is None:
            return None
        leaves = leaveproofs.leaves_of_wish(group(t, conversation.id), present, operation.proof)
        return operation if leaves else None
    if kind == OperationKind.MOVE:
        return _revised_move(t, present, conversation, operation)
    wanted = new_info(present, operation)
    if kind == OperationKind.REMOVE:
        identities = tuple(identity for identity in operation.identities if identity in members)
        if not identities:
            return None
        operation = replace(operation, identities=identities)
    elif wanted == present.info:
        return None
    return operation if roles.is_admin(present, own) else _refused(t, conversation)


def _revised_move(
    t: Transaction, present: Membership, conversation: Conversation, operation: Operation
) -> Operation | None:
    """With all present members but us for candidates. After the ReInit it is founding the successor."""
    own, ended, suite = me(t).identity, group(t, conversation.id).reinit, operation.suite
    if suite is None or suite == present.suite or (ended is not None and suite != ended.cipher_suite):
        return None
    if ended is None and not roles.is_admin(present, own):
        return _refused(t, conversation)
    known = {candidate.identity: candidate for candidate in operation.candidates}
    candidates = []
    for identity in people_of(present):
        reach = reaches.of(t, identity, conversation.id)
        if identity == own:
            continue
        if identity in known:
            candidates.append(known[identity])
        elif reach is None:
            cannot_move(t, conversation)
            return None
        else:
            candidates.append(Candidate(identity, reach))
    if ended is None and not fits(suite, 1 + len(candidates)):
        cannot_move(t, conversation)
        return None
    return replace(operation, candidates=tuple(candidates))


def cannot_move(t: Transaction, conversation: Conversation) -> None:
    """Somebody cannot be taken along: nothing has changed, or after the ReInit it is tried again."""
    set_problem(t, conversation.id, "cannot-move")
    if conversation.state == ConversationState.MOVING:
        work.set_timer(t, b"move", conversation.id, t.now + TURN)


def _is_in(t: Transaction, conversation: Conversation, candidate: Candidate) -> bool:
    """Whether somebody else has added the candidate's new leaf already."""
    package = accepted_key_package(
        candidate.key_package or b"", membership(t, conversation.id).suite, candidate.identity, None, t.time
    )
    if package is None:
        return True
    leaf = package.leaf_node.encode()
    return any(member.leaf_node.encode() == leaf for member in group(t, conversation.id).members())


def _refused(t: Transaction, conversation: Conversation) -> Operation | None:
    set_problem(t, conversation.id, "change-refused")
    return None


def new_info(present: Membership, operation: Operation) -> ConversationInfo:
    """The ConversationInfo that the operation wants."""
    info = present.info
    if operation.kind == OperationKind.RENAME and operation.name is not None:
        return replace(info, name=operation.name)
    admins = set(roles.effective_admins(present))
    if operation.kind == OperationKind.ADMIN:
        members = {member.identity for member in present.members}
        admins |= {identity for identity in operation.identities if identity in members}
    elif operation.kind == OperationKind.UNADMIN:
        admins -= set(operation.identities)
    else:
        return info
    return replace(info, admins=tuple(sorted(admins)))


# ---- key packages of those who are to be added ----


def suite_of(t: Transaction, operation: Operation) -> int:
    """Of the key packages that the operation needs."""
    if operation.kind == OperationKind.MOVE and operation.suite is not None:
        return operation.suite
    return membership(t, operation.conversation).suite


def missing(operation: Operation) -> bool:
    return any(candidate.key_package is None for candidate in operation.candidates)


def take_missing(t: Transaction, key: bytes, operation: Operation) -> None:
    for candidate in operation.candidates:
        if candidate.key_package is None:
            work.wake(t, b"take", key + candidate.identity)


def _candidate(t: Transaction, key: bytes) -> tuple[bytes, Operation, Candidate] | None:
    operation_key, identity = key[:24], key[24:]
    operation = t.get(OPERATION, operation_key)
    if operation is None:
        return None
    for candidate in operation.candidates:
        if candidate.identity == identity:
            return operation_key, operation, candidate
    return None


def work_take(t: Transaction, key: bytes) -> None:
    found = _candidate(t, key)
    if found is None or found[2].key_package is not None:
        return
    operation_key, operation, candidate = found
    reach = candidate.reach
    owner = reaches.owner_of(reach, suite_of(t, operation))
    if owner is None:
        _taken(t, operation_key, operation, candidate, None, "no-key-package")
    elif work.may_call(t, reach.relay.identity, work.item(b"take", key)):
        work.call(t, reach.relay.identity, work.item(b"take", key), TakeKeyPackage(owner))


def answered_take(t: Transaction, key: bytes, request: Request, response: Response) -> None:
    found = _candidate(t, key)
    if found is None or work.postponed(t, b"take", key, response):
        return
    operation_key, operation, candidate = found
    work.succeeded(t, b"take", key)
    problem = "no-key-package"
    opened: bytes | None = None
    if isinstance(response, KeyPackageTaken):
        problem = "bad-key-package"
        opened = _open(t, suite_of(t, operation), candidate, response.package)
    elif not isinstance(response, Refused) or response.code != RefusalCode.NO_KEY_PACKAGE:
        problem = "relay-refuses"
    conversation = need(t, operation.conversation)
    if conversation.kind == ConversationKind.DIRECT or conversation.state == ConversationState.MOVING:
        # It is not founded without them: asked for until there is one.
        set_problem(t, operation.conversation, None if opened is not None else problem)
        if opened is None:
            work.pause(t, b"take", key)
            return
    _taken(t, operation_key, operation, candidate, opened, problem)


def _taken(
    t: Transaction,
    key: bytes,
    operation: Operation,
    candidate: Candidate,
    package: bytes | None,
    problem: str,
) -> None:
    """The candidate has its key package; who has none is left out, and a group does not move without a member."""
    if package is None and operation.kind == OperationKind.MOVE:
        drop(t, key)
        cannot_move(t, need(t, operation.conversation))
        return
    rest = []
    for other in operation.candidates:
        if other.identity != candidate.identity:
            rest.append(other)
        elif package is not None:
            rest.append(replace(other, key_package=package))
    t.put(OPERATION, key, replace(operation, candidates=tuple(rest)))
    if package is None:
        set_problem(t, operation.conversation, problem)
    work.wake(t, b"operation", operation.conversation)


def _open(t: Transaction, suite: int, candidate: Candidate, sealed: bytes) -> bytes | None:
    owner = reaches.owner_of(candidate.reach, suite)
    try:
        data = open_key_package(candidate.reach.package_key, owner or b"", sealed)
    except WireError:
        return None
    devices = known_devices(person(t, candidate.identity))
    package = accepted_key_package(data, suite, candidate.identity, devices, t.time)
    return None if package is None else data


ADDING_FAILED = ("no-key-package", "bad-key-package", "relay-refuses", "welcome-failed")


def tried_again(t: Transaction, conversation: bytes) -> None:
    """The person adds somebody: what stood in the way before is over until it does again."""
    if need(t, conversation).problem in ADDING_FAILED:
        set_problem(t, conversation, None)


def relays(state: State) -> list[RelayAddress]:
    """Where key packages are waited for."""
    found = []
    for key in state.keys(OPERATION):
        operation = state.get(OPERATION, key)
        for candidate in () if operation is None else operation.candidates:
            if candidate.key_package is None:
                found.append(candidate.reach.relay)
    return found


def is_group(conversation: Conversation) -> bool:
    return conversation.kind == ConversationKind.GROUP


def pending(t: Transaction, conversation: bytes) -> int:
    return len(t.keys(OPERATION, conversation)) if t.get(CONVERSATION, conversation) is not None else 0
