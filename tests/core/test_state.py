"""The state as rows: what is saved of a group, how it is read back, and which states are refused."""

from __future__ import annotations

import pytest

from polynya.core import commands as c
from polynya.core import events as e
from polynya.core._state import STATE_VERSION, Meta
from polynya.core.core import Core
from polynya.core.errors import CoreError
from polynya.core.groupcell import GroupCell, cell_changes
from polynya.core.state import GROUP, META, SAVED
from polynya.mls.errors import MalformedError
from polynya.mls.group import Group
from polynya.mls.parts import HEAD, RATCHET, TREE
from polynya.wire import messages as m
from tests.support import hostile
from tests.support.agreement import friends
from tests.support.moves import both_ways, founded
from tests.support.world import DAY, Party, World

Rows = list[tuple[str, bytes, bytes]]


def rows_of(party: Party) -> Rows:
    return [(table, key, value) for (table, key), value in party.rows.items()]


def place(key: bytes, name: bytes = b"") -> bytes:
    """Where a part of the group with this key lies in the table."""
    return bytes((len(key),)) + key + name


def direct(party: Party) -> bytes:
    """The party's only direct conversation."""
    (chat,) = (view.id for view in party.core.conversations() if view.kind == m.ConversationKind.DIRECT)
    return chat


def saves_of_group(commands: tuple[c.Command, ...]) -> list[c.Save]:
    return [command for command in commands if isinstance(command, c.Save) and command.table == GROUP.name]


def refused(code: str, rows: Rows) -> None:
    with pytest.raises(CoreError) as caught:
        Core.load(rows)
    assert caught.value.code == code


# ---- what a step saves -------------------------------------------------------------------------------------


def test_a_message_saves_one_part_of_the_group() -> None:
    world = World(401)
    anna, boris, clara = friends(world, "anna", "boris", "clara")
    chat = world.group(anna, boris, clara)
    anna.say(chat, "the first makes the ratchets")
    world.settle()
    rows = dict(boris.rows)
    own = hostile.group_of(anna, chat).own_leaf_index
    (save,) = saves_of_group(anna.handle(e.SendContent(chat, m.Text("hello", None), bytes(16))))
    assert save.value is not None and save.key.startswith(place(chat, RATCHET))
    assert save.key[-5:-1] == own.to_bytes(4, "big")
    world.settle()
    assert boris.texts(chat)[-1] == "hello"
    changed = {row for row, value in boris.rows.items() if rows.get(row) != value and row[0] == GROUP.name}
    ratchets = {(GROUP.name, save.key[:-5] + leaf.to_bytes(4, "big") + save.key[-1:]) for leaf in range(3)}
    assert changed == ratchets, "the message, and receipts of both who read it"


def test_a_step_saves_the_parts_in_order_where_the_group_stands() -> None:
    world = World(402)
    anna, boris = friends(world, "anna", "boris")
    chat = world.group(anna, boris)
    before = dict(anna.rows)
    seen: list[tuple[c.Command, ...]] = []
    perform = anna._perform

    def watched(commands: tuple[c.Command, ...], crash: str | None) -> None:
        seen.append(commands)
        perform(commands, crash)

    anna._perform = watched  # type: ignore[method-assign]
    anna.do(e.Rename(chat, "other"))
    world.settle()
    steps = [commands for commands in seen if len(saves_of_group(commands)) > 2]
    assert steps, "the commit"
    for commands in steps:
        saves = [command for command in commands if isinstance(command, c.Save)]
        groups = saves_of_group(commands)
        assert [save.key for save in groups] == sorted(save.key for save in groups)
        first = saves.index(groups[0])
        assert saves[first : first + len(groups)] == groups, "together"
    assert any(save.value is None for commands in steps for save in saves_of_group(commands))
    assert {key for key in before if key[0] == GROUP.name} != {
        key for key in anna.rows if key[0] == GROUP.name
    }


def test_a_conversation_that_goes_takes_all_of_its_parts() -> None:
    """Whether or not its group was looked at since the start."""
    for decoded in (True, False):
        world = World(403)
        anna, boris = friends(world, "anna", "boris")
        chat, other = world.group(anna, boris), world.group(anna, boris, name="stays")
        boris.say(chat, "hello")
        boris.say(other, "hello")
        world.settle()
        anna.do(e.Leave(chat))
        world.settle(120_000)
        assert anna.view(chat).state == "left"
        anna.crash()
        group = [key for table, key in anna.rows if table == GROUP.name and key.startswith(place(chat))]
        if group and decoded:
            hostile.group_of(anna, chat)
        anna.do(e.DeleteConversation(chat))
        left = {key[: len(place(chat))] for table, key in anna.rows if table == GROUP.name}
        assert place(chat) not in left and place(other) in left
        anna.check_rows()


def test_an_ended_group_lies_beside_the_one_in_force_and_goes_in_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World(404)
    chat, people = founded(world, monkeypatch, 3, m.SUITE_XWING)
    anna = people[0]
    both_ways(chat, *people)
    ended = hostile.group_of(anna, chat).group_id
    anna.do(e.MoveSuite(chat, m.SUITE_X25519))
    world.settle()
    key = chat + ended

    def parts(key: bytes) -> set[bytes]:
        start = place(key)
        return {
            row[len(start) :] for table, row in anna.rows if table == GROUP.name and row.startswith(start)
        }

    assert {HEAD, TREE} <= parts(key) and {HEAD, TREE} <= parts(chat)
    anna.crash()
    assert hostile.group_of(anna, key).group_id == ended != hostile.group_of(anna, chat).group_id
    world.sleep(15 * DAY)
    assert parts(key) == set() and parts(chat)
    anna.check_rows()


# ---- cells -------------------------------------------------------------------------------------------------


def test_cells_tell_what_changed_whether_they_are_decoded_or_not() -> None:
    world = World(405)
    anna, boris = friends(world, "anna", "boris")
    chat = world.group(anna, boris)
    before = hostile.group_of(anna, chat)
    after, _ = before.encrypt(b"text", random=anna.random)
    wanted = before.changes(since=before) | after.changes(before)
    for old in (GroupCell(before), GroupCell.stored(before.parts())):
        for new in (GroupCell(after), GroupCell.stored(after.parts())):
            assert cell_changes(old, new) == wanted
        assert cell_changes(old, None) == dict.fromkeys(before.parts())
        assert cell_changes(None, old) == before.parts()
        assert cell_changes(None, None) == {}
        assert list(cell_changes(old, None)) == sorted(before.parts())


def test_a_group_is_decoded_when_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(406)
    anna, boris = friends(world, "anna", "boris")
    world.group(anna, boris)
    chat = direct(anna)
    decoded: list[bytes] = []
    real = Group.from_parts.__func__  # type: ignore[attr-defined]

    def counted(kind: type[Group], parts: dict[bytes, bytes]) -> Group:
        group: Group = real(kind, parts)
        decoded.append(group.group_id)
        return group

    monkeypatch.setattr(Group, "from_parts", classmethod(counted))
    core = Core.load(rows_of(anna))
    core.start(anna.now(), anna.random)
    assert decoded == []
    for _ in range(2):
        core.safety_number(chat)
        assert decoded == [chat]


# ---- what is refused ---------------------------------------------------------------------------------------


def test_states_of_other_versions_are_refused_by_name() -> None:
    world = World(407)
    (anna,) = world.people("anna")
    rows = {(table, key): value for table, key, value in rows_of(anna)}
    encode = META.encode
    assert encode is not None
    for version, code in ((STATE_VERSION - 1, "state-too-old"), (STATE_VERSION + 1, "state-too-new")):
        changed = {**rows, (META.name, b""): encode(Meta(version))}
        refused(code, [(table, key, value) for (table, key), value in changed.items()])
    refused("state-too-new", [*rows_of(anna), ("a later table", b"", b"")])
    assert Core.load(rows_of(anna)).me() == anna.core.me()


def test_the_version_is_told_before_anything_else_is_read() -> None:
    """A state of the first version had whole groups under the conversation's id."""
    encode = META.encode
    assert encode is not None
    rows = [("group", b"\xff" * 16, b"\x01 a group as it was"), ("meta", b"", encode(Meta(1)))]
    refused("state-too-old", rows)
    refused("state-broken", [rows[0], ("meta", b"", encode(Meta(STATE_VERSION)))])


def test_a_damaged_place_of_a_part_is_told_of() -> None:
    world = World(408)
    anna, boris = friends(world, "anna", "boris")
    world.group(anna, boris)
    for key in (b"", b"\x01", b"\x10" + bytes(15), b"\xff" + bytes(254)):
        refused("state-broken", [*rows_of(anna), (GROUP.name, key, b"")])
    for table in SAVED:
        if table not in (GROUP, META) and table.name not in ("successor", "chain", "later", "mark"):
            refused("state-broken", [*rows_of(anna), (table.name, b"key", b"\xff")])


def test_damaged_parts_are_told_of_when_the_group_is_used() -> None:
    """Other conversations go on."""
    world = World(409)
    anna, _, _ = friends(world, "anna", "boris", "clara")
    chat, other = (view.id for view in anna.core.conversations())
    del anna.rows[GROUP.name, place(chat, HEAD)]
    core = Core.load(rows_of(anna))
    core.start(anna.now(), anna.random)
    with pytest.raises(MalformedError):
        core.safety_number(chat)
    assert core.conversation(chat) == anna.core.conversation(chat)
    assert core.safety_number(other) == anna.core.safety_number(other)
