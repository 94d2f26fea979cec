"""Which module looks after which kind of work item and timer."""

from __future__ import annotations

from polynya.core import (
    blobs,
    contacts,
    contents,
    drops,
    ephemeral,
    epochs,
    founding,
    inboxes,
    invites,
    keypackages,
    leave,
    log,
    membership,
    moves,
    operations,
    outbox,
    readd,
    receipts,
    sync,
    topics,
    work,
)
from polynya.core.mlsgroup import DAY
from polynya.core.state import COMMIT, CONVERSATION, INVITE, OUTBOX
from polynya.core.transaction import Transaction
from polynya.wire.messages import RECEIVE_KEYS_LIFETIME, Request, Response

ROUNDS_MAX = 100_000
"""Work items of one step: a full catch-up of 256 held entries wakes a few thousand. More is a fault of ours."""


def run(t: Transaction) -> None:
    """Looks at woken items, lowest first, until none is left."""
    for _ in range(ROUNDS_MAX):
        name = t.next_item()
        if name is None:
            return
        kind, key = work.split(name)
        look(t, kind, key)
    work.count(t, "rounds")


def look(t: Transaction, kind: bytes, key: bytes) -> None:
    match kind:
        case b"commit":
            membership.work_commit(t, key)
        case b"download":
            blobs.work_download(t, key)
        case b"drop":
            drops.work_drop(t, key)
        case b"inbox":
            inboxes.work_inbox(t, key)
        case b"invite":
            invites.work_invite(t, key)
        case b"keys":
            keypackages.work_keys(t, key)
        case b"later":
            founding.welcome_later(t, key)
        case b"left":
            leave.intent_logged(t, key)
        case b"log":
            log.advance(t, key)
        case b"opened":
            contacts.work_opened(t, key)
        case b"operation":
            membership.work_operation(t, key)
        case b"out":
            work.wake(t, b"outbox", key[:16])
        case b"outbox":
            outbox.work_conversation(t, key)
        case b"request-refused":
            contacts.requested(t, key, False)
        case b"requested":
            contacts.requested(t, key, True)
        case b"subscribe":
            sync.work_subscribe(t, key)
        case b"take":
            operations.work_take(t, key)
        case b"topic":
            sync.work_topic(t, key)
        case b"upload":
            blobs.work_upload(t, key)
        case b"uploads":
            _uploaded(t)


def _uploaded(t: Transaction) -> None:
    """A blob is whole: whatever waited for one looks again."""
    blobs.wake_drops(t)
    for conversation in t.keys(COMMIT):
        work.wake(t, b"commit", conversation)
    for key in t.keys(OUTBOX):
        work.wake(t, b"outbox", key[:16])
    for invite in t.keys(INVITE):
        work.wake(t, b"invite", invite)


def answer(t: Transaction, kind: bytes, key: bytes, request: Request, response: Response) -> None:
    match kind:
        case b"commit":
            membership.answered_commit(t, key, request, response)
        case b"download":
            blobs.answered_download(t, key, request, response)
        case b"drop":
            drops.answered(t, key, request, response)
        case b"inbox":
            inboxes.answered(t, key, request, response)
        case b"keys":
            keypackages.answered(t, key, request, response)
        case b"opened":
            contacts.answered_opened(t, key, request, response)
        case b"out":
            outbox.answered(t, key, request, response)
        case b"subscribe":
            sync.answered_subscribe(t, key, request, response)
        case b"take":
            operations.answered_take(t, key, request, response)
        case b"topic":
            sync.answered_topic(t, key, request, response)
        case b"upload":
            blobs.answered_upload(t, key, request, response)


def timer(t: Transaction, kind: bytes, key: bytes) -> None:
    match kind:
        case b"answered":
            founding.close_answered(t, key)
        case b"close":
            topics.close(t, key)
        case b"daily":
            daily(t)
        case b"epochs":
            epochs.forget_old(t, key)
        case b"invite":
            invites.expire(t, key)
        case b"left":
            leave.overdue(t, key)
        case b"move":
            moves.turn(t, key)
        case b"poll":
            sync.poll(t, key)
        case b"readd":
            readd.ask(t, key)
        case b"receipts":
            receipts.flush(t, key)
        case b"retry":
            work.retry(t, key)
        case b"typing":
            ephemeral.show(t, key, False)
        case b"wish":
            leave.commit_wish(t, key)


def daily(t: Transaction) -> None:
    contents.forget_old(t, t.time - RECEIVE_KEYS_LIFETIME)
    keypackages.forget_expired(t)
    for conversation in t.keys(CONVERSATION):
        epochs.forget_old(t, conversation)
    work.set_timer(t, b"daily", b"", t.now + DAY)
