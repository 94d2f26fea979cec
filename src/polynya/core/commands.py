"""Everything that the core asks for, and what it tells the app.

One step's commands come in this order: Save, AppendMessage and AmendMessage (made durable in one transaction before
anything else is done), UseRelay and DropRelay, Call, SetTimer, Notify.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from polynya.core.history import Amendment, StoredMessage
from polynya.wire.messages import InviteLink, RelayAddress, Request, SignedTokenKeys


@dataclass(frozen=True, slots=True)
class Save:
    """One row of the core's state; None deletes it."""

    table: str
    key: bytes
    value: bytes | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class AppendMessage:
    """A new message of the history. One whose (conversation, id) is there already is left as it is."""

    message: StoredMessage


@dataclass(frozen=True, slots=True)
class AmendMessage:
    """To be put through `history.apply`; nothing happens where the message is not there."""

    conversation: bytes
    id: bytes
    amendment: Amendment


@dataclass(frozen=True, slots=True)
class ForgetHistory:
    """Every message of this conversation is to be deleted."""

    conversation: bytes


@dataclass(frozen=True, slots=True)
class UseRelay:
    """Keep a connection to this relay; Connected follows each time there is one."""

    address: RelayAddress


@dataclass(frozen=True, slots=True)
class DropRelay:
    """Nothing needs this relay any more."""

    identity: bytes


@dataclass(frozen=True, slots=True)
class Call:
    """A request to a relay, answered by Answered or Failed."""

    id: int
    relay: bytes
    request: Request


@dataclass(frozen=True, slots=True)
class SetTimer:
    """The earliest moment (ms, the device's clock) at which the core wants TimerFired; replaces the former."""

    at: int


# ---- what the app is told ----


@dataclass(frozen=True, slots=True)
class IdentityCreated:
    identity: bytes


@dataclass(frozen=True, slots=True)
class MeChanged:
    """Name or settings."""


@dataclass(frozen=True, slots=True)
class ConversationChanged:
    conversation: bytes


@dataclass(frozen=True, slots=True)
class MessageAdded:
    conversation: bytes
    id: bytes


@dataclass(frozen=True, slots=True)
class MessageChanged:
    conversation: bytes
    id: bytes


@dataclass(frozen=True, slots=True)
class RequestReceived:
    id: bytes


@dataclass(frozen=True, slots=True)
class RequestsChanged:
    pass


@dataclass(frozen=True, slots=True)
class ContactsChanged:
    pass


@dataclass(frozen=True, slots=True)
class InviteCreated:
    """The invite is on the relay; `link` goes into the link's fragment."""

    id: bytes
    link: InviteLink


@dataclass(frozen=True, slots=True)
class InvitesChanged:
    pass


@dataclass(frozen=True, slots=True)
class InviteOpened:
    id: bytes
    name: str
    identity: bytes


@dataclass(frozen=True, slots=True)
class InviteFailed:
    """`code`: invite-tampered, invite-expired, invite-gone, invite-used, invite-own."""

    id: bytes
    code: str


@dataclass(frozen=True, slots=True)
class TokensReceived:
    """The card of an invite carries these for us. Nothing of it is verified but that the inviter gave it; to be made
    durable with this step."""

    relay: bytes
    """identity of the relay that they should be of"""
    tokens: tuple[bytes, ...] = field(repr=False)
    """of kind use"""
    join: bytes | None = field(repr=False)
    """of kind join"""
    token_keys: SignedTokenKeys | None


@dataclass(frozen=True, slots=True)
class ContactAccepted:
    """Somebody whose invite we used has accepted us."""

    conversation: bytes


@dataclass(frozen=True, slots=True)
class TypingChanged:
    conversation: bytes
    identity: bytes
    active: bool


@dataclass(frozen=True, slots=True)
class ProblemRaised:
    """`code` is one of `problems.CODES`; the conversation's view keeps showing it."""

    conversation: bytes | None
    code: str


AppEvent: TypeAlias = (
    IdentityCreated
    | MeChanged
    | ConversationChanged
    | MessageAdded
    | MessageChanged
    | RequestReceived
    | RequestsChanged
    | ContactsChanged
    | InviteCreated
    | InvitesChanged
    | InviteOpened
    | InviteFailed
    | TokensReceived
    | ContactAccepted
    | TypingChanged
    | ProblemRaised
)


@dataclass(frozen=True, slots=True)
class Notify:
    event: AppEvent


Command: TypeAlias = (
    Save | AppendMessage | AmendMessage | ForgetHistory | UseRelay | DropRelay | Call | SetTimer | Notify
)
