"""A member who cannot follow asks to be removed and added again; and those whom it asks."""

from __future__ import annotations

from dataclasses import replace

from polynya.core import drops, ending, keypackages, membership, operations, reaches, roles, successors, work
from polynya.core._state import (
    Candidate,
    Conversation,
    ConversationState,
    DropKind,
    Membership,
    OperationKind,
    PackageUse,
)
from polynya.core.conversation import identities, need, save, set_problem
from polynya.core.conversation import membership as members_of
from polynya.core.identity import accepted_key_package, known_devices, me, person
from polynya.core.leave import is_leaving
from polynya.core.mlsgroup import SUITES
from polynya.core.state import CONVERSATION
from polynya.core.transaction import Transaction
from polynya.wire.errors import WireError
from polynya.wire.messages import RECEIVE_KEYS_LIFETIME, ConversationKind, ReAddBody, ReAddRequest
from polynya.wire.requests import VerifiedReAddRequest, sign_re_add_request, verify_re_add_request

ASKED_AT_ONCE = 3
"""Whoever is online commits; each further one asked makes a race of commits likelier."""
ASK_AGAIN = 3_600_000
"""ms until the next are asked."""


def begin(t: Transaction, conversation: bytes) -> None:
    """We cannot follow the conversation any more: stops it and asks the first members. Who wishes to leave has left."""
    found = need(t, conversation)
    if is_leaving(found):
        ending.end(t, conversation, ConversationState.LEFT)
        return
    membership.forget(t, found)
    save(t, replace(need(t, conversation), state=ConversationState.STUCK, since=t.time, asked=None))
    set_problem(t, conversation, "stuck")
    ask(t, conversation)


def ask(t: Transaction, conversation: bytes) -> None:
    """Asks the next members of whom we know a reach, admins first, each group in order of identity key."""
    found = t.get(CONVERSATION, conversation)
    if found is None or found.state != ConversationState.STUCK:
        return
    own = me(t).identity
    present = members_of(t, conversation)
    admins = roles.effective_admins(present)
    others = sorted(identity for identity in identities(present) if identity not in admins)
    known = [i for i in [*sorted(admins), *others] if i != own and reaches.of(t, i, conversation) is not None]
    asked = found.asked or ()
    if all(identity in asked for identity in known):
        asked = ()
    chosen = [identity for identity in known if identity not in asked][:ASKED_AT_ONCE]
    chosen_reaches = [reach for i in chosen if (reach := reaches.of(t, i, conversation)) is not None]
    for suite in _suites(found, present) if chosen_reaches else ():
        package = keypackages.create(t, suite, PackageUse.SENT).key_package.encode()
        body = ReAddBody(present.group, own, found.epoch, package, t.time)
        request = sign_re_add_request(me(t).identity_secret, body)
        drops.send(t, chosen_reaches, request, DropKind.READD, conversation)
    save(t, replace(found, asked=(*asked, *chosen)))
    work.set_timer(t, b"readd", conversation, t.now + ASK_AGAIN)


def _suites(conversation: Conversation, present: Membership) -> tuple[int, ...]:
    """One request for each: a group may have moved since we last could follow."""
    return SUITES if conversation.kind == ConversationKind.GROUP else (present.suite,)


def request_is_fresh(request: VerifiedReAddRequest, epoch: int, now: int) -> bool:
    """A request that somebody kept must not remove a member long after."""
    return request.epoch <= epoch and abs(now - request.time) <= RECEIVE_KEYS_LIFETIME


def received(t: Transaction, signed: ReAddRequest) -> None:
    """Removes the leaf and adds the new key package in one commit, if the request is a member's own."""
    try:
        request = verify_re_add_request(signed)
    except WireError as error:
        work.count(t, f"readd-{error.rule}")
        return
    conversation = successors.conversation_of(t, request.group)
    found = None if conversation is None else t.get(CONVERSATION, conversation)
    if found is None or found.state != ConversationState.ACTIVE:
        work.count(t, "readd-conversation")
        return
    present = members_of(t, found.id)
    members = identities(present)
    if request.identity not in members or request.identity == me(t).identity:
        work.count(t, "readd-member")
        return
    devices = known_devices(person(t, request.identity))
    package = accepted_key_package(request.key_package, present.suite, request.identity, devices, t.time)
    reach = reaches.of(t, request.identity, found.id)
    # Epochs of a former group say nothing of those of the present one.
    epoch = found.epoch if request.group == present.group else request.epoch
    if package is None or reach is None or not request_is_fresh(request, epoch, t.time):
        work.count(t, "readd-stale")
        return
    candidate = Candidate(request.identity, reach, request.key_package)
    operations.add(t, found.id, OperationKind.READD, candidates=(candidate,))
