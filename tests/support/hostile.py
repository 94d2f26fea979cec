"""What a hostile member can make with what its device knows."""

from __future__ import annotations

from collections.abc import Sequence

from polynya.core import leaveproofs, mlsgroup
from polynya.core._state import Conversation, Me, Topic
from polynya.core.identity import accepted_leaf
from polynya.core.state import CONVERSATION, GROUP, ME, TOPIC
from polynya.mls.group import Group
from polynya.mls.proposal import Proposal
from polynya.wire import messages as m
from polynya.wire.files import seal_file
from polynya.wire.labels import blob_id, owner_id, owner_secret, record_key, write_secret
from polynya.wire.record import INLINE_MAX, seal_record
from tests.support.world import Party


def conversation_of(party: Party, chat: bytes) -> Conversation:
    row = party.core._state.get(CONVERSATION, chat)
    assert row is not None
    return row


def me_of(party: Party) -> Me:
    row = party.core._state.get(ME, b"")
    assert row is not None
    return row


def owner_of(party: Party, suite: int = m.SUITE_XWING) -> bytes:
    """Whose key packages of this suite the party's are, for a relay."""
    return owner_id(owner_secret(me_of(party).owner_secret, suite))


def topic_of(party: Party, chat: bytes) -> Topic:
    row = party.core._state.get(TOPIC, conversation_of(party, chat).topic)
    assert row is not None
    return row


def group_of(party: Party, chat: bytes) -> Group:
    cell = party.core._state.get(GROUP, chat)
    assert cell is not None
    return cell.group()


def body_of(party: Party, data: bytes) -> tuple[m.RecordBody, tuple[bytes, ...] | None]:
    """As a record carries it, with what it names: what is too large lies in a blob on the home relay."""
    if len(data) <= INLINE_MAX:
        return m.Inline(data), None
    key = party.random.bytes(32)
    blob = b"".join(seal_file(key, len(data), [data]))
    name = blob_id(blob)
    party.home.blobs[name] = blob
    return m.InBlob(name, key, len(data)), (name,)


def publish(
    party: Party,
    chat: bytes,
    data: bytes,
    slot: bytes | None = None,
    topic: Topic | None = None,
    body: m.RecordBody | None = None,
    blobs: tuple[bytes, ...] | None = None,
) -> m.Response:
    """A record with this body, past the party's own core; one that is too large lies in a blob."""
    into = topic or topic_of(party, chat)
    if body is None:
        body, named = body_of(party, data)
        blobs = named or blobs
    record = seal_record(record_key(into.topic_secret), into.id, body, party.random)
    request = m.Publish(write_secret(into.topic_secret), record, slot, blobs)
    return party.home.publish(None, request, party.world.now)


def message(party: Party, chat: bytes, content: m.Content, **changes: object) -> bytes:
    """An application message; the party's core does not learn that it was sent."""
    topic = topic_of(party, chat)
    fields: dict[str, object] = {
        "id": party.random.bytes(16),
        "sent": party.now(),
        "content": content,
        "topic": topic.id,
        "seq": topic.seq,
        "head": topic.head,
        "device_list": 1,
    }
    fields.update(changes)
    data = m.encode_message(m.Message(**fields))  # type: ignore[arg-type]
    return group_of(party, chat).encrypt(data, random=party.random)[1]


def commit(
    party: Party,
    chat: bytes,
    proposals: Sequence[Proposal] = (),
    data: bytes | None = None,
    private: bool = False,
    path: bool | None = None,
) -> bytes:
    authenticated = m.encode_commit_data(m.CommitData()) if data is None else data
    pending = group_of(party, chat).commit(
        proposals,
        authenticated_data=authenticated,
        private=private,
        path=path,
        now=party.now(),
        random=party.random,
    )
    return pending.message


def slot_of(party: Party, chat: bytes) -> bytes:
    return mlsgroup.slot(group_of(party, chat))


def info_of(party: Party, chat: bytes) -> m.ConversationInfo:
    info = mlsgroup.read_info(group_of(party, chat).context.extensions)
    assert info is not None
    return info


def proof_of(party: Party, chat: bytes) -> m.LeaveProof:
    group = group_of(party, chat)
    return leaveproofs.prove(group, group.own_leaf_index, me_of(party).identity_secret)


def leaf_of(party: Party, chat: bytes, other: Party) -> int:
    for member in group_of(party, chat).members():
        device = accepted_leaf(member.credential, member.signature_key)
        if device is not None and device.identity == other.id:
            return member.leaf_index
    raise AssertionError(f"{other.name} is no member")
