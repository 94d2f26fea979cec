"""Our inboxes: fetched, unsealed, handed on, trimmed."""

from __future__ import annotations

from dataclasses import replace

from polynya.core import blobs, contacts, founding, invites, readd, work
from polynya.core._state import Inbox, InboxPurpose
from polynya.core.state import INBOX, INVITE, LINK, SOURCE, Source
from polynya.core.transaction import Transaction
from polynya.wire.errors import WireError
from polynya.wire.messages import (
    FETCH_LIMIT,
    ContactRequest,
    CreateInbox,
    DeleteInbox,
    Done,
    Entry,
    FetchInbox,
    InboxMessage,
    ReAddRequest,
    Records,
    RefusalCode,
    Refused,
    Request,
    Response,
    TrimInbox,
    WelcomeMessage,
    decode_inbox_message,
)
from polynya.wire.record import open_contact_request, open_record


def work_inbox(t: Transaction, inbox_id: bytes) -> None:
    inbox = t.get(INBOX, inbox_id)
    if inbox is None:
        return
    relay, name = inbox.relay.identity, work.item(b"inbox", inbox_id)
    link = t.get(LINK, relay)
    if link is None or not work.may_call(t, relay, name):
        return
    source = t.get(SOURCE, inbox_id)
    if inbox.closing:
        work.call(t, relay, name, DeleteInbox(inbox.read_secret))
    elif not inbox.created:
        work.call(t, relay, name, CreateInbox(inbox.read_secret))
    elif _is_behind(inbox, source, link.session):
        work.call(t, relay, name, FetchInbox(inbox.read_secret, inbox.seq, FETCH_LIMIT))
    elif inbox.seq > inbox.trimmed:
        work.call(t, relay, name, TrimInbox(inbox.read_secret, inbox.seq))
    elif link.session and (source is None or not source.subscribed):
        work.wake(t, b"subscribe", relay)


def _is_behind(inbox: Inbox, source: Source | None, session: bool) -> bool:
    if source is None or not source.told:
        # In a session the answer to Subscribe tells.
        return not session
    return source.head > inbox.seq


def answered(t: Transaction, inbox_id: bytes, request: Request, response: Response) -> None:
    inbox = t.get(INBOX, inbox_id)
    if inbox is None or work.postponed(t, b"inbox", inbox_id, response):
        return
    work.wake(t, b"inbox", inbox_id)
    gone = isinstance(response, Refused) and response.code == RefusalCode.UNKNOWN_INBOX
    if isinstance(request, DeleteInbox):
        if gone or isinstance(response, Done):
            t.remove(INBOX, inbox_id)
            t.remove(SOURCE, inbox_id)
            work.succeeded(t, b"inbox", inbox_id)
        else:
            work.pause(t, b"inbox", inbox_id)
    elif gone:
        lost(t, inbox)
    elif isinstance(request, CreateInbox) and isinstance(response, Done):
        work.succeeded(t, b"inbox", inbox_id)
        t.put(INBOX, inbox_id, replace(inbox, created=True))
        work.wake(t, b"invite" if inbox.purpose == InboxPurpose.INVITE else b"opened", inbox.owner)
    elif isinstance(request, FetchInbox) and isinstance(response, Records):
        _fetched(t, inbox, response)
    elif isinstance(request, TrimInbox) and isinstance(response, Done):
        work.succeeded(t, b"inbox", inbox_id)
        t.put(INBOX, inbox_id, replace(inbox, trimmed=max(inbox.trimmed, request.upto)))
    else:
        work.count(t, "inbox-refused")
        work.pause(t, b"inbox", inbox_id)
        if inbox.purpose == InboxPurpose.INVITE and not inbox.created and isinstance(response, Refused):
            invites.fail(t, inbox.owner)


def lost(t: Transaction, inbox: Inbox) -> None:
    """The relay does not know it (any more): it is made again, under the same id."""
    t.put(INBOX, inbox.id, replace(inbox, created=False, seq=0, trimmed=0))
    t.remove(SOURCE, inbox.id)
    work.pause(t, b"inbox", inbox.id)


def _fetched(t: Transaction, inbox: Inbox, records: Records) -> None:
    source = t.get(SOURCE, inbox.id) or Source(inbox.relay.identity)
    t.put(SOURCE, inbox.id, replace(source, head=records.head, told=True))
    before = inbox.seq
    for entry in sorted(records.entries, key=lambda e: e.seq):
        if not receive(t, inbox.id, entry):
            return
    now = t.get(INBOX, inbox.id)
    if now is not None and now.seq == before and records.head > before:
        # The answer brought nothing of what it says is there.
        work.count(t, "inbox-gap")
        t.put(SOURCE, inbox.id, replace(source, head=before, told=True))
        return
    work.succeeded(t, b"inbox", inbox.id)


def pushed(t: Transaction, inbox_id: bytes, entry: Entry) -> None:
    inbox = t.get(INBOX, inbox_id)
    if inbox is None or inbox.closing:
        return
    source = t.get(SOURCE, inbox_id) or Source(inbox.relay.identity)
    t.put(SOURCE, inbox_id, replace(source, head=max(source.head, entry.seq)))
    if entry.seq == inbox.seq + 1:
        receive(t, inbox_id, entry)
    work.wake(t, b"inbox", inbox_id)


def receive(t: Transaction, inbox_id: bytes, entry: Entry) -> bool:
    """Takes one entry; False: its body is being fetched."""
    inbox = t.get(INBOX, inbox_id)
    if inbox is None or inbox.closing or entry.seq <= inbox.seq:
        return True
    message: InboxMessage | None = None
    if inbox.purpose == InboxPurpose.INVITE:
        message = _unseal_request(t, inbox, entry)
    else:
        body = _read(t, inbox, entry)
        if body.state == "waiting":
            return False
        message = _decode(t, body.data) if body.state == "ready" else None
    t.put(INBOX, inbox_id, replace(inbox, seq=entry.seq))
    if message is None:
        work.count(t, "inbox-record-bad")
    else:
        _dispatch(t, inbox, message, entry.time)
    return True


def _read(t: Transaction, inbox: Inbox, entry: Entry) -> blobs.Body:
    if entry.record is None or inbox.inbox_key is None:
        return blobs.Body("gone")
    try:
        body = open_record(inbox.inbox_key, inbox.id, entry.record)
    except WireError:
        return blobs.Body("bad")
    return blobs.read_body(t, inbox.relay.identity, work.item(b"inbox", inbox.id), entry, body)


def _decode(t: Transaction, data: bytes) -> InboxMessage | None:
    try:
        return decode_inbox_message(data)
    except WireError:
        return None


def _unseal_request(t: Transaction, inbox: Inbox, entry: Entry) -> InboxMessage | None:
    invite = t.get(INVITE, inbox.owner)
    if invite is None or entry.record is None:
        return None
    try:
        return open_contact_request(invite.private_key, invite.card, inbox.id, entry.record)
    except WireError:
        return None


def _dispatch(t: Transaction, inbox: Inbox, message: InboxMessage, time: int) -> None:
    """Contact requests come through invites only, everything else never does."""
    if isinstance(message, ContactRequest):
        invite = contacts.invite_of(t, inbox.owner)
        if inbox.purpose == InboxPurpose.INVITE and invite is not None:
            contacts.request_received(t, invite, message, time)
    elif inbox.purpose != InboxPurpose.INVITE:
        if isinstance(message, WelcomeMessage):
            founding.welcome(t, message)
        elif isinstance(message, ReAddRequest):
            readd.received(t, message)
