"""Becoming contacts: using somebody's invite, and answering those who use ours."""

from __future__ import annotations

from dataclasses import replace

from polynya.core import drops, founding, invites, keypackages, reaches, work
from polynya.core._state import (
    Asked,
    Candidate,
    DropKind,
    InboxPurpose,
    Invite,
    InviteState,
    Opened,
    OpenedState,
    OutDrop,
)
from polynya.core.commands import (
    ContactsChanged,
    ConversationChanged,
    InviteFailed,
    InviteOpened,
    RequestReceived,
    RequestsChanged,
    TokensReceived,
)
from polynya.core.errors import CoreError
from polynya.core.identity import (
    known_devices,
    learn_devices,
    me,
    newer_device_list,
    person,
    save_person,
)
from polynya.core.state import ASKED, INBOX, INVITE, OPENED, PERSON
from polynya.core.transaction import Transaction
from polynya.crypto.hashes import sha256
from polynya.wire.card import open_card, verify_card
from polynya.wire.errors import WireError
from polynya.wire.messages import (
    BLOB_PART,
    BlobPart,
    Card,
    CardBody,
    ContactRequest,
    ContactRequestBody,
    GetBlob,
    InviteLink,
    RefusalCode,
    Refused,
    RelayAddress,
    Request,
    Response,
    decode_contact_request_body,
)
from polynya.wire.record import seal_contact_request
from polynya.wire.requests import sign_contact_request, verify_contact_request

TEXT_MAX = 512
REQUESTS_MAX = 100
"""Requests that wait for the person: whoever finds an invite can send any number."""
CARD_MAX = 20_480
"""Bytes of a sealed card: 2,048 of body, 17 tokens of 354, token keys of 8,192, signatures and seals."""

# ---- using somebody's invite ----


def use_invite(t: Transaction, link: InviteLink, relay: RelayAddress) -> bytes:
    """Raises CoreError `no-identity`. Doing it twice changes nothing, except that a failed one is tried again."""
    me(t)
    opened_id = link.card[:16]
    known = t.get(OPENED, opened_id)
    if known is None or known.state == OpenedState.FAILED:
        t.put(OPENED, opened_id, Opened(opened_id, link, relay, OpenedState.OPENING))
    elif known.state == OpenedState.OPENED and known.card is not None:
        t.notify(InviteOpened(opened_id, known.card.name, known.card.identity))
    work.wake(t, b"opened", opened_id)
    return opened_id


def send_request(t: Transaction, opened_id: bytes, text: str | None) -> None:
    """Raises CoreError `unknown-invite`, `invite-not-open`, `bad-content` or `blocked`."""
    opened = t.get(OPENED, opened_id)
    if opened is None:
        raise CoreError("unknown-invite")
    if opened.state != OpenedState.OPENED or opened.card is None:
        raise CoreError("invite-not-open")
    if text is not None and len(text.encode()) > TEXT_MAX:
        raise CoreError("bad-content")
    if person(t, opened.card.identity).blocked:
        raise CoreError("blocked")
    inbox = reaches.create(t, InboxPurpose.CONTACT, opened_id)
    t.put(OPENED, opened_id, replace(opened, state=OpenedState.REQUESTING, text=text, inbox=inbox.id))
    work.wake(t, b"opened", opened_id)


def work_opened(t: Transaction, opened_id: bytes) -> None:
    opened = t.get(OPENED, opened_id)
    if opened is None:
        return
    if opened.state == OpenedState.OPENING:
        relay = opened.relay.identity
        if work.may_call(t, relay, work.item(b"opened", opened_id)):
            work.call(t, relay, work.item(b"opened", opened_id), GetBlob(opened.link.card, 0, BLOB_PART))
    elif opened.state == OpenedState.REQUESTING and not drops.waiting(t, opened_id, DropKind.REQUEST):
        _send_request(t, opened)


def _send_request(t: Transaction, opened: Opened) -> None:
    """As soon as the inbox for the answer is there, and key packages with which we can be added."""
    inbox = None if opened.inbox is None else t.get(INBOX, opened.inbox)
    if inbox is None or not inbox.created or opened.card is None or not keypackages.offered(t):
        return
    own = me(t)
    body = ContactRequestBody(
        card=opened.link.card,
        identity=own.identity,
        name=own.name,
        text=opened.text,
        devices=own.devices,
        reach=reaches.of_inbox(t, inbox),
    )
    request = sign_contact_request(own.identity_secret, body)
    card = opened.card
    try:
        record = seal_contact_request(card.public_key, opened.link.card, card.inbox, request, t.random)
    except WireError as error:
        work.count(t, f"request-{error.rule}")
        _failed(t, opened, "invite-tampered")
        return
    drops.put(t, OutDrop(opened.relay, card.inbox, record, DropKind.REQUEST, opened.id))


def answered_opened(t: Transaction, opened_id: bytes, request: Request, response: Response) -> None:
    opened = t.get(OPENED, opened_id)
    if (
        opened is None
        or opened.state != OpenedState.OPENING
        or work.postponed(t, b"opened", opened_id, response)
    ):
        return
    work.succeeded(t, b"opened", opened_id)
    if isinstance(response, Refused):
        gone = response.code == RefusalCode.UNKNOWN_BLOB
        _failed(t, opened, "invite-gone" if gone else "invite-tampered")
    elif isinstance(response, BlobPart) and response.total == len(response.part) <= CARD_MAX:
        _card_fetched(t, opened, response.part)
    else:
        _failed(t, opened, "invite-tampered")


def _card_fetched(t: Transaction, opened: Opened, blob: bytes) -> None:
    try:
        unverified = open_card(opened.link.secret, opened.link.card, blob)
        card = verify_card(unverified, t.time)
    except WireError as error:
        _failed(t, opened, "invite-expired" if error.rule == "card-expired" else "invite-tampered")
        return
    if card.identity == me(t).identity:
        _failed(t, opened, "invite-own")
        return
    body = CardBody(card.identity, card.name, card.inbox, card.public_key, card.expires)
    t.put(OPENED, opened.id, replace(opened, state=OpenedState.OPENED, card=body))
    _tokens_received(t, opened, unverified.card)
    t.notify(InviteOpened(opened.id, card.name, card.identity))


def _tokens_received(t: Transaction, opened: Opened, card: Card) -> None:
    if card.tokens or card.join is not None or card.token_keys is not None:
        t.notify(TokensReceived(opened.relay.identity, card.tokens or (), card.join, card.token_keys))


def _failed(t: Transaction, opened: Opened, code: str) -> None:
    reaches.close(t, opened.inbox)
    t.put(OPENED, opened.id, replace(opened, state=OpenedState.FAILED, problem=code, inbox=None))
    t.notify(InviteFailed(opened.id, code))


def requested(t: Transaction, opened_id: bytes, taken: bool) -> None:
    """The relay has our request, or the invite's inbox is gone: somebody else used it."""
    opened = t.get(OPENED, opened_id)
    if opened is None or opened.state != OpenedState.REQUESTING:
        return
    if taken:
        t.put(OPENED, opened_id, replace(opened, state=OpenedState.REQUESTED))
        t.notify(ContactsChanged())
    else:
        _failed(t, opened, "invite-used")


# ---- answering ----


def request_received(t: Transaction, invite: Invite, request: ContactRequest, time: int) -> None:
    """Shown to the person, if it is in order; `time`: when the relay took it."""
    try:
        verified = verify_contact_request(invite.card, request)
    except WireError as error:
        work.count(t, f"request-{error.rule}")
        return
    somebody = person(t, verified.identity)
    if somebody.blocked or verified.identity == me(t).identity:
        work.count(t, "request-blocked")
        return
    devices = verified.devices
    if not newer_device_list(known_devices(somebody), devices):
        work.count(t, "request-devices")
        return
    request_id = sha256(request.body)[:16]
    if len(t.keys(ASKED)) >= REQUESTS_MAX or t.get(ASKED, request_id) is not None:
        work.count(t, "request-many")
        return
    asked = Asked(
        id=request_id,
        identity=verified.identity,
        name=verified.name,
        text=verified.text,
        time=time,
        invite=invite.id,
        devices=decode_contact_request_body(request.body).devices,
        reach=verified.reach,
    )
    t.put(ASKED, request_id, asked)
    t.notify(RequestReceived(request_id))
    t.notify(RequestsChanged())


def _asked(t: Transaction, request_id: bytes) -> Asked:
    found = t.get(ASKED, request_id)
    if found is None:
        raise CoreError("unknown-request")
    return found


def accept(t: Transaction, request_id: bytes) -> bytes:
    """Founds the conversation; raises CoreError `unknown-request` or `blocked`."""
    asked = _asked(t, request_id)
    somebody = person(t, asked.identity)
    if somebody.blocked:
        raise CoreError("blocked")
    learn_devices(t, asked.identity, asked.devices)
    somebody = person(t, asked.identity)
    save_person(t, replace(somebody, name=asked.name, named=True, accepted=True, reach=asked.reach))
    _forget_requests(t, asked)
    invites.finish(t, asked.invite, InviteState.USED)
    known = founding.direct_of(t, asked.identity)
    if known is not None:
        t.notify(ConversationChanged(known))
        return known
    conversation = founding.direct(t, Candidate(asked.identity, asked.reach))
    founding.become_direct(t, conversation, asked.identity)
    return conversation


def _forget_requests(t: Transaction, accepted: Asked) -> None:
    """An invite is for one person: its other requests go, and so do others of the same person."""
    for key in t.keys(ASKED):
        other = t.get(ASKED, key)
        if other is not None and (other.invite == accepted.invite or other.identity == accepted.identity):
            t.remove(ASKED, key)
    t.notify(RequestsChanged())


def decline(t: Transaction, request_id: bytes) -> None:
    """Nothing is sent."""
    _asked(t, request_id)
    t.remove(ASKED, request_id)
    t.notify(RequestsChanged())


def block_request(t: Transaction, request_id: bytes) -> None:
    asked = _asked(t, request_id)
    somebody = person(t, asked.identity)
    name = somebody.name or asked.name
    save_person(t, replace(somebody, name=name, blocked=True))
    for key in t.keys(ASKED):
        other = t.get(ASKED, key)
        if other is not None and other.identity == asked.identity:
            t.remove(ASKED, key)
    t.notify(RequestsChanged())


def set_blocked(t: Transaction, identity: bytes, blocked: bool) -> None:
    """Raises CoreError `unknown-contact`."""
    save_person(t, replace(person(t, _known(t, identity)), blocked=blocked))
    conversation = person(t, identity).conversation
    if conversation is not None:
        t.notify(ConversationChanged(conversation))


def mark_verified(t: Transaction, identity: bytes, verified: bool) -> None:
    """Raises CoreError `unknown-contact`."""
    save_person(t, replace(person(t, _known(t, identity)), verified=verified))


def _known(t: Transaction, identity: bytes) -> bytes:
    if t.get(PERSON, identity) is None:
        raise CoreError("unknown-contact")
    return identity


def invite_of(t: Transaction, invite_id: bytes) -> Invite | None:
    invite = t.get(INVITE, invite_id)
    return invite if invite is not None and invite.state == InviteState.READY else None
