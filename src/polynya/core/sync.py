"""What to read at each relay: subscriptions in a session, fetches where something is missing, polling without one."""

from __future__ import annotations

from dataclasses import replace

from polynya.core import drops, entries, inboxes, operations, slots, topics, work
from polynya.core._state import Conversation, OpenedState, Topic
from polynya.core.conversation import READING, membership, need, quiet, set_problem
from polynya.core.state import (
    CHAIN,
    CONVERSATION,
    DOWNLOAD,
    DROP,
    HELD,
    INBOX,
    INVITE,
    LINK,
    ME,
    OPENED,
    RELAY,
    SOURCE,
    TOPIC,
    UPLOAD,
    Link,
    Source,
    number,
)
from polynya.core.transaction import State, Transaction
from polynya.wire.labels import inbox_id, write_secret
from polynya.wire.messages import (
    FETCH_LIMIT,
    SUBSCRIBE_LIMIT,
    CreateTopic,
    Done,
    Fetch,
    Heads,
    Push,
    Records,
    RefusalCode,
    Refused,
    RelayAddress,
    Request,
    Response,
    Subscribe,
)

POLL_INTERVAL = 5_000
"""ms between two looks without a session: a chat still feels like one, 17,000 requests a day and topic."""

# ---- connections ----


def connected(t: Transaction, relay: bytes, session: bool) -> None:
    """Every item of this relay is looked at, as after a start."""
    disconnected(t, relay)
    t.put(LINK, relay, Link(session))
    wake_all(t)
    if not session:
        work.set_timer(t, b"poll", relay, t.now + POLL_INTERVAL)


def disconnected(t: Transaction, relay: bytes) -> None:
    t.remove(LINK, relay)
    work.give_up_calls(t, relay)
    work.stop_timer(t, b"poll", relay)
    for key in t.keys(SOURCE):
        source = t.get(SOURCE, key)
        if source is not None and source.relay == relay:
            t.remove(SOURCE, key)


def wake_all(t: Transaction) -> None:
    work.wake(t, b"keys")
    for conversation in t.keys(CONVERSATION):
        for kind in (b"commit", b"operation", b"outbox"):
            work.wake(t, kind, conversation)
    for topic in t.keys(TOPIC):
        work.wake(t, b"topic", topic)
    for inbox in t.keys(INBOX):
        work.wake(t, b"inbox", inbox)
    for drop in t.keys(DROP):
        work.wake(t, b"drop", drop)
    for upload in t.keys(UPLOAD):
        work.wake(t, b"upload", upload)
    for download in t.keys(DOWNLOAD):
        work.wake(t, b"download", download)
    for invite in t.keys(INVITE):
        work.wake(t, b"invite", invite)
    for opened in t.keys(OPENED):
        work.wake(t, b"opened", opened)


def poll(t: Transaction, relay: bytes) -> None:
    """Asks for the heads of everything once more."""
    link = t.get(LINK, relay)
    if link is None or link.session:
        return
    for key in t.keys(SOURCE):
        source = t.get(SOURCE, key)
        if source is not None and source.relay == relay:
            t.put(SOURCE, key, replace(source, told=False))
    wake_all(t)
    work.set_timer(t, b"poll", relay, t.now + POLL_INTERVAL)


def pushed(t: Transaction, push: Push) -> None:
    if t.get(TOPIC, push.source) is not None:
        entries.receive(t, push.source, push.entry)
    else:
        inboxes.pushed(t, push.source, push.entry)


# ---- topics ----


def work_topic(t: Transaction, topic: bytes) -> None:
    row = t.get(TOPIC, topic)
    found = None if row is None else t.get(CONVERSATION, row.conversation)
    if row is None or found is None or found.state not in READING:
        return
    relay, name = found.relay.identity, work.item(b"topic", topic)
    link = t.get(LINK, relay)
    source = t.get(SOURCE, topic) or Source(relay)
    missing = is_withheld(t, row, source.head)
    if source.told and not missing:
        slots.clear(t, found, slots.gap_of(topic))
    if link is None or not work.may_call(t, relay, name):
        return
    if not row.created:
        days = membership(t, found.id).info.retention_days
        work.call(t, relay, name, CreateTopic(write_secret(row.topic_secret), days))
    elif link.session and not source.subscribed:
        work.wake(t, b"subscribe", relay)
    elif not source.told or missing:
        work.call(t, relay, name, Fetch(topic, row.seq, FETCH_LIMIT))


def answered_topic(t: Transaction, topic: bytes, request: Request, response: Response) -> None:
    row = t.get(TOPIC, topic)
    if row is None or work.postponed(t, b"topic", topic, response):
        return
    found = need(t, row.conversation)
    work.wake(t, b"topic", topic)
    code = response.code if isinstance(response, Refused) else None
    if isinstance(request, CreateTopic) and (isinstance(response, Done) or code == RefusalCode.EXISTS):
        work.succeeded(t, b"topic", topic)
        t.put(TOPIC, topic, replace(row, created=True))
        for kind in (b"outbox", b"operation", b"commit"):
            work.wake(t, kind, found.id)
    elif isinstance(request, Fetch) and isinstance(response, Records):
        _fetched(t, found, row, request.after, response)
    elif code == RefusalCode.UNKNOWN_TOPIC:
        unknown(t, found, row)
    else:
        work.count(t, "topic-refused")
        work.pause(t, b"topic", topic)


def _fetched(t: Transaction, conversation: Conversation, row: Topic, after: int, records: Records) -> None:
    if records.head < after:
        lost_history(t, conversation, row)
    else:
        head = _told(t, conversation, row, records.head)
        for entry in sorted(records.entries, key=lambda e: e.seq):
            entries.receive(t, row.id, entry)
        if is_withheld(t, row, head):
            _missed(t, conversation, row, records.head)
        else:
            work.succeeded(t, b"topic", row.id)
    work.wake(t, b"log", row.id)


def is_withheld(t: Transaction, topic: Topic, head: int) -> bool:
    """Whether the next entry, which the relay says is there, is not here."""
    return head > topic.seq and t.get(HELD, topic.id + number(topic.seq + 1)) is None


def _missed(t: Transaction, conversation: Conversation, row: Topic, named: int) -> None:
    """Asks again in growing pauses; from REQUEST_WINDOW on the newest answer's word on the head counts."""
    work.count(t, "topic-gap")
    work.pause(t, b"topic", row.id)
    if slots.suspect(t, conversation, slots.gap_of(row.id)):
        source = t.get(SOURCE, row.id) or Source(conversation.relay.identity)
        t.put(SOURCE, row.id, replace(source, head=named))


def _told(t: Transaction, conversation: Conversation, row: Topic, head: int) -> int:
    """The relay names its newest seq; gives the newest that it has ever named."""
    source = t.get(SOURCE, row.id) or Source(conversation.relay.identity)
    head = max(head, source.head)
    t.put(SOURCE, row.id, replace(source, head=head, told=True))
    for kind in (b"outbox", b"operation"):
        work.wake(t, kind, conversation.id)
    return head


def unknown(t: Transaction, conversation: Conversation, row: Topic) -> None:
    """The relay does not know the topic: it is new, or was forgotten."""
    if row.seq > 0:
        lost_history(t, conversation, row)
    topics.missing(t, row.id)
    work.pause(t, b"topic", row.id)


def lost_history(t: Transaction, conversation: Conversation, row: Topic) -> None:
    """The relay forgot what it had: we say so, and go on in a log that starts anew."""
    set_problem(t, conversation.id, "relay-lost-history")
    if row.ended is not None:
        topics.close(t, row.id)
        return
    topics.forget_chain(t, row)
    topics.forget_held(t, row.id)
    found = need(t, conversation.id)
    slots.forget(t, row.id, found.slot)
    t.put(TOPIC, row.id, replace(row, seq=0, head=row.id, ordinal=found.ordinal, created=False))
    t.put(CHAIN, row.id + number(0), row.id)
    t.remove(SOURCE, row.id)
    quiet(t, replace(found, ordinal=found.ordinal + 1, position=0))
    work.wake(t, b"topic", row.id)


# ---- subscriptions ----


def work_subscribe(t: Transaction, relay: bytes) -> None:
    """Everything of this relay that exists there and is not subscribed yet, up to SUBSCRIBE_LIMIT of each."""
    link = t.get(LINK, relay)
    if link is None or not link.session or not work.may_call(t, relay, work.item(b"subscribe", relay)):
        return
    of_topics = []
    for key in t.keys(TOPIC):
        row = t.get(TOPIC, key)
        found = None if row is None else t.get(CONVERSATION, row.conversation)
        if row is None or found is None or found.relay.identity != relay or found.state not in READING:
            continue
        if row.created and not _is_subscribed(t, key):
            of_topics.append(key)
    of_inboxes = []
    for key in t.keys(INBOX):
        inbox = t.get(INBOX, key)
        if inbox is None or inbox.relay.identity != relay or inbox.closing or not inbox.created:
            continue
        if not _is_subscribed(t, key):
            of_inboxes.append(inbox.read_secret)
    if of_topics or of_inboxes:
        request = Subscribe(tuple(of_topics[:SUBSCRIBE_LIMIT]), tuple(of_inboxes[:SUBSCRIBE_LIMIT]))
        work.call(t, relay, work.item(b"subscribe", relay), request)


def _is_subscribed(t: Transaction, key: bytes) -> bool:
    source = t.get(SOURCE, key)
    return source is not None and source.subscribed


def answered_subscribe(t: Transaction, relay: bytes, request: Request, response: Response) -> None:
    if work.postponed(t, b"subscribe", relay, response):
        return
    if not isinstance(request, Subscribe) or not isinstance(response, Heads):
        work.pause(t, b"subscribe", relay)
        return
    if len(response.topics) != len(request.topics) or len(response.inboxes) != len(request.inboxes):
        work.count(t, "heads-bad")
        work.pause(t, b"subscribe", relay)
        return
    work.succeeded(t, b"subscribe", relay)
    work.wake(t, b"subscribe", relay)
    for topic, head in zip(request.topics, response.topics, strict=True):
        row = t.get(TOPIC, topic)
        if row is None:
            continue
        found = need(t, row.conversation)
        if not head.known:
            unknown(t, found, row)
        else:
            source = t.get(SOURCE, topic) or Source(relay)
            t.put(SOURCE, topic, replace(source, subscribed=True))
            if head.seq >= row.seq:
                _told(t, found, row, head.seq)
            # Else a push overtook this answer, or the relay knows less than it did: a fetch will tell.
        work.wake(t, b"topic", topic)
    for secret, head in zip(request.inboxes, response.inboxes, strict=True):
        key = inbox_id(secret)
        inbox = t.get(INBOX, key)
        if inbox is None:
            continue
        if not head.known:
            inboxes.lost(t, inbox)
        else:
            t.put(SOURCE, key, Source(relay, head.seq, True, True))
        work.wake(t, b"inbox", key)


# ---- relays ----


def relays_needed(state: State) -> dict[bytes, RelayAddress]:
    """By identity: home, those of conversations that are followed, and those that something waits for."""
    found: dict[bytes, RelayAddress] = {}
    own = state.get(ME, b"")
    if own is None:
        return found
    addresses = [own.relay]
    for key in state.keys(CONVERSATION):
        conversation = state.get(CONVERSATION, key)
        if conversation is not None and conversation.state in READING:
            addresses.append(conversation.relay)
    for key in state.keys(OPENED):
        opened = state.get(OPENED, key)
        if opened is not None and opened.state in (OpenedState.OPENING, OpenedState.REQUESTING):
            addresses.append(opened.relay)
    for key in state.keys(INBOX):
        inbox = state.get(INBOX, key)
        if inbox is not None:
            addresses.append(inbox.relay)
    addresses += drops.relays(state)
    addresses += operations.relays(state)
    for address in addresses:
        if address.identity not in found:
            found[address.identity] = address
    return found


def use_relays(t: Transaction) -> None:
    """Asks for connections that are needed now, and lets go of the others."""
    needed = relays_needed(t.state)
    for identity in sorted(needed):
        if t.get(RELAY, identity) is None:
            t.put(RELAY, identity, True)
            t.use_relay(needed[identity])
    for identity in t.keys(RELAY):
        if identity not in needed:
            t.remove(RELAY, identity)
            disconnected(t, identity)
            t.drop_relay(identity)
