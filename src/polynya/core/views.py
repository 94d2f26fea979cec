"""What apps are shown: plain data, made anew at each call, never state."""

from __future__ import annotations

from dataclasses import dataclass, field

from polynya.wire.messages import ConversationKind, InviteLink, RelayAddress


@dataclass(frozen=True, slots=True)
class MemberView:
    identity: bytes
    name: str
    admin: bool
    me: bool
    verified: bool


@dataclass(frozen=True, slots=True)
class LastView:
    """The newest message in short. `kind`: text, file, system, unknown."""

    id: bytes
    sender: bytes
    kind: str
    text: str
    """At most 200 characters."""
    time: int
    mine: bool
    status: str | None


@dataclass(frozen=True, slots=True)
class ConversationView:
    id: bytes
    kind: ConversationKind
    name: str
    """The other person's in a direct conversation."""
    members: tuple[MemberView, ...]
    """In order of leaf index."""
    my_role: str
    """admin, member, or none."""
    can_send: bool
    can_add: bool
    state: str
    """waiting-first (the founding commit is not in the log yet), active, moving (to another suite: what is written waits
    until that is done), leaving, left, removed, closed (the other
    side has left, or the same two people go on elsewhere), stuck, fraud."""
    last: LastView | None
    activity: int
    """ms: when something last happened here, for sorting."""
    unread: int
    problem: str | None
    pending_operations: int
    relay: bytes
    post_quantum: bool
    """Whether the suite in force withstands quantum computers."""
    can_move: bool
    """Whether we may have the group moved to the other suite."""


@dataclass(frozen=True, slots=True)
class ContactView:
    identity: bytes
    name: str
    verified: bool
    blocked: bool
    conversation: bytes | None
    """The direct conversation."""


@dataclass(frozen=True, slots=True)
class RequestView:
    id: bytes
    identity: bytes
    name: str
    text: str | None
    time: int
    safety: tuple[str, ...]
    """Fingerprint of the identity: 8 groups of 5 digits."""


@dataclass(frozen=True, slots=True)
class InviteView:
    id: bytes
    link: InviteLink | None = field(repr=False)
    """None until the relay has the invite."""
    created: int
    expires: int
    state: str
    """preparing, ready, used, expired, failed."""


@dataclass(frozen=True, slots=True)
class OpenedInviteView:
    """Somebody else's invite that we use."""

    id: bytes
    name: str | None
    identity: bytes | None
    state: str
    """opening, opened, requesting, requested, accepted, failed."""
    problem: str | None
    relay: bytes
    """identity of the relay where it lies"""


@dataclass(frozen=True, slots=True)
class MeView:
    identity: bytes
    name: str
    relay: RelayAddress
    read_receipts: bool
    fingerprint: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SafetyView:
    """`groups`: 8 of the two identities, then 4 of the epoch; `code` is what the QR code holds."""

    groups: tuple[str, ...]
    code: str
    verified: bool
