"""Generated from spec/state.toml by `python -m scripts.generate`; do not edit."""

from __future__ import annotations

from dataclasses import field
from enum import IntEnum
from typing import Final

from polynya.wire import cbor
from polynya.wire._frozen import message
from polynya.wire._messages import (
    CardBody,
    ConversationInfo,
    ConversationKind,
    DeviceList,
    InviteLink,
    LeaveProof,
    Reach,
    RelayAddress,
    _CONVERSATION_KIND,
    _read_card_body,
    _read_conversation_info,
    _read_device_list,
    _read_invite_link,
    _read_leave_proof,
    _read_reach,
    _read_relay_address,
    encode_card_body,
    encode_conversation_info,
    encode_device_list,
    encode_invite_link,
    encode_leave_proof,
    encode_reach,
    encode_relay_address,
)
from polynya.wire.cbor import (
    head,
    read_bool,
    read_bytes,
    read_count,
    read_text,
    read_uint,
    write_bool,
    write_bytes,
    write_list,
    write_text,
    write_uint,
)
from polynya.wire.errors import WireError


def _bad(where: str) -> WireError:
    return WireError("message", where)


STATE_VERSION: Final[int] = 2
"""2026-11: MLS groups in parts"""
CLOCK_BIAS: Final[int] = 1125899906842624
"""2^50: added to a difference of clocks, as there are no negative numbers"""


class InboxPurpose(IntEnum):
    CONTACT = 1
    """where the answer to our contact request arrives; owner: the opened invite"""
    CONVERSATION = 2
    """our reach in one conversation; owner: the conversation"""
    INVITE = 3
    """where contact requests arrive; owner: the invite"""


_INBOX_PURPOSE: Final = {int(member): member for member in InboxPurpose}


class InviteState(IntEnum):
    PREPARING = 1
    """inbox or card not on the relay yet"""
    READY = 2
    """can be used"""
    USED = 3
    """a request through it was accepted"""
    EXPIRED = 4
    """too old"""
    FAILED = 5
    """the relay refused it"""


_INVITE_STATE: Final = {int(member): member for member in InviteState}


class OpenedState(IntEnum):
    OPENING = 1
    """the card is being fetched"""
    OPENED = 2
    """the card is verified"""
    REQUESTING = 3
    """our request is on its way"""
    REQUESTED = 4
    """the relay has our request"""
    ACCEPTED = 5
    """the conversation is there"""
    FAILED = 6
    """see problem"""


_OPENED_STATE: Final = {int(member): member for member in OpenedState}


class ConversationState(IntEnum):
    ACTIVE = 1
    """we are a member"""
    LEAVING = 2
    """our wish to leave is not committed yet"""
    LEFT = 3
    """we have left"""
    REMOVED = 4
    """someone removed us"""
    CLOSED = 5
    """the other person left, or the two of us go on in another conversation"""
    STUCK = 6
    """we cannot follow and have asked to be added again"""
    FRAUD = 7
    """the relay signed two histories"""
    MOVING = 8
    """a ReInit has ended the group, and its successor is not founded yet; `since`: we wish to leave"""


_CONVERSATION_STATE: Final = {int(member): member for member in ConversationState}


class OperationKind(IntEnum):
    ADD = 1
    """candidates become members"""
    REMOVE = 2
    """identities go (admins' wish)"""
    RENAME = 3
    """to name"""
    ADMIN = 4
    """identities become admins"""
    UNADMIN = 5
    """identities are admins no more"""
    UPDATE = 6
    """our own leaf gets new keys"""
    LEAVE = 7
    """identities wished to leave"""
    READD = 8
    """candidates' leaves are replaced"""
    MOVE = 9
    """the group goes on in one of another suite, of which candidates are all others; `suite`"""


_OPERATION_KIND: Final = {int(member): member for member in OperationKind}


class DropKind(IntEnum):
    WELCOME = 1
    """a Welcome"""
    REQUEST = 2
    """a contact request"""
    READD = 3
    """our wish to be added again"""


_DROP_KIND: Final = {int(member): member for member in DropKind}


class PackageUse(IntEnum):
    STOCK = 1
    """one-time, on the relay"""
    LAST = 2
    """last resort, on the relay"""
    SENT = 3
    """inside a request that we sent"""


_PACKAGE_USE: Final = {int(member): member for member in PackageUse}


@message
class Meta:
    version: int


@message
class Clock:
    difference: int
    """relay's clock minus device's, ms, plus CLOCK_BIAS"""


@message
class Me:
    identity_secret: bytes = field(repr=False)
    """Ed25519 seed"""
    identity: bytes
    name: str
    device_secret: bytes = field(repr=False)
    """Ed25519 seed of the MLS signature key"""
    device_key: bytes
    """its public key"""
    credential: bytes
    """encoded DeviceCredential"""
    devices: DeviceList
    list_number: int
    relay: RelayAddress
    """home: our inboxes, invites and conversations that we found"""
    owner_secret: bytes = field(repr=False)
    """of our key packages"""
    package_key: bytes = field(repr=False)
    read_receipts: bool


@message
class Person:
    identity: bytes
    name: str
    accepted: bool
    """a contact"""
    verified: bool
    blocked: bool
    named: bool
    """the name is the person's own word"""
    conversation: bytes | None = None
    """the direct one"""
    reach: Reach | None = None
    """from the contact request"""
    devices: DeviceList | None = None


@message
class Inbox:
    id: bytes
    relay: RelayAddress
    read_secret: bytes = field(repr=False)
    purpose: InboxPurpose
    owner: bytes
    created: bool
    closing: bool
    """to be deleted on the relay"""
    seq: int
    """last entry processed"""
    trimmed: int
    """last entry that the relay has forgotten"""
    inbox_key: bytes | None = field(default=None, repr=False)
    """absent: an invite's"""


@message
class Invite:
    id: bytes
    secret: bytes = field(repr=False)
    private_key: bytes = field(repr=False)
    """X-Wing"""
    card: bytes
    """blob id"""
    inbox: bytes
    created: int
    expires: int
    state: InviteState


@message
class Opened:
    id: bytes
    link: InviteLink
    relay: RelayAddress
    state: OpenedState
    card: CardBody | None = None
    """once verified"""
    text: str | None = None
    inbox: bytes | None = None
    """ours, for the answer"""
    problem: str | None = None
    accepted: int | None = None
    """when the answer came"""


@message
class Asked:
    """A contact request that waits for the person."""

    id: bytes
    identity: bytes
    name: str
    time: int
    invite: bytes
    devices: DeviceList
    reach: Reach
    text: str | None = None


@message
class StoredPackage:
    bundle: bytes = field(repr=False)
    """KeyPackageBundle"""
    use: PackageUse
    expires: int
    suite: int
    sealed: bytes | None = None
    """until the relay has it"""


@message
class Preview:
    id: bytes
    sender: bytes
    kind: str
    text: str
    time: int
    mine: bool
    status: str | None = None


@message
class PastEpoch:
    epoch: int
    topic: bytes
    slot: bytes
    ended: int
    """the commit's entry time"""


@message
class RemovedLeaf:
    leaf: int
    epoch: int
    """first epoch without it"""
    time: int
    """the commit's entry time"""


@message
class Conversation:
    id: bytes
    kind: ConversationKind
    relay: RelayAddress
    state: ConversationState
    epoch: int
    topic: bytes
    """the current one"""
    slot: bytes
    """of the current epoch"""
    position: int
    """next one expected in the slot"""
    ordinal: int
    """of the next topic"""
    number: int
    """of the next outbox item or operation"""
    founding: bool
    """the first members are not in yet"""
    unread: int
    activity: int
    past: tuple[PastEpoch, ...]
    """within RECEIVE_KEYS_LIFETIME"""
    gone: tuple[RemovedLeaf, ...]
    """within RECEIVE_KEYS_LIFETIME"""
    old_topics: tuple[bytes, ...]
    """still read"""
    delivered: tuple[bytes, ...]
    """receipts not sent yet"""
    read: tuple[bytes, ...]
    """receipts not sent yet"""
    inbox: bytes | None = None
    last: Preview | None = None
    problem: str | None = None
    since: int | None = None
    """when we asked to leave or to be added again"""
    asked: tuple[bytes, ...] | None = None
    """whom we have asked to add us again"""


@message
class MemberLeaf:
    leaf: int
    identity: bytes
    signature_key: bytes


@message
class Membership:
    info: ConversationInfo
    own_leaf: int
    suite: int
    members: tuple[MemberLeaf, ...]
    """by leaf"""
    group: bytes
    """id of the MLS group in force; the conversation's own as long as it never moved"""
    ended: int | None = None
    """entry time of the ReInit that ended this group: the conversation is moving"""
    successor: bytes | None = None
    """the group that the ReInit named"""


@message
class FormerGroup:
    """An MLS group that a ReInit has ended."""

    members: tuple[MemberLeaf, ...]
    """of its last epoch, by leaf"""
    past: tuple[PastEpoch, ...]
    """within RECEIVE_KEYS_LIFETIME, the last epoch too"""
    gone: tuple[RemovedLeaf, ...]
    """also of those who were removed from its successors"""


@message
class Topic:
    id: bytes
    conversation: bytes
    topic_secret: bytes = field(repr=False)
    ordinal: int
    created: bool
    seq: int
    """last entry processed"""
    head: bytes
    ended: int | None = None
    """time of the commit that left it"""


@message
class SlotReceipt:
    seq: int
    record_hash: bytes
    signature: bytes


@message
class Outgoing:
    """A message of ours that the log does not hold yet."""

    conversation: bytes
    id: bytes
    sent: int
    content: bytes = field(repr=False)
    """encoded Content"""
    blobs: tuple[bytes, ...]
    """that the content names"""
    hashes: tuple[bytes, ...]
    """of every record made of it, the present one last"""
    record: bytes | None = None
    epoch: int | None = None
    """the record's"""
    topic: bytes | None = None
    """the record's"""
    blob: bytes | None = None
    """holds the record's body"""


@message
class Candidate:
    identity: bytes
    reach: Reach
    key_package: bytes | None = None


@message
class Operation:
    """A change of a conversation that we want and that is not in the log yet."""

    conversation: bytes
    kind: OperationKind
    candidates: tuple[Candidate, ...]
    identities: tuple[bytes, ...]
    name: str | None = None
    proof: LeaveProof | None = None
    suite: int | None = None


@message
class OwnCommit:
    """Our commit on its way, kept with its Welcome until the log decides; while moving our Moved, with the successor's founding commit."""

    operation: int
    epoch: int
    """that it ends"""
    topic: bytes
    slot: bytes
    record: bytes
    pending: bytes = field(repr=False)
    """PendingCommit"""
    recipients: tuple[Candidate, ...]
    blob: bytes | None = None
    """holds the record's body"""


@message
class OutDrop:
    """A record for somebody's inbox, until the relay has it."""

    relay: RelayAddress
    inbox: bytes
    record: bytes
    kind: DropKind
    owner: bytes
    """conversation, or opened invite"""
    blob: bytes | None = None
    """holds the record's body"""


@message
class Upload:
    relay: RelayAddress
    data: bytes
    sent: int
    whole: bool
    users: int
    """records that name it and are not on the relay yet"""


@message
class Wish:
    """Somebody's wish to leave."""

    proof: LeaveProof
    due: int
    """when we commit it"""


@message
class Unread:
    order: int
    sender: bytes


@message
class Seen:
    order: int
    time: int


@message
class LateAmendment:
    kind: str
    """edited, deleted or reacted"""
    by: bytes
    text: str
    order: int


@message
class Orphan:
    """Amendments of a message that has not come yet."""

    amendments: tuple[LateAmendment, ...]
    time: int


def encode_meta(value: Meta) -> bytes:
    """Raises WireError (`message`) for a Meta over a limit."""
    return b"\xa1\x01" + write_uint(value.version, 9007199254740991, "Meta.version")


def _read_meta(d: bytes, p: int) -> tuple[Meta, int]:
    if d[p] != 161:
        raise _bad("Meta")
    p += 1
    if d[p] != 1:
        raise _bad("Meta.version")
    version_, p = read_uint(d, p + 1)
    return Meta(version_), p


def decode_meta(data: bytes) -> Meta:
    """Raises WireError: a cbor-* rule, or `message`."""
    return cbor.finish(_read_meta, data)


def encode_clock(value: Clock) -> bytes:
    """Raises WireError (`message`) for a Clock over a limit."""
    return b"\xa1\x01" + write_uint(value.difference, 9007199254740991, "Clock.difference")


def _read_clock(d: bytes, p: int) -> tuple[Clock, int]:
    if d[p] != 161:
        raise _bad("Clock")
    p += 1
    if d[p] != 1:
        raise _bad("Clock.difference")
    difference_, p = read_uint(d, p + 1)
    return Clock(difference_), p


def decode_clock(data: bytes) -> Clock:
    """Raises WireError: a cbor-* rule, or `message`."""
    return cbor.finish(_read_clock, data)


def encode_me(value: Me) -> bytes:
    """Raises WireError (`message`) for a Me over a limit."""
    if len(value.identity_secret) != 32:
        raise _bad("Me.identity_secret")
    if len(value.identity) != 32:
        raise _bad("Me.identity")
    if len(value.device_secret) != 32:
        raise _bad("Me.device_secret")
    if len(value.device_key) != 32:
        raise _bad("Me.device_key")
    if len(value.owner_secret) != 32:
        raise _bad("Me.owner_secret")
    if len(value.package_key) != 32:
        raise _bad("Me.package_key")
    return b"\xac\x01\x58\x20" + value.identity_secret + b"\x02\x58\x20" + value.identity + b"\x03" + write_text(value.name, 128, "Me.name") + b"\x04\x58\x20" + value.device_secret + b"\x05\x58\x20" + value.device_key + b"\x06" + write_bytes(value.credential, 0, 256, "Me.credential") + b"\x07" + encode_device_list(value.devices) + b"\x08" + write_uint(value.list_number, 9007199254740991, "Me.list_number") + b"\x09" + encode_relay_address(value.relay) + b"\x0a\x58\x20" + value.owner_secret + b"\x0b\x58\x20" + value.package_key + b"\x0c" + write_bool(value.read_receipts)


def _read_me(d: bytes, p: int) -> tuple[Me, int]:
    if d[p] != 172:
        raise _bad("Me")
    p += 1
    if d[p : p + 3] != b"\x01\x58\x20":
        raise _bad("Me.identity_secret")
    identity_secret_ = d[p + 3 : p + 35]
    p += 35
    if d[p : p + 3] != b"\x02\x58\x20":
        raise _bad("Me.identity")
    identity_ = d[p + 3 : p + 35]
    p += 35
    if d[p] != 3:
        raise _bad("Me.name")
    name_, p = read_text(d, p + 1, 128, "Me.name")
    if d[p : p + 3] != b"\x04\x58\x20":
        raise _bad("Me.device_secret")
    device_secret_ = d[p + 3 : p + 35]
    p += 35
    if d[p : p + 3] != b"\x05\x58\x20":
        raise _bad("Me.device_key")
    device_key_ = d[p + 3 : p + 35]
    p += 35
    if d[p] != 6:
        raise _bad("Me.credential")
    credential_, p = read_bytes(d, p + 1, 0, 256, "Me.credential")
    if d[p] != 7:
        raise _bad("Me.devices")
    devices_, p = _read_device_list(d, p + 1)
    if d[p] != 8:
        raise _bad("Me.list_number")
    list_number_, p = read_uint(d, p + 1)
    if d[p] != 9:
        raise _bad("Me.relay")
    relay_, p = _read_relay_address(d, p + 1)
    if d[p : p + 3] != b"\x0a\x58\x20":
        raise _bad("Me.owner_secret")
    owner_secret_ = d[p + 3 : p + 35]
    p += 35
    if d[p : p + 3] != b"\x0b\x58\x20":
        raise _bad("Me.package_key")
    package_key_ = d[p + 3 : p + 35]
    p += 35
    if d[p] != 12:
        raise _bad("Me.read_receipts")
    read_receipts_, p = read_bool(d, p + 1)
    return Me(identity_secret_, identity_, name_, device_secret_, device_key_, credential_, devices_, list_number_, relay_, owner_secret_, package_key_, read_receipts_), p


def decode_me(data: bytes) -> Me:
    """Raises WireError: a cbor-* rule, or `message`."""
    return cbor.finish(_read_me, data)


def encode_person(value: Person) -> bytes:
    """Raises WireError (`message`) for a Person over a limit."""
    count = 6
    if len(value.identity) != 32:
        raise _bad("Person.identity")
    data = b"\x01\x58\x20" + value.identity + b"\x02" + write_text(value.name, 128, "Person.name") + b"\x03" + write_bool(value.accepted) + b"\x04" + write_bool(value.verified) + b"\x05" + write_bool(value.blocked) + b"\x06" + write_bool(value.named)
    conversation_ = value.conversation
    if conversation_ is not None:
        if len(conversation_) != 16:
            raise _bad("Person.conversation")
        count += 1
        data += b"\x07\x50" + conversation_
    reach_ = value.reach
    if reach_ is not None:
        count += 1
        data += b"\x08" + encode_reach(reach_)
    devices_ = value.devices
    if devices_ is not None:
        count += 1
        data += b"\x09" + encode_device_list(devices_)
    return head(0xA0, count) + data


def _read_person(d: bytes, p: int) -> tuple[Person, int]:
    left = d[p] - 166
    if left < 0 or left > 3:
        raise _bad("Person")
    p += 1
    if d[p : p + 3] != b"\x01\x58\x20":
        raise _bad("Person.identity")
    identity_ = d[p + 3 : p + 35]
    p += 35
    if d[p] != 2:
        raise _bad("Person.name")
    name_, p = read_text(d, p + 1, 128, "Person.name")
    if d[p] != 3:
        raise _bad("Person.accepted")
    accepted_, p = read_bool(d, p + 1)
    if d[p] != 4:
        raise _bad("Person.verified")
    verified_, p = read_bool(d, p + 1)
    if d[p] != 5:
        raise _bad("Person.blocked")
    blocked_, p = read_bool(d, p + 1)
    if d[p] != 6:
        raise _bad("Person.named")
    named_, p = read_bool(d, p + 1)
    conversation_: bytes | None = None
    if left and d[p] == 7:
        left -= 1
        if d[p : p + 2] != b"\x07\x50":
            raise _bad("Person.conversation")
        conversation_ = d[p + 2 : p + 18]
        p += 18
    reach_: Reach | None = None
    if left and d[p] == 8:
        left -= 1
        reach_, p = _read_reach(d, p + 1)
    devices_: DeviceList | None = None
    if left and d[p] == 9:
        left -= 1
        devices_, p = _read_device_list(d, p + 1)
    if left:
        raise _bad("Person")
    return Person(identity_, name_, accepted_, verified_, blocked_, named_, conversation_, reach_, devices_), p


def decode_person(data: bytes) -> Person:
    """Raises WireError: a cbor-* rule, or `message`."""
    return cbor.finish(_read_person, data)


def encode_inbox(value: Inbox) -> bytes:
    """Raises WireError (`message`) for a Inbox over a limit."""
    count = 9
    if len(value.id) != 32:
        raise _bad("Inbox.id")
    if len(value.read_secret) != 32:
        raise _bad("Inbox.read_secret")
    if value.purpose not in _INBOX_PURPOSE:
        raise _bad("Inbox.purpose")
    if len(value.owner) != 16:
        raise _bad("Inbox.owner")
    data = b"\x01\x58\x20" + value.id + b"\x02" + encode_relay_address(value.relay) + b"\x03\x58\x20" + value.read_secret + b"\x04" + write_uint(value.purpose, 3, "Inbox.purpose") + b"\x05\x50" + value.owner + b"\x06" + write_bool(value.created) + b"\x07" + write_bool(value.closing) + b"\x08" + write_uint(value.seq, 9007199254740991, "Inbox.seq") + b"\x09" + write_uint(value.trimmed, 9007199254740991, "Inbox.trimmed")
    inbox_key_ = value.inbox_key
    if inbox_key_ is not None:
        if len(inbox_key_) != 32:
            raise _bad("Inbox.inbox_key")
        count += 1
        data += b"\x0a\x58\x20" + inbox_key_
    return head(0xA0, count) + data


def _read_inbox(d: bytes, p: int) -> tuple[Inbox, int]:
    left = d[p] - 169
    if left < 0 or left > 1:
        raise _bad("Inbox")
    p += 1
    if d[p : p + 3] != b"\x01\x58\x20":
        raise _bad("Inbox.id")
    id_ = d[p + 3 : p + 35]
    p += 35
    if d[p] != 2:
        raise _bad("Inbox.relay")
    relay_, p = _read_relay_address(d, p + 1)
    if d[p : p + 3] != b"\x03\x58\x20":
        raise _bad("Inbox.read_secret")
    read_secret_ = d[p + 3 : p + 35]
    p += 35
    if d[p] != 4:
        raise _bad("Inbox.purpose")
    n, p = read_uint(d, p + 1)
    purpose_ = _INBOX_PURPOSE[n]
    if d[p : p + 2] != b"\x05\x50":
        raise _bad("Inbox.owner")
    owner_ = d[p + 2 : p + 18]
    p += 18
    if d[p] != 6:
        raise _bad("Inbox.created")
    created_, p = read_bool(d, p + 1)
    if d[p] != 7:
        raise _bad("Inbox.closing")
    closing_, p = read_bool(d, p + 1)
    if d[p] != 8:
        raise _bad("Inbox.seq")
    seq_, p = read_uint(d, p + 1)
    if d[p] != 9:
        raise _bad("Inbox.trimmed")
    trimmed_, p = read_uint(d, p + 1)
    inbox_key_: bytes | None = None
    if left and d[p] == 10:
        left -= 1
        if d[p : p + 3] != b"\x0a\x58\x20":
            raise _bad("Inbox.inbox_key")
        inbox_key_ = d[p + 3 : p + 35]
        p += 35
    if left:
        raise _bad("Inbox")
    return Inbox(id_, relay_, read_secret_, purpose_, owner_, created_, closing_, seq_, trimmed_, inbox_key_), p


def decode_inbox(data: bytes) -> Inbox:
    """Raises WireError: a cbor-* rule, or `message`."""
    return cbor.finish(_read_inbox, data)


def encode_invite(value: Invite) -> bytes:
    """Raises WireError (`message`) for a Invite over a limit."""
    if len(value.id) != 16:
        raise _bad("Invite.id")
    if len(value.secret) != 16:
        raise _bad("Invite.secret")
    if len(value.private_key) != 32:
        raise _bad("Invite.private_key")
    if len(value.card) != 32:
        raise _bad("Invite.card")
    if len(value.inbox) != 32:
        raise _bad("Invite.inbox")
    if value.state not in _INVITE_STATE:
        raise _bad("Invite.state")
    return b"\xa8\x01\x50" + value.id + b"\x02\x50" + value.secret + b"\x03\x58\x20" + value.private_key + b"\x04\x58\x20" + value.card + b"\x05\x58\x20" + value.inbox + b"\x06" + write_uint(value.created, 9007199254740991, "Invite.created") + b"\x07" + write_uint(value.expires, 9007199254740991, "Invite.expires") + b"\x08" + write_uint(value.state, 5, "Invite.state")


def _read_invite(d: bytes, p: int) -> tuple[Invite, int]:
    if d[p] != 168:
        raise _bad("Invite")
    p += 1
    if d[p : p + 2] != b"\x01\x50":
        raise _bad("Invite.id")
    id_ = d[p + 2 : p + 18]
    p += 18
    if d[p : p + 2] != b"\x02\x50":
        raise _bad("Invite.secret")
    secret_ = d[p + 2 : p + 18]
    p += 18
    if d[p : p + 3] != b"\x03\x58\x20":
        raise _bad("Invite.private_key")
    private_key_ = d[p + 3 : p + 35]
    p += 35
    if d[p : p + 3] != b"\x04\x58\x20":
        raise _bad("Invite.card")
    card_ = d[p + 3 : p + 35]
    p += 35
    if d[p : p + 3] != b"\x05\x58\x20":
        raise _bad("Invite.inbox")
    inbox_ = d[p + 3 : p + 35]
    p += 35
    if d[p] != 6:
        raise _bad("Invite.created")
    created_, p = read_uint(d, p + 1)
    if d[p] != 7:
        raise _bad("Invite.expires")
    expires_, p = read_uint(d, p + 1)
    if d[p] != 8:
        raise _bad("Invite.state")
    n, p = read_uint(d, p + 1)
    state_ = _INVITE_STATE[n]
    return Invite(id_, secret_, private_key_, card_, inbox_, created_, expires_, state_), p


def decode_invite(data: bytes) -> Invite:
    """Raises WireError: a cbor-* rule, or `message`."""
    return cbor.finish(_read_invite, data)


def encode_opened(value: Opened) -> bytes:
    """Raises WireError (`message`) for a Opened over a limit."""
    count = 4
    if len(value.id) != 16:
        raise _bad("Opened.id")
    if value.state not in _OPENED_STATE:
        raise _bad("Opened.state")
    data = b"\x01\x50" + value.id + b"\x02" + encode_invite_link(value.link) + b"\x03" + encode_relay_address(value.relay) + b"\x04" + write_uint(value.state, 6, "Opened.state")
    card_ = value.card
    if card_ is not None:
        count += 1
        data += b"\x05" + encode_card_body(card_)
    text_ = value.text
    if text_ is not None:
        count += 1
        data += b"\x06" + write_text(text_, 512, "Opened.text")
    inbox_ = value.inbox
    if inbox_ is not None:
        if len(inbox_) != 32:
            raise _bad("Opened.inbox")
        count += 1
        data += b"\x07\x58\x20" + inbox_
    problem_ = value.problem
    if problem_ is not None:
        count += 1
        data += b"\x08" + write_text(problem_, 64, "Opened.problem")
    accepted_ = value.accepted
    if accepted_ is not None:
        count += 1
        data += b"\x09" + write_uint(accepted_, 9007199254740991, "Opened.accepted")
    return head(0xA0, count) + data


def _read_opened(d: bytes, p: int) -> tuple[Opened, int]:
    left = d[p] - 164
    if left < 0 or left > 5:
        raise _bad("Opened")
    p += 1
    if d[p : p + 2] != b"\x01\x50":
        raise _bad("Opened.id")
    id_ = d[p + 2 : p + 18]
    p += 18
    if d[p] != 2:
        raise _bad("Opened.link")
    link_, p = _read_invite_link(d, p + 1)
    if d[p] != 3:
        raise _bad("Opened.relay")
    relay_, p = _read_relay_address(d, p + 1)
    if d[p] != 4:
        raise _bad("Opened.state")
    n, p = read_uint(d, p + 1)
    state_ = _OPENED_STATE[n]
    card_: CardBody | None = None
    if left and d[p] == 5:
        left -= 1
        card_, p = _read_card_body(d, p + 1)
    text_: str | None = None
    if left and d[p] == 6:
        left -= 1
        text_, p = read_text(d, p + 1, 512, "Opened.text")
    inbox_: bytes | None = None
    if left and d[p] == 7:
        left -= 1
        if d[p : p + 3] != b"\x07\x58\x20":
            raise _bad("Opened.inbox")
        inbox_ = d[p + 3 : p + 35]
        p += 35
    problem_: str | None = None
    if left and d[p] == 8:
        left -= 1
        problem_, p = read_text(d, p + 1, 64, "Opened.problem")
    accepted_: int | None = None
    if left and d[p] == 9:
        left -= 1
        accepted_, p = read_uint(d, p + 1)
    if left:
        raise _bad("Opened")
    return Opened(id_, link_, relay_, state_, card_, text_, inbox_, problem_, accepted_), p


def decode_opened(data: bytes) -> Opened:
    """Raises WireError: a cbor-* rule, or `message`."""
    return cbor.finish(_read_opened, data)


def encode_asked(value: Asked) -> bytes:
    """Raises WireError (`message`) for a Asked over a limit."""
    count = 7
    if len(value.id) != 16:
        raise _bad("Asked.id")
    if len(value.identity) != 32:
        raise _bad("Asked.identity")
    data = b"\x01\x50" + value.id + b"\x02\x58\x20" + value.identity + b"\x03" + write_text(value.name, 128, "Asked.name")
    text_ = value.text
    if text_ is not None:
        count += 1
        data += b"\x04" + write_text(text_, 512, "Asked.text")
    if len(value.invite) != 16:
        raise _bad("Asked.invite")
    data += b"\x05" + write_uint(value.time, 9007199254740991, "Asked.time") + b"\x06\x50" + value.invite + b"\x07" + encode_device_list(value.devices) + b"\x08" + encode_reach(value.reach)
    return head(0xA0, count) + data


def _read_asked(d: bytes, p: int) -> tuple[Asked, int]:
    left = d[p] - 167
    if left < 0 or left > 1:
        raise _bad("Asked")
    p += 1
    if d[p : p + 2] != b"\x01\x50":
        raise _bad("Asked.id")
    id_ = d[p + 2 : p + 18]
    p += 18
    if d[p : p + 3] != b"\x02\x58\x20":
        raise _bad("Asked.identity")
    identity_ = d[p + 3 : p + 35]
    p += 35
    if d[p] != 3:
        raise _bad("Asked.name")
    name_, p = read_text(d, p + 1, 128, "Asked.name")
    text_: str | None = None
    if left and d[p] == 4:
        left -= 1
        text_, p = read_text(d, p + 1, 512, "Asked.text")
    if d[p] != 5:
        raise _bad("Asked.time")
    time_, p = read_uint(d, p + 1)
    if d[p : p + 2] != b"\x06\x50":
        raise _bad("Asked.invite")
    invite_ = d[p + 2 : p + 18]
    p += 18
    if d[p] != 7:
        raise _bad("Asked.devices")
    devices_, p = _read_device_list(d, p + 1)
    if d[p] != 8:
        raise _bad("Asked.reach")
    reach_, p = _read_reach(d, p + 1)
    if left:
        raise _bad("Asked")
    return Asked(id_, identity_, name_, time_, invite_, devices_, reach_, text_), p


def decode_asked(data: bytes) -> Asked:
    """Raises WireError: a cbor-* rule, or `message`."""
    return cbor.finish(_read_asked, data)


def encode_stored_package(value: StoredPackage) -> bytes:
    """Raises WireError (`message`) for a StoredPackage over a limit."""
    count = 4
    if value.use not in _PACKAGE_USE:
        raise _bad("StoredPackage.use")
    data = b"\x01" + write_bytes(value.bundle, 0, 16384, "StoredPackage.bundle") + b"\x02" + write_uint(value.use, 3, "StoredPackage.use") + b"\x03" + write_uint(value.expires, 9007199254740991, "StoredPackage.expires") + b"\x04" + write_uint(value.suite, 9007199254740991, "StoredPackage.suite")
    sealed_ = value.sealed
    if sealed_ is not None:
        count += 1
        data += b"\x05" + write_bytes(sealed_, 0, 8192, "StoredPackage.sealed")
    return head(0xA0, count) + data


def _read_stored_package(d: bytes, p: int) -> tuple[StoredPackage, int]:
    left = d[p] - 164
    if left < 0 or left > 1:
        raise _bad("StoredPackage")
    p += 1
    if d[p] != 1:
        raise _bad("StoredPackage.bundle")
    bundle_, p = read_bytes(d, p + 1, 0, 16384, "StoredPackage.bundle")
    if d[p] != 2:
        raise _bad("StoredPackage.use")
    n, p = read_uint(d, p + 1)
    use_ = _PACKAGE_USE[n]
    if d[p] != 3:
        raise _bad("StoredPackage.expires")
    expires_, p = read_uint(d, p + 1)
    if d[p] != 4:
        raise _bad("StoredPackage.suite")
    suite_, p = read_uint(d, p + 1)
    sealed_: bytes | None = None
    if left and d[p] == 5:
        left -= 1
        sealed_, p = read_bytes(d, p + 1, 0, 8192, "StoredPackage.sealed")
    if left:
        raise _bad("StoredPackage")
    return StoredPackage(bundle_, use_, expires_, suite_, sealed_), p


def decode_stored_package(data: bytes) -> StoredPackage:
    """Raises WireError: a cbor-* rule, or `message`."""
    return cbor.finish(_read_stored_package, data)


def encode_preview(value: Preview) -> bytes:
    """Raises WireError (`message`) for a Preview over a limit."""
    count = 6
    if len(value.id) != 16:
        raise _bad("Preview.id")
    if len(value.sender) != 32:
        raise _bad("Preview.sender")
    data = b"\x01\x50" + value.id + b"\x02\x58\x20" + value.sender + b"\x03" + write_text(value.kind, 16, "Preview.kind") + b"\x04" + write_text(value.text, 1024, "Preview.text") + b"\x05" + write_uint(value.time, 9007199254740991, "Preview.time") + b"\x06" + write_bool(value.mine)
    status_ = value.status
    if status_ is not None:
        count += 1
        data += b"\x07" + write_text(status_, 16, "Preview.status")
    return head(0xA0, count) + data


def _read_preview(d: bytes, p: int) -> tuple[Preview, int]:
    left = d[p] - 166
    if left < 0 or left > 1:
        raise _bad("Preview")
    p += 1
    if d[p : p + 2] != b"\x01\x50":
        raise _bad("Preview.id")
    id_ = d[p + 2 : p + 18]
    p += 18
    if d[p : p + 3] != b"\x02\x58\x20":
        raise _bad("Preview.sender")
    sender_ = d[p + 3 : p + 35]
    p += 35
    if d[p] != 3:
        raise _bad("Preview.kind")
    kind_, p = read_text(d, p + 1, 16, "Preview.kind")
    if d[p] != 4:
        raise _bad("Preview.text")
    text_, p = read_text(d, p + 1, 1024, "Preview.text")
    if d[p] != 5:
        raise _bad("Preview.time")
    time_, p = read_uint(d, p + 1)
    if d[p] != 6:
        raise _bad("Preview.mine")
    mine_, p = read_bool(d, p + 1)
    status_: str | None = None
    if left and d[p] == 7:
        left -= 1
        status_, p = read_text(d, p + 1, 16, "Preview.status")
    if left:
        raise _bad("Preview")
    return Preview(id_, sender_, kind_, text_, time_, mine_, status_), p


def decode_preview(data: bytes) -> Preview:
    """Raises WireError: a cbor-* rule, or `message`."""
    return cbor.finish(_read_preview, data)


def encode_past_epoch(value: PastEpoch) -> bytes:
    """Raises WireError (`message`) for a PastEpoch over a limit."""
    if len(value.topic) != 32:
        raise _bad("PastEpoch.topic")
    if len(value.slot) != 16:
        raise _bad("PastEpoch.slot")
    return b"\xa4\x01" + write_uint(value.epoch, 9007199254740991, "PastEpoch.epoch") + b"\x02\x58\x20" + value.topic + b"\x03\x50" + value.slot + b"\x04" + write_uint(value.ended, 9007199254740991, "PastEpoch.ended")


def _read_past_epoch(d: bytes, p: int) -> tuple[PastEpoch, int]:
    if d[p] != 164:
        raise _bad("PastEpoch")
    p += 1
    if d[p] != 1:
        raise _bad("PastEpoch.epoch")
    epoch_, p = read_uint(d, p + 1)
    if d[p : p + 3] != b"\x02\x58\x20":
        raise _bad("PastEpoch.topic")
    topic_ = d[p + 3 : p + 35]
    p += 35
    if d[p : p + 2] != b"\x03\x50":
        raise _bad("PastEpoch.slot")
    slot_ = d[p + 2 : p + 18]
    p += 18
    if d[p] != 4:
        raise _bad("PastEpoch.ended")
    ended_, p = read_uint(d, p + 1)
    return PastEpoch(epoch_, topic_, slot_, ended_), p


def decode_past_epoch(data: bytes) -> PastEpoch:
    """Raises WireError: a cbor-* rule, or `message`."""
    return cbor.finish(_read_past_epoch, data)


def encode_removed_leaf(value: RemovedLeaf) -> bytes:
    """Raises WireError (`message`) for a RemovedLeaf over a limit."""
    return b"\xa3\x01" + write_uint(value.leaf, 9007199254740991, "RemovedLeaf.leaf") + b"\x02" + write_uint(value.epoch, 9007199254740991, "RemovedLeaf.epoch") + b"\x03" + write_uint(value.time, 9007199254740991, "RemovedLeaf.time")


def _read_removed_leaf(d: bytes, p: int) -> tuple[RemovedLeaf, int]:
    if d[p] != 163:
        raise _bad("RemovedLeaf")
    p += 1
    if d[p] != 1:
        raise _bad("RemovedLeaf.leaf")
    leaf_, p = read_uint(d, p + 1)
    if d[p] != 2:
        raise _bad("RemovedLeaf.epoch")
    epoch_, p = read_uint(d, p + 1)
    if d[p] != 3:
        raise _bad("RemovedLeaf.time")
    time_, p = read_uint(d, p + 1)
    return RemovedLeaf(leaf_, epoch_, time_), p


def decode_removed_leaf(data: bytes) -> RemovedLeaf:
    """Raises WireError: a cbor-* rule, or `message`."""
    return cbor.finish(_read_removed_leaf, data)


def encode_conversation(value: Conversation) -> bytes:
    """Raises WireError (`message`) for a Conversation over a limit."""
    count = 18
    if len(value.id) != 16:
        raise _bad("Conversation.id")
    if value.kind not in _CONVERSATION_KIND:
        raise _bad("Conversation.kind")
    if value.state not in _CONVERSATION_STATE:
        raise _bad("Conversation.state")
    if len(value.topic) != 32:
        raise _bad("Conversation.topic")
    if len(value.slot) != 16:
        raise _bad("Conversation.slot")
    data = b"\x01\x50" + value.id + b"\x02" + write_uint(value.kind, 2, "Conversation.kind") + b"\x03" + encode_relay_address(value.relay) + b"\x04" + write_uint(value.state, 8, "Conversation.state") + b"\x05" + write_uint(value.epoch, 9007199254740991, "Conversation.epoch") + b"\x06\x58\x20" + value.topic + b"\x07\x50" + value.slot + b"\x08" + write_uint(value.position, 9007199254740991, "Conversation.position") + b"\x09" + write_uint(value.ordinal, 9007199254740991, "Conversation.ordinal") + b"\x0a" + write_uint(value.number, 9007199254740991, "Conversation.number") + b"\x0b" + write_bool(value.founding) + b"\x0c" + write_uint(value.unread, 9007199254740991, "Conversation.unread") + b"\x0d" + write_uint(value.activity, 9007199254740991, "Conversation.activity") + b"\x0e" + write_list([encode_past_epoch(item) for item in value.past], 65536, "Conversation.past") + b"\x0f" + write_list([encode_removed_leaf(item) for item in value.gone], 65536, "Conversation.gone") + b"\x10" + write_list([write_bytes(item, 32, 32, "Conversation.old_topics") for item in value.old_topics], 65536, "Conversation.old_topics") + b"\x11" + write_list([write_bytes(item, 16, 16, "Conversation.delivered") for item in value.delivered], 65536, "Conversation.delivered") + b"\x12" + write_list([write_bytes(item, 16, 16, "Conversation.read") for item in value.read], 65536, "Conversation.read")
    inbox_ = value.inbox
    if inbox_ is not None:
        if len(inbox_) != 32:
            raise _bad("Conversation.inbox")
        count += 1
        data += b"\x13\x58\x20" + inbox_
    last_ = value.last
    if last_ is not None:
        count += 1
        data += b"\x14" + encode_preview(last_)
    problem_ = value.problem
    if problem_ is not None:
        count += 1
        data += b"\x15" + write_text(problem_, 64, "Conversation.problem")
    since_ = value.since
    if since_ is not None:
        count += 1
        data += b"\x16" + write_uint(since_, 9007199254740991, "Conversation.since")
    asked_ = value.asked
    if asked_ is not None:
        count += 1
        data += b"\x17" + write_list([write_bytes(item, 32, 32, "Conversation.asked") for item in asked_], 4096, "Conversation.asked")
    return head(0xA0, count) + data


def _read_conversation(d: bytes, p: int) -> tuple[Conversation, int]:
    left = d[p] - 178
    if left < 0 or left > 5:
        raise _bad("Conversation")
    p += 1
    if d[p : p + 2] != b"\x01\x50":
        raise _bad("Conversation.id")
    id_ = d[p + 2 : p + 18]
    p += 18
    if d[p] != 2:
        raise _bad("Conversation.kind")
    n, p = read_uint(d, p + 1)
    kind_ = _CONVERSATION_KIND[n]
    if d[p] != 3:
        raise _bad("Conversation.relay")
    relay_, p = _read_relay_address(d, p + 1)
    if d[p] != 4:
        raise _bad("Conversation.state")
    n, p = read_uint(d, p + 1)
    state_ = _CONVERSATION_STATE[n]
    if d[p] != 5:
        raise _bad("Conversation.epoch")
    epoch_, p = read_uint(d, p + 1)
    if d[p : p + 3] != b"\x06\x58\x20":
        raise _bad("Conversation.topic")
    topic_ = d[p + 3 : p + 35]
    p += 35
    if d[p : p + 2] != b"\x07\x50":
        raise _bad("Conversation.slot")
    slot_ = d[p + 2 : p + 18]
    p += 18
    if d[p] != 8:
        raise _bad("Conversation.position")
    position_, p = read_uint(d, p + 1)
    if d[p] != 9:
        raise _bad("Conversation.ordinal")
    ordinal_, p = read_uint(d, p + 1)
    if d[p] != 10:
        raise _bad("Conversation.number")
    number_, p = read_uint(d, p + 1)
    if d[p] != 11:
        raise _bad("Conversation.founding")
    founding_, p = read_bool(d, p + 1)
    if d[p] != 12:
        raise _bad("Conversation.unread")
    unread_, p = read_uint(d, p + 1)
    if d[p] != 13:
        raise _bad("Conversation.activity")
    activity_, p = read_uint(d, p + 1)
    if d[p] != 14:
        raise _bad("Conversation.past")
    n, p = read_count(d, p + 1)
    if n > 65536:
        raise _bad("Conversation.past")
    past_list: list[PastEpoch] = []
    for _ in range(n):
        past_item, p = _read_past_epoch(d, p)
        past_list.append(past_item)
    past_ = tuple(past_list)
    if d[p] != 15:
        raise _bad("Conversation.gone")
    n, p = read_count(d, p + 1)
    if n > 65536:
        raise _bad("Conversation.gone")
    gone_list: list[RemovedLeaf] = []
    for _ in range(n):
        gone_item, p = _read_removed_leaf(d, p)
        gone_list.append(gone_item)
    gone_ = tuple(gone_list)
    if d[p] != 16:
        raise _bad("Conversation.old_topics")
    n, p = read_count(d, p + 1)
    if n > 65536:
        raise _bad("Conversation.old_topics")
    old_topics_list: list[bytes] = []
    for _ in range(n):
        if d[p : p + 2] != b"\x58\x20":
            raise _bad("Conversation.old_topics")
        old_topics_list.append(d[p + 2 : p + 34])
        p += 34
    old_topics_ = tuple(old_topics_list)
    if d[p] != 17:
        raise _bad("Conversation.delivered")
    n, p = read_count(d, p + 1)
    if n > 65536:
        raise _bad("Conversation.delivered")
    delivered_list: list[bytes] = []
    for _ in range(n):
        if d[p : p + 1] != b"\x50":
            raise _bad("Conversation.delivered")
        delivered_list.append(d[p + 1 : p + 17])
        p += 17
    delivered_ = tuple(delivered_list)
    if d[p] != 18:
        raise _bad("Conversation.read")
    n, p = read_count(d, p + 1)
    if n > 65536:
        raise _bad("Conversation.read")
    read_list: list[bytes] = []
    for _ in range(n):
        if d[p : p + 1] != b"\x50":
            raise _bad("Conversation.read")
        read_list.append(d[p + 1 : p + 17])
        p += 17
    read_ = tuple(read_list)
    inbox_: bytes | None = None
    if left and d[p] == 19:
        left -= 1
        if d[p : p + 3] != b"\x13\x58\x20":
            raise _bad("Conversation.inbox")
        inbox_ = d[p + 3 : p + 35]
        p += 35
    last_: Preview | None = None
    if left and d[p] == 20:
        left -= 1
        last_, p = _read_preview(d, p + 1)
    problem_: str | None = None
    if left and d[p] == 21:
        left -= 1
        problem_, p = read_text(d, p + 1, 64, "Conversation.problem")
    since_: int | None = None
    if left and d[p] == 22:
        left -= 1
        since_, p = read_uint(d, p + 1)
    asked_: tuple[bytes, ...] | None = None
    if left and d[p] == 23:
        left -= 1
        n, p = read_count(d, p + 1)
        if n > 4096:
            raise _bad("Conversation.asked")
        asked_list: list[bytes] = []
        for _ in range(n):
            if d[p : p + 2] != b"\x58\x20":
                raise _bad("Conversation.asked")
            asked_list.append(d[p + 2 : p + 34])
            p += 34
        asked_ = tuple(asked_list)
    if left:
        raise _bad("Conversation")
    return Conversation(id_, kind_, relay_, state_, epoch_, topic_, slot_, position_, ordinal_, number_, founding_, unread_, activity_, past_, gone_, old_topics_, delivered_, read_, inbox_, last_, problem_, since_, asked_), p


def decode_conversation(data: bytes) -> Conversation:
    """Raises WireError: a cbor-* rule, or `message`."""
    return cbor.finish(_read_conversation, data)


def encode_member_leaf(value: MemberLeaf) -> bytes:
    """Raises WireError (`message`) for a MemberLeaf over a limit."""
    if len(value.identity) != 32:
        raise _bad("MemberLeaf.identity")
    if len(value.signature_key) != 32:
        raise _bad("MemberLeaf.signature_key")
    return b"\xa3\x01" + write_uint(value.leaf, 9007199254740991, "MemberLeaf.leaf") + b"\x02\x58\x20" + value.identity + b"\x03\x58\x20" + value.signature_key


def _read_member_leaf(d: bytes, p: int) -> tuple[MemberLeaf, int]:
    if d[p] != 163:
        raise _bad("MemberLeaf")
    p += 1
    if d[p] != 1:
        raise _bad("MemberLeaf.leaf")
    leaf_, p = read_uint(d, p + 1)
    if d[p : p + 3] != b"\x02\x58\x20":
        raise _bad("MemberLeaf.identity")
    identity_ = d[p + 3 : p + 35]
    p += 35
    if d[p : p + 3] != b"\x03\x58\x20":
        raise _bad("MemberLeaf.signature_key")
    signature_key_ = d[p + 3 : p + 35]
    p += 35
    return MemberLeaf(leaf_, identity_, signature_key_), p


def decode_member_leaf(data: bytes) -> MemberLeaf:
    """Raises WireError: a cbor-* rule, or `message`."""
    return cbor.finish(_read_member_leaf, data)


def encode_membership(value: Membership) -> bytes:
    """Raises WireError (`message`) for a Membership over a limit."""
    count = 5
    if len(value.group) != 16:
        raise _bad("Membership.group")
    data = b"\x01" + encode_conversation_info(value.info) + b"\x02" + write_uint(value.own_leaf, 9007199254740991, "Membership.own_leaf") + b"\x03" + write_uint(value.suite, 9007199254740991, "Membership.suite") + b"\x04" + write_list([encode_member_leaf(item) for item in value.members], 65536, "Membership.members") + b"\x05\x50" + value.group
    ended_ = value.ended
    if ended_ is not None:
        count += 1
        data += b"\x06" + write_uint(ended_, 9007199254740991, "Membership.ended")
    successor_ = value.successor
    if successor_ is not None:
        if len(successor_) != 16:
            raise _bad("Membership.successor")
        count += 1
        data += b"\x07\x50" + successor_
    return head(0xA0, count) + data


def _read_membership(d: bytes, p: int) -> tuple[Membership, int]:
    left = d[p] - 165
    if left < 0 or left > 2:
        raise _bad("Membership")
    p += 1
    if d[p] != 1:
        raise _bad("Membership.info")
    info_, p = _read_conversation_info(d, p + 1)
    if d[p] != 2:
        raise _bad("Membership.own_leaf")
    own_leaf_, p = read_uint(d, p + 1)
    if d[p] != 3:
        raise _bad("Membership.suite")
    suite_, p = read_uint(d, p + 1)
    if d[p] != 4:
        raise _bad("Membership.members")
    n, p = read_count(d, p + 1)
    if n > 65536:
        raise _bad("Membership.members")
    members_list: list[MemberLeaf] = []
    for _ in range(n):
        members_item, p = _read_member_leaf(d, p)
        members_list.append(members_item)
    members_ = tuple(members_list)
    if d[p : p + 2] != b"\x05\x50":
        raise _bad("Membership.group")
    group_ = d[p + 2 : p + 18]
    p += 18
    ended_: int | None = None
    if left and d[p] == 6:
        left -= 1
        ended_, p = read_uint(d, p + 1)
    successor_: bytes | None = None
    if left and d[p] == 7:
        left -= 1
        if d[p : p + 2] != b"\x07\x50":
            raise _bad("Membership.successor")
        successor_ = d[p + 2 : p + 18]
        p += 18
    if left:
        raise _bad("Membership")
    return Membership(info_, own_leaf_, suite_, members_, group_, ended_, successor_), p


def decode_membership(data: bytes) -> Membership:
    """Raises WireError: a cbor-* rule, or `message`."""
    return cbor.finish(_read_membership, data)


def encode_former_group(value: FormerGroup) -> bytes:
    """Raises WireError (`message`) for a FormerGroup over a limit."""
    return b"\xa3\x01" + write_list([encode_member_leaf(item) for item in value.members], 65536, "FormerGroup.members") + b"\x02" + write_list([encode_past_epoch(item) for item in value.past], 65536, "FormerGroup.past") + b"\x03" + write_list([encode_removed_leaf(item) for item in value.gone], 65536, "FormerGroup.gone")


def _read_former_group(d: bytes, p: int) -> tuple[FormerGroup, int]:
    if d[p] != 163:
        raise _bad("FormerGroup")
    p += 1
    if d[p] != 1:
        raise _bad("FormerGroup.members")
    n, p = read_count(d, p + 1)
    if n > 65536:
        raise _bad("FormerGroup.members")
    members_list: list[MemberLeaf] = []
    for _ in range(n):
        members_item, p = _read_member_leaf(d, p)
        members_list.append(members_item)
    members_ = tuple(members_list)
    if d[p] != 2:
        raise _bad("FormerGroup.past")
    n, p = read_count(d, p + 1)
    if n > 65536:
        raise _bad("FormerGroup.past")
    past_list: list[PastEpoch] = []
    for _ in range(n):
        past_item, p = _read_past_epoch(d, p)
        past_list.append(past_item)
    past_ = tuple(past_list)
    if d[p] != 3:
        raise _bad("FormerGroup.gone")
    n, p = read_count(d, p + 1)
    if n > 65536:
        raise _bad("FormerGroup.gone")
    gone_list: list[RemovedLeaf] = []
    for _ in range(n):
        gone_item, p = _read_removed_leaf(d, p)
        gone_list.append(gone_item)
    gone_ = tuple(gone_list)
    return FormerGroup(members_, past_, gone_), p


def decode_former_group(data: bytes) -> FormerGroup:
    """Raises WireError: a cbor-* rule, or `message`."""
    return cbor.finish(_read_former_group, data)


def encode_topic(value: Topic) -> bytes:
    """Raises WireError (`message`) for a Topic over a limit."""
    count = 7
    if len(value.id) != 32:
        raise _bad("Topic.id")
    if len(value.conversation) != 16:
        raise _bad("Topic.conversation")
    if len(value.topic_secret) != 32:
        raise _bad("Topic.topic_secret")
    if len(value.head) != 32:
        raise _bad("Topic.head")
    data = b"\x01\x58\x20" + value.id + b"\x02\x50" + value.conversation + b"\x03\x58\x20" + value.topic_secret + b"\x04" + write_uint(value.ordinal, 9007199254740991, "Topic.ordinal") + b"\x05" + write_bool(value.created) + b"\x06" + write_uint(value.seq, 9007199254740991, "Topic.seq") + b"\x07\x58\x20" + value.head
    ended_ = value.ended
    if ended_ is not None:
        count += 1
        data += b"\x08" + write_uint(ended_, 9007199254740991, "Topic.ended")
    return head(0xA0, count) + data


def _read_topic(d: bytes, p: int) -> tuple[Topic, int]:
    left = d[p] - 167
    if left < 0 or left > 1:
        raise _bad("Topic")
    p += 1
    if d[p : p + 3] != b"\x01\x58\x20":
        raise _bad("Topic.id")
    id_ = d[p + 3 : p + 35]
    p += 35
    if d[p : p + 2] != b"\x02\x50":
        raise _bad("Topic.conversation")
    conversation_ = d[p + 2 : p + 18]
    p += 18
    if d[p : p + 3] != b"\x03\x58\x20":
        raise _bad("Topic.topic_secret")
    topic_secret_ = d[p + 3 : p + 35]
    p += 35
    if d[p] != 4:
        raise _bad("Topic.ordinal")
    ordinal_, p = read_uint(d, p + 1)
    if d[p] != 5:
        raise _bad("Topic.created")
    created_, p = read_bool(d, p + 1)
    if d[p] != 6:
        raise _bad("Topic.seq")
    seq_, p = read_uint(d, p + 1)
    if d[p : p + 3] != b"\x07\x58\x20":
        raise _bad("Topic.head")
    head_ = d[p + 3 : p + 35]
    p += 35
    ended_: int | None = None
    if left and d[p] == 8:
        left -= 1
        ended_, p = read_uint(d, p + 1)
    if left:
        raise _bad("Topic")
    return Topic(id_, conversation_, topic_secret_, ordinal_, created_, seq_, head_, ended_), p


def decode_topic(data: bytes) -> Topic:
    """Raises WireError: a cbor-* rule, or `message`."""
    return cbor.finish(_read_topic, data)


def encode_slot_receipt(value: SlotReceipt) -> bytes:
    """Raises WireError (`message`) for a SlotReceipt over a limit."""
    if len(value.record_hash) != 32:
        raise _bad("SlotReceipt.record_hash")
    if len(value.signature) != 64:
        raise _bad("SlotReceipt.signature")
    return b"\xa3\x01" + write_uint(value.seq, 9007199254740991, "SlotReceipt.seq") + b"\x02\x58\x20" + value.record_hash + b"\x03\x58\x40" + value.signature


def _read_slot_receipt(d: bytes, p: int) -> tuple[SlotReceipt, int]:
    if d[p] != 163:
        raise _bad("SlotReceipt")
    p += 1
    if d[p] != 1:
        raise _bad("SlotReceipt.seq")
    seq_, p = read_uint(d, p + 1)
    if d[p : p + 3] != b"\x02\x58\x20":
        raise _bad("SlotReceipt.record_hash")
    record_hash_ = d[p + 3 : p + 35]
    p += 35
    if d[p : p + 3] != b"\x03\x58\x40":
        raise _bad("SlotReceipt.signature")
    signature_ = d[p + 3 : p + 67]
    p += 67
    return SlotReceipt(seq_, record_hash_, signature_), p


def decode_slot_receipt(data: bytes) -> SlotReceipt:
    """Raises WireError: a cbor-* rule, or `message`."""
    return cbor.finish(_read_slot_receipt, data)


def encode_outgoing(value: Outgoing) -> bytes:
    """Raises WireError (`message`) for a Outgoing over a limit."""
    count = 6
    if len(value.conversation) != 16:
        raise _bad("Outgoing.conversation")
    if len(value.id) != 16:
        raise _bad("Outgoing.id")
    data = b"\x01\x50" + value.conversation + b"\x02\x50" + value.id + b"\x03" + write_uint(value.sent, 9007199254740991, "Outgoing.sent") + b"\x04" + write_bytes(value.content, 0, 65536, "Outgoing.content") + b"\x05" + write_list([write_bytes(item, 32, 32, "Outgoing.blobs") for item in value.blobs], 3, "Outgoing.blobs") + b"\x06" + write_list([write_bytes(item, 32, 32, "Outgoing.hashes") for item in value.hashes], 4096, "Outgoing.hashes")
    record_ = value.record
    if record_ is not None:
        count += 1
        data += b"\x07" + write_bytes(record_, 0, 4096, "Outgoing.record")
    epoch_ = value.epoch
    if epoch_ is not None:
        count += 1
        data += b"\x08" + write_uint(epoch_, 9007199254740991, "Outgoing.epoch")
    topic_ = value.topic
    if topic_ is not None:
        if len(topic_) != 32:
            raise _bad("Outgoing.topic")
        count += 1
        data += b"\x09\x58\x20" + topic_
    blob_ = value.blob
    if blob_ is not None:
        if len(blob_) != 32:
            raise _bad("Outgoing.blob")
        count += 1
        data += b"\x0a\x58\x20" + blob_
    return head(0xA0, count) + data


def _read_outgoing(d: bytes, p: int) -> tuple[Outgoing, int]:
    left = d[p] - 166
    if left < 0 or left > 4:
        raise _bad("Outgoing")
    p += 1
    if d[p : p + 2] != b"\x01\x50":
        raise _bad("Outgoing.conversation")
    conversation_ = d[p + 2 : p + 18]
    p += 18
    if d[p : p + 2] != b"\x02\x50":
        raise _bad("Outgoing.id")
    id_ = d[p + 2 : p + 18]
    p += 18
    if d[p] != 3:
        raise _bad("Outgoing.sent")
    sent_, p = read_uint(d, p + 1)
    if d[p] != 4:
        raise _bad("Outgoing.content")
    content_, p = read_bytes(d, p + 1, 0, 65536, "Outgoing.content")
    if d[p] != 5:
        raise _bad("Outgoing.blobs")
    n, p = read_count(d, p + 1)
    if n > 3:
        raise _bad("Outgoing.blobs")
    blobs_list: list[bytes] = []
    for _ in range(n):
        if d[p : p + 2] != b"\x58\x20":
            raise _bad("Outgoing.blobs")
        blobs_list.append(d[p + 2 : p + 34])
        p += 34
    blobs_ = tuple(blobs_list)
    if d[p] != 6:
        raise _bad("Outgoing.hashes")
    n, p = read_count(d, p + 1)
    if n > 4096:
        raise _bad("Outgoing.hashes")
    hashes_list: list[bytes] = []
    for _ in range(n):
        if d[p : p + 2] != b"\x58\x20":
            raise _bad("Outgoing.hashes")
        hashes_list.append(d[p + 2 : p + 34])
        p += 34
    hashes_ = tuple(hashes_list)
    record_: bytes | None = None
    if left and d[p] == 7:
        left -= 1
        record_, p = read_bytes(d, p + 1, 0, 4096, "Outgoing.record")
    epoch_: int | None = None
    if left and d[p] == 8:
        left -= 1
        epoch_, p = read_uint(d, p + 1)
    topic_: bytes | None = None
    if left and d[p] == 9:
        left -= 1
        if d[p : p + 3] != b"\x09\x58\x20":
            raise _bad("Outgoing.topic")
        topic_ = d[p + 3 : p + 35]
        p += 35
    blob_: bytes | None = None
    if left and d[p] == 10:
        left -= 1
        if d[p : p + 3] != b"\x0a\x58\x20":
            raise _bad("Outgoing.blob")
        blob_ = d[p + 3 : p + 35]
        p += 35
    if left:
        raise _bad("Outgoing")
    return Outgoing(conversation_, id_, sent_, content_, blobs_, hashes_, record_, epoch_, topic_, blob_), p


def decode_outgoing(data: bytes) -> Outgoing:
    """Raises WireError: a cbor-* rule, or `message`."""
    return cbor.finish(_read_outgoing, data)


def encode_candidate(value: Candidate) -> bytes:
    """Raises WireError (`message`) for a Candidate over a limit."""
    count = 2
    if len(value.identity) != 32:
        raise _bad("Candidate.identity")
    data = b"\x01\x58\x20" + value.identity + b"\x02" + encode_reach(value.reach)
    key_package_ = value.key_package
    if key_package_ is not None:
        count += 1
        data += b"\x03" + write_bytes(key_package_, 0, 8192, "Candidate.key_package")
    return head(0xA0, count) + data


def _read_candidate(d: bytes, p: int) -> tuple[Candidate, int]:
    left = d[p] - 162
    if left < 0 or left > 1:
        raise _bad("Candidate")
    p += 1
    if d[p : p + 3] != b"\x01\x58\x20":
        raise _bad("Candidate.identity")
    identity_ = d[p + 3 : p + 35]
    p += 35
    if d[p] != 2:
        raise _bad("Candidate.reach")
    reach_, p = _read_reach(d, p + 1)
    key_package_: bytes | None = None
    if left and d[p] == 3:
        left -= 1
        key_package_, p = read_bytes(d, p + 1, 0, 8192, "Candidate.key_package")
    if left:
        raise _bad("Candidate")
    return Candidate(identity_, reach_, key_package_), p


def decode_candidate(data: bytes) -> Candidate:
    """Raises WireError: a cbor-* rule, or `message`."""
    return cbor.finish(_read_candidate, data)


def encode_operation(value: Operation) -> bytes:
    """Raises WireError (`message`) for a Operation over a limit."""
    count = 4
    if len(value.conversation) != 16:
        raise _bad("Operation.conversation")
    if value.kind not in _OPERATION_KIND:
        raise _bad("Operation.kind")
    data = b"\x01\x50" + value.conversation + b"\x02" + write_uint(value.kind, 9, "Operation.kind") + b"\x03" + write_list([encode_candidate(item) for item in value.candidates], 4096, "Operation.candidates") + b"\x04" + write_list([write_bytes(item, 32, 32, "Operation.identities") for item in value.identities], 4096, "Operation.identities")
    name_ = value.name
    if name_ is not None:
        count += 1
        data += b"\x05" + write_text(name_, 256, "Operation.name")
    proof_ = value.proof
    if proof_ is not None:
        count += 1
        data += b"\x06" + encode_leave_proof(proof_)
    suite_ = value.suite
    if suite_ is not None:
        count += 1
        data += b"\x07" + write_uint(suite_, 9007199254740991, "Operation.suite")
    return head(0xA0, count) + data


def _read_operation(d: bytes, p: int) -> tuple[Operation, int]:
    left = d[p] - 164
    if left < 0 or left > 3:
        raise _bad("Operation")
    p += 1
    if d[p : p + 2] != b"\x01\x50":
        raise _bad("Operation.conversation")
    conversation_ = d[p + 2 : p + 18]
    p += 18
    if d[p] != 2:
        raise _bad("Operation.kind")
    n, p = read_uint(d, p + 1)
    kind_ = _OPERATION_KIND[n]
    if d[p] != 3:
        raise _bad("Operation.candidates")
    n, p = read_count(d, p + 1)
    if n > 4096:
        raise _bad("Operation.candidates")
    candidates_list: list[Candidate] = []
    for _ in range(n):
        candidates_item, p = _read_candidate(d, p)
        candidates_list.append(candidates_item)
    candidates_ = tuple(candidates_list)
    if d[p] != 4:
        raise _bad("Operation.identities")
    n, p = read_count(d, p + 1)
    if n > 4096:
        raise _bad("Operation.identities")
    identities_list: list[bytes] = []
    for _ in range(n):
        if d[p : p + 2] != b"\x58\x20":
            raise _bad("Operation.identities")
        identities_list.append(d[p + 2 : p + 34])
        p += 34
    identities_ = tuple(identities_list)
    name_: str | None = None
    if left and d[p] == 5:
        left -= 1
        name_, p = read_text(d, p + 1, 256, "Operation.name")
    proof_: LeaveProof | None = None
    if left and d[p] == 6:
        left -= 1
        proof_, p = _read_leave_proof(d, p + 1)
    suite_: int | None = None
    if left and d[p] == 7:
        left -= 1
        suite_, p = read_uint(d, p + 1)
    if left:
        raise _bad("Operation")
    return Operation(conversation_, kind_, candidates_, identities_, name_, proof_, suite_), p


def decode_operation(data: bytes) -> Operation:
    """Raises WireError: a cbor-* rule, or `message`."""
    return cbor.finish(_read_operation, data)


def encode_own_commit(value: OwnCommit) -> bytes:
    """Raises WireError (`message`) for a OwnCommit over a limit."""
    count = 7
    if len(value.topic) != 32:
        raise _bad("OwnCommit.topic")
    if len(value.slot) != 16:
        raise _bad("OwnCommit.slot")
    data = b"\x01" + write_uint(value.operation, 9007199254740991, "OwnCommit.operation") + b"\x02" + write_uint(value.epoch, 9007199254740991, "OwnCommit.epoch") + b"\x03\x58\x20" + value.topic + b"\x04\x50" + value.slot + b"\x05" + write_bytes(value.record, 0, 4096, "OwnCommit.record") + b"\x06" + write_bytes(value.pending, 0, 67108864, "OwnCommit.pending") + b"\x07" + write_list([encode_candidate(item) for item in value.recipients], 4096, "OwnCommit.recipients")
    blob_ = value.blob
    if blob_ is not None:
        if len(blob_) != 32:
            raise _bad("OwnCommit.blob")
        count += 1
        data += b"\x08\x58\x20" + blob_
    return head(0xA0, count) + data


def _read_own_commit(d: bytes, p: int) -> tuple[OwnCommit, int]:
    left = d[p] - 167
    if left < 0 or left > 1:
        raise _bad("OwnCommit")
    p += 1
    if d[p] != 1:
        raise _bad("OwnCommit.operation")
    operation_, p = read_uint(d, p + 1)
    if d[p] != 2:
        raise _bad("OwnCommit.epoch")
    epoch_, p = read_uint(d, p + 1)
    if d[p : p + 3] != b"\x03\x58\x20":
        raise _bad("OwnCommit.topic")
    topic_ = d[p + 3 : p + 35]
    p += 35
    if d[p : p + 2] != b"\x04\x50":
        raise _bad("OwnCommit.slot")
    slot_ = d[p + 2 : p + 18]
    p += 18
    if d[p] != 5:
        raise _bad("OwnCommit.record")
    record_, p = read_bytes(d, p + 1, 0, 4096, "OwnCommit.record")
    if d[p] != 6:
        raise _bad("OwnCommit.pending")
    pending_, p = read_bytes(d, p + 1, 0, 67108864, "OwnCommit.pending")
    if d[p] != 7:
        raise _bad("OwnCommit.recipients")
    n, p = read_count(d, p + 1)
    if n > 4096:
        raise _bad("OwnCommit.recipients")
    recipients_list: list[Candidate] = []
    for _ in range(n):
        recipients_item, p = _read_candidate(d, p)
        recipients_list.append(recipients_item)
    recipients_ = tuple(recipients_list)
    blob_: bytes | None = None
    if left and d[p] == 8:
        left -= 1
        if d[p : p + 3] != b"\x08\x58\x20":
            raise _bad("OwnCommit.blob")
        blob_ = d[p + 3 : p + 35]
        p += 35
    if left:
        raise _bad("OwnCommit")
    return OwnCommit(operation_, epoch_, topic_, slot_, record_, pending_, recipients_, blob_), p


def decode_own_commit(data: bytes) -> OwnCommit:
    """Raises WireError: a cbor-* rule, or `message`."""
    return cbor.finish(_read_own_commit, data)


def encode_out_drop(value: OutDrop) -> bytes:
    """Raises WireError (`message`) for a OutDrop over a limit."""
    count = 5
    if len(value.inbox) != 32:
        raise _bad("OutDrop.inbox")
    if value.kind not in _DROP_KIND:
        raise _bad("OutDrop.kind")
    if len(value.owner) != 16:
        raise _bad("OutDrop.owner")
    data = b"\x01" + encode_relay_address(value.relay) + b"\x02\x58\x20" + value.inbox + b"\x03" + write_bytes(value.record, 0, 4096, "OutDrop.record") + b"\x04" + write_uint(value.kind, 3, "OutDrop.kind") + b"\x05\x50" + value.owner
    blob_ = value.blob
    if blob_ is not None:
        if len(blob_) != 32:
            raise _bad("OutDrop.blob")
        count += 1
        data += b"\x06\x58\x20" + blob_
    return head(0xA0, count) + data


def _read_out_drop(d: bytes, p: int) -> tuple[OutDrop, int]:
    left = d[p] - 165
    if left < 0 or left > 1:
        raise _bad("OutDrop")
    p += 1
    if d[p] != 1:
        raise _bad("OutDrop.relay")
    relay_, p = _read_relay_address(d, p + 1)
    if d[p : p + 3] != b"\x02\x58\x20":
        raise _bad("OutDrop.inbox")
    inbox_ = d[p + 3 : p + 35]
    p += 35
    if d[p] != 3:
        raise _bad("OutDrop.record")
    record_, p = read_bytes(d, p + 1, 0, 4096, "OutDrop.record")
    if d[p] != 4:
        raise _bad("OutDrop.kind")
    n, p = read_uint(d, p + 1)
    kind_ = _DROP_KIND[n]
    if d[p : p + 2] != b"\x05\x50":
        raise _bad("OutDrop.owner")
    owner_ = d[p + 2 : p + 18]
    p += 18
    blob_: bytes | None = None
    if left and d[p] == 6:
        left -= 1
        if d[p : p + 3] != b"\x06\x58\x20":
            raise _bad("OutDrop.blob")
        blob_ = d[p + 3 : p + 35]
        p += 35
    if left:
        raise _bad("OutDrop")
    return OutDrop(relay_, inbox_, record_, kind_, owner_, blob_), p


def decode_out_drop(data: bytes) -> OutDrop:
    """Raises WireError: a cbor-* rule, or `message`."""
    return cbor.finish(_read_out_drop, data)


def encode_upload(value: Upload) -> bytes:
    """Raises WireError (`message`) for a Upload over a limit."""
    return b"\xa5\x01" + encode_relay_address(value.relay) + b"\x02" + write_bytes(value.data, 0, 33554432, "Upload.data") + b"\x03" + write_uint(value.sent, 9007199254740991, "Upload.sent") + b"\x04" + write_bool(value.whole) + b"\x05" + write_uint(value.users, 9007199254740991, "Upload.users")


def _read_upload(d: bytes, p: int) -> tuple[Upload, int]:
    if d[p] != 165:
        raise _bad("Upload")
    p += 1
    if d[p] != 1:
        raise _bad("Upload.relay")
    relay_, p = _read_relay_address(d, p + 1)
    if d[p] != 2:
        raise _bad("Upload.data")
    data_, p = read_bytes(d, p + 1, 0, 33554432, "Upload.data")
    if d[p] != 3:
        raise _bad("Upload.sent")
    sent_, p = read_uint(d, p + 1)
    if d[p] != 4:
        raise _bad("Upload.whole")
    whole_, p = read_bool(d, p + 1)
    if d[p] != 5:
        raise _bad("Upload.users")
    users_, p = read_uint(d, p + 1)
    return Upload(relay_, data_, sent_, whole_, users_), p


def decode_upload(data: bytes) -> Upload:
    """Raises WireError: a cbor-* rule, or `message`."""
    return cbor.finish(_read_upload, data)


def encode_wish(value: Wish) -> bytes:
    """Raises WireError (`message`) for a Wish over a limit."""
    return b"\xa2\x01" + encode_leave_proof(value.proof) + b"\x02" + write_uint(value.due, 9007199254740991, "Wish.due")


def _read_wish(d: bytes, p: int) -> tuple[Wish, int]:
    if d[p] != 162:
        raise _bad("Wish")
    p += 1
    if d[p] != 1:
        raise _bad("Wish.proof")
    proof_, p = _read_leave_proof(d, p + 1)
    if d[p] != 2:
        raise _bad("Wish.due")
    due_, p = read_uint(d, p + 1)
    return Wish(proof_, due_), p


def decode_wish(data: bytes) -> Wish:
    """Raises WireError: a cbor-* rule, or `message`."""
    return cbor.finish(_read_wish, data)


def encode_unread(value: Unread) -> bytes:
    """Raises WireError (`message`) for a Unread over a limit."""
    if len(value.sender) != 32:
        raise _bad("Unread.sender")
    return b"\xa2\x01" + write_uint(value.order, 9007199254740991, "Unread.order") + b"\x02\x58\x20" + value.sender


def _read_unread(d: bytes, p: int) -> tuple[Unread, int]:
    if d[p] != 162:
        raise _bad("Unread")
    p += 1
    if d[p] != 1:
        raise _bad("Unread.order")
    order_, p = read_uint(d, p + 1)
    if d[p : p + 3] != b"\x02\x58\x20":
        raise _bad("Unread.sender")
    sender_ = d[p + 3 : p + 35]
    p += 35
    return Unread(order_, sender_), p


def decode_unread(data: bytes) -> Unread:
    """Raises WireError: a cbor-* rule, or `message`."""
    return cbor.finish(_read_unread, data)


def encode_seen(value: Seen) -> bytes:
    """Raises WireError (`message`) for a Seen over a limit."""
    return b"\xa2\x01" + write_uint(value.order, 9007199254740991, "Seen.order") + b"\x02" + write_uint(value.time, 9007199254740991, "Seen.time")


def _read_seen(d: bytes, p: int) -> tuple[Seen, int]:
    if d[p] != 162:
        raise _bad("Seen")
    p += 1
    if d[p] != 1:
        raise _bad("Seen.order")
    order_, p = read_uint(d, p + 1)
    if d[p] != 2:
        raise _bad("Seen.time")
    time_, p = read_uint(d, p + 1)
    return Seen(order_, time_), p


def decode_seen(data: bytes) -> Seen:
    """Raises WireError: a cbor-* rule, or `message`."""
    return cbor.finish(_read_seen, data)


def encode_late_amendment(value: LateAmendment) -> bytes:
    """Raises WireError (`message`) for a LateAmendment over a limit."""
    if len(value.by) != 32:
        raise _bad("LateAmendment.by")
    return b"\xa4\x01" + write_text(value.kind, 16, "LateAmendment.kind") + b"\x02\x58\x20" + value.by + b"\x03" + write_text(value.text, 16384, "LateAmendment.text") + b"\x04" + write_uint(value.order, 9007199254740991, "LateAmendment.order")


def _read_late_amendment(d: bytes, p: int) -> tuple[LateAmendment, int]:
    if d[p] != 164:
        raise _bad("LateAmendment")
    p += 1
    if d[p] != 1:
        raise _bad("LateAmendment.kind")
    kind_, p = read_text(d, p + 1, 16, "LateAmendment.kind")
    if d[p : p + 3] != b"\x02\x58\x20":
        raise _bad("LateAmendment.by")
    by_ = d[p + 3 : p + 35]
    p += 35
    if d[p] != 3:
        raise _bad("LateAmendment.text")
    text_, p = read_text(d, p + 1, 16384, "LateAmendment.text")
    if d[p] != 4:
        raise _bad("LateAmendment.order")
    order_, p = read_uint(d, p + 1)
    return LateAmendment(kind_, by_, text_, order_), p


def decode_late_amendment(data: bytes) -> LateAmendment:
    """Raises WireError: a cbor-* rule, or `message`."""
    return cbor.finish(_read_late_amendment, data)


def encode_orphan(value: Orphan) -> bytes:
    """Raises WireError (`message`) for a Orphan over a limit."""
    return b"\xa2\x01" + write_list([encode_late_amendment(item) for item in value.amendments], 64, "Orphan.amendments") + b"\x02" + write_uint(value.time, 9007199254740991, "Orphan.time")


def _read_orphan(d: bytes, p: int) -> tuple[Orphan, int]:
    if d[p] != 162:
        raise _bad("Orphan")
    p += 1
    if d[p] != 1:
        raise _bad("Orphan.amendments")
    n, p = read_count(d, p + 1)
    if n > 64:
        raise _bad("Orphan.amendments")
    amendments_list: list[LateAmendment] = []
    for _ in range(n):
        amendments_item, p = _read_late_amendment(d, p)
        amendments_list.append(amendments_item)
    amendments_ = tuple(amendments_list)
    if d[p] != 2:
        raise _bad("Orphan.time")
    time_, p = read_uint(d, p + 1)
    return Orphan(amendments_, time_), p


def decode_orphan(data: bytes) -> Orphan:
    """Raises WireError: a cbor-* rule, or `message`."""
    return cbor.finish(_read_orphan, data)
