"""What a store is. `tests/relay/store_conformance.py` holds every implementation to it, with `store_full.py` and, where
several processes may share it, `store_shared.py` beside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import NamedTuple, Protocol, TypeAlias

from polynya.errors import PolynyaError
from polynya.wire.messages import TOKEN_KEY_PERIOD, KeyPackageTaken, Published, Records, TokenKind

DAY = 86_400_000
"""ms"""
BACKWARDS = DAY
"""ms: a clock that was set back by less leaves a log's times in order; from further ahead the clock was wrong
before, and what comes now gets its true time."""
AWAY = 3 * DAY
"""ms: a relay that was off for longer cannot tell that from a clock that jumped."""
DOUBT = DAY
"""ms that a clock must go on after a jump until retention goes by it: time for somebody to set it right."""


INBOX_RECORDS = 1_000
"""In one inbox: beyond, a Drop is refused until some are trimmed."""


class Kind(IntEnum):
    """Of a log: both are append-only sequences of records; who may read and write differs."""

    TOPIC = 1
    INBOX = 2


class Problem(StrEnum):
    """Why a store did not do what it was asked."""

    UNKNOWN = "unknown"
    """no such topic, inbox or blob, or nothing left to hand out"""
    BLOB = "blob"
    """a blob that the record names is not here, or not whole"""
    EXISTS = "exists"
    """it is here with other properties"""
    CROWDED = "crowded"
    """a count limit of the protocol is reached"""
    WRONG = "wrong"
    """the bytes do not fit what was said of them"""
    RESTORED = "restored"
    """the topic comes from a backup: a receipt for this slot could contradict one that was signed since"""
    TOKEN = "token"  # noqa: S105 - a word
    """nothing pays for it: no token, or one that has paid for something else"""
    LARGE = "large"
    """more than can ever be had at once"""
    FULL = "full"
    """the disk is full; nothing was changed"""
    FAILED = "failed"
    """the storage failed; nothing was changed, or nobody knows (a connection that broke during a commit): the same call
    again tells, as all changes are idempotent"""


class StoreError(PolynyaError):
    """Nothing was changed; what FAILED and WRONG may leave is said with them. `problem` says why; `wait` (ms), where it is
    known, when it will have passed."""

    def __init__(self, problem: Problem, detail: str = "", wait: int | None = None) -> None:
        super().__init__(f"{problem.value}: {detail}" if detail else problem.value)
        self.problem = problem
        self.wait = wait
        self.code = f"store-{problem.value}"


class Appended(NamedTuple):
    """A record that is on disk. `fresh` is False where the log held it already."""

    published: Published
    fresh: bool


class Payment(NamedTuple):
    """A token whose signature is verified; whether it is spent is the store's to say."""

    key: int
    """number of the token key; later keys have higher ones"""
    nonce: bytes
    request: bytes
    """what it pays for: a hash of 16 bytes. A token pays for one request, however often that is repeated."""


def key_number(kind: TokenKind, not_before: int) -> int:
    """Of the token key of this kind that begins then (ms)."""
    return len(TokenKind) * (not_before // TOKEN_KEY_PERIOD) + kind - 1


FREE = Payment(0, b"", b"")
"""For what nobody has to pay."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """How many tokens of one kind a member is issued."""

    first: int
    """at once, as a new member"""
    per_day: int
    saved: int
    """at most, of days on which none were asked for; `first` may be more"""


class Budget(NamedTuple):
    """What a member is issued of one kind, by how it joined."""

    invited: Allowance
    """with a token"""
    open: Allowance
    """without"""


class Joins(NamedTuple):
    """How many may become members in a day."""

    all: int
    open: int
    """of them, without a token"""


class Append:
    """A record on its way into a log."""

    __slots__ = ("blobs", "kind", "log", "record", "record_hash", "slot", "time")

    kind: Kind
    log: bytes
    record: bytes
    record_hash: bytes
    slot: bytes | None
    blobs: tuple[bytes, ...] | None
    """None where there are none"""
    time: int

    def done(self, outcome: Appended | StoreError) -> None:
        """Called in the event loop, once, in order of arrival within a log."""
        raise NotImplementedError


class CalledBack(Append):
    """One whose outcome goes to a function."""

    __slots__ = ("_done",)

    def __init__(
        self,
        kind: Kind,
        log: bytes,
        record: bytes,
        record_hash: bytes,
        slot: bytes | None,
        blobs: tuple[bytes, ...] | None,
        time: int,
        done: Callable[[Appended | StoreError], None],
    ) -> None:
        self.kind = kind
        self.log = log
        self.record = record
        self.record_hash = record_hash
        self.slot = slot
        self.blobs = blobs
        self.time = time
        self._done = done

    def done(self, outcome: Appended | StoreError) -> None:
        self._done(outcome)


class SlotPosition(NamedTuple):
    """What a receipt speaks of."""

    topic: bytes
    slot: bytes
    position: int
    seq: int
    record_hash: bytes
    blobs: tuple[bytes, ...] | None


Signer: TypeAlias = Callable[[SlotPosition], bytes]
"""The relay's signature over a receipt's body; the store keeps it beside the record. May be called in any
thread."""


@dataclass(frozen=True, slots=True)
class Swept:
    """What one sweep destroyed."""

    records: int = 0
    logs: int = 0
    blobs: int = 0


@dataclass(frozen=True, slots=True)
class Statistics:
    """Sizes, for the operator; nothing about a single topic. `free_bytes` is of the disk that files go to."""

    topics: int
    inboxes: int
    blobs: int
    database_bytes: int
    free_bytes: int


class Store(Protocol):
    """Times are milliseconds since the Unix epoch. Methods are called in the event loop, many at once, and block it never.
    They raise StoreError, and nothing else of the storage's. Whoever cancels a call does not learn whether its change was
    made.

    What a method changed is on disk when it returns, whole or not at all, and seen by every call that begins after,
    reads too: the relay listens first and asks for heads then, and trusts that nothing falls between. Calls that change
    the same are done one after another: a payment, a request, a day's members, a member's budget, a one-time package, a
    place in a log or slot count once, however many ask at once. After a storage failed, nothing more is acknowledged
    until all that was acknowledged before is certain to be on disk.

    All changes are idempotent, but for a one-time package, which is handed out at most once. `payment` is spent if and
    only if something new is made, in the same transaction; None, or one spent on something else, is problem TOKEN where
    something would be made; one that was spent on this request pays for it again. What was spent is remembered until
    TOKEN_KEY_LIFETIME after its key's end.

    Whether several processes may share a store is its own to say. Where they may, all of this holds among them: no copy
    that lags behind is read, and nothing that another may have changed is remembered. Where they may not, it keeps a
    second one out, as the data folder's lock does for SQLite.
    """

    def append(self, append: Append) -> None:
        """Takes the record in, without blocking; the answer goes to `append.done`, when the entry is on disk and can be
        read. That neither blocks nor raises.

        Seqs count from 1 without a gap, positions from 0 within topic and slot, in order of arrival at this process; what
        several take is in any order. No entry is seen before the one in front of it: who has fetched up to a seq never
        asks for less. A record that the log holds, or held and still knows the hash of, is answered as the first time,
        with `fresh` False, whatever else of the request differs. Many appends may go to disk together, and then are FULL
        or FAILED together; in all else each has its own outcome. A receipt whose transaction failed is never shown, as
        another record may get its position. The entry's time is `append.time`, or that of the log's newest entry where
        that is up to BACKWARDS ahead: within a log time does not go back.

        Problems: UNKNOWN, BLOB, CROWDED (INBOX_RECORDS, or no more seqs or positions), RESTORED, FULL, FAILED."""
        ...

    async def create_topic(
        self, topic: bytes, retention_days: int, time: int, payment: Payment | None = FREE
    ) -> None:
        """Problems: EXISTS (with another retention, or as an inbox), TOKEN, FULL, FAILED."""
        ...

    async def create_inbox(self, inbox: bytes, time: int, payment: Payment | None = FREE) -> None:
        """Problems: EXISTS (as a topic), TOKEN, FULL, FAILED."""
        ...

    async def fetch(self, kind: Kind, log: bytes, after: int, limit: int, size: int, time: int) -> Records:
        """Entries after seq `after` in order: at most `limit`, and of at most `size` encoded bytes but one at
        least; with the head of the same moment. For an inbox, entries without record are left out, and this counts as
        its use.

        Problems: UNKNOWN, FAILED. An inbox is read also where its use cannot be written down."""
        ...

    async def heads(
        self, topics: Sequence[bytes], inboxes: Sequence[bytes], time: int
    ) -> tuple[list[int | None], list[int | None]]:
        """Newest seq of each in the order asked, 0 where empty, None where unknown. Counts as use of the inboxes.

        Problems: FAILED. As with `fetch` where a use cannot be written down."""
        ...

    async def trim_inbox(self, inbox: bytes, upto: int, time: int) -> None:
        """Destroys records up to and including seq `upto`; seqs go on from where they were. Problems: UNKNOWN, FULL,
        FAILED."""
        ...

    async def delete_inbox(self, inbox: bytes, time: int) -> None:
        """An inbox that is not there is deleted already. Problems: FULL, FAILED."""
        ...

    async def put_key_packages(
        self,
        owner: bytes,
        packages: Sequence[bytes],
        last_resort: bytes | None,
        time: int,
        payment: Payment | None = FREE,
    ) -> int:
        """How many one-time packages there are now; those over KEY_PACKAGES_STORED are not kept, and those that were handed
        out do not come back. New is an owner, another last-resort package, or a one-time package that finds room.
        Problems: TOKEN, FULL, FAILED."""
        ...

    async def take_key_package(self, owner: bytes, one_time: bool, time: int) -> KeyPackageTaken:
        """The oldest one-time package, or the last-resort one if none is left or `one_time` is False.

        Problems: UNKNOWN (none at all), FULL, FAILED."""
        ...

    async def put_blob(
        self, blob: bytes, total: int, offset: int, part: bytes, time: int, payment: Payment | None = FREE
    ) -> int:
        """How many bytes there are now; a part that does not begin there, or is empty, changes nothing. Parts that arrive
        together are taken one after another. Each MiB of a blob is paid for once, before its first byte is written; what
        was forgotten is paid for again, by the same payment too. Problems: EXISTS (with another total), WRONG (a part
        that does not fit, or the whole has another hash: it is forgotten), TOKEN, FULL, FAILED."""
        ...

    async def get_blob(self, blob: bytes, offset: int, length: int) -> tuple[int, bytes]:
        """(total, part) of a whole blob. Problems: UNKNOWN, FAILED."""
        ...

    async def join(
        self,
        member: bytes,
        payment: Payment | None,
        per_day: Joins,
        budgets: Mapping[TokenKind, Budget],
        time: int,
    ) -> None:
        """Makes a member, which from then on is known as invited where there is a payment, as is the first of all; where it
        is one, it is used today, and nothing else happens.

        Problems: TOKEN (spent, or missing where nobody joins without), CROWDED (enough for this day of the clock; waits for
        the next), FULL, FAILED."""
        ...

    async def draw(
        self,
        member: bytes,
        kind: TokenKind,
        count: int,
        request: bytes,
        is_new_allowed: bool,
        budget: Budget,
        time: int,
    ) -> bool:
        """Whether the member may be issued these tokens: counted now, or, where `request` (a hash of 16 bytes) is that of
        its last one of this kind, counted before. False for a new request where none is allowed. Whatever the answer, the
        member is used today; one that drew last on a later day (the clock was ahead) saves from today on, refused or not.

        Problems: UNKNOWN (no member), CROWDED (later; without `wait` where never), LARGE (more than it has or can save),
        FULL, FAILED."""
        ...

    async def trusts(self, time: int) -> bool:
        """Whether retention may go by the relay's clock, which now shows `time`: it goes on from where it was
        seen last, or has done so for DOUBT since it did not."""
        ...

    async def sweep(self, time: int) -> Swept:
        """Destroys what retention no longer keeps; in small steps, so that appends go on, and that it may stop anywhere
        and go on with the next. Several processes may sweep at once. Problems: FULL, FAILED."""
        ...

    async def statistics(self) -> Statistics: ...

    async def close(self) -> None:
        """Ends after all that was handed in is on disk and answered."""
        ...
