"""Moving a group to another suite, our part: the ReInit, and where we are the one to found it, its successor (protocol.md
section 5.7)."""

from __future__ import annotations

from polynya.core import mlsgroup, operations, roles, work
from polynya.core._state import ConversationState, Membership, Operation, OperationKind
from polynya.core.conversation import group, identities
from polynya.core.identity import accepted_key_package, known_devices, me, person
from polynya.core.mlsgroup import DAY
from polynya.core.state import CONVERSATION, MEMBERSHIP, OPERATION
from polynya.core.transaction import Transaction
from polynya.mls.errors import MlsError
from polynya.mls.extensions import VERSION_MLS10
from polynya.mls.group import Group, PendingCommit
from polynya.mls.proposal import Add, PreSharedKey, Proposal, ReInit
from polynya.mls.psk import REINIT, ResumptionPskId, resumption_key
from polynya.wire.messages import Moved, MovedBody, encode_moved
from polynya.wire.requests import sign_moved


def reinit(t: Transaction, operation: Operation) -> ReInit:
    """Draws the successor's group id (16 bytes)."""
    present = group(t, operation.conversation)
    return ReInit(t.random.bytes(16), VERSION_MLS10, operation.suite or 0, present.context.extensions)


# ---- whose turn it is ----


def turn_of(present: Membership, identity: bytes) -> int | None:
    """ms after the ReInit that the member waits for a successor before it founds one: admins in order of identity key,
    after a day the others. The ReInit's committer does so at once. None: never, as founding would make it an admin."""
    admins = sorted(roles.effective_admins(present))
    if identity in admins:
        return operations.TURN * (1 + admins.index(identity))
    if admins[0] not in present.info.admins:
        return None
    others = sorted(other for other in identities(present) if other not in admins)
    return DAY + operations.TURN * (1 + others.index(identity))


def set_timer(t: Transaction, conversation: bytes) -> None:
    present = t.get(MEMBERSHIP, conversation)
    if present is None or present.ended is None:
        return
    wait = turn_of(present, me(t).identity)
    if wait is not None:
        work.set_timer_by_relay(t, b"move", conversation, present.ended + wait)


def turn(t: Transaction, conversation: bytes) -> None:
    """Our turn to found the successor, if there is none."""
    found = t.get(CONVERSATION, conversation)
    if found is None or found.state != ConversationState.MOVING or is_founding(t, conversation):
        return
    ended = group(t, conversation).reinit
    if ended is not None:
        operations.add(t, conversation, OperationKind.MOVE, suite=ended.cipher_suite)


def is_founding(t: Transaction, conversation: bytes) -> bool:
    """Whether we have begun to found the successor."""
    rows = (t.get(OPERATION, key) for key in t.keys(OPERATION, conversation))
    return any(row is not None and row.kind == OperationKind.MOVE for row in rows)


# ---- the successor ----


def found_successor(t: Transaction, operation: Operation) -> tuple[bytes, PendingCommit] | None:
    """(encoded Moved, founding commit) of the group that the ReInit promised; None where a key package does not fit.

    Draws the nonce of the resumption key (32 bytes), what `Group.create` draws, then what `commit` draws.
    """
    own, ended = me(t), group(t, operation.conversation)
    info = mlsgroup.read_info(ended.context.extensions)
    if ended.reinit is None or info is None:
        return None
    suite = ended.reinit.cipher_suite
    psk = ResumptionPskId(REINIT, ended.group_id, ended.epoch, t.random.bytes(ended.suite.secret_size))
    founded = mlsgroup.new_group(own, suite, ended.reinit.group_id, info, t.time, t.random)
    proposals = [*_adds(t, suite, operation), PreSharedKey(psk)]
    try:
        pending = founded.commit(
            proposals,
            psks={resumption_key(ended.group_id, ended.epoch): ended.resumption_psk},
            tree_in_welcome=False,
            now=t.time,
            random=t.random,
        )
    except MlsError as error:
        work.count(t, f"commit-{error.rule}")
        return None
    return encode_moved(_moved(own.identity_secret, own.identity, ended, pending)), pending


def _adds(t: Transaction, suite: int, operation: Operation) -> list[Proposal]:
    adds: list[Proposal] = []
    for candidate in operation.candidates:
        devices = known_devices(person(t, candidate.identity))
        data = candidate.key_package or b""
        package = accepted_key_package(data, suite, candidate.identity, devices, t.time)
        if package is not None:
            adds.append(Add(package))
    return adds


def _moved(identity_secret: bytes, identity: bytes, ended: Group, pending: PendingCommit) -> Moved:
    group_info = pending.group.group_info()
    body = MovedBody(ended.group_id, ended.epoch, identity, group_info, pending.welcome)
    return sign_moved(identity_secret, body)
