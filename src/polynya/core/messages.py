"""Entries without a slot: application messages, opened once and handed on."""

from __future__ import annotations

from polynya.core import contents, formers, outbox, topics, work
from polynya.core._state import Conversation, RemovedLeaf, Topic
from polynya.core.conversation import group, put_group, set_problem
from polynya.core.identity import accepted_leaf
from polynya.core.state import OWN_HASH
from polynya.core.transaction import Transaction
from polynya.mls.errors import MlsError
from polynya.mls.group import Group, inspect
from polynya.wire.errors import WireError
from polynya.wire.messages import Entry, decode_message

DECRYPT = "6.3-decrypt"
"""The rule of MLS that a message breaks which was sealed under other keys."""


def process(t: Transaction, conversation: Conversation, topic: Topic, entry: Entry) -> bool:
    """False: its body is being fetched."""
    own = t.get(OWN_HASH, topics.entry_hash(entry))
    if own is not None:
        topics.step(t, topic, entry)
        outbox.logged(t, own, topics.order(topic, entry.seq), entry.time)
        return True
    body = topics.read_entry(t, topic, conversation.relay.identity, entry)
    if body.state == "waiting":
        return False
    topics.step(t, topic, entry)
    if body.state != "ready":
        work.count(t, f"record-{body.state}")
        return True
    _open(t, conversation, topic, entry, body.data)
    return True


def _open(t: Transaction, conversation: Conversation, topic: Topic, entry: Entry, data: bytes) -> None:
    key = formers.group_of_message(t, conversation, data)
    try:
        changed, received = group(t, key).decrypt(data)
    except MlsError as error:
        # Of epochs before we joined, of our own re-encrypted copies, or nothing that a member made.
        work.count(t, f"message-{error.code}")
        if topic.id == conversation.topic and is_of_another_history(group(t, key), data, error.rule):
            set_problem(t, conversation.id, "history-differs")
        return
    put_group(t, key, changed)
    device = accepted_leaf(received.sender.credential, received.sender.signature_key)
    if device is None or received.authenticated_data:
        work.count(t, "message-leaf")
        return
    gone = formers.gone(t, conversation, key)
    if sender_was_removed(gone, received.sender_leaf_index, received.epoch, entry.time):
        work.count(t, "message-removed")
        return
    try:
        message = decode_message(received.data)
    except WireError:
        work.count(t, "message-content")
        return
    place = contents.Place(
        topic.id, topics.order(topic, entry.seq), entry.seq, entry.time, topics.entry_hash(entry)
    )
    contents.receive(t, conversation.id, device.identity, message, place)


def is_of_another_history(present: Group, data: bytes, rule: str) -> bool:
    """Whether somebody wrote in an epoch that our log does not lead to, or has other keys in the one that it leads to:
    who wrote that was shown another log. `rule`: the rule of MLS that the message broke.

    In the current topic only members can write: one who does so without cause accuses the relay falsely."""
    try:
        info = inspect(data)
    except MlsError:
        return False
    context = present.context
    if info.group_id != context.group_id:
        return False
    return info.epoch > context.epoch or (info.epoch == context.epoch and rule == DECRYPT)


def sender_was_removed(gone: tuple[RemovedLeaf, ...], leaf: int, epoch: int, time: int) -> bool:
    """Whether a commit of the same or an earlier time removed the leaf that wrote in `epoch`.

    A removed member knows the former topic and epochs: what it writes there afterwards is nobody's message.
    """
    return any(one.leaf == leaf and one.epoch > epoch and one.time <= time for one in gone)
