# ruff: noqa: E501, RUF022, UP007
# fmt: off
"""Generated from spec/messages.toml by `python -m scripts.generate`; do not edit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import field
from enum import IntEnum
from itertools import pairwise
from typing import Any, Final, TypeAlias, Union

from polynya.wire import cbor
from polynya.wire._frozen import message
from polynya.wire.cbor import (
    head,
    read_bool,
    read_bytes,
    read_count,
    read_pairs,
    read_text,
    read_uint,
    skip,
    skip_struct,
    write_bool,
    write_bytes,
    write_list,
    write_text,
    write_uint,
)
from polynya.wire.errors import WireError


def _bad(where: str) -> WireError:
    return WireError("message", where)


@message
class Unknown:
    """A member of an open union that this version does not know; it cannot be encoded."""

    tag: int


PROTOCOL_VERSION: Final[int] = 1
"""2026-11: the first protocol"""
RECORD_STEPS: Final[tuple[int, ...]] = (512, 1024, 2048, 4096)
"""sizes of a record in bytes, seal included; a short text with MLS overhead is ~400"""
RESPONSE_STEPS: Final[tuple[int, ...]] = (256, 1024, 4096, 16384, 65536, 98304)
"""sizes of a sealed request or response's plaintext in bytes; the largest holds one 64 KiB blob part"""
BLOB_PART: Final[int] = 65536
"""most bytes of a blob that one request carries"""
BLOB_MAX: Final[int] = 104857600
"""100 MiB: a phone's video of a minute; bounded so that one upload cannot fill a small disk"""
FILE_MAX: Final[int] = 104832000
"""bytes of a file: 1,600 chunks of 65,520, sealed, fill BLOB_MAX"""
FETCH_LIMIT: Final[int] = 64
"""most entries in one answer: 64 x 1 KiB typical records fill one 64 KiB step"""
SUBSCRIBE_LIMIT: Final[int] = 256
"""most topics and inboxes in one request: 256 x 34 bytes = 8.5 KiB"""
KEY_PACKAGE_MAX: Final[int] = 8192
"""an X-Wing key package with its seal is ~3.6 KB"""
KEY_PACKAGES_STORED: Final[int] = 50
"""one-time key packages kept for one owner"""
EPHEMERAL_MAX: Final[int] = 256
"""typing and the like"""
REQUEST_WINDOW: Final[int] = 600000
"""ms: how far a request's time may be from the relay's; the relay remembers encapsulations that long"""
KEY_CONFIG_LIFETIME: Final[int] = 604800000
"""ms: a week; its private key is destroyed after two"""
RECEIVE_KEYS_LIFETIME: Final[int] = 1209600000
"""ms: 14 days; receive keys of past epochs, and how long an old topic is read"""
CONTENT_RETENTION_DAYS: Final[int] = 30
"""default retention of records"""
COMMIT_RETENTION_DAYS: Final[int] = 365
"""records with a slot"""
INVITE_LIFETIME: Final[int] = 1209600000
"""ms: 14 days"""
SUITE_X25519: Final[int] = 1
"""MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519"""
SUITE_XWING: Final[int] = 61441
"""0xF001, private use: as SUITE_X25519 with X-Wing (draft-connolly-cfrg-xwing-kem) for the KEM"""
XWING_MEMBERS_MAX: Final[int] = 64
"""a group made for more has SUITE_X25519: a commit just after a mass add costs 1.2 KB a member with X-Wing"""
EXTENSION_CONVERSATION: Final[int] = 61601
"""0xF0A1, GroupContext: ConversationInfo (private use, RFC 9420 section 17.3)"""
TOKEN_SIZE: Final[int] = 354
"""a token of RFC 9578's type 0x0002: type, nonce, challenge digest, key id, 2048-bit signature"""
TOKEN_KEY_PERIOD: Final[int] = 2419200000
"""ms: four weeks; a token key's `not_before` is a multiple of it"""
TOKEN_KEY_LIFETIME: Final[int] = 4838400000
"""ms: eight weeks; as long tokens of a key are taken"""
TOKENS_ISSUED: Final[int] = 64
"""most tokens in one request"""
EXTENSION_TOPIC: Final[int] = 61602
"""0xF0A2, GroupInfo: JoinInfo"""


class RefusalCode(IntEnum):
    BAD_REQUEST = 1
    """the request is not of the protocol's form"""
    UNKNOWN_TOPIC = 2
    """no such topic here (never made, or expired)"""
    UNKNOWN_INBOX = 3
    """no such inbox here (never made, or revoked)"""
    UNKNOWN_BLOB = 4
    """no such blob here, or not yet whole"""
    NO_KEY_PACKAGE = 5
    """the owner has left none"""
    TOO_LARGE = 6
    """over a size limit"""
    TOO_MANY = 7
    """over a rate or count limit; retry_after says when"""
    FULL = 8
    """the relay's disk is full"""
    CLOCK = 9
    """the request's time is outside the window; the reply's time is the relay's"""
    REPEATED = 10
    """this encapsulation was seen before"""
    SESSION_ONLY = 11
    """this verb needs a session"""
    INTERNAL = 12
    """the relay failed; try again later"""
    EXISTS = 13
    """it exists already with other properties"""
    NO_MEMBER = 14
    """nobody here is known by this member secret"""
    TOKEN = 15
    """a token is missing, spent, or not of this relay"""
    TOKEN_KEY = 16
    """tokens are not issued with this key; ask for the keys again"""


_REFUSAL_CODE: Final = {int(member): member for member in RefusalCode}


class TokenKind(IntEnum):
    USE = 1
    """pays for room on the relay"""
    JOIN = 2
    """makes its holder a member"""


_TOKEN_KIND: Final = {int(member): member for member in TokenKind}


class ConversationKind(IntEnum):
    DIRECT = 1
    """two people; nobody removes the other"""
    GROUP = 2
    """admins add and remove"""


_CONVERSATION_KIND: Final = {int(member): member for member in ConversationKind}


class ReceiptKind(IntEnum):
    DELIVERED = 1
    """on the device"""
    READ = 2
    """shown to the person"""


_RECEIPT_KIND: Final = {int(member): member for member in ReceiptKind}


class IntentKind(IntEnum):
    LEAVE = 1
    """the sender wishes to be removed; any member may commit it"""


_INTENT_KIND: Final = {int(member): member for member in IntentKind}


@message
class RelayAddress:
    """Where a relay is and who it must be."""

    url: str
    """http(s)://host[:port]/secret-path, no slash at the end"""
    identity: bytes
    """Ed25519 public key"""


@message
class KeyConfig:
    """One key that requests are sealed to."""

    id: int
    kem: int
    """HPKE KEM id; 0x647A X-Wing"""
    public_key: bytes
    not_before: int
    """ms"""
    not_after: int
    """ms"""


@message
class KeyConfigList:
    configs: tuple[KeyConfig, ...]


@message
class SignedKeyConfigs:
    """What GET <path>/keys answers: body is an encoded KeyConfigList, signed by the relay's identity."""

    body: bytes
    signature: bytes


@message
class TokenKey:
    """What tokens of one kind are signed with, from one time on."""

    kind: TokenKind
    spki: bytes
    """SubjectPublicKeyInfo (RFC 9578 section 6.5): RSASSA-PSS, 2048 bits"""
    not_before: int
    """ms, a multiple of TOKEN_KEY_PERIOD"""
    not_after: int
    """ms, TOKEN_KEY_LIFETIME later"""


@message
class TokenKeyList:
    keys: tuple[TokenKey, ...]


@message
class SignedTokenKeys:
    """Body is an encoded TokenKeyList; signature by the relay's identity over 'polynya token keys 1' || body."""

    body: bytes
    signature: bytes


@message
class CreateTopic:
    """Makes the topic of this write secret; repeating it changes nothing."""

    write_secret: bytes = field(repr=False)
    retention_days: int
    token: bytes | None = field(default=None, repr=False)
    """of kind use, as in all requests but JoinRelay"""


@message
class Publish:
    """Appends a record. Repeating the same record answers as the first time."""

    write_secret: bytes = field(repr=False)
    record: bytes
    slot: bytes | None = None
    blobs: tuple[bytes, ...] | None = None
    """blobs that must be whole before this record is taken"""


@message
class Fetch:
    topic: bytes
    after: int
    limit: int


@message
class CreateInbox:
    read_secret: bytes = field(repr=False)
    token: bytes | None = field(default=None, repr=False)


@message
class Drop:
    """Appends a record to an inbox. Repeating the same record answers as the first time."""

    inbox: bytes
    record: bytes
    blobs: tuple[bytes, ...] | None = None


@message
class FetchInbox:
    read_secret: bytes = field(repr=False)
    after: int
    limit: int


@message
class TrimInbox:
    """Forgets the inbox's records up to and including `upto`."""

    read_secret: bytes = field(repr=False)
    upto: int


@message
class DeleteInbox:
    read_secret: bytes = field(repr=False)


@message
class PutKeyPackages:
    """Adds one-time key packages (sealed) and replaces the last-resort one."""

    owner_secret: bytes = field(repr=False)
    packages: tuple[bytes, ...]
    last_resort: bytes | None = None
    token: bytes | None = field(default=None, repr=False)


@message
class TakeKeyPackage:
    owner: bytes


@message
class PutBlob:
    """Appends a part at `offset`, which must be what the relay has so far; it answers how much it has."""

    id: bytes
    """SHA-256 of the whole blob"""
    total: int
    offset: int
    part: bytes
    """empty: only ask how much is there"""
    token: bytes | None = field(default=None, repr=False)
    """with a part in which a MiB of the blob begins"""


@message
class GetBlob:
    id: bytes
    offset: int
    length: int


@message
class Subscribe:
    """From now on push what arrives in these; session only."""

    topics: tuple[bytes, ...]
    inboxes: tuple[bytes, ...] = field(repr=False)
    """read secrets"""


@message
class Unsubscribe:
    topics: tuple[bytes, ...]
    inboxes: tuple[bytes, ...]
    """inbox ids"""


@message
class SendEphemeral:
    """Pushed to the topic's other live subscribers, never stored; session only."""

    write_secret: bytes = field(repr=False)
    body: bytes


@message
class Ping:
    """Answers Done."""


@message
class JoinRelay:
    """Makes the holder of this secret a member, who may be issued tokens; repeating it changes nothing and spends nothing."""

    member_secret: bytes = field(repr=False)
    token: bytes | None = field(default=None, repr=False)
    """of kind join; without one only so many may join in a day"""


@message
class GetTokenKeys:
    """Without content."""


@message
class IssueTokens:
    """Asks for signatures on blinded messages (RFC 9474). Repeating it gives the same signatures and counts once."""

    member_secret: bytes = field(repr=False)
    kind: TokenKind
    key_id: bytes
    """SHA-256 of the newest key's spki"""
    blinded: tuple[bytes, ...] = field(repr=False)


@message
class Receipt:
    """The relay's word on one position of a slot; signature over ReceiptBody."""

    position: int
    """0 for the first record of the slot"""
    signature: bytes


@message
class ReceiptBody:
    """What a receipt signs, after the label 'polynya receipt 1'."""

    topic: bytes
    slot: bytes
    position: int
    seq: int
    record_hash: bytes
    blobs: tuple[bytes, ...] | None = None
    """as in Publish"""


@message
class Entry:
    """One position of a topic's or inbox's log. Without `record` it has expired and only its hash is left."""

    seq: int
    time: int
    """ms, when the relay took it"""
    record: bytes | None = None
    record_hash: bytes | None = None
    """only where `record` is absent"""
    slot: bytes | None = None
    receipt: Receipt | None = None
    blobs: tuple[bytes, ...] | None = None
    """as in Publish: they were whole when the record was taken"""


@message
class Done:
    """Without content."""


@message
class Published:
    seq: int
    time: int
    """ms"""
    receipt: Receipt | None = None


@message
class Records:
    entries: tuple[Entry, ...]
    head: int
    """seq of the newest entry; 0 when empty"""


@message
class Heads:
    """Answer to Subscribe: newest seq of each topic, then of each inbox, in the order asked."""

    topics: tuple[Head, ...]
    inboxes: tuple[Head, ...]


@message
class Head:
    known: bool
    """whether there is such a topic or inbox here"""
    seq: int


@message
class KeyPackagesStored:
    count: int
    """one-time key packages now there"""


@message
class KeyPackageTaken:
    package: bytes
    last_resort: bool


@message
class BlobState:
    received: int
    """bytes the relay has; the whole when equal to total"""


@message
class BlobPart:
    total: int
    part: bytes


@message
class Refused:
    code: RefusalCode
    retry_after: int | None = None
    """ms"""


@message
class TokensIssued:
    signatures: tuple[bytes, ...] = field(repr=False)
    """blind signatures, in the order asked"""


@message
class Exchange:
    """Plaintext of a sealed request (before padding)."""

    version: int
    time: int
    """ms, the client's estimate of the relay's clock"""
    request: Request


@message
class Answer:
    """Plaintext of a sealed response (before padding)."""

    time: int
    """ms, the relay's clock"""
    response: Response


@message
class SessionHello:
    """Sealed in the first frame of a session."""

    version: int
    time: int
    public_key: bytes
    """the client's ephemeral X-Wing public key"""


@message
class SessionAccept:
    """The relay's first frame, in the clear: an encapsulation to the hello's key."""

    enc: bytes


@message
class Call:
    id: int
    request: Request


@message
class Reply:
    id: int
    time: int
    response: Response


@message
class Push:
    source: bytes
    """topic id or inbox id"""
    entry: Entry


@message
class EphemeralPush:
    topic: bytes
    body: bytes


@message
class Inline:
    body: bytes


@message
class InBlob:
    """The body is too large for a record: it is this blob, sealed as one file (see FileReference)."""

    blob: bytes
    key: bytes = field(repr=False)
    size: int
    """bytes of the body"""


@message
class DeviceEntry:
    signature_key: bytes
    """the device's MLS signature key"""
    added: int
    """ms"""


@message
class DeviceListBody:
    number: int
    devices: tuple[DeviceEntry, ...]


@message
class DeviceList:
    """A person's devices; the signature is the identity key's, over 'polynya device list 1' || body."""

    body: bytes
    signature: bytes


@message
class DeviceCredential:
    """Identity of an MLS basic credential: binds the leaf's signature key to a person. Signature over 'polynya device 1' || signature_key || list_number (8 bytes)."""

    identity: bytes
    """the person's Ed25519 identity key"""
    list_number: int
    """number of the device list that first named the device"""
    signature: bytes


@message
class PackageOwner:
    """Where the key packages of one suite are to be had."""

    suite: int
    owner: bytes
    """key package owner id"""


@message
class Reach:
    """How to reach one device outside a conversation: an inbox, its sealing key, and its key packages."""

    relay: RelayAddress
    inbox: bytes
    inbox_key: bytes = field(repr=False)
    owners: tuple[PackageOwner, ...]
    """one for each suite"""
    package_key: bytes = field(repr=False)
    """opens the sealed key packages"""


@message
class ConversationInfo:
    """GroupContext extension 0xF0A1."""

    kind: ConversationKind
    name: str
    """empty in a direct conversation"""
    admins: tuple[bytes, ...]
    """identity keys"""
    relays: tuple[RelayAddress, ...]
    """the first is the one in use"""
    retention_days: int
    members_add: bool
    """members who are not admins may add"""


@message
class JoinInfo:
    """GroupInfo extension 0xF0A2 in a Welcome: where the joiner starts to read."""

    topic_secret: bytes = field(repr=False)
    seq: int
    """seq that the committer had processed before its commit"""
    head: bytes
    """hash chain's head at that seq"""


@message
class CommitData:
    """Authenticated data of a commit."""

    leaves: tuple[LeaveProof, ...] | None = None


@message
class LeaveProof:
    """A member's signed wish that these leaves of theirs be removed; the identity key's signature over 'polynya leave 1' || id of the MLS group || identity || leaves in a row."""

    identity: bytes
    leaves: tuple[bytes, ...]
    """SHA-256 of 'polynya leaf 1' || LeafNode, as the leaf is in the epoch of signing"""
    signature: bytes


@message
class MovedBody:
    group: bytes
    """id of the ended MLS group"""
    epoch: int
    """its last"""
    identity: bytes
    """who founds the successor"""
    group_info: bytes
    """the successor's GroupInfo in epoch 1 with its ratchet_tree, an MLSMessage"""
    welcome: bytes | None = None
    """for all other members, without the tree; absent where there are none"""


@message
class Moved:
    """The group goes on in this successor (protocol, section 5.7). Signature by the identity over 'polynya moved 1' || body."""

    body: bytes
    signature: bytes


@message
class Text:
    text: str
    reply_to: bytes | None = None


@message
class Reaction:
    target: bytes
    emoji: str
    """empty: the sender's reaction is taken back"""


@message
class Edit:
    target: bytes
    text: str


@message
class Delete:
    target: bytes


@message
class ReceiptContent:
    kind: ReceiptKind
    ids: tuple[bytes, ...]


@message
class FileReference:
    """A file: the blob is AES-256-GCM over 64 KiB chunks, see the protocol, section Files."""

    blob: bytes
    key: bytes = field(repr=False)
    size: int
    """bytes of the file"""
    name: str
    media_type: str
    width: int | None = None
    height: int | None = None
    preview: bytes | None = None
    """a tiny JPEG or WebP"""
    caption: str | None = None
    reply_to: bytes | None = None


@message
class Profile:
    name: str
    reach: Reach | None = None


@message
class Intent:
    kind: IntentKind
    proof: LeaveProof | None = None


@message
class DeviceListContent:
    list: DeviceList


@message
class Typing:
    active: bool


@message
class Message:
    """Application data of an MLS message."""

    id: bytes
    """random; the same in every re-encryption"""
    sent: int
    """ms, the sender's clock"""
    content: Content
    topic: bytes
    """topic whose log `seq` and `head` speak of"""
    seq: int
    """last seq the sender had processed"""
    head: bytes
    """hash chain's head at that seq"""
    device_list: int
    """number of the sender's current device list"""


@message
class EphemeralMessage:
    """Sealed under the epoch's ephemeral key: proves a member, not which one."""

    leaf: int
    sent: int
    content: EphemeralContent


@message
class InviteLink:
    """In the fragment of an invite link, with a check behind it (protocol, section 7)."""

    version: int
    relay: bytes
    """the relay's identity"""
    card: bytes
    """blob id of the sealed card"""
    secret: bytes = field(repr=False)
    url: str | None = None
    """the relay's address where it is not the link's own"""


@message
class RelayLink:
    """In the fragment of the link that a relay prints."""

    version: int
    relay: bytes
    url: str | None = None


@message
class CardBody:
    identity: bytes
    name: str
    inbox: bytes
    """the invite's own inbox"""
    public_key: bytes
    """X-Wing key that contact requests are sealed to"""
    expires: int


@message
class Card:
    """Signature by the identity over 'polynya card 1' || body. Tokens are for the invited, of the relay in the link."""

    body: bytes
    signature: bytes
    tokens: tuple[bytes, ...] | None = field(default=None, repr=False)
    """of kind use"""
    join: bytes | None = field(default=None, repr=False)
    """of kind join"""
    token_keys: SignedTokenKeys | None = None
    """as the inviter saw them"""


@message
class ContactRequestBody:
    card: bytes
    """the invite's card blob: binds the request to it"""
    identity: bytes
    name: str
    devices: DeviceList
    reach: Reach
    text: str | None = None


@message
class ContactRequest:
    """Signature by the identity over 'polynya contact request 1' || body."""

    body: bytes
    signature: bytes


@message
class RosterEntry:
    identity: bytes
    name: str
    reach: Reach | None = None


@message
class WelcomeMessage:
    """Someone added us. `roster` is what the adder knows of the others; names are the adder's word."""

    welcome: bytes
    roster: tuple[RosterEntry, ...]
    tree: bytes | None = None
    former: tuple[bytes, ...] | None = None
    """ids of groups that went on in this one by ReInit, in no order"""


@message
class ReAddBody:
    group: bytes
    """id of the MLS group that the member reads"""
    identity: bytes
    epoch: int
    key_package: bytes
    time: int


@message
class ReAddRequest:
    """A member who cannot go on asks to be removed and added again. Signature by the identity over 'polynya re-add 1' || body."""

    body: bytes
    signature: bytes


Request: TypeAlias = Union[CreateTopic, Publish, Fetch, CreateInbox, Drop, FetchInbox, TrimInbox, DeleteInbox, PutKeyPackages, TakeKeyPackage, PutBlob, GetBlob, Subscribe, Unsubscribe, SendEphemeral, Ping, JoinRelay, GetTokenKeys, IssueTokens]


Response: TypeAlias = Union[Done, Published, Records, Heads, KeyPackagesStored, KeyPackageTaken, BlobState, BlobPart, Refused, SignedTokenKeys, TokensIssued]


ClientFrame: TypeAlias = Call


RelayFrame: TypeAlias = Union[Reply, Push, EphemeralPush]


RecordBody: TypeAlias = Union[Inline, InBlob]


Content: TypeAlias = Union[Text, Reaction, Edit, Delete, ReceiptContent, FileReference, Profile, Intent, DeviceListContent, Unknown]


EphemeralContent: TypeAlias = Union[Typing, Unknown]


InboxMessage: TypeAlias = Union[ContactRequest, WelcomeMessage, ReAddRequest]


def encode_relay_address(value: RelayAddress) -> bytes:
    """Raises WireError (`message`) for a RelayAddress over a limit."""
    if len(value.identity) != 32:
        raise _bad("RelayAddress.identity")
    return b"\xa2\x01" + write_text(value.url, 256, "RelayAddress.url") + b"\x02\x58\x20" + value.identity


def _read_relay_address(d: bytes, p: int) -> tuple[RelayAddress, int]:
    if d[p] != 162:
        raise _bad("RelayAddress")
    p += 1
    if d[p] != 1:
        raise _bad("RelayAddress.url")
    url_, p = read_text(d, p + 1, 256, "RelayAddress.url")
    if d[p : p + 3] != b"\x02\x58\x20":
        raise _bad("RelayAddress.identity")
    identity_ = d[p + 3 : p + 35]
    p += 35
    return RelayAddress(url_, identity_), p


def decode_relay_address(data: bytes) -> RelayAddress:
    """Raises WireError: a cbor-* rule, or `message`."""
    return cbor.finish(_read_relay_address, data)


def encode_key_config(value: KeyConfig) -> bytes:
    """Raises WireError (`message`) for a KeyConfig over a limit."""
    return b"\xa5\x01" + write_uint(value.id, 255, "KeyConfig.id") + b"\x02" + write_uint(value.kem, 65535, "KeyConfig.kem") + b"\x03" + write_bytes(value.public_key, 0, 2048, "KeyConfig.public_key") + b"\x04" + write_uint(value.not_before, 9007199254740991, "KeyConfig.not_before") + b"\x05" + write_uint(value.not_after, 9007199254740991, "KeyConfig.not_after")


def _read_key_config(d: bytes, p: int) -> tuple[KeyConfig, int]:
    if d[p] != 165:
        raise _bad("KeyConfig")
    p += 1
    if d[p] != 1:
        raise _bad("KeyConfig.id")
    id_, p = read_uint(d, p + 1)
    if id_ > 255:
        raise _bad("KeyConfig.id")
    if d[p] != 2:
        raise _bad("KeyConfig.kem")
    kem_, p = read_uint(d, p + 1)
    if kem_ > 65535:
        raise _bad("KeyConfig.kem")
    if d[p] != 3:
        raise _bad("KeyConfig.public_key")
    public_key_, p = read_bytes(d, p + 1, 0, 2048, "KeyConfig.public_key")
    if d[p] != 4:
        raise _bad("KeyConfig.not_before")
    not_before_, p = read_uint(d, p + 1)
    if d[p] != 5:
        raise _bad("KeyConfig.not_after")
    not_after_, p = read_uint(d, p + 1)
    return KeyConfig(id_, kem_, public_key_, not_before_, not_after_), p


def decode_key_config(data: bytes) -> KeyConfig:
    """Raises WireError: a cbor-* rule, or `message`."""
    return cbor.finish(_read_key_config, data)


def encode_key_config_list(value: KeyConfigList) -> bytes:
    """Raises WireError (`message`) for a KeyConfigList over a limit."""
    return b"\xa1\x01" + write_list([encode_key_config(item) for item in value.configs], 4, "KeyConfigList.configs")


def _read_key_config_list(d: bytes, p: int) -> tuple[KeyConfigList, int]:
    if d[p] != 161:
        raise _bad("KeyConfigList")
    p += 1
    if d[p] != 1:
        raise _bad("KeyConfigList.configs")
    n, p = read_count(d, p + 1)
    if n > 4:
        raise _bad("KeyConfigList.configs")
    configs_list: list[KeyConfig] = []
    for _ in range(n):
        configs_item, p = _read_key_config(d, p)
        configs_list.append(configs_item)
    configs_ = tuple(configs_list)
    return KeyConfigList(configs_), p


def decode_key_config_list(data: bytes) -> KeyConfigList:
    """Raises WireError: a cbor-* rule, or `message`."""
    return cbor.finish(_read_key_config_list, data)


def encode_signed_key_configs(value: SignedKeyConfigs) -> bytes:
    """Raises WireError (`message`) for a SignedKeyConfigs over a limit."""
    if len(value.signature) != 64:
        raise _bad("SignedKeyConfigs.signature")
    return b"\xa2\x01" + write_bytes(value.body, 0, 8192, "SignedKeyConfigs.body") + b"\x02\x58\x40" + value.signature


def _read_signed_key_configs(d: bytes, p: int) -> tuple[SignedKeyConfigs, int]:
    if d[p] != 162:
        raise _bad("SignedKeyConfigs")
    p += 1
    if d[p] != 1:
        raise _bad("SignedKeyConfigs.body")
    body_, p = read_bytes(d, p + 1, 0, 8192, "SignedKeyConfigs.body")
    if d[p : p + 3] != b"\x02\x58\x40":
        raise _bad("SignedKeyConfigs.signature")
    signature_ = d[p + 3 : p + 67]
    p += 67
    return SignedKeyConfigs(body_, signature_), p


def decode_signed_key_configs(data: bytes) -> SignedKeyConfigs:
    """Raises WireError: a cbor-* rule, or `message`."""
    return cbor.finish(_read_signed_key_configs, data)


def encode_token_key(value: TokenKey) -> bytes:
    """Raises WireError (`message`) for a TokenKey over a limit."""
    if value.kind not in _TOKEN_KIND:
        raise _bad("TokenKey.kind")
    return b"\xa4\x01" + write_uint(value.kind, 2, "TokenKey.kind") + b"\x02" + write_bytes(value.spki, 0, 512, "TokenKey.spki") + b"\x03" + write_uint(value.not_before, 9007199254740991, "TokenKey.not_before") + b"\x04" + write_uint(value.not_after, 9007199254740991, "TokenKey.not_after")


def _read_token_key(d: bytes, p: int) -> tuple[TokenKey, int]:
    if d[p] != 164:
        raise _bad("TokenKey")
    p += 1
    if d[p] != 1:
        raise _bad("TokenKey.kind")
    n, p = read_uint(d, p + 1)
    kind_ = _TOKEN_KIND[n]
    if d[p] != 2:
        raise _bad("TokenKey.spki")
    spki_, p = read_bytes(d, p + 1, 0, 512, "TokenKey.spki")
    if d[p] != 3:
        raise _bad("TokenKey.not_before")
    not_before_, p = read_uint(d, p + 1)
    if d[p] != 4:
        raise _bad("TokenKey.not_after")
    not_after_, p = read_uint(d, p + 1)
    return TokenKey(kind_, spki_, not_before_, not_after_), p


def decode_token_key(data: bytes) -> TokenKey:
    """Raises WireError: a cbor-* rule, or `message`."""
    return cbor.finish(_read_token_key, data)


def encode_token_key_list(value: TokenKeyList) -> bytes:
    """Raises WireError (`message`) for a TokenKeyList over a limit."""
    return b"\xa1\x01" + write_list([encode_token_key(item) for item in value.keys], 8, "TokenKeyList.keys")


def _read_token_key_list(d: bytes, p: int) -> tuple[TokenKeyList, int]:
    if d[p] != 161:
        raise _bad("TokenKeyList")
    p += 1
    if d[p] != 1:
        raise _bad("TokenKeyList.keys")
    n, p = read_count(d, p + 1)
    if n > 8:
        raise _bad("TokenKeyList.keys")
    keys_list: list[TokenKey] = []
    for _ in range(n):
        keys_item, p = _read_token_key(d, p)
        keys_list.append(keys_item)
    keys_ = tuple(keys_list)
    return TokenKeyList(keys_), p


def decode_token_key_list(data: bytes) -> TokenKeyList:
    """Raises WireError: a cbor-* rule, or `message`."""
    return cbor.finish(_read_token_key_list, data)


def encode_signed_token_keys(value: SignedTokenKeys) -> bytes:
    """Raises WireError (`message`) for a SignedTokenKeys over a limit."""
    if len(value.signature) != 64:
        raise _bad("SignedTokenKeys.signature")
    return b"\xa2\x01" + write_bytes(value.body, 0, 8192, "SignedTokenKeys.body") + b"\x02\x58\x40" + value.signature


def _read_signed_token_keys(d: bytes, p: int) -> tuple[SignedTokenKeys, int]:
    if d[p] != 162:
        raise _bad("SignedTokenKeys")
    p += 1
    if d[p] != 1:
        raise _bad("SignedTokenKeys.body")
    body_, p = read_bytes(d, p + 1, 0, 8192, "SignedTokenKeys.body")
    if d[p : p + 3] != b"\x02\x58\x40":
        raise _bad("SignedTokenKeys.signature")
    signature_ = d[p + 3 : p + 67]
    p += 67
    return SignedTokenKeys(body_, signature_), p


def decode_signed_token_keys(data: bytes) -> SignedTokenKeys:
    """Raises WireError: a cbor-* rule, or `message`."""
    return cbor.finish(_read_signed_token_keys, data)


def encode_create_topic(value: CreateTopic) -> bytes:
    """Raises WireError (`message`) for a CreateTopic over a limit."""
    count = 2
    if len(value.write_secret) != 32:
        raise _bad("CreateTopic.write_secret")
    data = b"\x01\x58\x20" + value.write_secret + b"\x02" + write_uint(value.retention_days, 365, "CreateTopic.retention_days")
    token_ = value.token
    if token_ is not None:
        if len(token_) != 354:
            raise _bad("CreateTopic.token")
        count += 1
        data += b"\x03\x59\x01\x62" + token_
    return head(0xA0, count) + data


def _read_create_topic(d: bytes, p: int) -> tuple[CreateTopic, int]:
    left = d[p] - 162
    if left < 0 or left > 1:
        raise _bad("CreateTopic")
    p += 1
    if d[p : p + 3] != b"\x01\x58\x20":
        raise _bad("CreateTopic.write_secret")
    write_secret_ = d[p + 3 : p + 35]
    p += 35
    if d[p] != 2:
        raise _bad("CreateTopic.retention_days")
    retention_days_, p = read_uint(d, p + 1)
    if retention_days_ > 365:
        raise _bad("CreateTopic.retention_days")
    token_: bytes | None = None
    if left and d[p] == 3:
        left -= 1
        if d[p : p + 4] != b"\x03\x59\x01\x62":
            raise _bad("CreateTopic.token")
        token_ = d[p + 4 : p + 358]
        p += 358
    if left:
        raise _bad("CreateTopic")
    return CreateTopic(write_secret_, retention_days_, token_), p


def decode_create_topic(data: bytes) -> CreateTopic:
    """Raises WireError: a cbor-* rule, or `message`."""
    return cbor.finish(_read_create_topic, data)


def encode_publish(value: Publish) -> bytes:
    """Raises WireError (`message`) for a Publish over a limit."""
    count = 2
    if len(value.write_secret) != 32:
        raise _bad("Publish.write_secret")
    data = b"\x01\x58\x20" + value.write_secret + b"\x02" + write_bytes(value.record, 29, 4096, "Publish.record")
    slot_ = value.slot
    if slot_ is not None:
        if len(slot_) != 16:
            raise _bad("Publish.slot")
        count += 1
        data += b"\x03\x50" + slot_
    blobs_ = value.blobs
    if blobs_ is not None:
        count += 1
        data += b"\x04" + write_list([write_bytes(item, 32, 32, "Publish.blobs") for item in blobs_], 4, "Publish.blobs")
    return head(0xA0, count) + data


def _read_publish(d: bytes, p: int) -> tuple[Publish, int]:
    left = d[p] - 162
    if left < 0 or left > 2:
        raise _bad("Publish")
    p += 1
    if d[p : p + 3] != b"\x01\x58\x20":
        raise _bad("Publish.write_secret")
    write_secret_ = d[p + 3 : p + 35]
    p += 35
    if d[p] != 2:
        raise _bad("Publish.record")
    record_, p = read_bytes(d, p + 1, 29, 4096, "Publish.record")
    slot_: bytes | None = None
    if left and d[p] == 3:
        left -= 1
        if d[p : p + 2] != b"\x03\x50":
            raise _bad("Publish.slot")
        slot_ = d[p + 2 : p + 18]
        p += 18
    blobs_: tuple[bytes, ...] | None = None
    if left and d[p] == 4:
        left -= 1
        n, p = read_count(d, p + 1)
        if n > 4:
            raise _bad("Publish.blobs")
        blobs_list: list[bytes] = []
        for _ in range(n):
            if d[p : p + 2] != b"\x58\x20":
                raise _bad("Publish.blobs")
            blobs_list.append(d[p + 2 : p + 34])
            p += 34
        blobs_ = tuple(blobs_list)
    if left:
        raise _bad("Publish")
    return Publish(write_secret_, record_, slot_, blobs_), p


def decode_publish(data: bytes) -> Publish:
    """Raises WireError: a cbor-* rule, or `message`."""
    return cbor.finish(_read_publish, data)


def encode_fetch(value: Fetch) -> bytes:
    """Raises WireError (`message`) for a Fetch over a limit."""
    if len(value.topic) != 32:
        raise _bad("Fetch.topic")
    return b"\xa3\x01\x58\x20" + value.topic + b"\x02" + write_uint(value.after, 9007199254740991, "Fetch.after") + b"\x03" + write_uint(value.limit, 64, "Fetch.limit")


def _read_fetch(d: bytes, p: int) -> tuple[Fetch, int]:
    if d[p] != 163:
        raise _bad("Fetch")
    p += 1
    if d[p : p + 3] != b"\x01\x58\x20":
        raise _bad("Fetch.topic")
    topic_ = d[p + 3 : p + 35]
    p += 35
    if d[p] != 2:
        raise _bad("Fetch.after")
    after_, p = read_uint(d, p + 1)
    if d[p] != 3:
        raise _bad("Fetch.limit")
    limit_, p = read_uint(d, p + 1)
    if limit_ > 64:
        raise _bad("Fetch.limit")
    return Fetch(topic_, after_, limit_), p


def decode_fetch(data: bytes) -> Fetch:
    """Raises WireError: a cbor-* rule, or `message`."""
    return cbor.finish(_read_fetch, data)


def encode_create_inbox(value: CreateInbox) -> bytes:
    """Raises WireError (`message`) for a CreateInbox over a limit."""
    count = 1
    if len(value.read_secret) != 32:
        raise _bad("CreateInbox.read_secret")
    data = b"\x01\x58\x20" + value.read_secret
    token_ = value.token
    if token_ is not None:
        if len(token_) != 354:
            raise _bad("CreateInbox.token")
        count += 1
        data += b"\x02\x59\x01\x62" + token_
    return head(0xA0, count) + data


def _read_create_inbox(d: bytes, p: int) -> tuple[CreateInbox, int]:
    left = d[p] - 161
    if left < 0 or left > 1:
        raise _bad("CreateInbox")
    p += 1
    if d[p : p + 3] != b"\x01\x58\x20":
        raise _bad("CreateInbox.read_secret")
    read_secret_ = d[p + 3 : p + 35]
    p += 35
    token_: bytes | None = None
    if left and d[p] == 2:
        left -= 1
        if d[p : p + 4] != b"\x02\x59\x01\x62":
            raise _bad("CreateInbox.token")
        token_ = d[p + 4 : p + 358]
        p += 358
    if left:
        raise _bad("CreateInbox")
    return CreateInbox(read_secret_, token_), p


def decode_create_inbox(data: bytes) -> CreateInbox:
    """Raises WireError: a cbor-* rule, or `message`."""
    return cbor.finish(_read_create_inbox, data)


def encode_drop(value: Drop) -> bytes:
    """Raises WireError (`message`) for a Drop over a limit."""
    count = 2
    if len(value.inbox) != 32:
        raise _bad("Drop.inbox")
    data = b"\x01\x58\x20" + value.inbox + b"\x02" + write_bytes(value.record, 29, 4096, "Drop.record")
    blobs_ = value.blobs
    if blobs_ is not None:
        count += 1
        data += b"\x03" + write_list([write_bytes(item, 32, 32, "Drop.blobs") for item in blobs_], 4, "Drop.blobs")
    return head(0xA0, count) + data


def _read_drop(d: bytes, p: int) -> tuple[Drop, int]:
    left = d[p] - 162
    if left < 0 or left > 1:
        raise _bad("Drop")
    p += 1
    if d[p : p + 3] != b"\x01\x58\x20":
        raise _bad("Drop.inbox")
    inbox_ = d[p + 3 : p + 35]
    p += 35
    if d[p] != 2:
        raise _bad("Drop.record")
    record_, p = read_bytes(d, p + 1, 29, 4096, "Drop.record")
    blobs_: tuple[bytes, ...] | None = None
    if left and d[p] == 3:
        left -= 1
        n, p = read_count(d, p + 1)
        if n > 4:
            raise _bad("Drop.blobs")
        blobs_list: list[bytes] = []
        for _ in range(n):
            if d[p : p + 2] != b"\x58\x20":
                raise _bad("Drop.blobs")
            blobs_list.append(d[p + 2 : p + 34])
            p += 34
        blobs_ = tuple(blobs_list)
    if left:
        raise _bad("Drop")
    return Drop(inbox_, record_, blobs_), p


def decode_drop(data: bytes) -> Drop:
    """Raises WireError: a cbor-* rule, or `message`."""
    return cbor.finish(_read_drop, data)


def encode_fetch_inbox(value: FetchInbox) -> bytes:
    """Raises WireError (`message`) for a FetchInbox over a limit."""
    if len(value.read_secret) != 32:
        raise _bad("FetchInbox.read_secret")
    return b"\xa3\x01\x58\x20" + value.read_secret + b"\x02" + write_uint(value.after, 9007199254740991, "FetchInbox.after") + b"\x03" + write_uint(value.limit, 64, "FetchInbox.limit")


def _read_fetch_inbox(d: bytes, p: int) -> tuple[FetchInbox, int]:
    if d[p] != 163:
        raise _bad("FetchInbox")
    p += 1
    if d[p : p + 3] != b"\x01\x58\x20":
        raise _bad("FetchInbox.read_secret")
    read_secret_ = d[p + 3 : p + 35]
    p += 35
    if d[p] != 2:
        raise _bad("FetchInbox.after")
    after_, p = read_uint(d, p + 1)
    if d[p] != 3:
        raise _bad("FetchInbox.limit")
    limit_, p = read_uint(d, p + 1)
    if limit_ > 64:
        raise _bad("FetchInbox.limit")
    return FetchInbox(read_secret_, after_, limit_), p


def decode_fetch_inbox(data: bytes) -> FetchInbox:
    """Raises WireError: a cbor-* rule, or `message`."""
    return cbor.finish(_read_fetch_inbox, data)


def encode_trim_inbox(value: TrimInbox) -> bytes:
    """Raises WireError (`message`) for a TrimInbox over a limit."""
    if len(value.read_secret) != 32:
        raise _bad("TrimInbox.read_secret")
    return b"\xa2\x01\x58\x20" + value.read_secret + b"\x02" + write_uint(value.upto, 9007199254740991, "TrimInbox.upto")


def _read_trim_inbox(d: bytes, p: int) -> tuple[TrimInbox, int]:
    if d[p] != 162:
        raise _bad("TrimInbox")
    p += 1
    if d[p : p + 3] != b"\x01\x58\x20":
        raise _bad("TrimInbox.read_secret")
    read_secret_ = d[p + 3 : p + 35]
    p += 35
    if d[p] != 2:
        raise _bad("TrimInbox.upto")
    upto_, p = read_uint(d, p + 1)
    return TrimInbox(read_secret_, upto_), p


def decode_trim_inbox(data: bytes) -> TrimInbox:
    """Raises WireError: a cbor-* rule, or `message`."""
    return cbor.finish(_read_trim_inbox, data)


def encode_delete_inbox(value: DeleteInbox) -> bytes:
    """Raises WireError (`message`) for a DeleteInbox over a limit."""
    if len(value.read_secret) != 32:
        raise _bad("DeleteInbox.read_secret")
    return b"\xa1\x01\x58\x20" + value.read_secret


def _read_delete_inbox(d: bytes, p: int) -> tuple[DeleteInbox, int]:
    if d[p] != 161:
        raise _bad("DeleteInbox")
    p += 1
    if d[p : p + 3] != b"\x01\x58\x20":
        raise _bad("DeleteInbox.read_secret")
    read_secret_ = d[p + 3 : p + 35]
    p += 35
    return DeleteInbox(read_secret_), p


def decode_delete_inbox(data: bytes) -> DeleteInbox:
    """Raises WireError: a cbor-* rule, or `message`."""
    return cbor.finish(_read_delete_inbox, data)


def encode_put_key_packages(value: PutKeyPackages) -> bytes:
    """Raises WireError (`message`) for a PutKeyPackages over a limit."""
    count = 2
    if len(value.owner_secret) != 32:
        raise _bad("PutKeyPackages.owner_secret")
    data = b"\x01\x58\x20" + value.owner_secret + b"\x02" + write_list([write_bytes(item, 0, 8192, "PutKeyPackages.packages") for item in value.packages], 10, "PutKeyPackages.packages")
    last_resort_ = value.last_resort
    if last_resort_ is not None:
        count += 1
        data += b"\x03" + write_bytes(last_resort_, 0, 8192, "PutKeyPackages.last_resort")
    token_ = value.token
    if token_ is not None:
        if len(token_) != 354:
            raise _bad("PutKeyPackages.token")
        count += 1
        data += b"\x04\x59\x01\x62" + token_
    return head(0xA0, count) + data


def _read_put_key_packages(d: bytes, p: int) -> tuple[PutKeyPackages, int]:
    left = d[p] - 162
    if left < 0 or left > 2:
        raise _bad("PutKeyPackages")
    p += 1
    if d[p : p + 3] != b"\x01\x58\x20":
        raise _bad("PutKeyPackages.owner_secret")
    owner_secret_ = d[p + 3 : p + 35]
    p += 35
    if d[p] != 2:
        raise _bad("PutKeyPackages.packages")
    n, p = read_count(d, p + 1)
    if n > 10:
        raise _bad("PutKeyPackages.packages")
    packages_list: list[bytes] = []
    for _ in range(n):
        packages_item, p = read_bytes(d, p, 0, 8192, "PutKeyPackages.packages")
        packages_list.append(packages_item)
    packages_ = tuple(packages_list)
    last_resort_: bytes | None = None
    if left and d[p] == 3:
        left -= 1
        last_resort_, p = read_bytes(d, p + 1, 0, 8192, "PutKeyPackages.last_resort")
    token_: bytes | None = None
    if left and d[p] == 4:
        left -= 1
        if d[p : p + 4] != b"\x04\x59\x01\x62":
            raise _bad("PutKeyPackages.token")
        token_ = d[p + 4 : p + 358]
        p += 358
    if left:
        raise _bad("PutKeyPackages")
    return PutKeyPackages(owner_secret_, packages_, last_resort_, token_), p


def decode_put_key_packages(data: bytes) -> PutKeyPackages:
    """Raises WireError: a cbor-* rule, or `message`."""
    return cbor.finish(_read_put_key_packages, data)


def encode_take_key_package(value: TakeKeyPackage) -> bytes:
    """Raises WireError (`message`) for a TakeKeyPackage over a limit."""
    if len(value.owner) != 32:
        raise _bad("TakeKeyPackage.owner")
    return b"\xa1\x01\x58\x20" + value.owner


def _read_take_key_package(d: bytes, p: int) -> tuple[TakeKeyPackage, int]:
    if d[p] != 161:
        raise _bad("TakeKeyPackage")
    p += 1
    if d[p : p + 3] != b"\x01\x58\x20":
        raise _bad("TakeKeyPackage.owner")
    owner_ = d[p + 3 : p + 35]
    p += 35
    return TakeKeyPackage(owner_), p


def decode_take_key_package(data: bytes) -> TakeKeyPackage:
    """Raises WireError: a cbor-* rule, or `message`."""
    return cbor.finish(_read_take_key_package, data)


def encode_put_blob(value: PutBlob) -> bytes:
    """Raises WireError (`message`) for a PutBlob over a limit."""
    count = 4
    if len(value.id) != 32:
        raise _bad("PutBlob.id")
    data = b"\x01\x58\x20" + value.id + b"\x02" + write_uint(value.total, 104857600, "PutBlob.total") + b"\x03" + write_uint(value.offset, 104857600, "PutBlob.offset") + b"\x04" + write_bytes(value.part, 0, 65536, "PutBlob.part")
    token_ = value.token
    if token_ is not None:
        if len(token_) != 354:
            raise _bad("PutBlob.token")
        count += 1
        data += b"\x05\x59\x01\x62" + token_
    return head(0xA0, count) + data


def _read_put_blob(d: bytes, p: int) -> tuple[PutBlob, int]:
    left = d[p] - 164
    if left < 0 or left > 1:
        raise _bad("PutBlob")
    p += 1
    if d[p : p + 3] != b"\x01\x58\x20":
        raise _bad("PutBlob.id")
    id_ = d[p + 3 : p + 35]
    p += 35
    if d[p] != 2:
        raise _bad("PutBlob.total")
    total_, p = read_uint(d, p + 1)
    if total_ > 104857600:
        raise _bad("PutBlob.total")
    if d[p] != 3:
        raise _bad("PutBlob.offset")
    offset_, p = read_uint(d, p + 1)
    if offset_ > 104857600:
        raise _bad("PutBlob.offset")
    if d[p] != 4:
        raise _bad("PutBlob.part")
    part_, p = read_bytes(d, p + 1, 0, 65536, "PutBlob.part")
    token_: bytes | None = None
    if left and d[p] == 5:
        left -= 1
        if d[p : p + 4] != b"\x05\x59\x01\x62":
            raise _bad("PutBlob.token")
        token_ = d[p + 4 : p + 358]
        p += 358
    if left:
        raise _bad("PutBlob")
    return PutBlob(id_, total_, offset_, part_, token_), p


def decode_put_blob(data: bytes) -> PutBlob:
    """Raises WireError: a cbor-* rule, or `message`."""
    return cbor.finish(_read_put_blob, data)


def encode_get_blob(value: GetBlob) -> bytes:
    """Raises WireError (`message`) for a GetBlob over a limit."""
    if len(value.id) != 32:
        raise _bad("GetBlob.id")
    return b"\xa3\x01\x58\x20" + value.id + b"\x02" + write_uint(value.offset, 104857600, "GetBlob.offset") + b"\x03" + write_uint(value.length, 65536, "GetBlob.length")


def _read_get_blob(d: bytes, p: int) -> tuple[GetBlob, int]:
    if d[p] != 163:
        raise _bad("GetBlob")
    p += 1
    if d[p : p + 3] != b"\x01\x58\x20":
        raise _bad("GetBlob.id")
    id_ = d[p + 3 : p + 35]
    p += 35
    if d[p] != 2:
        raise _bad("GetBlob.offset")
    offset_, p = read_uint(d, p + 1)
    if offset_ > 104857600:
        raise _bad("GetBlob.offset")
    if d[p] != 3:
        raise _bad("GetBlob.length")
    length_, p = read_uint(d, p + 1)
    if length_ > 65536:
        raise _bad("GetBlob.length")
    return GetBlob(id_, offset_, length_), p


def decode_get_blob(data: bytes) -> GetBlob:
    """Raises WireError: a cbor-* rule, or `message`."""
    return cbor.finish(_read_get_blob, data)


def encode_subscribe(value: Subscribe) -> bytes:
    """Raises WireError (`message`) for a Subscribe over a limit."""
    return b"\xa2\x01" + write_list([write_bytes(item, 32, 32, "Subscribe.topics") for item in value.topics], 256, "Subscribe.topics") + b"\x02" + write_list([write_bytes(item, 32, 32, "Subscribe.inboxes") for item in value.inboxes], 256, "Subscribe.inboxes")


def _read_subscribe(d: bytes, p: int) -> tuple[Subscribe, int]:
    if d[p] != 162:
        raise _bad("Subscribe")
    p += 1
    if d[p] != 1:
        raise _bad("Subscribe.topics")
    n, p = read_count(d, p + 1)
    if n > 256:
        raise _bad("Subscribe.topics")
    topics_list: list[bytes] = []
    for _ in range(n):
        if d[p : p + 2] != b"\x58\x20":
            raise _bad("Subscribe.topics")
        topics_list.append(d[p + 2 : p + 34])
        p += 34
    topics_ = tuple(topics_list)
    if d[p] != 2:
        raise _bad("Subscribe.inboxes")
    n, p = read_count(d, p + 1)
    if n > 256:
        raise _bad("Subscribe.inboxes")
    inboxes_list: list[bytes] = []
    for _ in range(n):
        if d[p : p + 2] != b"\x58\x20":
            raise _bad("Subscribe.inboxes")
        inboxes_list.append(d[p + 2 : p + 34])
        p += 34
    inboxes_ = tuple(inboxes_list)
    return Subscribe(topics_, inboxes_), p


def decode_subscribe(data: bytes) -> Subscribe:
    """Raises WireError: a cbor-* rule, or `message`."""
    return cbor.finish(_read_subscribe, data)


def encode_unsubscribe(value: Unsubscribe) -> bytes:
    """Raises WireError (`message`) for a Unsubscribe over a limit."""
    return b"\xa2\x01" + write_list([write_bytes(item, 32, 32, "Unsubscribe.topics") for item in value.topics], 256, "Unsubscribe.topics") + b"\x02" + write_list([write_bytes(item, 32, 32, "Unsubscribe.inboxes") for item in value.inboxes], 256, "Unsubscribe.inboxes")


def _read_unsubscribe(d: bytes, p: int) -> tuple[Unsubscribe, int]:
    if d[p] != 162:
        raise _bad("Unsubscribe")
    p += 1
    if d[p] != 1:
        raise _bad("Unsubscribe.topics")
    n, p = read_count(d, p + 1)
    if n > 256:
        raise _bad("Unsubscribe.topics")
    topics_list: list[bytes] = []
    for _ in range(n):
        if d[p : p + 2] != b"\x58\x20":
            raise _bad("Unsubscribe.topics")
        topics_list.append(d[p + 2 : p + 34])
        p += 34
    topics_ = tuple(topics_list)
    if d[p] != 2:
        raise _bad("Unsubscribe.inboxes")
    n, p = read_count(d, p + 1)
    if n > 256:
        raise _bad("Unsubscribe.inboxes")
    inboxes_list: list[bytes] = []
    for _ in range(n):
        if d[p : p + 2] != b"\x58\x20":
            raise _bad("Unsubscribe.inboxes")
        inboxes_list.append(d[p + 2 : p + 34])
        p += 34
    inboxes_ = tuple(inboxes_list)
    return Unsubscribe(topics_, inboxes_), p


def decode_unsubscribe(data: bytes) -> Unsubscribe:
    """Raises WireError: a cbor-* rule, or `message`."""
    return cbor.finish(_read_unsubscribe, data)


def encode_send_ephemeral(value: SendEphemeral) -> bytes:
    """Raises WireError (`message`) for a SendEphemeral over a limit."""
    if len(value.write_secret) != 32:
        raise _bad("SendEphemeral.write_secret")
    return b"\xa2\x01\x58\x20" + value.write_secret + b"\x02" + write_bytes(value.body, 0, 256, "SendEphemeral.body")


def _read_send_ephemeral(d: bytes, p: int) -> tuple[SendEphemeral, int]:
    if d[p] != 162:
        raise _bad("SendEphemeral")
    p += 1
    if d[p : p + 3] != b"\x01\x58\x20":
        raise _bad("SendEphemeral.write_secret")
    write_secret_ = d[p + 3 : p + 35]
    p += 35
    if d[p] != 2:
        raise _bad("SendEphemeral.body")
    body_, p = read_bytes(d, p + 1, 0, 256, "SendEphemeral.body")
    return SendEphemeral(write_secret_, body_), p


def decode_send_ephemeral(data: bytes) -> SendEphemeral:
    """Raises WireError: a cbor-* rule, or `message`."""
    return cbor.finish(_read_send_ephemeral, data)


def encode_ping(value: Ping) -> bytes:
    """Raises WireError (`message`) for a Ping over a limit."""
    return b"\xa0"


def _read_ping(d: bytes, p: int) -> tuple[Ping, int]:
    if d[p] != 160:
        raise _bad("Ping")
    p += 1
    return Ping(), p


def decode_ping(data: bytes) -> Ping:
    """Raises WireError: a cbor-* rule, or `message`."""
    return cbor.finish(_read_ping, data)


def encode_join_relay(value: JoinRelay) -> bytes:
    """Raises WireError (`message`) for a JoinRelay over a limit."""
    count = 1
    if len(value.member_secret) != 32:
        raise _bad("JoinRelay.member_secret")
    data = b"\x01\x58\x20" + value.member_secret
    token_ = value.token
    if token_ is not None:
        if len(token_) != 354:
            raise _bad("JoinRelay.token")
        count += 1
        data += b"\x02\x59\x01\x62" + token_
    return head(0xA0, count) + data


def _read_join_relay(d: bytes, p: int) -> tuple[JoinRelay, int]:
    left = d[p] - 161
    if left < 0 or left > 1:
        raise _bad("JoinRelay")
    p += 1
    if d[p : p + 3] != b"\x01\x58\x20":
        raise _bad("JoinRelay.member_secret")
    member_secret_ = d[p + 3 : p + 35]
    p += 35
    token_: bytes | None = None
    if left and d[p] == 2:
        left -= 1
        if d[p : p + 4] != b"\x02\x59\x01\x62":
            raise _bad("JoinRelay.token")
        token_ = d[p + 4 : p + 358]
        p += 358
    if left:
        raise _bad("JoinRelay")
    return JoinRelay(member_secret_, token_), p


def decode_join_relay(data: bytes) -> JoinRelay:
    """Raises WireError: a cbor-* rule, or `message`."""
    return cbor.finish(_read_join_relay, data)


def encode_get_token_keys(value: GetTokenKeys) -> bytes:
    """Raises WireError (`message`) for a GetTokenKeys over a limit."""
    return b"\xa0"


def _read_get_token_keys(d: bytes, p: int) -> tuple[GetTokenKeys, int]:
    if d[p] != 160:
        raise _bad("GetTokenKeys")
    p += 1
    return GetTokenKeys(), p


def decode_get_token_keys(data: bytes) -> GetTokenKeys:
    """Raises WireError: a cbor-* rule, or `message`."""
    return cbor.finish(_read_get_token_keys, data)


def encode_issue_tokens(value: IssueTokens) -> bytes:
    """Raises WireError (`message`) for a IssueTokens over a limit."""
    if len(value.member_secret) != 32:
        raise _bad("IssueTokens.member_secret")
    if value.kind not in _TOKEN_KIND:
        raise _bad("IssueTokens.kind")
    if len(value.key_id) != 32:
        raise _bad("IssueTokens.key_id")
    return b"\xa4\x01\x58\x20" + value.member_secret + b"\x02" + write_uint(value.kind, 2, "IssueTokens.kind") + b"\x03\x58\x20" + value.key_id + b"\x04" + write_list([write_bytes(item, 256, 256, "IssueTokens.blinded") for item in value.blinded], 64, "IssueTokens.blinded")


def _read_issue_tokens(d: bytes, p: int) -> tuple[IssueTokens, int]:
    if d[p] != 164:
        raise _bad("IssueTokens")
    p += 1
    if d[p : p + 3] != b"\x01\x58\x20":
        raise _bad("IssueTokens.member_secret")
    member_secret_ = d[p + 3 : p + 35]
    p += 35
    if d[p] != 2:
        raise _bad("IssueTokens.kind")
    n, p = read_uint(d, p + 1)
    kind_ = _TOKEN_KIND[n]
    if d[p : p + 3] != b"\x03\x58\x20":
        raise _bad("IssueTokens.key_id")
    key_id_ = d[p + 3 : p + 35]
    p += 35
    if d[p] != 4:
        raise _bad("IssueTokens.blinded")
    n, p = read_count(d, p + 1)
    if n > 64:
        raise _bad("IssueTokens.blinded")
    blinded_list: list[bytes] = []
    for _ in range(n):
        if d[p : p + 3] != b"\x59\x01\x00":
            raise _bad("IssueTokens.blinded")
        blinded_list.append(d[p + 3 : p + 259])
        p += 259
    blinded_ = tuple(blinded_list)
    return IssueTokens(member_secret_, kind_, key_id_, blinded_), p


def decode_issue_tokens(data: bytes) -> IssueTokens:
    """Raises WireError: a cbor-* rule, or `message`."""
    return cbor.finish(_read_issue_tokens, data)


def encode_receipt(value: Receipt) -> bytes:
    """Raises WireError (`message`) for a Receipt over a limit."""
    if len(value.signature) != 64:
        raise _bad("Receipt.signature")
    return b"\xa2\x01" + write_uint(value.position, 65535, "Receipt.position") + b"\x02\x58\x40" + value.signature


def _read_receipt(d: bytes, p: int) -> tuple[Receipt, int]:
    if d[p] != 162:
        raise _bad("Receipt")
    p += 1
    if d[p] != 1:
        raise _bad("Receipt.position")
    position_, p = read_uint(d, p + 1)
    if position_ > 65535:
        raise _bad("Receipt.position")
    if d[p : p + 3] != b"\x02\x58\x40":
        raise _bad("Receipt.signature")
    signature_ = d[p + 3 : p + 67]
    p += 67
    return Receipt(position_, signature_), p


def decode_receipt(data: bytes) -> Receipt:
    """Raises WireError: a cbor-* rule, or `message`."""
    return cbor.finish(_read_receipt, data)


def encode_receipt_body(value: ReceiptBody) -> bytes:
    """Raises WireError (`message`) for a ReceiptBody over a limit."""
    count = 5
    if len(value.topic) != 32:
        raise _bad("ReceiptBody.topic")
    if len(value.slot) != 16:
        raise _bad("ReceiptBody.slot")
    if len(value.record_hash) != 32:
        raise _bad("ReceiptBody.record_hash")
    data = b"\x01\x58\x20" + value.topic + b"\x02\x50" + value.slot + b"\x03" + write_uint(value.position, 65535, "ReceiptBody.position") + b"\x04" + write_uint(value.seq, 9007199254740991, "ReceiptBody.seq") + b"\x05\x58\x20" + value.record_hash
    blobs_ = value.blobs
    if blobs_ is not None:
        count += 1
        data += b"\x06" + write_list([write_bytes(item, 32, 32, "ReceiptBody.blobs") for item in blobs_], 4, "ReceiptBody.blobs")
    return head(0xA0, count) + data


def _read_receipt_body(d: bytes, p: int) -> tuple[ReceiptBody, int]:
    left = d[p] - 165
    if left < 0 or left > 1:
        raise _bad("ReceiptBody")
    p += 1
    if d[p : p + 3] != b"\x01\x58\x20":
        raise _bad("ReceiptBody.topic")
    topic_ = d[p + 3 : p + 35]
    p += 35
    if d[p : p + 2] != b"\x02\x50":
        raise _bad("ReceiptBody.slot")
    slot_ = d[p + 2 : p + 18]
    p += 18
    if d[p] != 3:
        raise _bad("ReceiptBody.position")
    position_, p = read_uint(d, p + 1)
    if position_ > 65535:
        raise _bad("ReceiptBody.position")
    if d[p] != 4:
        raise _bad("ReceiptBody.seq")
    seq_, p = read_uint(d, p + 1)
    if d[p : p + 3] != b"\x05\x58\x20":
        raise _bad("ReceiptBody.record_hash")
    record_hash_ = d[p + 3 : p + 35]
    p += 35
    blobs_: tuple[bytes, ...] | None = None
    if left and d[p] == 6:
        left -= 1
        n, p = read_count(d, p + 1)
        if n > 4:
            raise _bad("ReceiptBody.blobs")
        blobs_list: list[bytes] = []
        for _ in range(n):
            if d[p : p + 2] != b"\x58\x20":
                raise _bad("ReceiptBody.blobs")
            blobs_list.append(d[p + 2 : p + 34])
            p += 34
        blobs_ = tuple(blobs_list)
    if left:
        raise _bad("ReceiptBody")
    return ReceiptBody(topic_, slot_, position_, seq_, record_hash_, blobs_), p


def decode_receipt_body(data: bytes) -> ReceiptBody:
    """Raises WireError: a cbor-* rule, or `message`."""
    return cbor.finish(_read_receipt_body, data)


def encode_entry(value: Entry) -> bytes:
    """Raises WireError (`message`) for a Entry over a limit."""
    if (value.record is not None) + (value.record_hash is not None) != 1:
        raise _bad("Entry: one of record, record_hash")
    count = 2
    data = b"\x01" + write_uint(value.seq, 9007199254740991, "Entry.seq") + b"\x02" + write_uint(value.time, 9007199254740991, "Entry.time")
    record_ = value.record
    if record_ is not None:
        count += 1
        data += b"\x03" + write_bytes(record_, 29, 4096, "Entry.record")
    record_hash_ = value.record_hash
    if record_hash_ is not None:
        if len(record_hash_) != 32:
            raise _bad("Entry.record_hash")
        count += 1
        data += b"\x04\x58\x20" + record_hash_
    slot_ = value.slot
    if slot_ is not None:
        if len(slot_) != 16:
            raise _bad("Entry.slot")
        count += 1
        data += b"\x05\x50" + slot_
    receipt_ = value.receipt
    if receipt_ is not None:
        count += 1
        data += b"\x06" + encode_receipt(receipt_)
    blobs_ = value.blobs
    if blobs_ is not None:
        count += 1
        data += b"\x07" + write_list([write_bytes(item, 32, 32, "Entry.blobs") for item in blobs_], 4, "Entry.blobs")
    return head(0xA0, count) + data


def _read_entry(d: bytes, p: int) -> tuple[Entry, int]:
    left = d[p] - 162
    if left < 0 or left > 5:
        raise _bad("Entry")
    p += 1
    if d[p] != 1:
        raise _bad("Entry.seq")
    seq_, p = read_uint(d, p + 1)
    if d[p] != 2:
        raise _bad("Entry.time")
    time_, p = read_uint(d, p + 1)
    record_: bytes | None = None
    if left and d[p] == 3:
        left -= 1
        record_, p = read_bytes(d, p + 1, 29, 4096, "Entry.record")
    record_hash_: bytes | None = None
    if left and d[p] == 4:
        left -= 1
        if d[p : p + 3] != b"\x04\x58\x20":
            raise _bad("Entry.record_hash")
        record_hash_ = d[p + 3 : p + 35]
        p += 35
    slot_: bytes | None = None
    if left and d[p] == 5:
        left -= 1
        if d[p : p + 2] != b"\x05\x50":
            raise _bad("Entry.slot")
        slot_ = d[p + 2 : p + 18]
        p += 18
    receipt_: Receipt | None = None
    if left and d[p] == 6:
        left -= 1
        receipt_, p = _read_receipt(d, p + 1)
    blobs_: tuple[bytes, ...] | None = None
    if left and d[p] == 7:
        left -= 1
        n, p = read_count(d, p + 1)
        if n > 4:
            raise _bad("Entry.blobs")
        blobs_list: list[bytes] = []
        for _ in range(n):
            if d[p : p + 2] != b"\x58\x20":
                raise _bad("Entry.blobs")
            blobs_list.append(d[p + 2 : p + 34])
            p += 34
        blobs_ = tuple(blobs_list)
    if left:
        raise _bad("Entry")
    if (record_ is not None) + (record_hash_ is not None) != 1:
        raise _bad("Entry")
    return Entry(seq_, time_, record_, record_hash_, slot_, receipt_, blobs_), p


def decode_entry(data: bytes) -> Entry:
    """Raises WireError: a cbor-* rule, or `message`."""
    return cbor.finish(_read_entry, data)


def encode_done(value: Done) -> bytes:
    """Raises WireError (`message`) for a Done over a limit."""
    return b"\xa0"


def _read_done(d: bytes, p: int) -> tuple[Done, int]:
    if d[p] != 160:
        raise _bad("Done")
    p += 1
    return Done(), p


def decode_done(data: bytes) -> Done:
    """Raises WireError: a cbor-* rule, or `message`."""
    return cbor.finish(_read_done, data)


def encode_published(value: Published) -> bytes:
    """Raises WireError (`message`) for a Published over a limit."""
    count = 2
    data = b"\x01" + write_uint(value.seq, 9007199254740991, "Published.seq") + b"\x02" + write_uint(value.time, 9007199254740991, "Published.time")
    receipt_ = value.receipt
    if receipt_ is not None:
        count += 1
        data += b"\x03" + encode_receipt(receipt_)
    return head(0xA0, count) + data


def _read_published(d: bytes, p: int) -> tuple[Published, int]:
    left = d[p] - 162
    if left < 0 or left > 1:
        raise _bad("Published")
    p += 1
    if d[p] != 1:
        raise _bad("Published.seq")
    seq_, p = read_uint(d, p + 1)
    if d[p] != 2:
        raise _bad("Published.time")
    time_, p = read_uint(d, p + 1)
    receipt_: Receipt | None = None
    if left and d[p] == 3:
        left -= 1
        receipt_, p = _read_receipt(d, p + 1)
    if left:
        raise _bad("Published")
    return Published(seq_, time_, receipt_), p


def decode_published(data: bytes) -> Published:
    """Raises WireError: a cbor-* rule, or `message`."""
    return cbor.finish(_read_published, data)


def encode_records(value: Records) -> bytes:
    """Raises WireError (`message`) for a Records over a limit."""
    return b"\xa2\x01" + write_list([encode_entry(item) for item in value.entries], 64, "Records.entries") + b"\x02" + write_uint(value.head, 9007199254740991, "Records.head")


def _read_records(d: bytes, p: int) -> tuple[Records, int]:
    if d[p] != 162:
        raise _bad("Records")
    p += 1
    if d[p] != 1:
        raise _bad("Records.entries")
    n, p = read_count(d, p + 1)
    if n > 64:
        raise _bad("Records.entries")
    entries_list: list[Entry] = []
    for _ in range(n):
        entries_item, p = _read_entry(d, p)
        entries_list.append(entries_item)
    entries_ = tuple(entries_list)
    if d[p] != 2:
        raise _bad("Records.head")
    head_, p = read_uint(d, p + 1)
    return Records(entries_, head_), p


def decode_records(data: bytes) -> Records:
    """Raises WireError: a cbor-* rule, or `message`."""
    return cbor.finish(_read_records, data)


def encode_heads(value: Heads) -> bytes:
    """Raises WireError (`message`) for a Heads over a limit."""
    return b"\xa2\x01" + write_list([encode_head(item) for item in value.topics], 256, "Heads.topics") + b"\x02" + write_list([encode_head(item) for item in value.inboxes], 256, "Heads.inboxes")


def _read_heads(d: bytes, p: int) -> tuple[Heads, int]:
    if d[p] != 162:
        raise _bad("Heads")
    p += 1
    if d[p] != 1:
        raise _bad("Heads.topics")
    n, p = read_count(d, p + 1)
    if n > 256:
        raise _bad("Heads.topics")
    topics_list: list[Head] = []
    for _ in range(n):
        topics_item, p = _read_head(d, p)
        topics_list.append(topics_item)
    topics_ = tuple(topics_list)
    if d[p] != 2:
        raise _bad("Heads.inboxes")
    n, p = read_count(d, p + 1)
    if n > 256:
        raise _bad("Heads.inboxes")
    inboxes_list: list[Head] = []
    for _ in range(n):
        inboxes_item, p = _read_head(d, p)
        inboxes_list.append(inboxes_item)
    inboxes_ = tuple(inboxes_list)
    return Heads(topics_, inboxes_), p


def decode_heads(data: bytes) -> Heads:
    """Raises WireError: a cbor-* rule, or `message`."""
    return cbor.finish(_read_heads, data)


def encode_head(value: Head) -> bytes:
    """Raises WireError (`message`) for a Head over a limit."""
    return b"\xa2\x01" + write_bool(value.known) + b"\x02" + write_uint(value.seq, 9007199254740991, "Head.seq")


def _read_head(d: bytes, p: int) -> tuple[Head, int]:
    if d[p] != 162:
        raise _bad("Head")
    p += 1
    if d[p] != 1:
        raise _bad("Head.known")
    known_, p = read_bool(d, p + 1)
    if d[p] != 2:
        raise _bad("Head.seq")
    seq_, p = read_uint(d, p + 1)
    return Head(known_, seq_), p


def decode_head(data: bytes) -> Head:
    """Raises WireError: a cbor-* rule, or `message`."""
    return cbor.finish(_read_head, data)


def encode_key_packages_stored(value: KeyPackagesStored) -> bytes:
    """Raises WireError (`message`) for a KeyPackagesStored over a limit."""
    return b"\xa1\x01" + write_uint(value.count, 9007199254740991, "KeyPackagesStored.count")


def _read_key_packages_stored(d: bytes, p: int) -> tuple[KeyPackagesStored, int]:
    if d[p] != 161:
        raise _bad("KeyPackagesStored")
    p += 1
    if d[p] != 1:
        raise _bad("KeyPackagesStored.count")
    count_, p = read_uint(d, p + 1)
    return KeyPackagesStored(count_), p


def decode_key_packages_stored(data: bytes) -> KeyPackagesStored:
    """Raises WireError: a cbor-* rule, or `message`."""
    return cbor.finish(_read_key_packages_stored, data)


def encode_key_package_taken(value: KeyPackageTaken) -> bytes:
    """Raises WireError (`message`) for a KeyPackageTaken over a limit."""
    return b"\xa2\x01" + write_bytes(value.package, 0, 8192, "KeyPackageTaken.package") + b"\x02" + write_bool(value.last_resort)


def _read_key_package_taken(d: bytes, p: int) -> tuple[KeyPackageTaken, int]:
    if d[p] != 162:
        raise _bad("KeyPackageTaken")
    p += 1
    if d[p] != 1:
        raise _bad("KeyPackageTaken.package")
    package_, p = read_bytes(d, p + 1, 0, 8192, "KeyPackageTaken.package")
    if d[p] != 2:
        raise _bad("KeyPackageTaken.last_resort")
    last_resort_, p = read_bool(d, p + 1)
    return KeyPackageTaken(package_, last_resort_), p


def decode_key_package_taken(data: bytes) -> KeyPackageTaken:
    """Raises WireError: a cbor-* rule, or `message`."""
    return cbor.finish(_read_key_package_taken, data)


def encode_blob_state(value: BlobState) -> bytes:
    """Raises WireError (`message`) for a BlobState over a limit."""
    return b"\xa1\x01" + write_uint(value.received, 104857600, "BlobState.received")


def _read_blob_state(d: bytes, p: int) -> tuple[BlobState, int]:
    if d[p] != 161:
        raise _bad("BlobState")
    p += 1
    if d[p] != 1:
        raise _bad("BlobState.received")
    received_, p = read_uint(d, p + 1)
    if received_ > 104857600:
        raise _bad("BlobState.received")
    return BlobState(received_), p


def decode_blob_state(data: bytes) -> BlobState:
    """Raises WireError: a cbor-* rule, or `message`."""
    return cbor.finish(_read_blob_state, data)


def encode_blob_part(value: BlobPart) -> bytes:
    """Raises WireError (`message`) for a BlobPart over a limit."""
    return b"\xa2\x01" + write_uint(value.total, 104857600, "BlobPart.total") + b"\x02" + write_bytes(value.part, 0, 65536, "BlobPart.part")


def _read_blob_part(d: bytes, p: int) -> tuple[BlobPart, int]:
    if d[p] != 162:
        raise _bad("BlobPart")
    p += 1
    if d[p] != 1:
        raise _bad("BlobPart.total")
    total_, p = read_uint(d, p + 1)
    if total_ > 104857600:
        raise _bad("BlobPart.total")
    if d[p] != 2:
        raise _bad("BlobPart.part")
    part_, p = read_bytes(d, p + 1, 0, 65536, "BlobPart.part")
    return BlobPart(total_, part_), p


def decode_blob_part(data: bytes) -> BlobPart:
    """Raises WireError: a cbor-* rule, or `message`."""
    return cbor.finish(_read_blob_part, data)


def encode_refused(value: Refused) -> bytes:
    """Raises WireError (`message`) for a Refused over a limit."""
    count = 1
    if value.code not in _REFUSAL_CODE:
        raise _bad("Refused.code")
    data = b"\x01" + write_uint(value.code, 16, "Refused.code")
    retry_after_ = value.retry_after
    if retry_after_ is not None:
        count += 1
        data += b"\x02" + write_uint(retry_after_, 9007199254740991, "Refused.retry_after")
    return head(0xA0, count) + data


def _read_refused(d: bytes, p: int) -> tuple[Refused, int]:
    left = d[p] - 161
    if left < 0 or left > 1:
        raise _bad("Refused")
    p += 1
    if d[p] != 1:
        raise _bad("Refused.code")
    n, p = read_uint(d, p + 1)
    code_ = _REFUSAL_CODE[n]
    retry_after_: int | None = None
    if left and d[p] == 2:
        left -= 1
        retry_after_, p = read_uint(d, p + 1)
    if left:
        raise _bad("Refused")
    return Refused(code_, retry_after_), p


def decode_refused(data: bytes) -> Refused:
    """Raises WireError: a cbor-* rule, or `message`."""
    return cbor.finish(_read_refused, data)


def encode_tokens_issued(value: TokensIssued) -> bytes:
    """Raises WireError (`message`) for a TokensIssued over a limit."""
    return b"\xa1\x01" + write_list([write_bytes(item, 256, 256, "TokensIssued.signatures") for item in value.signatures], 64, "TokensIssued.signatures")


def _read_tokens_issued(d: bytes, p: int) -> tuple[TokensIssued, int]:
    if d[p] != 161:
        raise _bad("TokensIssued")
    p += 1
    if d[p] != 1:
        raise _bad("TokensIssued.signatures")
    n, p = read_count(d, p + 1)
    if n > 64:
        raise _bad("TokensIssued.signatures")
    signatures_list: list[bytes] = []
    for _ in range(n):
        if d[p : p + 3] != b"\x59\x01\x00":
            raise _bad("TokensIssued.signatures")
        signatures_list.append(d[p + 3 : p + 259])
        p += 259
    signatures_ = tuple(signatures_list)
    return TokensIssued(signatures_), p


def decode_tokens_issued(data: bytes) -> TokensIssued:
    """Raises WireError: a cbor-* rule, or `message`."""
    return cbor.finish(_read_tokens_issued, data)


def encode_exchange(value: Exchange) -> bytes:
    """Raises WireError (`message`) for a Exchange over a limit."""
    return b"\xa3\x01" + write_uint(value.version, 65535, "Exchange.version") + b"\x02" + write_uint(value.time, 9007199254740991, "Exchange.time") + b"\x03" + encode_request(value.request)


def _read_exchange(d: bytes, p: int) -> tuple[Exchange, int]:
    if d[p] != 163:
        raise _bad("Exchange")
    p += 1
    if d[p] != 1:
        raise _bad("Exchange.version")
    version_, p = read_uint(d, p + 1)
    if version_ > 65535:
        raise _bad("Exchange.version")
    if d[p] != 2:
        raise _bad("Exchange.time")
    time_, p = read_uint(d, p + 1)
    if d[p] != 3:
        raise _bad("Exchange.request")
    request_, p = _read_request(d, p + 1)
    return Exchange(version_, time_, request_), p


def decode_exchange(data: bytes) -> Exchange:
    """Raises WireError: a cbor-* rule, or `message`."""
    return cbor.finish(_read_exchange, data)


def encode_answer(value: Answer) -> bytes:
    """Raises WireError (`message`) for a Answer over a limit."""
    return b"\xa2\x01" + write_uint(value.time, 9007199254740991, "Answer.time") + b"\x02" + encode_response(value.response)


def _read_answer(d: bytes, p: int) -> tuple[Answer, int]:
    if d[p] != 162:
        raise _bad("Answer")
    p += 1
    if d[p] != 1:
        raise _bad("Answer.time")
    time_, p = read_uint(d, p + 1)
    if d[p] != 2:
        raise _bad("Answer.response")
    response_, p = _read_response(d, p + 1)
    return Answer(time_, response_), p


def decode_answer(data: bytes) -> Answer:
    """Raises WireError: a cbor-* rule, or `message`."""
    return cbor.finish(_read_answer, data)


def encode_session_hello(value: SessionHello) -> bytes:
    """Raises WireError (`message`) for a SessionHello over a limit."""
    if len(value.public_key) != 1216:
        raise _bad("SessionHello.public_key")
    return b"\xa3\x01" + write_uint(value.version, 65535, "SessionHello.version") + b"\x02" + write_uint(value.time, 9007199254740991, "SessionHello.time") + b"\x03\x59\x04\xc0" + value.public_key


def _read_session_hello(d: bytes, p: int) -> tuple[SessionHello, int]:
    if d[p] != 163:
        raise _bad("SessionHello")
    p += 1
    if d[p] != 1:
        raise _bad("SessionHello.version")
    version_, p = read_uint(d, p + 1)
    if version_ > 65535:
        raise _bad("SessionHello.version")
    if d[p] != 2:
        raise _bad("SessionHello.time")
    time_, p = read_uint(d, p + 1)
    if d[p : p + 4] != b"\x03\x59\x04\xc0":
        raise _bad("SessionHello.public_key")
    public_key_ = d[p + 4 : p + 1220]
    p += 1220
    return SessionHello(version_, time_, public_key_), p


def decode_session_hello(data: bytes) -> SessionHello:
    """Raises WireError: a cbor-* rule, or `message`."""
    return cbor.finish(_read_session_hello, data)


def encode_session_accept(value: SessionAccept) -> bytes:
    """Raises WireError (`message`) for a SessionAccept over a limit."""
    if len(value.enc) != 1120:
        raise _bad("SessionAccept.enc")
    return b"\xa1\x01\x59\x04\x60" + value.enc


def _read_session_accept(d: bytes, p: int) -> tuple[SessionAccept, int]:
    if d[p] != 161:
        raise _bad("SessionAccept")
    p += 1
    if d[p : p + 4] != b"\x01\x59\x04\x60":
        raise _bad("SessionAccept.enc")
    enc_ = d[p + 4 : p + 1124]
    p += 1124
    return SessionAccept(enc_), p


def decode_session_accept(data: bytes) -> SessionAccept:
    """Raises WireError: a cbor-* rule, or `message`."""
    return cbor.finish(_read_session_accept, data)


def encode_call(value: Call) -> bytes:
    """Raises WireError (`message`) for a Call over a limit."""
    return b"\xa2\x01" + write_uint(value.id, 9007199254740991, "Call.id") + b"\x02" + encode_request(value.request)


def _read_call(d: bytes, p: int) -> tuple[Call, int]:
    if d[p] != 162:
        raise _bad("Call")
    p += 1
    if d[p] != 1:
        raise _bad("Call.id")
    id_, p = read_uint(d, p + 1)
    if d[p] != 2:
        raise _bad("Call.request")
    request_, p = _read_request(d, p + 1)
    return Call(id_, request_), p


def decode_call(data: bytes) -> Call:
    """Raises WireError: a cbor-* rule, or `message`."""
    return cbor.finish(_read_call, data)


def encode_reply(value: Reply) -> bytes:
    """Raises WireError (`message`) for a Reply over a limit."""
    return b"\xa3\x01" + write_uint(value.id, 9007199254740991, "Reply.id") + b"\x02" + write_uint(value.time, 9007199254740991, "Reply.time") + b"\x03" + encode_response(value.response)


def _read_reply(d: bytes, p: int) -> tuple[Reply, int]:
    if d[p] != 163:
        raise _bad("Reply")
    p += 1
    if d[p] != 1:
        raise _bad("Reply.id")
    id_, p = read_uint(d, p + 1)
    if d[p] != 2:
        raise _bad("Reply.time")
    time_, p = read_uint(d, p + 1)
    if d[p] != 3:
        raise _bad("Reply.response")
    response_, p = _read_response(d, p + 1)
    return Reply(id_, time_, response_), p


def decode_reply(data: bytes) -> Reply:
    """Raises WireError: a cbor-* rule, or `message`."""
    return cbor.finish(_read_reply, data)


def encode_push(value: Push) -> bytes:
    """Raises WireError (`message`) for a Push over a limit."""
    if len(value.source) != 32:
        raise _bad("Push.source")
    return b"\xa2\x01\x58\x20" + value.source + b"\x02" + encode_entry(value.entry)


def _read_push(d: bytes, p: int) -> tuple[Push, int]:
    if d[p] != 162:
        raise _bad("Push")
    p += 1
    if d[p : p + 3] != b"\x01\x58\x20":
        raise _bad("Push.source")
    source_ = d[p + 3 : p + 35]
    p += 35
    if d[p] != 2:
        raise _bad("Push.entry")
    entry_, p = _read_entry(d, p + 1)
    return Push(source_, entry_), p


def decode_push(data: bytes) -> Push:
    """Raises WireError: a cbor-* rule, or `message`."""
    return cbor.finish(_read_push, data)


def encode_ephemeral_push(value: EphemeralPush) -> bytes:
    """Raises WireError (`message`) for a EphemeralPush over a limit."""
    if len(value.topic) != 32:
        raise _bad("EphemeralPush.topic")
    return b"\xa2\x01\x58\x20" + value.topic + b"\x02" + write_bytes(value.body, 0, 256, "EphemeralPush.body")


def _read_ephemeral_push(d: bytes, p: int) -> tuple[EphemeralPush, int]:
    if d[p] != 162:
        raise _bad("EphemeralPush")
    p += 1
    if d[p : p + 3] != b"\x01\x58\x20":
        raise _bad("EphemeralPush.topic")
    topic_ = d[p + 3 : p + 35]
    p += 35
    if d[p] != 2:
        raise _bad("EphemeralPush.body")
    body_, p = read_bytes(d, p + 1, 0, 256, "EphemeralPush.body")
    return EphemeralPush(topic_, body_), p


def decode_ephemeral_push(data: bytes) -> EphemeralPush:
    """Raises WireError: a cbor-* rule, or `message`."""
    return cbor.finish(_read_ephemeral_push, data)


def encode_inline(value: Inline) -> bytes:
    """Raises WireError (`message`) for a Inline over a limit."""
    return b"\xa1\x01" + write_bytes(value.body, 0, 4096, "Inline.body")


def _read_inline(d: bytes, p: int) -> tuple[Inline, int]:
    if d[p] != 161:
        raise _bad("Inline")
    p += 1
    if d[p] != 1:
        raise _bad("Inline.body")
    body_, p = read_bytes(d, p + 1, 0, 4096, "Inline.body")
    return Inline(body_), p


def decode_inline(data: bytes) -> Inline:
    """Raises WireError: a cbor-* rule, or `message`."""
    return cbor.finish(_read_inline, data)


def encode_in_blob(value: InBlob) -> bytes:
    """Raises WireError (`message`) for a InBlob over a limit."""
    if len(value.blob) != 32:
        raise _bad("InBlob.blob")
    if len(value.key) != 32:
        raise _bad("InBlob.key")
    return b"\xa3\x01\x58\x20" + value.blob + b"\x02\x58\x20" + value.key + b"\x03" + write_uint(value.size, 16777216, "InBlob.size")


def _read_in_blob(d: bytes, p: int) -> tuple[InBlob, int]:
    if d[p] != 163:
        raise _bad("InBlob")
    p += 1
    if d[p : p + 3] != b"\x01\x58\x20":
        raise _bad("InBlob.blob")
    blob_ = d[p + 3 : p + 35]
    p += 35
    if d[p : p + 3] != b"\x02\x58\x20":
        raise _bad("InBlob.key")
    key_ = d[p + 3 : p + 35]
    p += 35
    if d[p] != 3:
        raise _bad("InBlob.size")
    size_, p = read_uint(d, p + 1)
    if size_ > 16777216:
        raise _bad("InBlob.size")
    return InBlob(blob_, key_, size_), p


def decode_in_blob(data: bytes) -> InBlob:
    """Raises WireError: a cbor-* rule, or `message`."""
    return cbor.finish(_read_in_blob, data)


def encode_device_entry(value: DeviceEntry) -> bytes:
    """Raises WireError (`message`) for a DeviceEntry over a limit."""
    if len(value.signature_key) != 32:
        raise _bad("DeviceEntry.signature_key")
    return b"\xa2\x01\x58\x20" + value.signature_key + b"\x02" + write_uint(value.added, 9007199254740991, "DeviceEntry.added")


def _read_device_entry(d: bytes, p: int) -> tuple[DeviceEntry, int]:
    if d[p] != 162:
        raise _bad("DeviceEntry")
    p += 1
    if d[p : p + 3] != b"\x01\x58\x20":
        raise _bad("DeviceEntry.signature_key")
    signature_key_ = d[p + 3 : p + 35]
    p += 35
    if d[p] != 2:
        raise _bad("DeviceEntry.added")
    added_, p = read_uint(d, p + 1)
    return DeviceEntry(signature_key_, added_), p


def decode_device_entry(data: bytes) -> DeviceEntry:
    """Raises WireError: a cbor-* rule, or `message`."""
    return cbor.finish(_read_device_entry, data)


def encode_device_list_body(value: DeviceListBody) -> bytes:
    """Raises WireError (`message`) for a DeviceListBody over a limit."""
    return b"\xa2\x01" + write_uint(value.number, 9007199254740991, "DeviceListBody.number") + b"\x02" + write_list([encode_device_entry(item) for item in value.devices], 16, "DeviceListBody.devices")


def _read_device_list_body(d: bytes, p: int) -> tuple[DeviceListBody, int]:
    if d[p] != 162:
        raise _bad("DeviceListBody")
    p += 1
    if d[p] != 1:
        raise _bad("DeviceListBody.number")
    number_, p = read_uint(d, p + 1)
    if d[p] != 2:
        raise _bad("DeviceListBody.devices")
    n, p = read_count(d, p + 1)
    if n > 16:
        raise _bad("DeviceListBody.devices")
    devices_list: list[DeviceEntry] = []
    for _ in range(n):
        devices_item, p = _read_device_entry(d, p)
        devices_list.append(devices_item)
    devices_ = tuple(devices_list)
    return DeviceListBody(number_, devices_), p


def decode_device_list_body(data: bytes) -> DeviceListBody:
    """Raises WireError: a cbor-* rule, or `message`."""
    return cbor.finish(_read_device_list_body, data)


def encode_device_list(value: DeviceList) -> bytes:
    """Raises WireError (`message`) for a DeviceList over a limit."""
    if len(value.signature) != 64:
        raise _bad("DeviceList.signature")
    return b"\xa2\x01" + write_bytes(value.body, 0, 1024, "DeviceList.body") + b"\x02\x58\x40" + value.signature


def _read_device_list(d: bytes, p: int) -> tuple[DeviceList, int]:
    if d[p] != 162:
        raise _bad("DeviceList")
    p += 1
    if d[p] != 1:
        raise _bad("DeviceList.body")
    body_, p = read_bytes(d, p + 1, 0, 1024, "DeviceList.body")
    if d[p : p + 3] != b"\x02\x58\x40":
        raise _bad("DeviceList.signature")
    signature_ = d[p + 3 : p + 67]
    p += 67
    return DeviceList(body_, signature_), p


def decode_device_list(data: bytes) -> DeviceList:
    """Raises WireError: a cbor-* rule, or `message`."""
    return cbor.finish(_read_device_list, data)


def encode_device_credential(value: DeviceCredential) -> bytes:
    """Raises WireError (`message`) for a DeviceCredential over a limit."""
    if len(value.identity) != 32:
        raise _bad("DeviceCredential.identity")
    if len(value.signature) != 64:
        raise _bad("DeviceCredential.signature")
    return b"\xa3\x01\x58\x20" + value.identity + b"\x02" + write_uint(value.list_number, 9007199254740991, "DeviceCredential.list_number") + b"\x03\x58\x40" + value.signature


def _read_device_credential(d: bytes, p: int) -> tuple[DeviceCredential, int]:
    if d[p] != 163:
        raise _bad("DeviceCredential")
    p += 1
    if d[p : p + 3] != b"\x01\x58\x20":
        raise _bad("DeviceCredential.identity")
    identity_ = d[p + 3 : p + 35]
    p += 35
    if d[p] != 2:
        raise _bad("DeviceCredential.list_number")
    list_number_, p = read_uint(d, p + 1)
    if d[p : p + 3] != b"\x03\x58\x40":
        raise _bad("DeviceCredential.signature")
    signature_ = d[p + 3 : p + 67]
    p += 67
    return DeviceCredential(identity_, list_number_, signature_), p


def decode_device_credential(data: bytes) -> DeviceCredential:
    """Raises WireError: a cbor-* rule, or `message`."""
    return cbor.finish(_read_device_credential, data)


def encode_package_owner(value: PackageOwner) -> bytes:
    """Raises WireError (`message`) for a PackageOwner over a limit."""
    if len(value.owner) != 32:
        raise _bad("PackageOwner.owner")
    return b"\xa2\x01" + write_uint(value.suite, 65535, "PackageOwner.suite") + b"\x02\x58\x20" + value.owner


def _read_package_owner(d: bytes, p: int) -> tuple[PackageOwner, int]:
    if d[p] != 162:
        raise _bad("PackageOwner")
    p += 1
    if d[p] != 1:
        raise _bad("PackageOwner.suite")
    suite_, p = read_uint(d, p + 1)
    if suite_ > 65535:
        raise _bad("PackageOwner.suite")
    if d[p : p + 3] != b"\x02\x58\x20":
        raise _bad("PackageOwner.owner")
    owner_ = d[p + 3 : p + 35]
    p += 35
    return PackageOwner(suite_, owner_), p


def decode_package_owner(data: bytes) -> PackageOwner:
    """Raises WireError: a cbor-* rule, or `message`."""
    return cbor.finish(_read_package_owner, data)


def encode_reach(value: Reach) -> bytes:
    """Raises WireError (`message`) for a Reach over a limit."""
    if len(value.inbox) != 32:
        raise _bad("Reach.inbox")
    if len(value.inbox_key) != 32:
        raise _bad("Reach.inbox_key")
    if len(value.package_key) != 32:
        raise _bad("Reach.package_key")
    return b"\xa5\x01" + encode_relay_address(value.relay) + b"\x02\x58\x20" + value.inbox + b"\x03\x58\x20" + value.inbox_key + b"\x04" + write_list([encode_package_owner(item) for item in value.owners], 4, "Reach.owners") + b"\x05\x58\x20" + value.package_key


def _read_reach(d: bytes, p: int) -> tuple[Reach, int]:
    if d[p] != 165:
        raise _bad("Reach")
    p += 1
    if d[p] != 1:
        raise _bad("Reach.relay")
    relay_, p = _read_relay_address(d, p + 1)
    if d[p : p + 3] != b"\x02\x58\x20":
        raise _bad("Reach.inbox")
    inbox_ = d[p + 3 : p + 35]
    p += 35
    if d[p : p + 3] != b"\x03\x58\x20":
        raise _bad("Reach.inbox_key")
    inbox_key_ = d[p + 3 : p + 35]
    p += 35
    if d[p] != 4:
        raise _bad("Reach.owners")
    n, p = read_count(d, p + 1)
    if n > 4:
        raise _bad("Reach.owners")
    owners_list: list[PackageOwner] = []
    for _ in range(n):
        owners_item, p = _read_package_owner(d, p)
        owners_list.append(owners_item)
    owners_ = tuple(owners_list)
    if d[p : p + 3] != b"\x05\x58\x20":
        raise _bad("Reach.package_key")
    package_key_ = d[p + 3 : p + 35]
    p += 35
    return Reach(relay_, inbox_, inbox_key_, owners_, package_key_), p


def decode_reach(data: bytes) -> Reach:
    """Raises WireError: a cbor-* rule, or `message`."""
    return cbor.finish(_read_reach, data)


def encode_conversation_info(value: ConversationInfo) -> bytes:
    """Raises WireError (`message`) for a ConversationInfo over a limit."""
    if value.kind not in _CONVERSATION_KIND:
        raise _bad("ConversationInfo.kind")
    if any(a >= b for a, b in pairwise(value.admins)):
        raise _bad("ConversationInfo.admins")
    return b"\xa6\x01" + write_uint(value.kind, 2, "ConversationInfo.kind") + b"\x02" + write_text(value.name, 256, "ConversationInfo.name") + b"\x03" + write_list([write_bytes(item, 32, 32, "ConversationInfo.admins") for item in value.admins], 64, "ConversationInfo.admins") + b"\x04" + write_list([encode_relay_address(item) for item in value.relays], 4, "ConversationInfo.relays") + b"\x05" + write_uint(value.retention_days, 365, "ConversationInfo.retention_days") + b"\x06" + write_bool(value.members_add)


def _read_conversation_info(d: bytes, p: int) -> tuple[ConversationInfo, int]:
    if d[p] != 166:
        raise _bad("ConversationInfo")
    p += 1
    if d[p] != 1:
        raise _bad("ConversationInfo.kind")
    n, p = read_uint(d, p + 1)
    kind_ = _CONVERSATION_KIND[n]
    if d[p] != 2:
        raise _bad("ConversationInfo.name")
    name_, p = read_text(d, p + 1, 256, "ConversationInfo.name")
    if d[p] != 3:
        raise _bad("ConversationInfo.admins")
    n, p = read_count(d, p + 1)
    if n > 64:
        raise _bad("ConversationInfo.admins")
    admins_list: list[bytes] = []
    for _ in range(n):
        if d[p : p + 2] != b"\x58\x20":
            raise _bad("ConversationInfo.admins")
        admins_list.append(d[p + 2 : p + 34])
        p += 34
    if any(a >= b for a, b in pairwise(admins_list)):
        raise _bad("ConversationInfo.admins")
    admins_ = tuple(admins_list)
    if d[p] != 4:
        raise _bad("ConversationInfo.relays")
    n, p = read_count(d, p + 1)
    if n > 4:
        raise _bad("ConversationInfo.relays")
    relays_list: list[RelayAddress] = []
    for _ in range(n):
        relays_item, p = _read_relay_address(d, p)
        relays_list.append(relays_item)
    relays_ = tuple(relays_list)
    if d[p] != 5:
        raise _bad("ConversationInfo.retention_days")
    retention_days_, p = read_uint(d, p + 1)
    if retention_days_ > 365:
        raise _bad("ConversationInfo.retention_days")
    if d[p] != 6:
        raise _bad("ConversationInfo.members_add")
    members_add_, p = read_bool(d, p + 1)
    return ConversationInfo(kind_, name_, admins_, relays_, retention_days_, members_add_), p


def decode_conversation_info(data: bytes) -> ConversationInfo:
    """Raises WireError: a cbor-* rule, or `message`."""
    return cbor.finish(_read_conversation_info, data)


def encode_join_info(value: JoinInfo) -> bytes:
    """Raises WireError (`message`) for a JoinInfo over a limit."""
    if len(value.topic_secret) != 32:
        raise _bad("JoinInfo.topic_secret")
    if len(value.head) != 32:
        raise _bad("JoinInfo.head")
    return b"\xa3\x01\x58\x20" + value.topic_secret + b"\x02" + write_uint(value.seq, 9007199254740991, "JoinInfo.seq") + b"\x03\x58\x20" + value.head


def _read_join_info(d: bytes, p: int) -> tuple[JoinInfo, int]:
    if d[p] != 163:
        raise _bad("JoinInfo")
    p += 1
    if d[p : p + 3] != b"\x01\x58\x20":
        raise _bad("JoinInfo.topic_secret")
    topic_secret_ = d[p + 3 : p + 35]
    p += 35
    if d[p] != 2:
        raise _bad("JoinInfo.seq")
    seq_, p = read_uint(d, p + 1)
    if d[p : p + 3] != b"\x03\x58\x20":
        raise _bad("JoinInfo.head")
    head_ = d[p + 3 : p + 35]
    p += 35
    return JoinInfo(topic_secret_, seq_, head_), p


def decode_join_info(data: bytes) -> JoinInfo:
    """Raises WireError: a cbor-* rule, or `message`."""
    return cbor.finish(_read_join_info, data)


def encode_commit_data(value: CommitData) -> bytes:
    """Raises WireError (`message`) for a CommitData over a limit."""
    count = 0
    data = b""
    leaves_ = value.leaves
    if leaves_ is not None:
        count += 1
        data += b"\x01" + write_list([encode_leave_proof(item) for item in leaves_], 64, "CommitData.leaves")
    return head(0xA0, count) + data


def _read_commit_data(d: bytes, p: int) -> tuple[CommitData, int]:
    left = d[p] - 160
    if left < 0 or left > 1:
        raise _bad("CommitData")
    p += 1
    leaves_: tuple[LeaveProof, ...] | None = None
    if left and d[p] == 1:
        left -= 1
        n, p = read_count(d, p + 1)
        if n > 64:
            raise _bad("CommitData.leaves")
        leaves_list: list[LeaveProof] = []
        for _ in range(n):
            leaves_item, p = _read_leave_proof(d, p)
            leaves_list.append(leaves_item)
        leaves_ = tuple(leaves_list)
    if left:
        raise _bad("CommitData")
    return CommitData(leaves_), p


def decode_commit_data(data: bytes) -> CommitData:
    """Raises WireError: a cbor-* rule, or `message`."""
    return cbor.finish(_read_commit_data, data)


def encode_leave_proof(value: LeaveProof) -> bytes:
    """Raises WireError (`message`) for a LeaveProof over a limit."""
    if len(value.identity) != 32:
        raise _bad("LeaveProof.identity")
    if len(value.signature) != 64:
        raise _bad("LeaveProof.signature")
    return b"\xa3\x01\x58\x20" + value.identity + b"\x02" + write_list([write_bytes(item, 32, 32, "LeaveProof.leaves") for item in value.leaves], 16, "LeaveProof.leaves") + b"\x03\x58\x40" + value.signature


def _read_leave_proof(d: bytes, p: int) -> tuple[LeaveProof, int]:
    if d[p] != 163:
        raise _bad("LeaveProof")
    p += 1
    if d[p : p + 3] != b"\x01\x58\x20":
        raise _bad("LeaveProof.identity")
    identity_ = d[p + 3 : p + 35]
    p += 35
    if d[p] != 2:
        raise _bad("LeaveProof.leaves")
    n, p = read_count(d, p + 1)
    if n > 16:
        raise _bad("LeaveProof.leaves")
    leaves_list: list[bytes] = []
    for _ in range(n):
        if d[p : p + 2] != b"\x58\x20":
            raise _bad("LeaveProof.leaves")
        leaves_list.append(d[p + 2 : p + 34])
        p += 34
    leaves_ = tuple(leaves_list)
    if d[p : p + 3] != b"\x03\x58\x40":
        raise _bad("LeaveProof.signature")
    signature_ = d[p + 3 : p + 67]
    p += 67
    return LeaveProof(identity_, leaves_, signature_), p


def decode_leave_proof(data: bytes) -> LeaveProof:
    """Raises WireError: a cbor-* rule, or `message`."""
    return cbor.finish(_read_leave_proof, data)


def encode_moved_body(value: MovedBody) -> bytes:
    """Raises WireError (`message`) for a MovedBody over a limit."""
    count = 4
    if len(value.group) != 16:
        raise _bad("MovedBody.group")
    if len(value.identity) != 32:
        raise _bad("MovedBody.identity")
    data = b"\x01\x50" + value.group + b"\x02" + write_uint(value.epoch, 9007199254740991, "MovedBody.epoch") + b"\x03\x58\x20" + value.identity + b"\x04" + write_bytes(value.group_info, 0, 4194304, "MovedBody.group_info")
    welcome_ = value.welcome
    if welcome_ is not None:
        count += 1
        data += b"\x05" + write_bytes(welcome_, 0, 4194304, "MovedBody.welcome")
    return head(0xA0, count) + data


def _read_moved_body(d: bytes, p: int) -> tuple[MovedBody, int]:
    left = d[p] - 164
    if left < 0 or left > 1:
        raise _bad("MovedBody")
    p += 1
    if d[p : p + 2] != b"\x01\x50":
        raise _bad("MovedBody.group")
    group_ = d[p + 2 : p + 18]
    p += 18
    if d[p] != 2:
        raise _bad("MovedBody.epoch")
    epoch_, p = read_uint(d, p + 1)
    if d[p : p + 3] != b"\x03\x58\x20":
        raise _bad("MovedBody.identity")
    identity_ = d[p + 3 : p + 35]
    p += 35
    if d[p] != 4:
        raise _bad("MovedBody.group_info")
    group_info_, p = read_bytes(d, p + 1, 0, 4194304, "MovedBody.group_info")
    welcome_: bytes | None = None
    if left and d[p] == 5:
        left -= 1
        welcome_, p = read_bytes(d, p + 1, 0, 4194304, "MovedBody.welcome")
    if left:
        raise _bad("MovedBody")
    return MovedBody(group_, epoch_, identity_, group_info_, welcome_), p


def decode_moved_body(data: bytes) -> MovedBody:
    """Raises WireError: a cbor-* rule, or `message`."""
    return cbor.finish(_read_moved_body, data)


def encode_moved(value: Moved) -> bytes:
    """Raises WireError (`message`) for a Moved over a limit."""
    if len(value.signature) != 64:
        raise _bad("Moved.signature")
    return b"\xa2\x01" + write_bytes(value.body, 0, 8388864, "Moved.body") + b"\x02\x58\x40" + value.signature


def _read_moved(d: bytes, p: int) -> tuple[Moved, int]:
    if d[p] != 162:
        raise _bad("Moved")
    p += 1
    if d[p] != 1:
        raise _bad("Moved.body")
    body_, p = read_bytes(d, p + 1, 0, 8388864, "Moved.body")
    if d[p : p + 3] != b"\x02\x58\x40":
        raise _bad("Moved.signature")
    signature_ = d[p + 3 : p + 67]
    p += 67
    return Moved(body_, signature_), p


def decode_moved(data: bytes) -> Moved:
    """Raises WireError: a cbor-* rule, or `message`."""
    return cbor.finish(_read_moved, data)


def encode_text(value: Text) -> bytes:
    """Raises WireError (`message`) for a Text over a limit."""
    count = 1
    data = b"\x01" + write_text(value.text, 16384, "Text.text")
    reply_to_ = value.reply_to
    if reply_to_ is not None:
        if len(reply_to_) != 16:
            raise _bad("Text.reply_to")
        count += 1
        data += b"\x02\x50" + reply_to_
    return head(0xA0, count) + data


def _read_text(d: bytes, p: int) -> tuple[Text, int]:
    pairs, p = read_pairs(d, p)
    last = -1
    text_: str | None = None
    reply_to_: bytes | None = None
    for _ in range(pairs):
        k, p = read_uint(d, p)
        if k <= last:
            raise _bad("Text")
        last = k
        if k == 1:
            text_, p = read_text(d, p, 16384, "Text.text")
        elif k == 2:
            reply_to_, p = read_bytes(d, p, 16, 16, "Text.reply_to")
        else:
            p = skip(d, p)
    if text_ is None:
        raise _bad("Text")
    return Text(text_, reply_to_), p


def decode_text(data: bytes) -> Text:
    """Raises WireError: a cbor-* rule, or `message`."""
    return cbor.finish_open(_read_text, data)


def encode_reaction(value: Reaction) -> bytes:
    """Raises WireError (`message`) for a Reaction over a limit."""
    if len(value.target) != 16:
        raise _bad("Reaction.target")
    return b"\xa2\x01\x50" + value.target + b"\x02" + write_text(value.emoji, 64, "Reaction.emoji")


def _read_reaction(d: bytes, p: int) -> tuple[Reaction, int]:
    pairs, p = read_pairs(d, p)
    last = -1
    target_: bytes | None = None
    emoji_: str | None = None
    for _ in range(pairs):
        k, p = read_uint(d, p)
        if k <= last:
            raise _bad("Reaction")
        last = k
        if k == 1:
            target_, p = read_bytes(d, p, 16, 16, "Reaction.target")
        elif k == 2:
            emoji_, p = read_text(d, p, 64, "Reaction.emoji")
        else:
            p = skip(d, p)
    if target_ is None or emoji_ is None:
        raise _bad("Reaction")
    return Reaction(target_, emoji_), p


def decode_reaction(data: bytes) -> Reaction:
    """Raises WireError: a cbor-* rule, or `message`."""
    return cbor.finish_open(_read_reaction, data)


def encode_edit(value: Edit) -> bytes:
    """Raises WireError (`message`) for a Edit over a limit."""
    if len(value.target) != 16:
        raise _bad("Edit.target")
    return b"\xa2\x01\x50" + value.target + b"\x02" + write_text(value.text, 16384, "Edit.text")


def _read_edit(d: bytes, p: int) -> tuple[Edit, int]:
    pairs, p = read_pairs(d, p)
    last = -1
    target_: bytes | None = None
    text_: str | None = None
    for _ in range(pairs):
        k, p = read_uint(d, p)
        if k <= last:
            raise _bad("Edit")
        last = k
        if k == 1:
            target_, p = read_bytes(d, p, 16, 16, "Edit.target")
        elif k == 2:
            text_, p = read_text(d, p, 16384, "Edit.text")
        else:
            p = skip(d, p)
    if target_ is None or text_ is None:
        raise _bad("Edit")
    return Edit(target_, text_), p


def decode_edit(data: bytes) -> Edit:
    """Raises WireError: a cbor-* rule, or `message`."""
    return cbor.finish_open(_read_edit, data)


def encode_delete(value: Delete) -> bytes:
    """Raises WireError (`message`) for a Delete over a limit."""
    if len(value.target) != 16:
        raise _bad("Delete.target")
    return b"\xa1\x01\x50" + value.target


def _read_delete(d: bytes, p: int) -> tuple[Delete, int]:
    pairs, p = read_pairs(d, p)
    last = -1
    target_: bytes | None = None
    for _ in range(pairs):
        k, p = read_uint(d, p)
        if k <= last:
            raise _bad("Delete")
        last = k
        if k == 1:
            target_, p = read_bytes(d, p, 16, 16, "Delete.target")
        else:
            p = skip(d, p)
    if target_ is None:
        raise _bad("Delete")
    return Delete(target_), p


def decode_delete(data: bytes) -> Delete:
    """Raises WireError: a cbor-* rule, or `message`."""
    return cbor.finish_open(_read_delete, data)


def encode_receipt_content(value: ReceiptContent) -> bytes:
    """Raises WireError (`message`) for a ReceiptContent over a limit."""
    if value.kind not in _RECEIPT_KIND:
        raise _bad("ReceiptContent.kind")
    return b"\xa2\x01" + write_uint(value.kind, 2, "ReceiptContent.kind") + b"\x02" + write_list([write_bytes(item, 16, 16, "ReceiptContent.ids") for item in value.ids], 64, "ReceiptContent.ids")


def _read_receipt_content(d: bytes, p: int) -> tuple[ReceiptContent, int]:
    pairs, p = read_pairs(d, p)
    last = -1
    kind_: ReceiptKind | None = None
    ids_: tuple[bytes, ...] | None = None
    for _ in range(pairs):
        k, p = read_uint(d, p)
        if k <= last:
            raise _bad("ReceiptContent")
        last = k
        if k == 1:
            n, p = read_uint(d, p)
            kind_ = _RECEIPT_KIND[n]
        elif k == 2:
            n, p = read_count(d, p)
            if n > 64:
                raise _bad("ReceiptContent.ids")
            ids_list: list[bytes] = []
            for _ in range(n):
                if d[p : p + 1] != b"\x50":
                    raise _bad("ReceiptContent.ids")
                ids_list.append(d[p + 1 : p + 17])
                p += 17
            ids_ = tuple(ids_list)
        else:
            p = skip(d, p)
    if kind_ is None or ids_ is None:
        raise _bad("ReceiptContent")
    return ReceiptContent(kind_, ids_), p


def decode_receipt_content(data: bytes) -> ReceiptContent:
    """Raises WireError: a cbor-* rule, or `message`."""
    return cbor.finish_open(_read_receipt_content, data)


def encode_file_reference(value: FileReference) -> bytes:
    """Raises WireError (`message`) for a FileReference over a limit."""
    count = 5
    if len(value.blob) != 32:
        raise _bad("FileReference.blob")
    if len(value.key) != 32:
        raise _bad("FileReference.key")
    data = b"\x01\x58\x20" + value.blob + b"\x02\x58\x20" + value.key + b"\x03" + write_uint(value.size, 104832000, "FileReference.size") + b"\x04" + write_text(value.name, 255, "FileReference.name") + b"\x05" + write_text(value.media_type, 100, "FileReference.media_type")
    width_ = value.width
    if width_ is not None:
        count += 1
        data += b"\x06" + write_uint(width_, 65535, "FileReference.width")
    height_ = value.height
    if height_ is not None:
        count += 1
        data += b"\x07" + write_uint(height_, 65535, "FileReference.height")
    preview_ = value.preview
    if preview_ is not None:
        count += 1
        data += b"\x08" + write_bytes(preview_, 0, 1536, "FileReference.preview")
    caption_ = value.caption
    if caption_ is not None:
        count += 1
        data += b"\x09" + write_text(caption_, 4096, "FileReference.caption")
    reply_to_ = value.reply_to
    if reply_to_ is not None:
        if len(reply_to_) != 16:
            raise _bad("FileReference.reply_to")
        count += 1
        data += b"\x0a\x50" + reply_to_
    return head(0xA0, count) + data


def _read_file_reference(d: bytes, p: int) -> tuple[FileReference, int]:
    pairs, p = read_pairs(d, p)
    last = -1
    blob_: bytes | None = None
    key_: bytes | None = None
    size_: int | None = None
    name_: str | None = None
    media_type_: str | None = None
    width_: int | None = None
    height_: int | None = None
    preview_: bytes | None = None
    caption_: str | None = None
    reply_to_: bytes | None = None
    for _ in range(pairs):
        k, p = read_uint(d, p)
        if k <= last:
            raise _bad("FileReference")
        last = k
        if k == 1:
            blob_, p = read_bytes(d, p, 32, 32, "FileReference.blob")
        elif k == 2:
            key_, p = read_bytes(d, p, 32, 32, "FileReference.key")
        elif k == 3:
            size_, p = read_uint(d, p)
            if size_ > 104832000:
                raise _bad("FileReference.size")
        elif k == 4:
            name_, p = read_text(d, p, 255, "FileReference.name")
        elif k == 5:
            media_type_, p = read_text(d, p, 100, "FileReference.media_type")
        elif k == 6:
            width_, p = read_uint(d, p)
            if width_ > 65535:
                raise _bad("FileReference.width")
        elif k == 7:
            height_, p = read_uint(d, p)
            if height_ > 65535:
                raise _bad("FileReference.height")
        elif k == 8:
            preview_, p = read_bytes(d, p, 0, 1536, "FileReference.preview")
        elif k == 9:
            caption_, p = read_text(d, p, 4096, "FileReference.caption")
        elif k == 10:
            reply_to_, p = read_bytes(d, p, 16, 16, "FileReference.reply_to")
        else:
            p = skip(d, p)
    if blob_ is None or key_ is None or size_ is None or name_ is None or media_type_ is None:
        raise _bad("FileReference")
    return FileReference(blob_, key_, size_, name_, media_type_, width_, height_, preview_, caption_, reply_to_), p


def decode_file_reference(data: bytes) -> FileReference:
    """Raises WireError: a cbor-* rule, or `message`."""
    return cbor.finish_open(_read_file_reference, data)


def encode_profile(value: Profile) -> bytes:
    """Raises WireError (`message`) for a Profile over a limit."""
    count = 1
    data = b"\x01" + write_text(value.name, 128, "Profile.name")
    reach_ = value.reach
    if reach_ is not None:
        count += 1
        data += b"\x02" + encode_reach(reach_)
    return head(0xA0, count) + data


def _read_profile(d: bytes, p: int) -> tuple[Profile, int]:
    pairs, p = read_pairs(d, p)
    last = -1
    name_: str | None = None
    reach_: Reach | None = None
    for _ in range(pairs):
        k, p = read_uint(d, p)
        if k <= last:
            raise _bad("Profile")
        last = k
        if k == 1:
            name_, p = read_text(d, p, 128, "Profile.name")
        elif k == 2:
            reach_, p = _read_reach(d, p)
        else:
            p = skip(d, p)
    if name_ is None:
        raise _bad("Profile")
    return Profile(name_, reach_), p


def decode_profile(data: bytes) -> Profile:
    """Raises WireError: a cbor-* rule, or `message`."""
    return cbor.finish_open(_read_profile, data)


def encode_intent(value: Intent) -> bytes:
    """Raises WireError (`message`) for a Intent over a limit."""
    count = 1
    if value.kind not in _INTENT_KIND:
        raise _bad("Intent.kind")
    data = b"\x01" + write_uint(value.kind, 1, "Intent.kind")
    proof_ = value.proof
    if proof_ is not None:
        count += 1
        data += b"\x02" + encode_leave_proof(proof_)
    return head(0xA0, count) + data


def _read_intent(d: bytes, p: int) -> tuple[Intent, int]:
    pairs, p = read_pairs(d, p)
    last = -1
    kind_: IntentKind | None = None
    proof_: LeaveProof | None = None
    for _ in range(pairs):
        k, p = read_uint(d, p)
        if k <= last:
            raise _bad("Intent")
        last = k
        if k == 1:
            n, p = read_uint(d, p)
            kind_ = _INTENT_KIND[n]
        elif k == 2:
            proof_, p = _read_leave_proof(d, p)
        else:
            p = skip(d, p)
    if kind_ is None:
        raise _bad("Intent")
    return Intent(kind_, proof_), p


def decode_intent(data: bytes) -> Intent:
    """Raises WireError: a cbor-* rule, or `message`."""
    return cbor.finish_open(_read_intent, data)


def encode_device_list_content(value: DeviceListContent) -> bytes:
    """Raises WireError (`message`) for a DeviceListContent over a limit."""
    return b"\xa1\x01" + encode_device_list(value.list)


def _read_device_list_content(d: bytes, p: int) -> tuple[DeviceListContent, int]:
    pairs, p = read_pairs(d, p)
    last = -1
    list_: DeviceList | None = None
    for _ in range(pairs):
        k, p = read_uint(d, p)
        if k <= last:
            raise _bad("DeviceListContent")
        last = k
        if k == 1:
            list_, p = _read_device_list(d, p)
        else:
            p = skip(d, p)
    if list_ is None:
        raise _bad("DeviceListContent")
    return DeviceListContent(list_), p


def decode_device_list_content(data: bytes) -> DeviceListContent:
    """Raises WireError: a cbor-* rule, or `message`."""
    return cbor.finish_open(_read_device_list_content, data)


def encode_typing(value: Typing) -> bytes:
    """Raises WireError (`message`) for a Typing over a limit."""
    return b"\xa1\x01" + write_bool(value.active)


def _read_typing(d: bytes, p: int) -> tuple[Typing, int]:
    pairs, p = read_pairs(d, p)
    last = -1
    active_: bool | None = None
    for _ in range(pairs):
        k, p = read_uint(d, p)
        if k <= last:
            raise _bad("Typing")
        last = k
        if k == 1:
            active_, p = read_bool(d, p)
        else:
            p = skip(d, p)
    if active_ is None:
        raise _bad("Typing")
    return Typing(active_), p


def decode_typing(data: bytes) -> Typing:
    """Raises WireError: a cbor-* rule, or `message`."""
    return cbor.finish_open(_read_typing, data)


def encode_message(value: Message) -> bytes:
    """Raises WireError (`message`) for a Message over a limit."""
    if len(value.id) != 16:
        raise _bad("Message.id")
    if len(value.topic) != 32:
        raise _bad("Message.topic")
    if len(value.head) != 32:
        raise _bad("Message.head")
    return b"\xa7\x01\x50" + value.id + b"\x02" + write_uint(value.sent, 9007199254740991, "Message.sent") + b"\x03" + encode_content(value.content) + b"\x04\x58\x20" + value.topic + b"\x05" + write_uint(value.seq, 9007199254740991, "Message.seq") + b"\x06\x58\x20" + value.head + b"\x07" + write_uint(value.device_list, 9007199254740991, "Message.device_list")


def _read_message(d: bytes, p: int) -> tuple[Message, int]:
    pairs, p = read_pairs(d, p)
    last = -1
    id_: bytes | None = None
    sent_: int | None = None
    content_: Content | None = None
    topic_: bytes | None = None
    seq_: int | None = None
    head_: bytes | None = None
    device_list_: int | None = None
    for _ in range(pairs):
        k, p = read_uint(d, p)
        if k <= last:
            raise _bad("Message")
        last = k
        if k == 1:
            id_, p = read_bytes(d, p, 16, 16, "Message.id")
        elif k == 2:
            sent_, p = read_uint(d, p)
        elif k == 3:
            content_, p = _read_content(d, p)
        elif k == 4:
            topic_, p = read_bytes(d, p, 32, 32, "Message.topic")
        elif k == 5:
            seq_, p = read_uint(d, p)
        elif k == 6:
            head_, p = read_bytes(d, p, 32, 32, "Message.head")
        elif k == 7:
            device_list_, p = read_uint(d, p)
        else:
            p = skip(d, p)
    if id_ is None or sent_ is None or content_ is None or topic_ is None or seq_ is None or head_ is None or device_list_ is None:
        raise _bad("Message")
    return Message(id_, sent_, content_, topic_, seq_, head_, device_list_), p


def decode_message(data: bytes) -> Message:
    """Raises WireError: a cbor-* rule, or `message`."""
    return cbor.finish_open(_read_message, data)


def encode_ephemeral_message(value: EphemeralMessage) -> bytes:
    """Raises WireError (`message`) for a EphemeralMessage over a limit."""
    return b"\xa3\x01" + write_uint(value.leaf, 65535, "EphemeralMessage.leaf") + b"\x02" + write_uint(value.sent, 9007199254740991, "EphemeralMessage.sent") + b"\x03" + encode_ephemeral_content(value.content)


def _read_ephemeral_message(d: bytes, p: int) -> tuple[EphemeralMessage, int]:
    if d[p] != 163:
        raise _bad("EphemeralMessage")
    p += 1
    if d[p] != 1:
        raise _bad("EphemeralMessage.leaf")
    leaf_, p = read_uint(d, p + 1)
    if leaf_ > 65535:
        raise _bad("EphemeralMessage.leaf")
    if d[p] != 2:
        raise _bad("EphemeralMessage.sent")
    sent_, p = read_uint(d, p + 1)
    if d[p] != 3:
        raise _bad("EphemeralMessage.content")
    content_, p = _read_ephemeral_content(d, p + 1)
    return EphemeralMessage(leaf_, sent_, content_), p


def decode_ephemeral_message(data: bytes) -> EphemeralMessage:
    """Raises WireError: a cbor-* rule, or `message`."""
    return cbor.finish_open(_read_ephemeral_message, data)


def encode_invite_link(value: InviteLink) -> bytes:
    """Raises WireError (`message`) for a InviteLink over a limit."""
    count = 4
    if len(value.relay) != 32:
        raise _bad("InviteLink.relay")
    if len(value.card) != 32:
        raise _bad("InviteLink.card")
    if len(value.secret) != 16:
        raise _bad("InviteLink.secret")
    data = b"\x01" + write_uint(value.version, 65535, "InviteLink.version") + b"\x02\x58\x20" + value.relay + b"\x03\x58\x20" + value.card + b"\x04\x50" + value.secret
    url_ = value.url
    if url_ is not None:
        count += 1
        data += b"\x05" + write_text(url_, 256, "InviteLink.url")
    return head(0xA0, count) + data


def _read_invite_link(d: bytes, p: int) -> tuple[InviteLink, int]:
    left = d[p] - 164
    if left < 0 or left > 1:
        raise _bad("InviteLink")
    p += 1
    if d[p] != 1:
        raise _bad("InviteLink.version")
    version_, p = read_uint(d, p + 1)
    if version_ > 65535:
        raise _bad("InviteLink.version")
    if d[p : p + 3] != b"\x02\x58\x20":
        raise _bad("InviteLink.relay")
    relay_ = d[p + 3 : p + 35]
    p += 35
    if d[p : p + 3] != b"\x03\x58\x20":
        raise _bad("InviteLink.card")
    card_ = d[p + 3 : p + 35]
    p += 35
    if d[p : p + 2] != b"\x04\x50":
        raise _bad("InviteLink.secret")
    secret_ = d[p + 2 : p + 18]
    p += 18
    url_: str | None = None
    if left and d[p] == 5:
        left -= 1
        url_, p = read_text(d, p + 1, 256, "InviteLink.url")
    if left:
        raise _bad("InviteLink")
    return InviteLink(version_, relay_, card_, secret_, url_), p


def decode_invite_link(data: bytes) -> InviteLink:
    """Raises WireError: a cbor-* rule, or `message`."""
    return cbor.finish(_read_invite_link, data)


def encode_relay_link(value: RelayLink) -> bytes:
    """Raises WireError (`message`) for a RelayLink over a limit."""
    count = 2
    if len(value.relay) != 32:
        raise _bad("RelayLink.relay")
    data = b"\x01" + write_uint(value.version, 65535, "RelayLink.version") + b"\x02\x58\x20" + value.relay
    url_ = value.url
    if url_ is not None:
        count += 1
        data += b"\x03" + write_text(url_, 256, "RelayLink.url")
    return head(0xA0, count) + data


def _read_relay_link(d: bytes, p: int) -> tuple[RelayLink, int]:
    left = d[p] - 162
    if left < 0 or left > 1:
        raise _bad("RelayLink")
    p += 1
    if d[p] != 1:
        raise _bad("RelayLink.version")
    version_, p = read_uint(d, p + 1)
    if version_ > 65535:
        raise _bad("RelayLink.version")
    if d[p : p + 3] != b"\x02\x58\x20":
        raise _bad("RelayLink.relay")
    relay_ = d[p + 3 : p + 35]
    p += 35
    url_: str | None = None
    if left and d[p] == 3:
        left -= 1
        url_, p = read_text(d, p + 1, 256, "RelayLink.url")
    if left:
        raise _bad("RelayLink")
    return RelayLink(version_, relay_, url_), p


def decode_relay_link(data: bytes) -> RelayLink:
    """Raises WireError: a cbor-* rule, or `message`."""
    return cbor.finish(_read_relay_link, data)


def encode_card_body(value: CardBody) -> bytes:
    """Raises WireError (`message`) for a CardBody over a limit."""
    if len(value.identity) != 32:
        raise _bad("CardBody.identity")
    if len(value.inbox) != 32:
        raise _bad("CardBody.inbox")
    if len(value.public_key) != 1216:
        raise _bad("CardBody.public_key")
    return b"\xa5\x01\x58\x20" + value.identity + b"\x02" + write_text(value.name, 128, "CardBody.name") + b"\x03\x58\x20" + value.inbox + b"\x04\x59\x04\xc0" + value.public_key + b"\x05" + write_uint(value.expires, 9007199254740991, "CardBody.expires")


def _read_card_body(d: bytes, p: int) -> tuple[CardBody, int]:
    if d[p] != 165:
        raise _bad("CardBody")
    p += 1
    if d[p : p + 3] != b"\x01\x58\x20":
        raise _bad("CardBody.identity")
    identity_ = d[p + 3 : p + 35]
    p += 35
    if d[p] != 2:
        raise _bad("CardBody.name")
    name_, p = read_text(d, p + 1, 128, "CardBody.name")
    if d[p : p + 3] != b"\x03\x58\x20":
        raise _bad("CardBody.inbox")
    inbox_ = d[p + 3 : p + 35]
    p += 35
    if d[p : p + 4] != b"\x04\x59\x04\xc0":
        raise _bad("CardBody.public_key")
    public_key_ = d[p + 4 : p + 1220]
    p += 1220
    if d[p] != 5:
        raise _bad("CardBody.expires")
    expires_, p = read_uint(d, p + 1)
    return CardBody(identity_, name_, inbox_, public_key_, expires_), p


def decode_card_body(data: bytes) -> CardBody:
    """Raises WireError: a cbor-* rule, or `message`."""
    return cbor.finish(_read_card_body, data)


def encode_card(value: Card) -> bytes:
    """Raises WireError (`message`) for a Card over a limit."""
    count = 2
    if len(value.signature) != 64:
        raise _bad("Card.signature")
    data = b"\x01" + write_bytes(value.body, 0, 2048, "Card.body") + b"\x02\x58\x40" + value.signature
    tokens_ = value.tokens
    if tokens_ is not None:
        count += 1
        data += b"\x03" + write_list([write_bytes(item, 354, 354, "Card.tokens") for item in tokens_], 16, "Card.tokens")
    join_ = value.join
    if join_ is not None:
        if len(join_) != 354:
            raise _bad("Card.join")
        count += 1
        data += b"\x04\x59\x01\x62" + join_
    token_keys_ = value.token_keys
    if token_keys_ is not None:
        count += 1
        data += b"\x05" + encode_signed_token_keys(token_keys_)
    return head(0xA0, count) + data


def _read_card(d: bytes, p: int) -> tuple[Card, int]:
    left = d[p] - 162
    if left < 0 or left > 3:
        raise _bad("Card")
    p += 1
    if d[p] != 1:
        raise _bad("Card.body")
    body_, p = read_bytes(d, p + 1, 0, 2048, "Card.body")
    if d[p : p + 3] != b"\x02\x58\x40":
        raise _bad("Card.signature")
    signature_ = d[p + 3 : p + 67]
    p += 67
    tokens_: tuple[bytes, ...] | None = None
    if left and d[p] == 3:
        left -= 1
        n, p = read_count(d, p + 1)
        if n > 16:
            raise _bad("Card.tokens")
        tokens_list: list[bytes] = []
        for _ in range(n):
            if d[p : p + 3] != b"\x59\x01\x62":
                raise _bad("Card.tokens")
            tokens_list.append(d[p + 3 : p + 357])
            p += 357
        tokens_ = tuple(tokens_list)
    join_: bytes | None = None
    if left and d[p] == 4:
        left -= 1
        if d[p : p + 4] != b"\x04\x59\x01\x62":
            raise _bad("Card.join")
        join_ = d[p + 4 : p + 358]
        p += 358
    token_keys_: SignedTokenKeys | None = None
    if left and d[p] == 5:
        left -= 1
        token_keys_, p = _read_signed_token_keys(d, p + 1)
    if left:
        raise _bad("Card")
    return Card(body_, signature_, tokens_, join_, token_keys_), p


def decode_card(data: bytes) -> Card:
    """Raises WireError: a cbor-* rule, or `message`."""
    return cbor.finish(_read_card, data)


def encode_contact_request_body(value: ContactRequestBody) -> bytes:
    """Raises WireError (`message`) for a ContactRequestBody over a limit."""
    count = 5
    if len(value.card) != 32:
        raise _bad("ContactRequestBody.card")
    if len(value.identity) != 32:
        raise _bad("ContactRequestBody.identity")
    data = b"\x01\x58\x20" + value.card + b"\x02\x58\x20" + value.identity + b"\x03" + write_text(value.name, 128, "ContactRequestBody.name")
    text_ = value.text
    if text_ is not None:
        count += 1
        data += b"\x04" + write_text(text_, 512, "ContactRequestBody.text")
    data += b"\x05" + encode_device_list(value.devices) + b"\x06" + encode_reach(value.reach)
    return head(0xA0, count) + data


def _read_contact_request_body(d: bytes, p: int) -> tuple[ContactRequestBody, int]:
    left = d[p] - 165
    if left < 0 or left > 1:
        raise _bad("ContactRequestBody")
    p += 1
    if d[p : p + 3] != b"\x01\x58\x20":
        raise _bad("ContactRequestBody.card")
    card_ = d[p + 3 : p + 35]
    p += 35
    if d[p : p + 3] != b"\x02\x58\x20":
        raise _bad("ContactRequestBody.identity")
    identity_ = d[p + 3 : p + 35]
    p += 35
    if d[p] != 3:
        raise _bad("ContactRequestBody.name")
    name_, p = read_text(d, p + 1, 128, "ContactRequestBody.name")
    text_: str | None = None
    if left and d[p] == 4:
        left -= 1
        text_, p = read_text(d, p + 1, 512, "ContactRequestBody.text")
    if d[p] != 5:
        raise _bad("ContactRequestBody.devices")
    devices_, p = _read_device_list(d, p + 1)
    if d[p] != 6:
        raise _bad("ContactRequestBody.reach")
    reach_, p = _read_reach(d, p + 1)
    if left:
        raise _bad("ContactRequestBody")
    return ContactRequestBody(card_, identity_, name_, devices_, reach_, text_), p


def decode_contact_request_body(data: bytes) -> ContactRequestBody:
    """Raises WireError: a cbor-* rule, or `message`."""
    return cbor.finish(_read_contact_request_body, data)


def encode_contact_request(value: ContactRequest) -> bytes:
    """Raises WireError (`message`) for a ContactRequest over a limit."""
    if len(value.signature) != 64:
        raise _bad("ContactRequest.signature")
    return b"\xa2\x01" + write_bytes(value.body, 0, 4096, "ContactRequest.body") + b"\x02\x58\x40" + value.signature


def _read_contact_request(d: bytes, p: int) -> tuple[ContactRequest, int]:
    if d[p] != 162:
        raise _bad("ContactRequest")
    p += 1
    if d[p] != 1:
        raise _bad("ContactRequest.body")
    body_, p = read_bytes(d, p + 1, 0, 4096, "ContactRequest.body")
    if d[p : p + 3] != b"\x02\x58\x40":
        raise _bad("ContactRequest.signature")
    signature_ = d[p + 3 : p + 67]
    p += 67
    return ContactRequest(body_, signature_), p


def decode_contact_request(data: bytes) -> ContactRequest:
    """Raises WireError: a cbor-* rule, or `message`."""
    return cbor.finish(_read_contact_request, data)


def encode_roster_entry(value: RosterEntry) -> bytes:
    """Raises WireError (`message`) for a RosterEntry over a limit."""
    count = 2
    if len(value.identity) != 32:
        raise _bad("RosterEntry.identity")
    data = b"\x01\x58\x20" + value.identity + b"\x02" + write_text(value.name, 128, "RosterEntry.name")
    reach_ = value.reach
    if reach_ is not None:
        count += 1
        data += b"\x03" + encode_reach(reach_)
    return head(0xA0, count) + data


def _read_roster_entry(d: bytes, p: int) -> tuple[RosterEntry, int]:
    left = d[p] - 162
    if left < 0 or left > 1:
        raise _bad("RosterEntry")
    p += 1
    if d[p : p + 3] != b"\x01\x58\x20":
        raise _bad("RosterEntry.identity")
    identity_ = d[p + 3 : p + 35]
    p += 35
    if d[p] != 2:
        raise _bad("RosterEntry.name")
    name_, p = read_text(d, p + 1, 128, "RosterEntry.name")
    reach_: Reach | None = None
    if left and d[p] == 3:
        left -= 1
        reach_, p = _read_reach(d, p + 1)
    if left:
        raise _bad("RosterEntry")
    return RosterEntry(identity_, name_, reach_), p


def decode_roster_entry(data: bytes) -> RosterEntry:
    """Raises WireError: a cbor-* rule, or `message`."""
    return cbor.finish(_read_roster_entry, data)


def encode_welcome_message(value: WelcomeMessage) -> bytes:
    """Raises WireError (`message`) for a WelcomeMessage over a limit."""
    count = 2
    data = b"\x01" + write_bytes(value.welcome, 0, 8388608, "WelcomeMessage.welcome")
    tree_ = value.tree
    if tree_ is not None:
        count += 1
        data += b"\x02" + write_bytes(tree_, 0, 8388608, "WelcomeMessage.tree")
    data += b"\x03" + write_list([encode_roster_entry(item) for item in value.roster], 4096, "WelcomeMessage.roster")
    former_ = value.former
    if former_ is not None:
        count += 1
        data += b"\x04" + write_list([write_bytes(item, 16, 16, "WelcomeMessage.former") for item in former_], 16, "WelcomeMessage.former")
    return head(0xA0, count) + data


def _read_welcome_message(d: bytes, p: int) -> tuple[WelcomeMessage, int]:
    left = d[p] - 162
    if left < 0 or left > 2:
        raise _bad("WelcomeMessage")
    p += 1
    if d[p] != 1:
        raise _bad("WelcomeMessage.welcome")
    welcome_, p = read_bytes(d, p + 1, 0, 8388608, "WelcomeMessage.welcome")
    tree_: bytes | None = None
    if left and d[p] == 2:
        left -= 1
        tree_, p = read_bytes(d, p + 1, 0, 8388608, "WelcomeMessage.tree")
    if d[p] != 3:
        raise _bad("WelcomeMessage.roster")
    n, p = read_count(d, p + 1)
    if n > 4096:
        raise _bad("WelcomeMessage.roster")
    roster_list: list[RosterEntry] = []
    for _ in range(n):
        roster_item, p = _read_roster_entry(d, p)
        roster_list.append(roster_item)
    roster_ = tuple(roster_list)
    former_: tuple[bytes, ...] | None = None
    if left and d[p] == 4:
        left -= 1
        n, p = read_count(d, p + 1)
        if n > 16:
            raise _bad("WelcomeMessage.former")
        former_list: list[bytes] = []
        for _ in range(n):
            if d[p : p + 1] != b"\x50":
                raise _bad("WelcomeMessage.former")
            former_list.append(d[p + 1 : p + 17])
            p += 17
        former_ = tuple(former_list)
    if left:
        raise _bad("WelcomeMessage")
    return WelcomeMessage(welcome_, roster_, tree_, former_), p


def decode_welcome_message(data: bytes) -> WelcomeMessage:
    """Raises WireError: a cbor-* rule, or `message`."""
    return cbor.finish(_read_welcome_message, data)


def encode_re_add_body(value: ReAddBody) -> bytes:
    """Raises WireError (`message`) for a ReAddBody over a limit."""
    if len(value.group) != 16:
        raise _bad("ReAddBody.group")
    if len(value.identity) != 32:
        raise _bad("ReAddBody.identity")
    return b"\xa5\x01\x50" + value.group + b"\x02\x58\x20" + value.identity + b"\x03" + write_uint(value.epoch, 9007199254740991, "ReAddBody.epoch") + b"\x04" + write_bytes(value.key_package, 0, 3584, "ReAddBody.key_package") + b"\x05" + write_uint(value.time, 9007199254740991, "ReAddBody.time")


def _read_re_add_body(d: bytes, p: int) -> tuple[ReAddBody, int]:
    if d[p] != 165:
        raise _bad("ReAddBody")
    p += 1
    if d[p : p + 2] != b"\x01\x50":
        raise _bad("ReAddBody.group")
    group_ = d[p + 2 : p + 18]
    p += 18
    if d[p : p + 3] != b"\x02\x58\x20":
        raise _bad("ReAddBody.identity")
    identity_ = d[p + 3 : p + 35]
    p += 35
    if d[p] != 3:
        raise _bad("ReAddBody.epoch")
    epoch_, p = read_uint(d, p + 1)
    if d[p] != 4:
        raise _bad("ReAddBody.key_package")
    key_package_, p = read_bytes(d, p + 1, 0, 3584, "ReAddBody.key_package")
    if d[p] != 5:
        raise _bad("ReAddBody.time")
    time_, p = read_uint(d, p + 1)
    return ReAddBody(group_, identity_, epoch_, key_package_, time_), p


def decode_re_add_body(data: bytes) -> ReAddBody:
    """Raises WireError: a cbor-* rule, or `message`."""
    return cbor.finish(_read_re_add_body, data)


def encode_re_add_request(value: ReAddRequest) -> bytes:
    """Raises WireError (`message`) for a ReAddRequest over a limit."""
    if len(value.signature) != 64:
        raise _bad("ReAddRequest.signature")
    return b"\xa2\x01" + write_bytes(value.body, 0, 4096, "ReAddRequest.body") + b"\x02\x58\x40" + value.signature


def _read_re_add_request(d: bytes, p: int) -> tuple[ReAddRequest, int]:
    if d[p] != 162:
        raise _bad("ReAddRequest")
    p += 1
    if d[p] != 1:
        raise _bad("ReAddRequest.body")
    body_, p = read_bytes(d, p + 1, 0, 4096, "ReAddRequest.body")
    if d[p : p + 3] != b"\x02\x58\x40":
        raise _bad("ReAddRequest.signature")
    signature_ = d[p + 3 : p + 67]
    p += 67
    return ReAddRequest(body_, signature_), p


def decode_re_add_request(data: bytes) -> ReAddRequest:
    """Raises WireError: a cbor-* rule, or `message`."""
    return cbor.finish(_read_re_add_request, data)


def encode_request(value: Request) -> bytes:
    """Raises WireError (`message`) for a member over a limit."""
    writer = _REQUEST_WRITERS.get(type(value))
    if writer is None:
        raise _bad("Request: not a member")
    return writer[0] + writer[1](value)


def _read_request(d: bytes, p: int) -> tuple[Request, int]:
    if d[p] != 0x82:
        raise _bad("Request")
    return _REQUEST_READERS[d[p + 1]](d, p + 2)


def decode_request(data: bytes) -> Request:
    """Raises WireError: a cbor-* rule, or `message`."""
    return cbor.finish(_read_request, data)


def encode_response(value: Response) -> bytes:
    """Raises WireError (`message`) for a member over a limit."""
    writer = _RESPONSE_WRITERS.get(type(value))
    if writer is None:
        raise _bad("Response: not a member")
    return writer[0] + writer[1](value)


def _read_response(d: bytes, p: int) -> tuple[Response, int]:
    if d[p] != 0x82:
        raise _bad("Response")
    return _RESPONSE_READERS[d[p + 1]](d, p + 2)


def decode_response(data: bytes) -> Response:
    """Raises WireError: a cbor-* rule, or `message`."""
    return cbor.finish(_read_response, data)


def encode_client_frame(value: ClientFrame) -> bytes:
    """Raises WireError (`message`) for a member over a limit."""
    writer = _CLIENT_FRAME_WRITERS.get(type(value))
    if writer is None:
        raise _bad("ClientFrame: not a member")
    return writer[0] + writer[1](value)


def _read_client_frame(d: bytes, p: int) -> tuple[ClientFrame, int]:
    if d[p] != 0x82:
        raise _bad("ClientFrame")
    return _CLIENT_FRAME_READERS[d[p + 1]](d, p + 2)


def decode_client_frame(data: bytes) -> ClientFrame:
    """Raises WireError: a cbor-* rule, or `message`."""
    return cbor.finish(_read_client_frame, data)


def encode_relay_frame(value: RelayFrame) -> bytes:
    """Raises WireError (`message`) for a member over a limit."""
    writer = _RELAY_FRAME_WRITERS.get(type(value))
    if writer is None:
        raise _bad("RelayFrame: not a member")
    return writer[0] + writer[1](value)


def _read_relay_frame(d: bytes, p: int) -> tuple[RelayFrame, int]:
    if d[p] != 0x82:
        raise _bad("RelayFrame")
    return _RELAY_FRAME_READERS[d[p + 1]](d, p + 2)


def decode_relay_frame(data: bytes) -> RelayFrame:
    """Raises WireError: a cbor-* rule, or `message`."""
    return cbor.finish(_read_relay_frame, data)


def encode_record_body(value: RecordBody) -> bytes:
    """Raises WireError (`message`) for a member over a limit."""
    writer = _RECORD_BODY_WRITERS.get(type(value))
    if writer is None:
        raise _bad("RecordBody: not a member")
    return writer[0] + writer[1](value)


def _read_record_body(d: bytes, p: int) -> tuple[RecordBody, int]:
    if d[p] != 0x82:
        raise _bad("RecordBody")
    return _RECORD_BODY_READERS[d[p + 1]](d, p + 2)


def decode_record_body(data: bytes) -> RecordBody:
    """Raises WireError: a cbor-* rule, or `message`."""
    return cbor.finish(_read_record_body, data)


def encode_content(value: Content) -> bytes:
    """Raises WireError (`message`) for a member over a limit or Unknown."""
    writer = _CONTENT_WRITERS.get(type(value))
    if writer is None:
        raise _bad("Content: not a member")
    return writer[0] + writer[1](value)


def _read_content(d: bytes, p: int) -> tuple[Content, int]:
    if d[p] != 0x82:
        raise _bad("Content")
    tag, p = read_uint(d, p + 1)
    reader = _CONTENT_READERS.get(tag)
    if reader is None:
        return Unknown(tag), skip_struct(d, p)
    return reader(d, p)


def decode_content(data: bytes) -> Content:
    """Raises WireError: a cbor-* rule, or `message`."""
    return cbor.finish_open(_read_content, data)


def encode_ephemeral_content(value: EphemeralContent) -> bytes:
    """Raises WireError (`message`) for a member over a limit or Unknown."""
    writer = _EPHEMERAL_CONTENT_WRITERS.get(type(value))
    if writer is None:
        raise _bad("EphemeralContent: not a member")
    return writer[0] + writer[1](value)


def _read_ephemeral_content(d: bytes, p: int) -> tuple[EphemeralContent, int]:
    if d[p] != 0x82:
        raise _bad("EphemeralContent")
    tag, p = read_uint(d, p + 1)
    reader = _EPHEMERAL_CONTENT_READERS.get(tag)
    if reader is None:
        return Unknown(tag), skip_struct(d, p)
    return reader(d, p)


def decode_ephemeral_content(data: bytes) -> EphemeralContent:
    """Raises WireError: a cbor-* rule, or `message`."""
    return cbor.finish_open(_read_ephemeral_content, data)


def encode_inbox_message(value: InboxMessage) -> bytes:
    """Raises WireError (`message`) for a member over a limit."""
    writer = _INBOX_MESSAGE_WRITERS.get(type(value))
    if writer is None:
        raise _bad("InboxMessage: not a member")
    return writer[0] + writer[1](value)


def _read_inbox_message(d: bytes, p: int) -> tuple[InboxMessage, int]:
    if d[p] != 0x82:
        raise _bad("InboxMessage")
    return _INBOX_MESSAGE_READERS[d[p + 1]](d, p + 2)


def decode_inbox_message(data: bytes) -> InboxMessage:
    """Raises WireError: a cbor-* rule, or `message`."""
    return cbor.finish(_read_inbox_message, data)


_REQUEST_WRITERS: Final[dict[type, tuple[bytes, Callable[[Any], bytes]]]] = {
    CreateTopic: (b"\x82\x01", encode_create_topic),
    Publish: (b"\x82\x02", encode_publish),
    Fetch: (b"\x82\x03", encode_fetch),
    CreateInbox: (b"\x82\x04", encode_create_inbox),
    Drop: (b"\x82\x05", encode_drop),
    FetchInbox: (b"\x82\x06", encode_fetch_inbox),
    TrimInbox: (b"\x82\x07", encode_trim_inbox),
    DeleteInbox: (b"\x82\x08", encode_delete_inbox),
    PutKeyPackages: (b"\x82\x09", encode_put_key_packages),
    TakeKeyPackage: (b"\x82\x0a", encode_take_key_package),
    PutBlob: (b"\x82\x0b", encode_put_blob),
    GetBlob: (b"\x82\x0c", encode_get_blob),
    Subscribe: (b"\x82\x0d", encode_subscribe),
    Unsubscribe: (b"\x82\x0e", encode_unsubscribe),
    SendEphemeral: (b"\x82\x0f", encode_send_ephemeral),
    Ping: (b"\x82\x10", encode_ping),
    JoinRelay: (b"\x82\x11", encode_join_relay),
    GetTokenKeys: (b"\x82\x12", encode_get_token_keys),
    IssueTokens: (b"\x82\x13", encode_issue_tokens),
}
_REQUEST_READERS: Final[dict[int, Callable[[bytes, int], tuple[Request, int]]]] = {
    1: _read_create_topic,
    2: _read_publish,
    3: _read_fetch,
    4: _read_create_inbox,
    5: _read_drop,
    6: _read_fetch_inbox,
    7: _read_trim_inbox,
    8: _read_delete_inbox,
    9: _read_put_key_packages,
    10: _read_take_key_package,
    11: _read_put_blob,
    12: _read_get_blob,
    13: _read_subscribe,
    14: _read_unsubscribe,
    15: _read_send_ephemeral,
    16: _read_ping,
    17: _read_join_relay,
    18: _read_get_token_keys,
    19: _read_issue_tokens,
}
_RESPONSE_WRITERS: Final[dict[type, tuple[bytes, Callable[[Any], bytes]]]] = {
    Done: (b"\x82\x01", encode_done),
    Published: (b"\x82\x02", encode_published),
    Records: (b"\x82\x03", encode_records),
    Heads: (b"\x82\x04", encode_heads),
    KeyPackagesStored: (b"\x82\x05", encode_key_packages_stored),
    KeyPackageTaken: (b"\x82\x06", encode_key_package_taken),
    BlobState: (b"\x82\x07", encode_blob_state),
    BlobPart: (b"\x82\x08", encode_blob_part),
    Refused: (b"\x82\x09", encode_refused),
    SignedTokenKeys: (b"\x82\x0a", encode_signed_token_keys),
    TokensIssued: (b"\x82\x0b", encode_tokens_issued),
}
_RESPONSE_READERS: Final[dict[int, Callable[[bytes, int], tuple[Response, int]]]] = {
    1: _read_done,
    2: _read_published,
    3: _read_records,
    4: _read_heads,
    5: _read_key_packages_stored,
    6: _read_key_package_taken,
    7: _read_blob_state,
    8: _read_blob_part,
    9: _read_refused,
    10: _read_signed_token_keys,
    11: _read_tokens_issued,
}
_CLIENT_FRAME_WRITERS: Final[dict[type, tuple[bytes, Callable[[Any], bytes]]]] = {
    Call: (b"\x82\x01", encode_call),
}
_CLIENT_FRAME_READERS: Final[dict[int, Callable[[bytes, int], tuple[ClientFrame, int]]]] = {
    1: _read_call,
}
_RELAY_FRAME_WRITERS: Final[dict[type, tuple[bytes, Callable[[Any], bytes]]]] = {
    Reply: (b"\x82\x01", encode_reply),
    Push: (b"\x82\x02", encode_push),
    EphemeralPush: (b"\x82\x03", encode_ephemeral_push),
}
_RELAY_FRAME_READERS: Final[dict[int, Callable[[bytes, int], tuple[RelayFrame, int]]]] = {
    1: _read_reply,
    2: _read_push,
    3: _read_ephemeral_push,
}
_RECORD_BODY_WRITERS: Final[dict[type, tuple[bytes, Callable[[Any], bytes]]]] = {
    Inline: (b"\x82\x01", encode_inline),
    InBlob: (b"\x82\x02", encode_in_blob),
}
_RECORD_BODY_READERS: Final[dict[int, Callable[[bytes, int], tuple[RecordBody, int]]]] = {
    1: _read_inline,
    2: _read_in_blob,
}
_CONTENT_WRITERS: Final[dict[type, tuple[bytes, Callable[[Any], bytes]]]] = {
    Text: (b"\x82\x01", encode_text),
    Reaction: (b"\x82\x02", encode_reaction),
    Edit: (b"\x82\x03", encode_edit),
    Delete: (b"\x82\x04", encode_delete),
    ReceiptContent: (b"\x82\x05", encode_receipt_content),
    FileReference: (b"\x82\x06", encode_file_reference),
    Profile: (b"\x82\x07", encode_profile),
    Intent: (b"\x82\x08", encode_intent),
    DeviceListContent: (b"\x82\x09", encode_device_list_content),
}
_CONTENT_READERS: Final[dict[int, Callable[[bytes, int], tuple[Content, int]]]] = {
    1: _read_text,
    2: _read_reaction,
    3: _read_edit,
    4: _read_delete,
    5: _read_receipt_content,
    6: _read_file_reference,
    7: _read_profile,
    8: _read_intent,
    9: _read_device_list_content,
}
_EPHEMERAL_CONTENT_WRITERS: Final[dict[type, tuple[bytes, Callable[[Any], bytes]]]] = {
    Typing: (b"\x82\x01", encode_typing),
}
_EPHEMERAL_CONTENT_READERS: Final[dict[int, Callable[[bytes, int], tuple[EphemeralContent, int]]]] = {
    1: _read_typing,
}
_INBOX_MESSAGE_WRITERS: Final[dict[type, tuple[bytes, Callable[[Any], bytes]]]] = {
    ContactRequest: (b"\x82\x01", encode_contact_request),
    WelcomeMessage: (b"\x82\x02", encode_welcome_message),
    ReAddRequest: (b"\x82\x03", encode_re_add_request),
}
_INBOX_MESSAGE_READERS: Final[dict[int, Callable[[bytes, int], tuple[InboxMessage, int]]]] = {
    1: _read_contact_request,
    2: _read_welcome_message,
    3: _read_re_add_request,
}


__all__ = [
    "Answer",
    "BLOB_MAX",
    "BLOB_PART",
    "BlobPart",
    "BlobState",
    "COMMIT_RETENTION_DAYS",
    "CONTENT_RETENTION_DAYS",
    "Call",
    "Card",
    "CardBody",
    "ClientFrame",
    "CommitData",
    "ContactRequest",
    "ContactRequestBody",
    "Content",
    "ConversationInfo",
    "ConversationKind",
    "CreateInbox",
    "CreateTopic",
    "Delete",
    "DeleteInbox",
    "DeviceCredential",
    "DeviceEntry",
    "DeviceList",
    "DeviceListBody",
    "DeviceListContent",
    "Done",
    "Drop",
    "EPHEMERAL_MAX",
    "EXTENSION_CONVERSATION",
    "EXTENSION_TOPIC",
    "Edit",
    "Entry",
    "EphemeralContent",
    "EphemeralMessage",
    "EphemeralPush",
    "Exchange",
    "FETCH_LIMIT",
    "FILE_MAX",
    "Fetch",
    "FetchInbox",
    "FileReference",
    "GetBlob",
    "GetTokenKeys",
    "Head",
    "Heads",
    "INVITE_LIFETIME",
    "InBlob",
    "InboxMessage",
    "Inline",
    "Intent",
    "IntentKind",
    "InviteLink",
    "IssueTokens",
    "JoinInfo",
    "JoinRelay",
    "KEY_CONFIG_LIFETIME",
    "KEY_PACKAGES_STORED",
    "KEY_PACKAGE_MAX",
    "KeyConfig",
    "KeyConfigList",
    "KeyPackageTaken",
    "KeyPackagesStored",
    "LeaveProof",
    "Message",
    "Moved",
    "MovedBody",
    "PROTOCOL_VERSION",
    "PackageOwner",
    "Ping",
    "Profile",
    "Publish",
    "Published",
    "Push",
    "PutBlob",
    "PutKeyPackages",
    "RECEIVE_KEYS_LIFETIME",
    "RECORD_STEPS",
    "REQUEST_WINDOW",
    "RESPONSE_STEPS",
    "ReAddBody",
    "ReAddRequest",
    "Reach",
    "Reaction",
    "Receipt",
    "ReceiptBody",
    "ReceiptContent",
    "ReceiptKind",
    "RecordBody",
    "Records",
    "RefusalCode",
    "Refused",
    "RelayAddress",
    "RelayFrame",
    "RelayLink",
    "Reply",
    "Request",
    "Response",
    "RosterEntry",
    "SUBSCRIBE_LIMIT",
    "SUITE_X25519",
    "SUITE_XWING",
    "SendEphemeral",
    "SessionAccept",
    "SessionHello",
    "SignedKeyConfigs",
    "SignedTokenKeys",
    "Subscribe",
    "TOKENS_ISSUED",
    "TOKEN_KEY_LIFETIME",
    "TOKEN_KEY_PERIOD",
    "TOKEN_SIZE",
    "TakeKeyPackage",
    "Text",
    "TokenKey",
    "TokenKeyList",
    "TokenKind",
    "TokensIssued",
    "TrimInbox",
    "Typing",
    "Unknown",
    "Unsubscribe",
    "WelcomeMessage",
    "XWING_MEMBERS_MAX",
    "decode_answer",
    "decode_blob_part",
    "decode_blob_state",
    "decode_call",
    "decode_card",
    "decode_card_body",
    "decode_client_frame",
    "decode_commit_data",
    "decode_contact_request",
    "decode_contact_request_body",
    "decode_content",
    "decode_conversation_info",
    "decode_create_inbox",
    "decode_create_topic",
    "decode_delete",
    "decode_delete_inbox",
    "decode_device_credential",
    "decode_device_entry",
    "decode_device_list",
    "decode_device_list_body",
    "decode_device_list_content",
    "decode_done",
    "decode_drop",
    "decode_edit",
    "decode_entry",
    "decode_ephemeral_content",
    "decode_ephemeral_message",
    "decode_ephemeral_push",
    "decode_exchange",
    "decode_fetch",
    "decode_fetch_inbox",
    "decode_file_reference",
    "decode_get_blob",
    "decode_get_token_keys",
    "decode_head",
    "decode_heads",
    "decode_in_blob",
    "decode_inbox_message",
    "decode_inline",
    "decode_intent",
    "decode_invite_link",
    "decode_issue_tokens",
    "decode_join_info",
    "decode_join_relay",
    "decode_key_config",
    "decode_key_config_list",
    "decode_key_package_taken",
    "decode_key_packages_stored",
    "decode_leave_proof",
    "decode_message",
    "decode_moved",
    "decode_moved_body",
    "decode_package_owner",
    "decode_ping",
    "decode_profile",
    "decode_publish",
    "decode_published",
    "decode_push",
    "decode_put_blob",
    "decode_put_key_packages",
    "decode_re_add_body",
    "decode_re_add_request",
    "decode_reach",
    "decode_reaction",
    "decode_receipt",
    "decode_receipt_body",
    "decode_receipt_content",
    "decode_record_body",
    "decode_records",
    "decode_refused",
    "decode_relay_address",
    "decode_relay_frame",
    "decode_relay_link",
    "decode_reply",
    "decode_request",
    "decode_response",
    "decode_roster_entry",
    "decode_send_ephemeral",
    "decode_session_accept",
    "decode_session_hello",
    "decode_signed_key_configs",
    "decode_signed_token_keys",
    "decode_subscribe",
    "decode_take_key_package",
    "decode_text",
    "decode_token_key",
    "decode_token_key_list",
    "decode_tokens_issued",
    "decode_trim_inbox",
    "decode_typing",
    "decode_unsubscribe",
    "decode_welcome_message",
    "encode_answer",
    "encode_blob_part",
    "encode_blob_state",
    "encode_call",
    "encode_card",
    "encode_card_body",
    "encode_client_frame",
    "encode_commit_data",
    "encode_contact_request",
    "encode_contact_request_body",
    "encode_content",
    "encode_conversation_info",
    "encode_create_inbox",
    "encode_create_topic",
    "encode_delete",
    "encode_delete_inbox",
    "encode_device_credential",
    "encode_device_entry",
    "encode_device_list",
    "encode_device_list_body",
    "encode_device_list_content",
    "encode_done",
    "encode_drop",
    "encode_edit",
    "encode_entry",
    "encode_ephemeral_content",
    "encode_ephemeral_message",
    "encode_ephemeral_push",
    "encode_exchange",
    "encode_fetch",
    "encode_fetch_inbox",
    "encode_file_reference",
    "encode_get_blob",
    "encode_get_token_keys",
    "encode_head",
    "encode_heads",
    "encode_in_blob",
    "encode_inbox_message",
    "encode_inline",
    "encode_intent",
    "encode_invite_link",
    "encode_issue_tokens",
    "encode_join_info",
    "encode_join_relay",
    "encode_key_config",
    "encode_key_config_list",
    "encode_key_package_taken",
    "encode_key_packages_stored",
    "encode_leave_proof",
    "encode_message",
    "encode_moved",
    "encode_moved_body",
    "encode_package_owner",
    "encode_ping",
    "encode_profile",
    "encode_publish",
    "encode_published",
    "encode_push",
    "encode_put_blob",
    "encode_put_key_packages",
    "encode_re_add_body",
    "encode_re_add_request",
    "encode_reach",
    "encode_reaction",
    "encode_receipt",
    "encode_receipt_body",
    "encode_receipt_content",
    "encode_record_body",
    "encode_records",
    "encode_refused",
    "encode_relay_address",
    "encode_relay_frame",
    "encode_relay_link",
    "encode_reply",
    "encode_request",
    "encode_response",
    "encode_roster_entry",
    "encode_send_ephemeral",
    "encode_session_accept",
    "encode_session_hello",
    "encode_signed_key_configs",
    "encode_signed_token_keys",
    "encode_subscribe",
    "encode_take_key_package",
    "encode_text",
    "encode_token_key",
    "encode_token_key_list",
    "encode_tokens_issued",
    "encode_trim_inbox",
    "encode_typing",
    "encode_unsubscribe",
    "encode_welcome_message",
]
