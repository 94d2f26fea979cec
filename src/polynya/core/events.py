"""Everything that can happen to the core: what the network brings, and what the person does."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from polynya.wire.messages import (
    Content,
    EphemeralPush,
    InviteLink,
    Push,
    RelayAddress,
    Response,
    SignedTokenKeys,
)

# ---- the network ----


@dataclass(frozen=True, slots=True)
class Connected:
    """A relay can be reached. Without `session` only exchanges work: the core polls."""

    relay: bytes
    session: bool


@dataclass(frozen=True, slots=True)
class Disconnected:
    relay: bytes


@dataclass(frozen=True, slots=True)
class Answered:
    """The relay's answer to a Call, and its clock (ms) when it answered."""

    call_id: int
    response: Response
    relay_time: int


@dataclass(frozen=True, slots=True)
class Failed:
    """A Call that got no answer; whether the relay did it is unknown. It is made anew after the next Connected."""

    call_id: int


@dataclass(frozen=True, slots=True)
class Pushed:
    relay: bytes
    push: Push


@dataclass(frozen=True, slots=True)
class EphemeralPushed:
    relay: bytes
    push: EphemeralPush


@dataclass(frozen=True, slots=True)
class TimerFired:
    """The moment named by the last SetTimer has come (early or late does no harm)."""


# ---- the person: identity and settings ----


@dataclass(frozen=True, slots=True)
class CreateIdentity:
    name: str
    relay: RelayAddress


@dataclass(frozen=True, slots=True)
class SetName:
    name: str


@dataclass(frozen=True, slots=True)
class SetSettings:
    read_receipts: bool


# ---- the person: contacts ----


@dataclass(frozen=True, slots=True)
class CreateInvite:
    """Notify InviteCreated follows once the relay has the invite. Its card carries what is given here for the invited
    (protocol.md section 2.9); nobody else may have it."""

    tokens: tuple[bytes, ...] | None = field(default=None, repr=False)
    """of kind use, 16 at most"""
    join: bytes | None = field(default=None, repr=False)
    """of kind join"""
    token_keys: SignedTokenKeys | None = None
    """of the home relay, the newest that were seen"""


@dataclass(frozen=True, slots=True)
class RevokeInvite:
    id: bytes


@dataclass(frozen=True, slots=True)
class UseInvite:
    """Opens somebody's invite; `relay` is where its card lies. Notify InviteOpened or InviteFailed follows."""

    link: InviteLink
    relay: RelayAddress


@dataclass(frozen=True, slots=True)
class SendContactRequest:
    """`id` as in InviteOpened."""

    id: bytes
    text: str | None = None


@dataclass(frozen=True, slots=True)
class AcceptRequest:
    id: bytes


@dataclass(frozen=True, slots=True)
class DeclineRequest:
    id: bytes


@dataclass(frozen=True, slots=True)
class BlockRequest:
    id: bytes


@dataclass(frozen=True, slots=True)
class BlockContact:
    identity: bytes


@dataclass(frozen=True, slots=True)
class UnblockContact:
    identity: bytes


@dataclass(frozen=True, slots=True)
class MarkVerified:
    identity: bytes
    verified: bool


# ---- the person: conversations ----


@dataclass(frozen=True, slots=True)
class CreateGroup:
    name: str
    members: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class AddMembers:
    conversation: bytes
    identities: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class RemoveMember:
    conversation: bytes
    identity: bytes


@dataclass(frozen=True, slots=True)
class Leave:
    conversation: bytes


@dataclass(frozen=True, slots=True)
class Rename:
    conversation: bytes
    name: str


@dataclass(frozen=True, slots=True)
class SetAdmin:
    conversation: bytes
    identity: bytes
    admin: bool


@dataclass(frozen=True, slots=True)
class MoveSuite:
    """The group goes on in an MLS group of this suite (SUITE_XWING, SUITE_X25519). Only an admin may."""

    conversation: bytes
    suite: int


@dataclass(frozen=True, slots=True)
class SendContent:
    """Text, FileReference, Reaction, Edit or Delete. `id` (16 bytes): the message's; drawn where absent."""

    conversation: bytes
    content: Content
    id: bytes | None = None


@dataclass(frozen=True, slots=True)
class MarkRead:
    """Everything up to and including message `upto` has been shown to the person."""

    conversation: bytes
    upto: bytes


@dataclass(frozen=True, slots=True)
class SetTyping:
    conversation: bytes
    active: bool


@dataclass(frozen=True, slots=True)
class DeleteConversation:
    """Forgets the conversation on this device (its history too); a member leaves first."""

    conversation: bytes


NetworkEvent: TypeAlias = Connected | Disconnected | Answered | Failed | Pushed | EphemeralPushed | TimerFired
SingleAction: TypeAlias = (
    CreateIdentity
    | SetName
    | SetSettings
    | CreateInvite
    | RevokeInvite
    | UseInvite
    | SendContactRequest
    | AcceptRequest
    | DeclineRequest
    | BlockRequest
    | BlockContact
    | UnblockContact
    | MarkVerified
    | CreateGroup
    | AddMembers
    | RemoveMember
    | Leave
    | Rename
    | SetAdmin
    | MoveSuite
    | SendContent
    | MarkRead
    | SetTyping
    | DeleteConversation
)


@dataclass(frozen=True, slots=True)
class Batch:
    """All of `actions` or none, and `marks` (key, value): rows that `Core.mark(key)` gives back, for doing things once."""

    actions: tuple[SingleAction, ...]
    marks: tuple[tuple[bytes, bytes | None], ...] = ()


Action: TypeAlias = SingleAction | Batch
Event: TypeAlias = NetworkEvent | Action
