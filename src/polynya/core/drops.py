"""Records for other people's inboxes, kept until their relay has them."""

from __future__ import annotations

from polynya.core import blobs, work
from polynya.core._state import DropKind, OutDrop
from polynya.core.conversation import set_problem
from polynya.core.state import DROP, SCALAR, number
from polynya.core.transaction import State, Transaction
from polynya.wire.messages import (
    Done,
    Drop,
    InboxMessage,
    Published,
    Reach,
    RefusalCode,
    Refused,
    RelayAddress,
    Request,
    Response,
    encode_inbox_message,
)
from polynya.wire.record import seal_record


def send(t: Transaction, reaches: list[Reach], message: InboxMessage, kind: DropKind, owner: bytes) -> None:
    """One message to several inboxes; a body too large for a record is uploaded once to each relay."""
    prepared = blobs.prepare(t, encode_inbox_message(message))
    for reach in reaches:
        blobs.want(t, reach.relay, prepared)
        record = seal_record(reach.inbox_key, reach.inbox, prepared.body, t.random)
        put(t, OutDrop(reach.relay, reach.inbox, record, kind, owner, prepared.blob))


def put(t: Transaction, drop: OutDrop) -> None:
    n = (t.get(SCALAR, b"next-drop") or 0) + 1
    t.put(SCALAR, b"next-drop", n)
    t.put(DROP, number(n), drop)
    work.wake(t, b"drop", number(n))


def restore(t: Transaction) -> None:
    """After loading: numbers go on where they were."""
    keys = t.keys(DROP)
    if keys:
        t.put(SCALAR, b"next-drop", int.from_bytes(keys[-1], "big"))


def waiting(t: Transaction, owner: bytes, kind: DropKind) -> list[bytes]:
    found = []
    for key in t.keys(DROP):
        drop = t.get(DROP, key)
        if drop is not None and drop.owner == owner and drop.kind == kind:
            found.append(key)
    return found


def work_drop(t: Transaction, key: bytes) -> None:
    drop = t.get(DROP, key)
    if drop is None or not blobs.uploaded(t, drop.relay.identity, drop.blob):
        return
    name = work.item(b"drop", key)
    if work.may_call(t, drop.relay.identity, name):
        named = None if drop.blob is None else (drop.blob,)
        work.call(t, drop.relay.identity, name, Drop(drop.inbox, drop.record, named))


def answered(t: Transaction, key: bytes, request: Request, response: Response) -> None:
    drop = t.get(DROP, key)
    if drop is None or work.postponed(t, b"drop", key, response):
        return
    relay = drop.relay.identity
    if (
        isinstance(response, Refused)
        and response.code == RefusalCode.UNKNOWN_BLOB
        and blobs.again(t, relay, drop.blob)
    ):
        work.pause(t, b"drop", key)
        return
    taken = isinstance(response, (Published, Done))
    t.remove(DROP, key)
    work.succeeded(t, b"drop", key)
    blobs.release(t, relay, drop.blob)
    if drop.kind == DropKind.REQUEST:
        work.wake(t, b"requested" if taken else b"request-refused", drop.owner)
    elif not taken:
        work.count(t, "drop-refused")
        if drop.kind == DropKind.WELCOME:
            set_problem(t, drop.owner, "welcome-failed")


def forget(t: Transaction, key: bytes) -> None:
    """It is no longer wanted."""
    drop = t.get(DROP, key)
    if drop is not None:
        t.remove(DROP, key)
        work.succeeded(t, b"drop", key)
        blobs.release(t, drop.relay.identity, drop.blob)


def relays(state: State) -> list[RelayAddress]:
    found = []
    for key in state.keys(DROP):
        drop = state.get(DROP, key)
        if drop is not None:
            found.append(drop.relay)
    return found
