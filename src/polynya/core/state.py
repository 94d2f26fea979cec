"""The tables of the state: what is saved (spec/state.toml) and what lives only while the core runs."""

from __future__ import annotations

from dataclasses import dataclass, field

from polynya.core import _state as s
from polynya.core._state import (
    Asked,
    Clock,
    Conversation,
    FormerGroup,
    Inbox,
    Invite,
    Me,
    Membership,
    Meta,
    Opened,
    Operation,
    Orphan,
    OutDrop,
    Outgoing,
    OwnCommit,
    Person,
    Seen,
    SlotReceipt,
    StoredPackage,
    Topic,
    Unread,
    Upload,
    Wish,
)
from polynya.core.groupcell import GroupCell, cell_changes
from polynya.core.parted import PartedTable
from polynya.core.transaction import Table
from polynya.wire.messages import Entry, Reach, Request, decode_reach, encode_reach


def _raw(data: bytes) -> bytes:
    return data


def number(n: int) -> bytes:
    """As in keys: 8 bytes, big-endian."""
    return n.to_bytes(8, "big")


# ---- saved ----

META: Table[Meta] = Table("meta", s.encode_meta, s.decode_meta)
CLOCK: Table[Clock] = Table("clock", s.encode_clock, s.decode_clock)
ME: Table[Me] = Table("me", s.encode_me, s.decode_me)
PERSON: Table[Person] = Table("person", s.encode_person, s.decode_person)
INVITE: Table[Invite] = Table("invite", s.encode_invite, s.decode_invite)
OPENED: Table[Opened] = Table("opened", s.encode_opened, s.decode_opened)
ASKED: Table[Asked] = Table("request", s.encode_asked, s.decode_asked)
INBOX: Table[Inbox] = Table("inbox", s.encode_inbox, s.decode_inbox)
PACKAGE: Table[StoredPackage] = Table("package", s.encode_stored_package, s.decode_stored_package)
CONVERSATION: Table[Conversation] = Table("conversation", s.encode_conversation, s.decode_conversation)
MEMBERSHIP: Table[Membership] = Table("membership", s.encode_membership, s.decode_membership)
COMMIT: Table[OwnCommit] = Table("commit", s.encode_own_commit, s.decode_own_commit)
GROUP: PartedTable[GroupCell] = PartedTable("group", changes=cell_changes, join=GroupCell.stored)
FORMER: Table[FormerGroup] = Table("former", s.encode_former_group, s.decode_former_group)
SUCCESSOR: Table[bytes] = Table("successor", _raw, _raw)
TOPIC: Table[Topic] = Table("topic", s.encode_topic, s.decode_topic)
CHAIN: Table[bytes] = Table("chain", _raw, _raw)
SLOT: Table[SlotReceipt] = Table("slot", s.encode_slot_receipt, s.decode_slot_receipt)
OUTBOX: Table[Outgoing] = Table("outbox", s.encode_outgoing, s.decode_outgoing)
OPERATION: Table[Operation] = Table("operation", s.encode_operation, s.decode_operation)
REACH: Table[Reach] = Table("reach", encode_reach, decode_reach)
WISH: Table[Wish] = Table("wish", s.encode_wish, s.decode_wish)
UNREAD: Table[Unread] = Table("unread", s.encode_unread, s.decode_unread)
SEEN: Table[Seen] = Table("seen", s.encode_seen, s.decode_seen)
ORPHAN: Table[Orphan] = Table("orphan", s.encode_orphan, s.decode_orphan)
DROP: Table[OutDrop] = Table("drop", s.encode_out_drop, s.decode_out_drop)
UPLOAD: Table[Upload] = Table("upload", s.encode_upload, s.decode_upload)
LATER: Table[bytes] = Table("later", _raw, _raw)
MARK: Table[bytes] = Table("mark", _raw, _raw)

SAVED = (
    META,
    CLOCK,
    ME,
    PERSON,
    INVITE,
    OPENED,
    ASKED,
    INBOX,
    PACKAGE,
    CONVERSATION,
    MEMBERSHIP,
    COMMIT,
    GROUP,
    FORMER,
    SUCCESSOR,
    TOPIC,
    CHAIN,
    SLOT,
    OUTBOX,
    OPERATION,
    REACH,
    WISH,
    UNREAD,
    SEEN,
    ORPHAN,
    DROP,
    UPLOAD,
    LATER,
    MARK,
)

# ---- while the core runs ----


@dataclass(frozen=True, slots=True)
class Link:
    """A relay that can be reached now."""

    session: bool


@dataclass(frozen=True, slots=True)
class CallContext:
    """A call on its way."""

    relay: bytes
    item: bytes
    request: Request


@dataclass(frozen=True, slots=True)
class Pause:
    """A work item that was refused and waits."""

    attempts: int
    until: int
    """ms, the device's clock."""
    placed: bool = False
    """Not refused: the relay has the record, and the log will bring it."""


@dataclass(frozen=True, slots=True)
class Source:
    """What is known of a topic's or inbox's log during one connection."""

    relay: bytes
    head: int = 0
    """Newest seq that the relay told."""
    told: bool = False
    """Whether this connection has told it at all."""
    subscribed: bool = False


@dataclass(frozen=True, slots=True)
class Download:
    """A blob that a record's body lies in."""

    relay: bytes
    user: bytes
    """Work item that waits for it."""
    data: tuple[bytes, ...] = field(default=(), repr=False)
    received: int = 0
    whole: bool = False
    gone: bool = False
    """The relay does not have it, or it is not what its id says."""


LINK: Table[Link] = Table("link")
"""By relay."""
CALL: Table[CallContext] = Table("call")
"""By number(call id)."""
FLIGHT: Table[int] = Table("flight")
"""Call id by work item."""
PAUSE: Table[Pause] = Table("pause")
"""By work item."""
TIMER: Table[int] = Table("timer")
"""ms (device's clock) by name."""
SOURCE: Table[Source] = Table("source")
"""By topic id or inbox id."""
HELD: Table[Entry] = Table("held")
"""Entries that wait for their turn, by source || number(seq)."""
DOWNLOAD: Table[Download] = Table("download")
"""By blob id."""
RELAY: Table[bool] = Table("relay")
"""Relays that UseRelay has named."""
OWN_HASH: Table[bytes] = Table("own-hash")
"""Key of the outbox item by record hash."""
COUNT: Table[int] = Table("count")
"""How often something was skipped, by reason."""
SCALAR: Table[int] = Table("scalar")
"""next-call, next-drop, timer (the one asked for)."""
MISBEHAVING: Table[int] = Table("misbehaving")
"""ms (device's clock) since when a topic's slot does not add up, by topic."""
TYPING: Table[bool] = Table("typing")
"""By conversation || identity."""
