"""Leaving: our own wish, and the wishes of others that somebody must commit (protocol.md section 5.4)."""

from __future__ import annotations

from dataclasses import replace

from polynya.core import ending, leaveproofs, operations, outbox, roles, work
from polynya.core._state import Conversation, ConversationState, Membership, OperationKind, Wish
from polynya.core.conversation import (
    group,
    identities,
    is_active,
    membership,
    need,
    need_active,
    save,
    show_system,
)
from polynya.core.history import SystemContent
from polynya.core.identity import me
from polynya.core.state import CONVERSATION, WISH
from polynya.core.transaction import Transaction
from polynya.wire.messages import RECEIVE_KEYS_LIFETIME, ConversationKind, Intent, IntentKind, LeaveProof

WISH_STEP = 30_000
"""ms by which each non-admin waits longer than the one before, so that one commit is enough."""


def leave(t: Transaction, conversation: bytes) -> None:
    found = need_active(t, conversation)
    present = membership(t, conversation)
    if len(identities(present)) == 1 or found.founding:
        # Nobody else knows of it yet.
        ending.end(t, conversation, ConversationState.LEFT)
        return
    if found.state == ConversationState.MOVING:
        # Said in the successor: nobody commits anything before.
        save(t, replace(found, since=t.time))
    else:
        _wish(t, conversation)
        found = need(t, found.id)
        save(t, replace(found, state=ConversationState.LEAVING, since=t.time))
    work.set_timer(t, b"left", conversation, t.now + RECEIVE_KEYS_LIFETIME)


def _wish(t: Transaction, conversation: bytes) -> None:
    own_leaf = membership(t, conversation).own_leaf
    proof = leaveproofs.prove(group(t, conversation), own_leaf, me(t).identity_secret)
    outbox.queue(t, conversation, Intent(IntentKind.LEAVE, proof))


def renew(t: Transaction, conversation: bytes) -> None:
    """The proof that we sent is void: a commit of ours that was under way when we left has changed our leaf, or the group
    has moved."""
    found = t.get(CONVERSATION, conversation)
    if found is not None and found.state == ConversationState.LEAVING:
        _wish(t, conversation)


def intent_logged(t: Transaction, conversation: bytes) -> None:
    """The log has our wish: in a direct conversation nothing more happens."""
    found = t.get(CONVERSATION, conversation)
    if found is None or found.state != ConversationState.LEAVING:
        return
    if found.kind == ConversationKind.DIRECT:
        ending.end(t, conversation, ConversationState.LEFT)
    else:
        _leave_together(t, found)


def overdue(t: Transaction, conversation: bytes) -> None:
    """Nobody has committed our wish for 14 days."""
    found = t.get(CONVERSATION, conversation)
    if found is not None and is_leaving(found):
        ending.end(t, conversation, ConversationState.LEFT)


def is_leaving(conversation: Conversation) -> bool:
    """Whether we wish to leave; `since` says when we said so."""
    state = conversation.state
    return state == ConversationState.LEAVING or (
        state == ConversationState.MOVING and not is_active(conversation)
    )


def _leave_together(t: Transaction, conversation: Conversation) -> None:
    """Where all others wish to leave too, nobody is left to commit."""
    own = me(t).identity
    others = [i for i in identities(membership(t, conversation.id)) if i != own]
    if all(t.get(WISH, conversation.id + identity) is not None for identity in others):
        ending.end(t, conversation.id, ConversationState.LEFT)


# ---- others ----


def proof_is_senders(t: Transaction, conversation: bytes, sender: bytes, proof: LeaveProof | None) -> bool:
    """Nobody wishes in another's name, and nobody has left by a wish of an earlier membership."""
    if proof is None or proof.identity != sender:
        return False
    present = membership(t, conversation)
    return bool(leaveproofs.leaves_of_wish(group(t, conversation), present, proof))


def intent_seen(
    t: Transaction, conversation: bytes, sender: bytes, intent: Intent, order: int, time: int, source: bytes
) -> None:
    proof = intent.proof
    found = need(t, conversation)
    own = me(t).identity
    if proof is None or sender == own or not proof_is_senders(t, conversation, sender, proof):
        work.count(t, "leave-proof")
        return
    if found.kind == ConversationKind.DIRECT:
        show_system(t, conversation, source, sender, SystemContent("left", (sender,)), time, order)
        save(t, replace(need(t, conversation), state=ConversationState.CLOSED))
        ending.end(t, conversation, ConversationState.CLOSED)
        return
    present = membership(t, conversation)
    if sender not in identities(present):
        return
    due = t.time + wait(present, own)
    t.put(WISH, conversation + sender, Wish(proof, due))
    if found.state == ConversationState.LEAVING:
        _leave_together(t, found)
    else:
        work.set_timer_by_relay(t, b"wish", conversation + sender, due)


def wait(present: Membership, own: bytes) -> int:
    """ms until we commit somebody's wish: admins at once, others by their rank among the non-admins."""
    admins = roles.effective_admins(present)
    if own in admins:
        return 0
    rank = 1
    for member in present.members:
        if member.identity == own:
            break
        if member.identity not in admins:
            rank += 1
    return WISH_STEP * rank


def commit_wish(t: Transaction, key: bytes) -> None:
    """Our turn to commit a wish, if nobody has."""
    wish = t.get(WISH, key)
    conversation = key[:16]
    found = t.get(CONVERSATION, conversation)
    if wish is None or found is None or found.state != ConversationState.ACTIVE:
        return
    operations.add(t, conversation, OperationKind.LEAVE, identities=(key[16:],), proof=wish.proof)
