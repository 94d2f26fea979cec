"""Our own invites: an inbox and a card on the home relay, for one person and a while."""

from __future__ import annotations

from dataclasses import replace

from polynya.core import blobs, reaches, work
from polynya.core._state import InboxPurpose, Invite, InviteState
from polynya.core.blobs import Prepared
from polynya.core.commands import InviteCreated, InvitesChanged, ProblemRaised
from polynya.core.errors import CoreError
from polynya.core.events import CreateInvite
from polynya.core.identity import me
from polynya.core.state import INBOX, INVITE, UPLOAD
from polynya.core.transaction import Transaction
from polynya.crypto.xwing import XWING
from polynya.wire.card import seal_card, sign_card
from polynya.wire.messages import INVITE_LIFETIME, CardBody, InBlob, InviteLink

LINK_VERSION = 1


def create(t: Transaction, wanted: CreateInvite) -> bytes:
    """Draws: the secret (16), the inbox's read secret, the X-Wing seed (32 each), the card's nonce (12)."""
    own = me(t)
    secret = t.random.bytes(16)
    inbox = reaches.create(t, InboxPurpose.INVITE, bytes(16))
    private_key, public_key = XWING.generate(t.random)
    expires = t.time + INVITE_LIFETIME
    body = CardBody(own.identity, own.name, inbox.id, public_key, expires)
    signed = replace(
        sign_card(own.identity_secret, body),
        tokens=wanted.tokens,
        join=wanted.join,
        token_keys=wanted.token_keys,
    )
    card, blob = seal_card(secret, signed, t.random)
    invite_id = card[:16]
    t.put(INBOX, inbox.id, replace(inbox, owner=invite_id))
    invite = Invite(invite_id, secret, private_key, card, inbox.id, t.time, expires, InviteState.PREPARING)
    t.put(INVITE, invite_id, invite)
    blobs.want(t, own.relay, Prepared(InBlob(card, bytes(32), 0), card, blob))
    work.wake(t, b"invite", invite_id)
    _set_timer(t, invite)
    t.notify(InvitesChanged())
    return invite_id


def _set_timer(t: Transaction, invite: Invite) -> None:
    work.set_timer_by_relay(t, b"invite", invite.id, invite.expires)


def work_invite(t: Transaction, invite_id: bytes) -> None:
    """Ready as soon as the relay has the inbox and the card."""
    invite = t.get(INVITE, invite_id)
    if invite is None or invite.state != InviteState.PREPARING:
        return
    inbox = t.get(INBOX, invite.inbox)
    upload = t.get(UPLOAD, me(t).relay.identity + invite.card)
    if inbox is None or not inbox.created or (upload is not None and not upload.whole):
        return
    blobs.release(t, me(t).relay.identity, invite.card)
    t.put(INVITE, invite_id, replace(invite, state=InviteState.READY))
    t.notify(InviteCreated(invite_id, link(t, invite)))
    t.notify(InvitesChanged())


def link(t: Transaction, invite: Invite) -> InviteLink:
    """Without the relay's address: the link begins with it."""
    return InviteLink(LINK_VERSION, me(t).relay.identity, invite.card, invite.secret)


def finish(t: Transaction, invite_id: bytes, state: InviteState) -> None:
    """Its inbox goes; nobody can use it any more."""
    invite = t.get(INVITE, invite_id)
    if invite is None or invite.state not in (InviteState.PREPARING, InviteState.READY):
        return
    t.put(INVITE, invite_id, replace(invite, state=state))
    reaches.close(t, invite.inbox)
    blobs.release(t, me(t).relay.identity, invite.card)
    work.stop_timer(t, b"invite", invite_id)
    t.notify(InvitesChanged())


def revoke(t: Transaction, invite_id: bytes) -> None:
    """Raises CoreError `unknown-invite`."""
    if t.get(INVITE, invite_id) is None:
        raise CoreError("unknown-invite")
    finish(t, invite_id, InviteState.EXPIRED)
    t.remove(INVITE, invite_id)
    t.notify(InvitesChanged())


def expire(t: Transaction, invite_id: bytes) -> None:
    finish(t, invite_id, InviteState.EXPIRED)


def fail(t: Transaction, invite_id: bytes) -> None:
    """The relay does not take it."""
    finish(t, invite_id, InviteState.FAILED)
    t.notify(ProblemRaised(None, "invite-failed"))


def restore(t: Transaction) -> None:
    for invite_id in t.keys(INVITE):
        invite = t.get(INVITE, invite_id)
        if invite is not None and invite.state in (InviteState.PREPARING, InviteState.READY):
            _set_timer(t, invite)
