"""Messages by their content: replies, edits, deletions, reactions, receipts, typing, large bodies, unknown kinds."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from polynya.core import commands as c
from polynya.core import events as e
from polynya.core import receipts
from polynya.core.errors import CoreError
from polynya.core.history import SystemContent
from polynya.core.receipts import GATHERED
from polynya.core.state import MEMBERSHIP, UPLOAD
from polynya.core.transaction import Transaction
from polynya.wire import messages as m
from polynya.wire.cbor import head, write_bytes
from polynya.wire.labels import blob_id
from tests.support import hostile
from tests.support.agreement import agree, friends
from tests.support.world import Party, World


def pair(seed: int) -> tuple[World, bytes, Party, Party]:
    world = World(seed)
    anna, boris = friends(world, "anna", "boris")
    return world, anna.direct(boris), anna, boris


def shown(party: Party, chat: bytes, message_id: bytes) -> Any:
    return party.history[chat, message_id]


def test_reply_edit_delete() -> None:
    world, chat, anna, boris = pair(101)
    first = anna.say(chat, "teh")
    world.settle()
    second = boris.say(chat, "what?", reply_to=first)
    world.settle()
    assert shown(anna, chat, second).content == m.Text("what?", first)
    anna.do(e.SendContent(chat, m.Edit(first, "the")))
    assert shown(anna, chat, first).content.text == "the", "shown at once"
    world.settle()
    assert shown(boris, chat, first).content.text == "the"
    assert shown(boris, chat, first).edited == shown(anna, chat, first).edited is not None
    boris.do(e.SendContent(chat, m.Delete(second)))
    world.settle()
    for party in (anna, boris):
        assert shown(party, chat, second).deleted and shown(party, chat, second).content.text == ""
        assert party.last(chat).text == ""
    agree(chat, anna, boris)


def test_what_is_edited_while_it_waits_shows_the_edit_in_the_list() -> None:
    world, chat, anna, _ = pair(109)
    anna.go_offline()
    message = anna.say(chat, "teh")
    anna.do(e.SendContent(chat, m.Edit(message, "the")))
    assert anna.last(chat).text == "the"
    anna.go_online()
    world.settle()
    assert anna.last(chat).text == "the"
    anna.go_offline()
    gone = anna.say(chat, "oops")
    anna.do(e.SendContent(chat, m.Delete(gone)))
    anna.go_online()
    world.settle()
    assert anna.last(chat).text == ""


def test_edits_and_deletions_by_others_change_nothing() -> None:
    world, chat, anna, boris = pair(102)
    first = anna.say(chat, "mine")
    world.settle()
    boris.do(e.SendContent(chat, m.Edit(first, "yours")), e.SendContent(chat, m.Delete(first)))
    world.settle()
    for party in (anna, boris):
        assert shown(party, chat, first).content.text == "mine"
        assert not shown(party, chat, first).deleted
        assert party.last(chat).text == "mine"


def test_reactions() -> None:
    world, chat, anna, boris = pair(103)
    first = anna.say(chat, "news")
    world.settle()
    for emoji in ("a", "b"):
        boris.do(e.SendContent(chat, m.Reaction(first, emoji)))
    anna.do(e.SendContent(chat, m.Reaction(first, "c")))
    world.settle()
    expected = sorted([(anna.id, "c"), (boris.id, "b")])
    for party in (anna, boris):
        assert [(r.identity, r.emoji) for r in shown(party, chat, first).reactions] == expected
    boris.do(e.SendContent(chat, m.Reaction(first, "")))
    world.settle()
    for party in (anna, boris):
        assert [r.emoji for r in shown(party, chat, first).reactions if r.identity == boris.id] == [""]


def test_receipts() -> None:
    world, chat, anna, boris = pair(104)
    ids = [anna.say(chat, str(n)) for n in range(3)]
    before = len(world.relay.topics[hostile.topic_of(anna, chat).id].entries)
    world.settle()
    assert [shown(anna, chat, i).delivered for i in ids] == [(boris.id,)] * 3
    assert [shown(anna, chat, i).read for i in ids] == [()] * 3
    assert boris.view(chat).unread == 3
    records = len(world.relay.topics[hostile.topic_of(anna, chat).id].entries)
    assert records <= before + 3 + 3, "receipts are gathered"
    boris.do(e.MarkRead(chat, ids[1]))
    assert boris.view(chat).unread == 1
    world.settle()
    assert [shown(anna, chat, i).read for i in ids] == [(boris.id,), (boris.id,), ()]
    assert c.MessageChanged(chat, ids[0]) in anna.notified
    boris.do(e.SetSettings(read_receipts=False), e.MarkRead(chat, ids[2]))
    world.settle()
    assert shown(anna, chat, ids[2]).read == ()
    assert boris.view(chat).unread == 0
    boris.do(e.MarkRead(chat, bytes(16)))


def test_receipts_stop_above_sixteen_members() -> None:
    world = World(105)
    anna, boris, clara = friends(world, "anna", "boris", "clara")
    chat = world.group(anna, boris, clara)
    first = anna.say(chat, "small")
    world.settle()
    assert len(shown(anna, chat, first).delivered) == 2
    known = boris.core._state.get(MEMBERSHIP, chat)
    assert known is not None
    many = tuple(m_.__class__(100 + n, bytes([n]) * 32, bytes(32)) for n, m_ in enumerate(known.members * 6))
    t = Transaction(boris.core._state, world.now, boris.random, 0)
    t.put(MEMBERSHIP, chat, replace(known, members=many[:17]))
    assert not receipts.are_sent(t, hostile.conversation_of(boris, chat))
    t.put(MEMBERSHIP, chat, replace(known, members=many[:16]))
    assert receipts.are_sent(t, hostile.conversation_of(boris, chat))
    t.undo()


def test_receipts_survive_a_crash_while_they_are_gathered() -> None:
    world, chat, anna, boris = pair(106)
    first = anna.say(chat, "hello")
    while boris.texts(chat) == []:
        assert world.step()
    boris.crash()
    world.settle(GATHERED * 3)
    assert shown(anna, chat, first).delivered == (boris.id,)


def test_typing() -> None:
    world, chat, anna, boris = pair(107)
    anna.do(e.SetTyping(chat, True))
    world.settle(2_000)
    assert boris.saw(c.TypingChanged) == [c.TypingChanged(chat, anna.id, True)]
    world.settle(10_000)
    assert boris.saw(c.TypingChanged)[1:] == [c.TypingChanged(chat, anna.id, False)]
    anna.do(e.SetTyping(chat, True))
    world.settle(1_000)
    anna.do(e.SetTyping(chat, False))
    world.settle(1_000)
    assert len(boris.saw(c.TypingChanged)) == 4
    assert boris.texts(chat) == []


def test_typing_from_outside_is_not_believed() -> None:
    world, chat, anna, boris = pair(108)
    topic = hostile.topic_of(anna, chat).id
    boris.handle(e.EphemeralPushed(world.relay.identity, m.EphemeralPush(topic, bytes(100))))
    assert boris.saw(c.TypingChanged) == []
    assert boris.core.counters()["ephemeral-bad"] == 1


def test_bodies_too_large_for_a_record() -> None:
    world, chat, anna, boris = pair(109)
    text = "long " * 3000
    first = anna.say(chat, text)
    anna.say(chat, "short")
    world.settle()
    agree(chat, anna, boris)
    assert boris.texts(chat) == [text, "short"]
    assert boris.last(chat).text == "short"
    assert len(world.relay.blobs) >= 2
    assert anna.core._state.keys(UPLOAD) == []
    boris.do(e.SendContent(chat, m.Reaction(first, "x")))
    world.settle()
    agree(chat, anna, boris)


def test_large_bodies_survive_crashes() -> None:
    for step in range(1, 14):
        world, chat, anna, boris = pair(110)
        text = "long " * 3000
        anna.crash_at = {anna.steps + step: "saved" if step % 2 else "called"}
        boris.crash_at = {boris.steps + step: "called" if step % 2 else "saved"}
        anna.say(chat, text)
        world.settle()
        agree(chat, anna, boris)
        assert boris.texts(chat) == [text], step


def test_a_blob_that_the_relay_changed() -> None:
    """It has another hash: as good as gone. The message is skipped, the log goes on."""
    world, chat, anna, boris = pair(111)
    boris.go_offline()
    anna.say(chat, "long " * 3000)
    world.settle()
    for blob in world.relay.blobs:
        world.relay.blobs[blob] = bytes(len(world.relay.blobs[blob]))
    anna.say(chat, "short")
    world.settle()
    boris.go_online()
    world.settle()
    assert boris.texts(chat) == ["short"]
    assert boris.core.counters()["record-gone"] == 1


def test_a_body_whose_blob_the_entry_does_not_name() -> None:
    world, chat, anna, boris = pair(112)
    hostile.publish(anna, chat, b"", body=m.InBlob(bytes(32), bytes(32), 5000))
    anna.say(chat, "after")
    world.settle()
    assert boris.texts(chat) == ["after"]
    assert boris.core.counters()["record-bad"] == 1


def test_files_name_their_blob() -> None:
    world, chat, anna, boris = pair(113)
    blob = b"sealed file"
    file = m.FileReference(blob_id(blob), bytes(32), 11, "a.txt", "text/plain", caption="look")
    anna.do(e.SendContent(chat, file))
    world.settle()
    assert [v.status for v in anna.messages(chat)] == ["failed"], "the relay does not have the blob"
    world.relay.blobs[blob_id(blob)] = blob
    anna.do(e.SendContent(chat, file))
    world.settle()
    (received,) = boris.messages(chat)
    assert received.content == file
    assert boris.last(chat).kind == "file" and boris.last(chat).text == "look"


def test_content_of_a_newer_version_is_shown_as_unknown() -> None:
    world, chat, anna, boris = pair(114)
    data = m.encode_message(
        m.Message(
            id=b"u" * 16,
            sent=world.now,
            content=m.Text("replaced"),
            topic=bytes(32),
            seq=0,
            head=bytes(32),
            device_list=1,
        )
    )
    known = m.encode_content(m.Text("replaced"))
    unknown = b"\x82" + bytes([20]) + head(0xA0, 1) + b"\x01" + write_bytes(b"x", 0, 10, "x")
    assert known in data
    sealed = hostile.group_of(anna, chat).encrypt(data.replace(known, unknown), random=anna.random)[1]
    hostile.publish(anna, chat, sealed)
    world.settle()
    (message,) = boris.messages(chat, True)
    assert message.content == SystemContent("unknown", (), "20")
    assert boris.last(chat).kind == "unknown"


def test_messages_with_authenticated_data_or_malformed_ones_are_dropped() -> None:
    world, chat, anna, boris = pair(115)
    data = m.encode_message(
        m.Message(
            id=b"u" * 16, sent=0, content=m.Text("x"), topic=bytes(32), seq=0, head=bytes(32), device_list=1
        )
    )
    group = hostile.group_of(anna, chat)
    group, first = group.encrypt(data, authenticated_data=b"!", random=anna.random)
    group, second = group.encrypt(b"not a message", random=anna.random)
    for sealed in (first, second, b"not mls"):
        hostile.publish(anna, chat, sealed)
    world.settle()
    assert boris.texts(chat) == []
    counters = boris.core.counters()
    assert counters["message-leaf"] == counters["message-content"] == counters["message-malformed"] == 1


def test_one_id_counts_once() -> None:
    world, chat, anna, boris = pair(116)
    first = boris.say(chat, "mine")
    world.settle()
    hostile.publish(anna, chat, hostile.message(anna, chat, m.Text("under your id"), id=first))
    hostile.publish(anna, chat, hostile.message(anna, chat, m.Text("new"), id=b"n" * 16))
    world.settle()
    assert boris.texts(chat) == ["mine"] or boris.texts(chat) == ["mine", "new"]
    assert "under your id" not in boris.texts(chat)


@pytest.mark.parametrize(
    "content",
    [
        m.Text(""),
        m.Text("x" * 16385),
        m.Text("\ud800"),
        m.Edit(bytes(16), " "),
        m.Profile("x"),
        m.Reaction(b"1", "x"),
    ],
)
def test_what_cannot_be_sent(content: m.Content) -> None:
    _, chat, anna, _ = pair(117)
    rows = dict(anna.rows)
    with pytest.raises(CoreError) as caught:
        anna.do(e.SendContent(chat, content))
    assert caught.value.code == "bad-content"
    assert anna.rows == rows
    anna.check_rows()


def test_batches_are_all_or_nothing() -> None:
    world, chat, anna, boris = pair(118)
    good = e.SendContent(chat, m.Text("handled"))
    with pytest.raises(CoreError):
        anna.handle(e.Batch((good, e.SendContent(chat, m.Text(""))), ((b"handled", b"1"),)))
    anna.check_rows()
    assert anna.core.mark(b"handled") is None
    anna.handle(e.Batch((good,), ((b"handled", b"1"),)))
    anna.crash()
    world.settle()
    assert anna.core.mark(b"handled") == b"1"
    assert boris.texts(chat) == ["handled"]
    anna.handle(e.Batch((), ((b"handled", None),)))
    assert anna.core.mark(b"handled") is None


def test_deleting_a_conversation() -> None:
    world, chat, anna, _ = pair(119)
    anna.say(chat, "soon gone")
    world.settle()
    with pytest.raises(CoreError) as caught:
        anna.do(e.DeleteConversation(chat))
    assert caught.value.code == "leave-first"
    anna.do(e.Leave(chat))
    world.settle()
    anna.do(e.DeleteConversation(chat))
    world.settle()
    assert anna.core.conversation(chat) is None
    assert anna.history == {}
    assert [key for key in anna.rows if chat in key[1]] == []
