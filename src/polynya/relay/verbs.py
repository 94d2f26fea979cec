"""What each request does: one table from the request's type to its verb."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from polynya.crypto.hashes import sha256
from polynya.relay.frames import push_record
from polynya.relay.limits import MIB, ROWS
from polynya.relay.live.base import Subscriber
from polynya.relay.relay import Relay
from polynya.relay.store.base import Append, Appended, Kind, Payment, Problem, StoreError
from polynya.relay.tokens import TokenRefusal
from polynya.wire.labels import inbox_id, owner_id, topic_id
from polynya.wire.messages import (
    RESPONSE_STEPS,
    BlobPart,
    BlobState,
    CreateInbox,
    CreateTopic,
    DeleteInbox,
    Done,
    Drop,
    EphemeralPush,
    Fetch,
    FetchInbox,
    GetBlob,
    GetTokenKeys,
    Head,
    Heads,
    IssueTokens,
    JoinRelay,
    KeyPackagesStored,
    Ping,
    Publish,
    PutBlob,
    PutKeyPackages,
    RefusalCode,
    Refused,
    Request,
    Response,
    SendEphemeral,
    Subscribe,
    TakeKeyPackage,
    TokensIssued,
    TrimInbox,
    Unsubscribe,
)
from polynya.wire.session import pad_relay_frame
from polynya.wire.tokens import member_id

logger = logging.getLogger("polynya.relay")

PAGE_SIZE = RESPONSE_STEPS[-1] - 256
"""Bytes of entries in one answer: the largest step without length, envelope, head and list."""

Answer: TypeAlias = Callable[[Response], None]


class Caller(Subscriber, Protocol):
    """The session that a request came over."""

    def may_send_ephemeral(self) -> int: ...

    def begin(self, sources: list[bytes]) -> bool: ...

    def settle(self, heads: dict[bytes, int | None]) -> None: ...

    def leave(self, source: bytes) -> None: ...


Handler: TypeAlias = Callable[[Relay, "Caller | None", Any, Answer], Coroutine[Any, Any, None] | None]


@dataclass(frozen=True, slots=True)
class Verb:
    """`handler` answers once: at once, later through the store, or as a coroutine that is run.
    `unknown` is what an unknown id is refused with."""

    handler: Handler
    unknown: RefusalCode = RefusalCode.INTERNAL
    session_only: bool = False
    appends: bool = False
    """may be begun while other appends of the same session are on their way: the store keeps their order"""


def perform(relay: Relay, caller: Caller | None, request: Request, answer: Answer) -> None:
    """Does what `request` asks, and answers once; never raises."""
    verb = VERBS[type(request)]
    if verb.session_only and caller is None:
        answer(refuse(relay, RefusalCode.SESSION_ONLY))
        return
    work = verb.handler(relay, caller, request, answer)
    if work is not None:
        relay.spawn(_run(relay, verb, work, answer))


async def _run(relay: Relay, verb: Verb, work: Coroutine[Any, Any, None], answer: Answer) -> None:
    try:
        await work
    except StoreError as error:
        answer(refuse(relay, refusal(error, verb.unknown), error.wait))
    except TokenRefusal as error:
        answer(refuse(relay, error.code, error.wait))
    except Exception as error:
        logger.error("a request failed: %s", type(error).__name__)
        answer(refuse(relay, RefusalCode.INTERNAL))


def refuse(relay: Relay, code: RefusalCode, retry_after: int | None = None) -> Refused:
    relay.metrics.refused[code] += 1
    return Refused(code, retry_after)


def refusal(error: StoreError, unknown: RefusalCode) -> RefusalCode:
    """How a store's problem is told to a client."""
    return {
        Problem.UNKNOWN: unknown,
        Problem.BLOB: RefusalCode.UNKNOWN_BLOB,
        Problem.EXISTS: RefusalCode.EXISTS,
        Problem.CROWDED: RefusalCode.TOO_MANY,
        Problem.WRONG: RefusalCode.BAD_REQUEST,
        Problem.TOKEN: RefusalCode.TOKEN,
        Problem.LARGE: RefusalCode.TOO_LARGE,
        Problem.RESTORED: RefusalCode.EXISTS,
        Problem.FULL: RefusalCode.FULL,
        Problem.FAILED: RefusalCode.INTERNAL,
    }[error.problem]


# ---- appending


def publish(
    relay: Relay,
    caller: Caller | None,
    write_secret: bytes,
    record: bytes,
    slot: bytes | None,
    blobs: tuple[bytes, ...] | None,
    answer: Answer,
) -> None:
    """Does what a Publish asks, and answers once; never raises."""
    topic = topic_id(write_secret)
    now = time.monotonic()
    wait = relay.publishes.take(topic, now) or relay.publish_bytes.take(topic, now, len(record) + ROWS)
    if wait:
        answer(refuse(relay, RefusalCode.TOO_MANY, wait))
    else:
        relay.store.append(_Appending(relay, caller, Kind.TOPIC, topic, record, slot, blobs, answer, now))


def _publish(relay: Relay, caller: Caller | None, request: Publish, answer: Answer) -> None:
    publish(relay, caller, request.write_secret, request.record, request.slot, request.blobs or None, answer)


def _drop(relay: Relay, caller: Caller | None, request: Drop, answer: Answer) -> None:
    inbox, now = request.inbox, time.monotonic()
    wait = relay.drops.take(inbox, now)
    if wait:
        answer(refuse(relay, RefusalCode.TOO_MANY, wait))
    else:
        blobs = request.blobs or None
        relay.store.append(
            _Appending(relay, caller, Kind.INBOX, inbox, request.record, None, blobs, answer, now)
        )


class _Appending(Append):
    """A record on its way into the store, and what follows when it is there."""

    __slots__ = ("_answer", "_caller", "_relay", "_started")

    def __init__(
        self,
        relay: Relay,
        caller: Caller | None,
        kind: Kind,
        log: bytes,
        record: bytes,
        slot: bytes | None,
        blobs: tuple[bytes, ...] | None,
        answer: Answer,
        started: float,
    ) -> None:
        self.kind = kind
        self.log = log
        self.record = record
        self.record_hash = sha256(record)
        self.slot = slot
        self.blobs = blobs
        self.time = relay.turn_time()
        self._relay = relay
        self._caller = caller
        self._answer = answer
        self._started = started

    def done(self, outcome: Appended | StoreError) -> None:
        relay = self._relay
        if isinstance(outcome, StoreError):
            unknown = RefusalCode.UNKNOWN_TOPIC if self.kind is Kind.TOPIC else RefusalCode.UNKNOWN_INBOX
            self._answer(refuse(relay, refusal(outcome, unknown)))
            return
        published, fresh = outcome
        self._answer(published)
        metrics = relay.metrics
        if fresh:
            metrics.published += 1
            metrics.observe(time.monotonic() - self._started)
            if relay.live.is_wanted(self.log, self._caller):
                frame = push_record(self.log, self.record, self.slot, self.blobs, published)
                relay.live.publish(self.log, published.seq, frame, self._caller)
        else:
            metrics.repeated += 1


# ---- topics and inboxes


async def _create_topic(relay: Relay, _: Caller | None, request: CreateTopic, answer: Answer) -> None:
    topic = topic_id(request.write_secret)
    payment = await relay.tokens.payment(request.token, b"topic", topic)
    if _may_create(relay, payment, answer):
        await relay.store.create_topic(topic, request.retention_days, relay.now(), payment)
        answer(Done())


async def _create_inbox(relay: Relay, _: Caller | None, request: CreateInbox, answer: Answer) -> None:
    inbox = inbox_id(request.read_secret)
    payment = await relay.tokens.payment(request.token, b"inbox", inbox)
    if _may_create(relay, payment, answer):
        await relay.store.create_inbox(inbox, relay.now(), payment)
        answer(Done())


def _may_create(relay: Relay, payment: Payment | None, answer: Answer) -> bool:
    """Without a payment nothing is made, so it does not count: whoever has no token stops nobody who has."""
    wait = 0 if payment is None else relay.creations.take(time.monotonic())
    if wait:
        answer(refuse(relay, RefusalCode.TOO_MANY, wait))
    return not wait


async def _fetch(relay: Relay, _: Caller | None, request: Fetch, answer: Answer) -> None:
    answer(
        await relay.store.fetch(
            Kind.TOPIC, request.topic, request.after, request.limit, PAGE_SIZE, relay.now()
        )
    )


async def _fetch_inbox(relay: Relay, _: Caller | None, request: FetchInbox, answer: Answer) -> None:
    inbox = inbox_id(request.read_secret)
    answer(await relay.store.fetch(Kind.INBOX, inbox, request.after, request.limit, PAGE_SIZE, relay.now()))


async def _trim_inbox(relay: Relay, _: Caller | None, request: TrimInbox, answer: Answer) -> None:
    await relay.store.trim_inbox(inbox_id(request.read_secret), request.upto, relay.now())
    answer(Done())


async def _delete_inbox(relay: Relay, _: Caller | None, request: DeleteInbox, answer: Answer) -> None:
    await relay.store.delete_inbox(inbox_id(request.read_secret), relay.now())
    answer(Done())


# ---- key packages and blobs


async def _put_key_packages(relay: Relay, _: Caller | None, request: PutKeyPackages, answer: Answer) -> None:
    owner = owner_id(request.owner_secret)
    packages, last_resort = request.packages, request.last_resort
    what = (b"key packages", owner, *packages, b"last resort", last_resort or b"")
    payment = await relay.tokens.payment(request.token, *what)
    if _may_create(relay, payment, answer):
        count = await relay.store.put_key_packages(owner, packages, last_resort, relay.now(), payment)
        answer(KeyPackagesStored(count))


async def _take_key_package(relay: Relay, _: Caller | None, request: TakeKeyPackage, answer: Answer) -> None:
    """Over its rate an owner's one-time packages are spared: whoever knows the id cannot drain them."""
    wait = relay.takes.take(request.owner, time.monotonic())
    try:
        answer(await relay.store.take_key_package(request.owner, not wait, relay.now()))
    except StoreError as error:
        if wait and error.problem is Problem.UNKNOWN:
            answer(refuse(relay, RefusalCode.TOO_MANY, wait))
        else:
            raise


async def _put_blob(relay: Relay, _: Caller | None, request: PutBlob, answer: Answer) -> None:
    wait = relay.blob_bytes.take(time.monotonic(), len(request.part))
    if wait:
        answer(refuse(relay, RefusalCode.TOO_MANY, wait))
        return
    # The MiB in which the part ends; only where one begins in the part there is something to pay.
    number = (request.offset + max(len(request.part), 1) - 1) // MIB
    payment = await relay.tokens.payment(request.token, b"blob", request.id, number.to_bytes(4, "big"))
    received = 0
    try:
        received = await relay.store.put_blob(
            request.id, request.total, request.offset, request.part, relay.now(), payment
        )
    finally:
        if received < request.offset + len(request.part):
            relay.blob_bytes.give_back(len(request.part))
    answer(BlobState(received))


async def _get_blob(relay: Relay, _: Caller | None, request: GetBlob, answer: Answer) -> None:
    answer(BlobPart(*await relay.store.get_blob(request.id, request.offset, request.length)))


# ---- tokens


async def _join_relay(relay: Relay, _: Caller | None, request: JoinRelay, answer: Answer) -> None:
    wait = relay.joins.take(time.monotonic())
    if wait:
        answer(refuse(relay, RefusalCode.TOO_MANY, wait))
        return
    await relay.tokens.join(request, relay.limits)
    answer(Done())


async def _get_token_keys(relay: Relay, _: Caller | None, _request: GetTokenKeys, answer: Answer) -> None:
    answer(await relay.tokens.keys())


async def _issue_tokens(relay: Relay, _: Caller | None, request: IssueTokens, answer: Answer) -> None:
    wait = relay.issues.take(member_id(request.member_secret), time.monotonic())
    if wait:
        answer(refuse(relay, RefusalCode.TOO_MANY, wait))
        return
    answer(TokensIssued(await relay.tokens.issue(request, relay.limits, relay.signatures)))


# ---- live


async def _subscribe(relay: Relay, caller: Caller | None, request: Subscribe, answer: Answer) -> None:
    """First listens, then asks for the heads: no entry falls between. Entries that come meanwhile are held
    until the answer has told the heads, and those up to the head are not pushed."""
    assert caller is not None  # noqa: S101 - session_only
    inboxes = [inbox_id(secret) for secret in request.inboxes]
    sources = [*request.topics, *inboxes]
    if not caller.begin(sources):
        answer(refuse(relay, RefusalCode.TOO_MANY))
        return
    heads: list[int | None] = [None] * len(sources)
    try:
        await relay.live.ready()
        topic_heads, inbox_heads = await relay.store.heads(request.topics, inboxes, relay.now())
        heads = [*topic_heads, *inbox_heads]
        answer(Heads(tuple(map(_head, topic_heads)), tuple(map(_head, inbox_heads))))
    finally:
        caller.settle(dict(zip(sources, heads, strict=True)))


def _head(seq: int | None) -> Head:
    return Head(seq is not None, seq or 0)


def _unsubscribe(_: Relay, caller: Caller | None, request: Unsubscribe, answer: Answer) -> None:
    assert caller is not None  # noqa: S101 - session_only
    for source in (*request.topics, *request.inboxes):
        caller.leave(source)
    answer(Done())


def _send_ephemeral(relay: Relay, caller: Caller | None, request: SendEphemeral, answer: Answer) -> None:
    assert caller is not None  # noqa: S101 - session_only
    wait = caller.may_send_ephemeral()
    if wait:
        answer(refuse(relay, RefusalCode.TOO_MANY, wait))
        return
    topic = topic_id(request.write_secret)
    answer(Done())
    if relay.live.is_wanted(topic, caller):
        relay.live.publish_ephemeral(topic, pad_relay_frame(EphemeralPush(topic, request.body)), caller)


def _ping(_: Relay, _caller: Caller | None, _request: Ping, answer: Answer) -> None:
    answer(Done())


VERBS: dict[type, Verb] = {
    CreateTopic: Verb(_create_topic),
    Publish: Verb(_publish, appends=True),
    Fetch: Verb(_fetch, RefusalCode.UNKNOWN_TOPIC),
    CreateInbox: Verb(_create_inbox),
    Drop: Verb(_drop, appends=True),
    FetchInbox: Verb(_fetch_inbox, RefusalCode.UNKNOWN_INBOX),
    TrimInbox: Verb(_trim_inbox, RefusalCode.UNKNOWN_INBOX),
    DeleteInbox: Verb(_delete_inbox),
    PutKeyPackages: Verb(_put_key_packages),
    TakeKeyPackage: Verb(_take_key_package, RefusalCode.NO_KEY_PACKAGE),
    PutBlob: Verb(_put_blob),
    GetBlob: Verb(_get_blob, RefusalCode.UNKNOWN_BLOB),
    Subscribe: Verb(_subscribe, session_only=True),
    Unsubscribe: Verb(_unsubscribe, session_only=True),
    SendEphemeral: Verb(_send_ephemeral, session_only=True),
    Ping: Verb(_ping),
    JoinRelay: Verb(_join_relay),
    GetTokenKeys: Verb(_get_token_keys),
    IssueTokens: Verb(_issue_tokens, RefusalCode.NO_MEMBER),
}
