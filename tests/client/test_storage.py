"""The store keeps what it was given, tells nothing on disk, and refuses whatever it cannot trust."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from polynya.client import schema, storekey
from polynya.client.client import Client
from polynya.client.errors import (
    PassphraseNeeded,
    StoreDamaged,
    StoreError,
    StoreForeign,
    StoreFull,
    StoreInUse,
    StoreKeyMissing,
    StoreTooNew,
    WrongPassphrase,
)
from polynya.client.storage import Storage
from polynya.core._state import STATE_VERSION, Meta, encode_meta
from polynya.core.commands import AmendMessage, AppendMessage, ForgetHistory, Save
from polynya.core.errors import CoreError
from polynya.core.history import (
    NEWEST,
    TOPIC_STEP,
    Deleted,
    Edited,
    Ordered,
    Reacted,
    ReceiptSeen,
    StatusChanged,
    StoredContent,
    StoredMessage,
    StoredReaction,
    SystemContent,
)
from polynya.wire.messages import FileReference, Text, Unknown
from tests.support.seeded import SeededRandom

NOW = 1_790_000_000_000
ANNA = b"A" * 32
BORIS = b"B" * 32
CHAT = b"c" * 16
SECRET = b"a-secret-that-must-not-be-on-disk"


@pytest.fixture
def random() -> SeededRandom:
    return SeededRandom(7)


@pytest.fixture(autouse=True)
def _quick_scrypt(monkeypatch: pytest.MonkeyPatch) -> None:
    """16 MiB instead of 128: these tests do not guess passphrases."""
    monkeypatch.setattr(storekey, "SCRYPT_LOG_N", 14)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def store(folder: Path, random: SeededRandom) -> Iterator[Storage]:
    store = Storage.open(folder, passphrase=None, random=random)
    yield store
    store.close()


def message(number: int, order: int | None = None, chat: bytes = CHAT, sent: int = NOW) -> StoredMessage:
    mine = order is None
    return StoredMessage(
        conversation=chat,
        id=number.to_bytes(16, "big"),
        sender=ANNA if mine else BORIS,
        mine=mine,
        sent=sent,
        time=None if mine else NOW + number,
        order=order,
        content=Text(text=f"message {number}"),
        status="waiting" if mine else None,
    )


def snapshot(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in sorted(folder.iterdir()) if p.name != "lock"}


def test_state_survives_closing(folder: Path, random: SeededRandom) -> None:
    store = Storage.open(folder, passphrase=None, random=random)
    store.commit([Save("group", b"k1", b"one"), Save("group", b"k2", b"two"), Save("me", b"", b"x")], NOW)
    store.commit([Save("group", b"k1", None), Save("group", b"k2", b"changed")], NOW)
    store.close()
    store = Storage.open(folder, passphrase=None, random=random)
    assert sorted(store.load()) == [("group", b"k2", b"changed"), ("me", b"", b"x")]
    assert store.own("group", b"k1") is None
    assert store.own("group", b"k2") == b"changed"
    store.close()


def test_nothing_of_state_or_history_is_readable_on_disk(folder: Path, random: SeededRandom) -> None:
    store = Storage.open(folder, passphrase=None, random=random)
    store.commit([Save("secret-table-name", b"secret-key-bytes", SECRET)], NOW)
    store.commit([AppendMessage(replace(message(1, 5), content=Text(text=SECRET.decode())))], NOW)
    while_open = b"".join(snapshot(folder).values())
    store.close()
    on_disk = while_open + b"".join(snapshot(folder).values())
    assert b"SQLite format 3" in on_disk
    for hidden in (SECRET, b"secret-table-name", b"secret-key-bytes", BORIS, CHAT, (1).to_bytes(16, "big")):
        assert hidden not in on_disk


def test_former_versions_of_a_row_go_from_the_disk(folder: Path, store: Storage) -> None:
    """A ratchet's former state opens what its present one cannot: whoever has key and files must not find it."""
    former = []
    for version in range(20):
        store.commit([Save("ratchet", b"key", b"version %d" % version)], NOW)
        former += store._db.execute("SELECT value FROM state").fetchall()
    *former_values, present = [value for (value,) in former]
    assert any(value in b"".join(snapshot(folder).values()) for value in former_values), "the log keeps them"
    store.forget_former()
    on_disk = b"".join(snapshot(folder).values())
    assert present in on_disk
    assert not any(value in on_disk for value in former_values)


def test_every_kind_of_message_comes_back_as_it_was(store: Storage) -> None:
    kinds: list[StoredContent] = [
        Text(text="with a reply", reply_to=b"r" * 16),
        FileReference(
            blob=b"b" * 32, key=b"k" * 32, size=7, name="a.txt", media_type="text/plain", caption="c"
        ),
        SystemContent("renamed", (ANNA, BORIS), "Trip"),
        SystemContent("left", (BORIS,)),
        Unknown(77),
    ]
    messages = [
        replace(
            message(number, number + 1),
            content=content,
            edited=NEWEST if number == 0 else 12,
            deleted=number == 2,
            reactions=(StoredReaction(ANNA, "\U0001f600", None), StoredReaction(BORIS, "", 9)),
            delivered=(ANNA,),
            read=(ANNA, BORIS),
        )
        for number, content in enumerate(kinds)
    ]
    store.commit([AppendMessage(m) for m in messages], NOW)
    assert [a.message for a in store.history(CHAT, limit=10)] == messages


def test_history_is_in_order_with_waiting_ones_last(store: Storage) -> None:
    second_topic = 2 * TOPIC_STEP + 1
    added = [
        message(1, second_topic),
        message(2, 5),
        message(3, None, sent=NOW + 9),
        message(4, None, sent=NOW + 3),
        message(5, 5),
        message(6, 1, chat=b"other chat 16 by"),
    ]
    store.commit([AppendMessage(m) for m in added], NOW)
    ids = [a.message.id[-1] for a in store.history(CHAT, limit=10)]
    assert ids == [2, 5, 1, 4, 3]


def test_history_is_read_in_pages(store: Storage) -> None:
    store.commit([AppendMessage(message(n, n)) for n in range(1, 26)], NOW)
    seen: list[int] = []
    before: bytes | None = None
    while page := store.history(CHAT, limit=10, before=before):
        seen = [a.message.id[-1] for a in page] + seen
        before = page[0].message.id
    assert seen == list(range(1, 26))
    assert store.history(CHAT, limit=10, before=b"unknown message.") == []


def test_arrivals_are_counted_in_the_order_of_taking(store: Storage) -> None:
    store.commit([AppendMessage(message(1, 9)), AppendMessage(message(2, 4, chat=b"other chat 16 by"))], NOW)
    store.commit([AppendMessage(message(3, 2))], NOW)
    everything = store.arrived(0, limit=10)
    assert [a.message.id[-1] for a in everything] == [1, 2, 3]
    assert [a.message.id[-1] for a in store.arrived(0, limit=10, conversation=CHAT)] == [1, 3]
    assert store.arrived(everything[1].arrival, limit=10) == everything[2:]
    assert store.last_arrival() == everything[-1].arrival


def test_arrival_numbers_are_not_used_again(store: Storage) -> None:
    store.commit([AppendMessage(message(1, 1))], NOW)
    last = store.last_arrival()
    store.commit([ForgetHistory(CHAT)], NOW)
    assert store.history(CHAT, limit=10) == []
    store.commit([AppendMessage(message(2, 2))], NOW)
    assert store.arrived(last, limit=10)[0].message.id[-1] == 2


def test_a_message_that_is_there_is_left_as_it_is(store: Storage) -> None:
    store.commit([AppendMessage(message(1, 1))], NOW)
    store.commit([AppendMessage(replace(message(1, 7), content=Text(text="another")))], NOW)
    (only,) = store.history(CHAT, limit=10)
    assert only.message == message(1, 1)


def test_amendments_go_through_the_cores_rules(store: Storage) -> None:
    mine, theirs = message(1), message(2, 3)
    store.commit([AppendMessage(mine), AppendMessage(theirs)], NOW)
    store.commit(
        [
            AmendMessage(CHAT, mine.id, Ordered(4, NOW + 50)),
            AmendMessage(CHAT, mine.id, StatusChanged("sent")),
            AmendMessage(CHAT, mine.id, ReceiptSeen(BORIS, "read")),
            AmendMessage(CHAT, theirs.id, Reacted(ANNA, "+", None)),
            AmendMessage(CHAT, theirs.id, Edited(ANNA, "forged", 9)),
            AmendMessage(CHAT, theirs.id, Deleted(ANNA)),
            AmendMessage(CHAT, b"no such message.", StatusChanged("sent")),
        ],
        NOW,
    )
    first, second = (a.message for a in store.history(CHAT, limit=10))
    assert first == replace(theirs, reactions=(StoredReaction(ANNA, "+", None),))
    assert second == replace(mine, order=4, time=NOW + 50, status="sent", delivered=(BORIS,), read=(BORIS,))


def test_a_step_that_fails_leaves_nothing(store: Storage) -> None:
    store.commit([Save("a", b"k", b"before")], NOW)
    with pytest.raises(ZeroDivisionError):
        store.commit((change for change in [Save("a", b"k", b"after"), 1 / 0]), NOW)  # type: ignore[misc]
    assert store.load() == [("a", b"k", b"before")]


def test_a_full_disk_is_told_and_leaves_nothing(store: Storage) -> None:
    store.commit([Save("a", b"k", b"before")], NOW)
    pages = store._db.execute("PRAGMA page_count").fetchone()[0]
    store._db.execute(f"PRAGMA max_page_count = {pages + 2}")
    with pytest.raises(StoreFull, match="Free some space"):
        store.commit([Save("a", b"k", b"after"), Save("b", b"", bytes(100_000))], NOW)
    assert store.load() == [("a", b"k", b"before")]
    store._db.execute("PRAGMA max_page_count = 100000")
    store.commit([Save("a", b"k", b"after")], NOW)
    assert store.load() == [("a", b"k", b"after")]


def test_commits_are_synced_to_disk(store: Storage) -> None:
    assert store._db.execute("PRAGMA synchronous").fetchone()[0] == 2
    assert store._db.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
    assert store._db.execute("PRAGMA secure_delete").fetchone()[0] == 1


KILLED = """
import os, sys
from pathlib import Path
from polynya.client.storage import Storage
from polynya.client.system import SystemRandom
from polynya.core.commands import Save
store = Storage.open(Path(sys.argv[1]), passphrase=None, random=SystemRandom())
for n in range(200):
    store.commit([Save("a", b"first", bytes([n])), Save("b", b"second", bytes([n]))], n)
    print(n, flush=True)
os.kill(os.getpid(), 9)
"""


def test_what_was_committed_survives_a_kill(folder: Path, random: SeededRandom) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED, str(folder)], capture_output=True, text=True)
    assert done.returncode == -9
    last = int(done.stdout.split()[-1])
    store = Storage.open(folder, passphrase=None, random=random)
    assert sorted(store.load()) == [("a", b"first", bytes([last])), ("b", b"second", bytes([last]))]
    store.close()


# ---- one writer ----

HOLDS = """
import sys
from pathlib import Path
from polynya.client.storage import Storage
from polynya.client.system import SystemRandom
store = Storage.open(Path(sys.argv[1]), passphrase=None, random=SystemRandom())
print("open", flush=True)
sys.stdin.read()
"""


def test_a_second_process_is_told_who_has_the_store(folder: Path, random: SeededRandom) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDS, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None and holder.stdin is not None
        assert holder.stdout.readline() == b"open\n"
        with pytest.raises(StoreInUse, match=rf"process {holder.pid} .*Stop it first"):
            Storage.open(folder, passphrase=None, random=random)
        holder.stdin.close()
        holder.wait(20)
    Storage.open(folder, passphrase=None, random=random).close()


def test_a_lock_left_by_a_dead_process_is_no_lock(folder: Path, random: SeededRandom) -> None:
    folder.mkdir()
    (folder / "lock").write_text("process 1 (polynya tail)")
    Storage.open(folder, passphrase=None, random=random).close()


# ---- keys ----


def test_a_passphrase_opens_its_store(folder: Path, random: SeededRandom) -> None:
    store = Storage.open(folder, passphrase="caf\u00e9 horse", random=random)  # noqa: S106
    store.commit([Save("a", b"", b"x")], NOW)
    store.close()
    assert not (folder / "key").exists()
    before = snapshot(folder)
    with pytest.raises(PassphraseNeeded, match="POLYNYA_PASSPHRASE"):
        Storage.open(folder, passphrase=None, random=random)
    with pytest.raises(WrongPassphrase):
        Storage.open(folder, passphrase="cafe horse", random=random)  # noqa: S106
    assert snapshot(folder) == before
    store = Storage.open(folder, passphrase="cafe\u0301 horse", random=random)  # noqa: S106
    assert store.load() == [("a", b"", b"x")]
    store.close()


def test_an_empty_passphrase_is_refused(folder: Path, random: SeededRandom) -> None:
    with pytest.raises(StoreError, match="empty"):
        Storage.open(folder, passphrase="", random=random)
    assert not Storage.exists(folder)


def test_the_key_file_is_for_its_owner_alone(folder: Path, random: SeededRandom) -> None:
    Storage.open(folder, passphrase=None, random=random).close()
    assert (folder / "key").stat().st_mode & 0o777 == 0o600
    assert (folder / "store.db").stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700
    os.chmod(folder / "key", 0o640)
    with pytest.raises(StoreKeyMissing, match="chmod 600"):
        Storage.open(folder, passphrase=None, random=random)


def test_a_missing_or_foreign_key_file_is_told(folder: Path, random: SeededRandom) -> None:
    Storage.open(folder, passphrase=None, random=random).close()
    before = snapshot(folder)
    key = (folder / "key").read_bytes()
    (folder / "key").unlink()
    with pytest.raises(StoreKeyMissing, match="is missing"):
        Storage.open(folder, passphrase=None, random=random)
    for wrong, words in ((key[:31], "not whole"), (bytes(32), "another store")):
        (folder / "key").write_bytes(wrong)
        os.chmod(folder / "key", 0o600)
        with pytest.raises(StoreKeyMissing, match=words):
            Storage.open(folder, passphrase=None, random=random)
    (folder / "key").write_bytes(key)
    assert snapshot(folder) == before
    Storage.open(folder, passphrase=None, random=random).close()


def test_the_passphrase_can_be_changed(folder: Path, random: SeededRandom) -> None:
    store = Storage.open(folder, passphrase=None, random=random)
    store.commit([Save("a", b"", b"x")], NOW)
    former = store._db.execute("SELECT value FROM meta").fetchone()[0][-60:]
    assert former in b"".join(snapshot(folder).values())
    store.change_passphrase(None, "first", random)
    assert former not in b"".join(snapshot(folder).values())
    with pytest.raises(WrongPassphrase):
        store.change_passphrase("wrong", "second", random)
    store.close()
    assert not (folder / "key").exists()
    store = Storage.open(folder, passphrase="first", random=random)  # noqa: S106
    assert store.load() == [("a", b"", b"x")]
    store.close()


# ---- what is not ours, or not whole ----


def test_a_foreign_file_is_not_touched(folder: Path, random: SeededRandom) -> None:
    folder.mkdir()
    (folder / "store.db").write_bytes(b"notes of somebody else\n" * 20)
    before = snapshot(folder)
    with pytest.raises(StoreForeign, match="Nothing was changed"):
        Storage.open(folder, passphrase=None, random=random)
    assert snapshot(folder) == before


def test_a_database_of_another_program_is_not_touched(folder: Path, random: SeededRandom) -> None:
    folder.mkdir()
    db = sqlite3.connect(folder / "store.db")
    db.execute("CREATE TABLE notes (text)")
    db.commit()
    db.close()
    before = snapshot(folder)
    with pytest.raises(StoreForeign, match="another program"):
        Storage.open(folder, passphrase=None, random=random)
    assert snapshot(folder) == before


def test_a_file_in_the_folders_place_is_told(tmp_path: Path, random: SeededRandom) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(StoreError, match="A store is a folder"):
        Storage.open(tmp_path / "file", passphrase=None, random=random)


def test_a_newer_store_is_refused(folder: Path, random: SeededRandom) -> None:
    Storage.open(folder, passphrase=None, random=random).close()
    db = sqlite3.connect(folder / "store.db")
    db.execute(f"PRAGMA user_version = {schema.VERSION + 1}")
    db.close()
    with pytest.raises(StoreTooNew, match="Update Polynya"):
        Storage.open(folder, passphrase=None, random=random)


@pytest.mark.parametrize(
    ("version", "code", "advice"),
    [(STATE_VERSION - 1, "state-too-old", "empty store"), (STATE_VERSION + 1, "state-too-new", "Update")],
)
async def test_a_state_of_another_version_is_told_and_kept(
    folder: Path, random: SeededRandom, version: int, code: str, advice: str
) -> None:
    store = Storage.open(folder, passphrase=None, random=random)
    store.commit([Save("meta", b"", encode_meta(Meta(version)))], NOW)
    before = store.load()
    store.close()
    for _ in range(2):
        with pytest.raises(CoreError, match=advice) as caught:
            async with Client(folder):
                pass
        assert caught.value.code == code
    store = Storage.open(folder, passphrase=None, random=random)
    assert store.load() == before
    store.close()


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
def test_a_store_cut_short_is_told(folder: Path, random: SeededRandom, share: float) -> None:
    store = Storage.open(folder, passphrase=None, random=random)
    store.commit([Save("a", bytes([n]), bytes(900)) for n in range(100)], NOW)
    store.close()
    data = (folder / "store.db").read_bytes()
    (folder / "store.db").write_bytes(data[: int(len(data) * share)])
    before = snapshot(folder)
    with pytest.raises(StoreDamaged, match="Nothing was changed"):
        Storage.open(folder, passphrase=None, random=random)
    assert snapshot(folder) == before


def edit(folder: Path, sql: str) -> None:
    db = sqlite3.connect(folder / "store.db")
    db.execute(sql)
    db.commit()
    db.close()


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE state SET value = (SELECT value FROM state ORDER BY name DESC LIMIT 1)",
        "UPDATE state SET value = zeroblob(40)",
        "UPDATE state SET value = x''",
        "UPDATE state SET name = randomblob(16)",
    ],
)
def test_a_changed_or_moved_row_of_state_is_told(folder: Path, random: SeededRandom, sql: str) -> None:
    store = Storage.open(folder, passphrase=None, random=random)
    store.commit([Save("a", b"1", b"x")], NOW)
    if "LIMIT" in sql:
        store.commit([Save("a", b"2", b"y")], NOW)
    store.close()
    edit(folder, sql)
    store = Storage.open(folder, passphrase=None, random=random)
    with pytest.raises(StoreDamaged, match="row does not open"):
        store.load()
    store.close()


def test_messages_cannot_be_moved_on_disk(folder: Path, random: SeededRandom) -> None:
    store = Storage.open(folder, passphrase=None, random=random)
    store.commit([AppendMessage(message(1, 1)), AppendMessage(message(2, 2))], NOW)
    store.close()
    edit(folder, "UPDATE message SET place = 3 - place")
    store = Storage.open(folder, passphrase=None, random=random)
    with pytest.raises(StoreDamaged):
        store.history(CHAT, limit=10)
    store.close()


def test_a_damaged_key_record_is_told(folder: Path, random: SeededRandom) -> None:
    Storage.open(folder, passphrase=None, random=random).close()
    for sql, words in (
        ("UPDATE meta SET value = x'00'", "not of a known form"),
        ("UPDATE meta SET value = 'text'", "no key record"),
        ("DELETE FROM meta", "no key record"),
    ):
        edit(folder, sql)
        with pytest.raises(StoreDamaged, match=words):
            Storage.open(folder, passphrase=None, random=random)


def test_a_key_record_cannot_ask_for_all_memory() -> None:
    greedy = storekey.WrappedKey(bytes(16), storekey.MOST_LOG_N + 1, 8, 1, bytes(60))
    with pytest.raises(StoreDamaged):
        storekey.WrappedKey.decode(greedy.encode())


def test_a_store_that_was_never_finished_is_made_anew(folder: Path, random: SeededRandom) -> None:
    folder.mkdir()
    (folder / "store.db.new").write_bytes(b"half")
    Storage.open(folder, passphrase=None, random=random).close()
    assert not (folder / "store.db.new").exists()


def test_a_copied_store_is_the_same(folder: Path, tmp_path: Path, random: SeededRandom) -> None:
    store = Storage.open(folder, passphrase=None, random=random)
    store.commit([Save("a", b"", b"x")], NOW)
    store.close()
    shutil.copytree(folder, tmp_path / "copy")
    copy = Storage.open(tmp_path / "copy", passphrase=None, random=random)
    assert copy.load() == [("a", b"", b"x")]
    copy.close()
