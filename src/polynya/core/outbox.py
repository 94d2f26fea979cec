"""Our messages on their way: encrypted when their turn comes, published until the log holds them."""

from __future__ import annotations

from dataclasses import replace

from polynya.core import blobs, entries, topics, work
from polynya.core._state import Conversation, ConversationState, Outgoing, Seen
from polynya.core.commands import MessageChanged
from polynya.core.conversation import (
    group,
    need,
    next_number,
    put_group,
    set_last,
    set_problem,
    update_own_preview,
    update_preview,
)
from polynya.core.history import Deleted, Edited, Ordered, Reacted, StatusChanged, StoredMessage
from polynya.core.identity import me
from polynya.core.state import COMMIT, CONVERSATION, OUTBOX, OWN_HASH, SEEN, TOPIC
from polynya.core.transaction import Transaction
from polynya.wire.labels import record_hash, record_key, write_secret
from polynya.wire.messages import (
    Content,
    Delete,
    Edit,
    FileReference,
    Intent,
    Message,
    Publish,
    Published,
    Reaction,
    RefusalCode,
    Refused,
    Request,
    Response,
    Text,
    decode_content,
    encode_content,
    encode_message,
)
from polynya.wire.record import seal_record

WINDOW = 8
"""Messages of one conversation on their way at once: on a path with a second's delay, eight a second."""
SENDING = (ConversationState.ACTIVE, ConversationState.LEAVING, ConversationState.CLOSED)
"""What was queued before the conversation was left or closed still goes."""


def queue(t: Transaction, conversation: bytes, content: Content, message_id: bytes | None = None) -> bytes:
    """Draws the message's id where none is given; gives it back."""
    if message_id is None:
        message_id = t.random.bytes(16)
    named = (content.blob,) if isinstance(content, FileReference) else ()
    key = next_number(t, conversation)
    t.put(OUTBOX, key, Outgoing(conversation, message_id, t.time, encode_content(content), named, ()))
    work.wake(t, b"outbox", conversation)
    return message_id


def work_conversation(t: Transaction, conversation: bytes) -> None:
    """Publishes the first messages that wait."""
    found = t.get(CONVERSATION, conversation)
    if found is None or found.state not in SENDING or not epoch_is_ours(t, found):
        return
    for key in t.keys(OUTBOX, conversation)[:WINDOW]:
        name = work.item(b"out", key)
        if work.in_flight(t, b"out", key) or work.is_placed(t, name):
            continue
        if not work.may_call(t, found.relay.identity, name):
            # What was written later does not overtake.
            return
        outgoing = _with_record(t, found, key)
        topic = None if outgoing is None else t.get(TOPIC, found.topic)
        if outgoing is None or outgoing.record is None or topic is None:
            continue
        if not blobs.uploaded(t, found.relay.identity, outgoing.blob):
            return
        named = _named(outgoing)
        request = Publish(write_secret(topic.topic_secret), outgoing.record, None, named)
        work.call(t, found.relay.identity, name, request)


def epoch_is_ours(t: Transaction, conversation: Conversation) -> bool:
    """Whether those who can read the present epoch are those whom we mean.

    Not before the founding commit: nobody else could; not while a commit of ours is on its way: whom it removes
    still could; not before the log is known to its end: whom others removed still could.
    """
    if conversation.founding or t.get(COMMIT, conversation.id) is not None:
        return False
    return topics.in_sync(t, conversation)


def _named(outgoing: Outgoing) -> tuple[bytes, ...] | None:
    named = outgoing.blobs if outgoing.blob is None else (*outgoing.blobs, outgoing.blob)
    return named or None


def _with_record(t: Transaction, conversation: Conversation, key: bytes) -> Outgoing | None:
    """The message with a record of the current epoch and topic, made now if it has none."""
    outgoing = t.get(OUTBOX, key)
    topic = t.get(TOPIC, conversation.topic)
    if outgoing is None or topic is None:
        return None
    if outgoing.record is not None and (outgoing.epoch, outgoing.topic) == (conversation.epoch, topic.id):
        return outgoing
    blobs.release(t, conversation.relay.identity, outgoing.blob)
    message = Message(
        id=outgoing.id,
        sent=outgoing.sent,
        content=decode_content(outgoing.content),
        topic=topic.id,
        seq=topic.seq,
        head=topic.head,
        device_list=me(t).list_number,
    )
    changed, sealed = group(t, conversation.id).encrypt(encode_message(message), random=t.random)
    put_group(t, conversation.id, changed)
    prepared = blobs.prepare(t, sealed)
    blobs.want(t, conversation.relay, prepared)
    record = seal_record(record_key(topic.topic_secret), topic.id, prepared.body, t.random)
    made = record_hash(record)
    outgoing = replace(
        outgoing,
        record=record,
        epoch=conversation.epoch,
        topic=topic.id,
        blob=prepared.blob,
        hashes=(*outgoing.hashes, made),
    )
    t.put(OUTBOX, key, outgoing)
    t.put(OWN_HASH, made, key)
    return outgoing


def answered(t: Transaction, key: bytes, request: Request, response: Response) -> None:
    conversation = key[:16]
    work.wake(t, b"outbox", conversation)
    placed = True
    if isinstance(response, Published) and isinstance(request, Publish):
        placed = entries.published(t, request, response)
    outgoing = t.get(OUTBOX, key)
    if outgoing is None or outgoing.topic is None:
        return
    if isinstance(response, Published):
        if placed:
            work.placed(t, b"out", key)
        else:
            # The relay names a place where our record was not.
            work.count(t, "publish-misplaced")
            work.pause(t, b"out", key)
        return
    if work.postponed(t, b"out", key, response):
        return
    code = response.code if isinstance(response, Refused) else None
    if code == RefusalCode.UNKNOWN_TOPIC:
        work.pause(t, b"out", key)
        topics.missing(t, outgoing.topic)
    elif code == RefusalCode.UNKNOWN_BLOB and blobs.again(
        t, need(t, conversation).relay.identity, outgoing.blob
    ):
        work.pause(t, b"out", key)
    else:
        fail(t, key)


def logged(t: Transaction, key: bytes, order: int, time: int) -> None:
    """The log holds the message at `order`."""
    outgoing = t.get(OUTBOX, key)
    if outgoing is None:
        return
    conversation = outgoing.conversation
    content = decode_content(outgoing.content)
    _remove(t, key, outgoing)
    t.put(SEEN, conversation + outgoing.id, Seen(order, time))
    own = me(t).identity
    if isinstance(content, (Text, FileReference)):
        t.amend(conversation, outgoing.id, Ordered(order, time))
        t.amend(conversation, outgoing.id, StatusChanged("sent"))
        t.notify(MessageChanged(conversation, outgoing.id))
        # Others may have written while it waited: in the log it is the newest.
        message = StoredMessage(
            conversation, outgoing.id, own, True, outgoing.sent, time, order, content, "sent"
        )
        set_last(t, message)
    elif isinstance(content, Edit):
        t.amend(conversation, content.target, Edited(own, content.text, order))
        update_own_preview(t, conversation, content.target, content.text)
        t.notify(MessageChanged(conversation, content.target))
    elif isinstance(content, Delete):
        t.amend(conversation, content.target, Deleted(own))
        update_own_preview(t, conversation, content.target, "")
        t.notify(MessageChanged(conversation, content.target))
    elif isinstance(content, Reaction):
        t.amend(conversation, content.target, Reacted(own, content.emoji, order))
        t.notify(MessageChanged(conversation, content.target))
    elif isinstance(content, Intent):
        work.wake(t, b"left", conversation)


def fail(t: Transaction, key: bytes) -> None:
    """The message will never be sent."""
    outgoing = t.get(OUTBOX, key)
    if outgoing is None:
        return
    _remove(t, key, outgoing)
    content = decode_content(outgoing.content)
    if isinstance(content, (Text, FileReference)):
        t.amend(outgoing.conversation, outgoing.id, StatusChanged("failed"))
        t.notify(MessageChanged(outgoing.conversation, outgoing.id))
        update_preview(t, outgoing.conversation, outgoing.id, status="failed")
        set_problem(t, outgoing.conversation, "message-failed")


def _remove(t: Transaction, key: bytes, outgoing: Outgoing) -> None:
    found = need(t, outgoing.conversation)
    blobs.release(t, found.relay.identity, outgoing.blob)
    for made in outgoing.hashes:
        t.remove(OWN_HASH, made)
    t.remove(OUTBOX, key)
    work.succeeded(t, b"out", key)


def fail_all(t: Transaction, conversation: bytes) -> None:
    """The conversation is over for us."""
    for key in t.keys(OUTBOX, conversation):
        fail(t, key)


def restore(t: Transaction) -> None:
    """After loading: which records are ours."""
    for key in t.keys(OUTBOX):
        outgoing = t.get(OUTBOX, key)
        if outgoing is not None:
            for made in outgoing.hashes:
                t.put(OWN_HASH, made, key)
