"""Hints that are never stored: who is typing."""

from __future__ import annotations

from polynya.core import mlsgroup, work
from polynya.core._state import ConversationState
from polynya.core.commands import TypingChanged
from polynya.core.conversation import group, is_blocked_direct, membership, need
from polynya.core.identity import me
from polynya.core.state import CONVERSATION, GROUP, LINK, TOPIC, TYPING
from polynya.core.transaction import Transaction
from polynya.wire.errors import WireError
from polynya.wire.labels import write_secret
from polynya.wire.messages import EphemeralMessage, EphemeralPush, SendEphemeral, Typing
from polynya.wire.record import open_ephemeral, seal_ephemeral

SHOWN = 8_000
"""ms that someone is shown as typing without another word; clients repeat it every few seconds."""
FRESH = 60_000
"""ms: an older hint is not believed."""


def set_typing(t: Transaction, conversation: bytes, active: bool) -> None:
    """Raises CoreError `unknown-conversation`. Nothing happens without a session."""
    found = need(t, conversation)
    link = t.get(LINK, found.relay.identity)
    topic = t.get(TOPIC, found.topic)
    name = work.item(b"typing", conversation)
    if found.state != ConversationState.ACTIVE or found.founding or topic is None or not topic.created:
        return
    if link is None or not link.session or not work.may_call(t, found.relay.identity, name):
        return
    message = EphemeralMessage(membership(t, conversation).own_leaf, t.time, Typing(active))
    key = mlsgroup.ephemeral_key(group(t, conversation))
    body = seal_ephemeral(key, topic.id, message, t.random)
    work.call(t, found.relay.identity, name, SendEphemeral(write_secret(topic.topic_secret), body))


def pushed(t: Transaction, push: EphemeralPush) -> None:
    topic = t.get(TOPIC, push.topic)
    found = None if topic is None else t.get(CONVERSATION, topic.conversation)
    if topic is None or found is None or found.topic != topic.id or found.state != ConversationState.ACTIVE:
        return
    if t.get(GROUP, found.id) is None:
        return
    try:
        message = open_ephemeral(mlsgroup.ephemeral_key(group(t, found.id)), topic.id, push.body)
    except WireError:
        work.count(t, "ephemeral-bad")
        return
    sender = None
    for member in membership(t, found.id).members:
        if member.leaf == message.leaf:
            sender = member.identity
    if sender is None or sender == me(t).identity or abs(t.time - message.sent) > FRESH:
        work.count(t, "ephemeral-stale")
        return
    if isinstance(message.content, Typing) and not is_blocked_direct(t, found, sender):
        show(t, found.id + sender, message.content.active)


def show(t: Transaction, key: bytes, active: bool) -> None:
    """`key`: conversation || identity."""
    shown = t.get(TYPING, key) is not None
    if active:
        t.put(TYPING, key, True)
        work.set_timer(t, b"typing", key, t.now + SHOWN)
    else:
        t.remove(TYPING, key)
        work.stop_timer(t, b"typing", key)
    if shown != active:
        t.notify(TypingChanged(key[:16], key[16:], active))
