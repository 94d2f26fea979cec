"""Receipts: gathered for a second, so that one record tells of many messages."""

from __future__ import annotations

from dataclasses import replace

from polynya.core import outbox, work
from polynya.core._state import Conversation
from polynya.core.conversation import identities, is_active, membership, need, quiet, save
from polynya.core.identity import me
from polynya.core.state import CONVERSATION, SEEN, UNREAD
from polynya.core.transaction import Transaction
from polynya.wire.messages import ConversationKind, ReceiptContent, ReceiptKind

GATHERED = 1_000
"""ms."""
IDS_MAX = 64
"""In one record."""
GROUP_MAX = 16
"""Members of a group in which receipts are sent: in larger ones they would outnumber the messages."""


def are_sent(t: Transaction, conversation: Conversation) -> bool:
    if not is_active(conversation):
        return False
    if conversation.kind == ConversationKind.DIRECT:
        return True
    return len(identities(membership(t, conversation.id))) <= GROUP_MAX


def delivered(t: Transaction, conversation: bytes, message_id: bytes) -> None:
    found = need(t, conversation)
    if are_sent(t, found):
        quiet(t, replace(found, delivered=(*found.delivered, message_id)))
        _gather(t, conversation)


def mark_read(t: Transaction, conversation: bytes, upto: bytes) -> None:
    """Everything up to `upto` has been shown; nothing happens where that is not known any more."""
    found = need(t, conversation)
    limit = t.get(SEEN, conversation + upto)
    if limit is None:
        return
    ids = []
    for key in t.keys(UNREAD, conversation):
        unread = t.get(UNREAD, key)
        if unread is not None and unread.order <= limit.order:
            t.remove(UNREAD, key)
            ids.append((unread.order, key[16:]))
    found = replace(found, unread=max(0, found.unread - len(ids)))
    if me(t).read_receipts and are_sent(t, found):
        found = replace(found, read=(*found.read, *(message_id for _, message_id in sorted(ids))))
        _gather(t, conversation)
    save(t, found)


def _gather(t: Transaction, conversation: bytes) -> None:
    if not work.has_timer(t, b"receipts", conversation):
        work.set_timer(t, b"receipts", conversation, t.now + GATHERED)


def flush(t: Transaction, conversation: bytes) -> None:
    """Queues what was gathered; a read message needs no word of its delivery."""
    found = t.get(CONVERSATION, conversation)
    if found is None or not (found.delivered or found.read):
        return
    delivered_only = tuple(i for i in found.delivered if i not in set(found.read))
    quiet(t, replace(found, delivered=(), read=()))
    if not are_sent(t, found):
        return
    for kind, ids in ((ReceiptKind.DELIVERED, delivered_only), (ReceiptKind.READ, found.read)):
        for start in range(0, len(ids), IDS_MAX):
            outbox.queue(t, conversation, ReceiptContent(kind, ids[start : start + IDS_MAX]))
