"""Backups: consistent while the relay serves, complete, checked, and safe to bring back."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import shutil
import sqlite3
import stat
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from polynya.crypto.signature import public_key
from polynya.relay.backup import ABOUT, make_backup
from polynya.relay.check import check_data
from polynya.relay.cli import main
from polynya.relay.errors import DataError
from polynya.relay.folder import IDENTITY_FILE, PATH_FILE, UNFINISHED, open_folder
from polynya.relay.restore import REPLACED, STAGING, restore_backup
from polynya.relay.server import RunningRelay
from polynya.relay.store.sqlite import DATABASE
from polynya.relay.system import SystemRandom, now
from polynya.wire.labels import owner_id, topic_id
from polynya.wire.messages import (
    BlobPart,
    BlobState,
    CreateTopic,
    Done,
    Fetch,
    GetBlob,
    KeyPackagesStored,
    KeyPackageTaken,
    Publish,
    Published,
    PutBlob,
    PutKeyPackages,
    Records,
    TakeKeyPackage,
)
from tests.relay.client import Client, expect, refused
from tests.support.relay import ROOT, RelayProcess, running_relay

SLOT = b"slot" * 4


@asynccontextmanager
async def connected(data: Path) -> AsyncIterator[tuple[RunningRelay, Client]]:
    async with running_relay(data, local="off") as running:
        client = Client(running.address, running.identity)
        yield running, client
        await client.close()


async def publish(
    client: Client, secret: bytes, *records: bytes, slot: bytes | None = None
) -> list[Published]:
    return [expect(Published, await client.exchange(Publish(secret, record, slot))) for record in records]


async def fetch(client: Client, secret: bytes) -> list[bytes | None]:
    log = expect(Records, await client.exchange(Fetch(topic_id(secret), 0, 64)))
    return [entry.record for entry in log.entries]


async def upload(client: Client, data: bytes) -> bytes:
    blob = hashlib.sha256(data).digest()
    assert await client.exchange(PutBlob(blob, len(data), 0, data)) == BlobState(len(data))
    return blob


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


async def test_a_backup_under_load_holds_all_that_was_acknowledged_before(tmp_path: Path) -> None:
    """A relay of its own serves publishers while the command makes a backup, twice; then it is gone for good."""
    relay = RelayProcess(tmp_path / "data", "--local", "off")
    secrets = [os.urandom(32) for _ in range(3)]
    acknowledged: dict[bytes, list[bytes]] = {secret: [] for secret in secrets}
    files_taken: list[bytes] = []
    async with relay:
        identity = open_identity(relay.data)
        client = Client(relay.address, identity)

        async def publisher(secret: bytes) -> None:
            async with client.session() as session:
                expect(Done, await session.call(CreateTopic(secret, 30)))
                while True:
                    number = len(acknowledged[secret])
                    if number % 25 == 10:
                        data = os.urandom(5_000)
                        blob = hashlib.sha256(data).digest()
                        expect(BlobState, await session.call(PutBlob(blob, 5_000, 0, data)))
                        files_taken.append(data)
                    record = secret + b"%06d" % number * 30
                    slot = SLOT if number % 5 == 0 else None
                    expect(Published, await session.call(Publish(secret, record, slot)))
                    acknowledged[secret].append(record)

        tasks = [asyncio.create_task(publisher(secret)) for secret in secrets]
        for goal in (25, 50):
            while min(map(len, acknowledged.values())) < goal:
                await asyncio.sleep(0.005)
            before = {secret: len(records) for secret, records in acknowledged.items()}
            taken_before = len(files_taken)
            made = await asyncio.to_thread(
                command, "relay", "backup", str(tmp_path / "backup"), "--data", str(relay.data)
            )
            assert made.returncode == 0, made.stderr
            assert "is in order" in made.stdout
            assert all(len(acknowledged[secret]) > before[secret] for secret in secrets), "nobody waited"
        await relay.kill()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await client.close()
    assert check_data(tmp_path / "backup") == []
    shutil.rmtree(relay.data)
    restored = command("relay", "restore", str(tmp_path / "backup"), "--data", str(tmp_path / "again"))
    assert restored.returncode == 0, restored.stderr
    async with connected(tmp_path / "again") as (running, client):
        assert running.identity == identity
        for secret in secrets:
            entries: list[bytes | None] = []
            while page := expect(
                Records, await client.exchange(Fetch(topic_id(secret), len(entries), 64))
            ).entries:
                assert page[0].seq == len(entries) + 1
                entries += [entry.record for entry in page]
            assert entries[: before[secret]] == acknowledged[secret][: before[secret]]
            assert set(entries) <= {*acknowledged[secret], *unacknowledged(secret, acknowledged)}
        for data in files_taken[:taken_before]:
            part = await client.exchange(GetBlob(hashlib.sha256(data).digest(), 0, 65_536))
            assert part == BlobPart(5_000, data)
    assert check_data(tmp_path / "again") == []


def unacknowledged(secret: bytes, acknowledged: dict[bytes, list[bytes]]) -> set[bytes]:
    return {secret + b"%06d" % len(acknowledged[secret]) * 30}


def open_identity(data: Path) -> bytes:
    return public_key((data / IDENTITY_FILE).read_bytes())


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "polynya.relay", *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


async def test_what_is_in_a_backup_and_what_never_is(tmp_path: Path) -> None:
    data, backup = tmp_path / "data", tmp_path / "backup"
    async with connected(data) as (_, client):
        (data / "relay.toml").write_text('site = "/srv/site"\n')
        secret = os.urandom(32)
        await client.exchange(CreateTopic(secret, 30))
        blob = await upload(client, b"a file" * 500)
        half = hashlib.sha256(b"half").digest()
        await client.exchange(PutBlob(half, 9_000, 0, b"h" * 4_000))
        await publish(client, secret, b"one" * 20)
        made = make_backup(data, backup, 1_234)
        assert (made.topics, made.records, made.blobs, made.new_blobs) == (1, 1, 1, 1)
        assert (made.blob_bytes, made.new_bytes) == (3_000, 3_000)
    expected = {
        DATABASE,
        IDENTITY_FILE,
        PATH_FILE,
        "relay.toml",
        ABOUT,
        "lock",
        f"blobs/{blob.hex()[:2]}/{blob.hex()}",
    }
    assert set(files(backup)) == expected
    assert json.loads((backup / ABOUT).read_text())["begun"] == 1_234
    for path in backup.rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path
    assert stat.S_IMODE(backup.stat().st_mode) == 0o700
    keys = [path.read_bytes() for path in (data / "keys").iterdir()]
    assert keys
    for content in files(backup).values():
        assert all(key[8:] not in content for key in keys)


async def test_a_second_backup_copies_what_is_new_and_drops_what_is_gone(tmp_path: Path) -> None:
    data, backup = tmp_path / "data", tmp_path / "backup"
    async with connected(data) as (running, client):
        kept, gone = await upload(client, b"kept" * 500), await upload(client, b"gone" * 500)
        secret = os.urandom(32)
        await client.exchange(CreateTopic(secret, 30))
        expect(Published, await client.exchange(Publish(secret, b"names it" * 10, None, (kept,))))
        make_backup(data, backup, now())
        place = backup / "blobs" / kept.hex()[:2] / kept.hex()
        before = place.stat().st_ino
        # Retention: 40 days later the file that no record names is destroyed.
        assert (await running.relay.store.sweep(now() + 31 * 86_400_000)).blobs == 1
        await upload(client, b"new" * 500)
        made = make_backup(data, backup, now())
        assert (made.blobs, made.new_blobs, made.removed_blobs) == (2, 1, 1)
        assert place.stat().st_ino == before
        assert not (backup / "blobs" / gone.hex()[:2] / gone.hex()).exists()
    assert check_data(backup) == []


async def test_a_file_that_is_destroyed_while_the_backup_is_made_does_not_break_it(tmp_path: Path) -> None:
    """After the database was copied and before its files are, retention destroys one."""
    data, backup = tmp_path / "data", tmp_path / "backup"
    async with connected(data) as (running, client):
        gone = await upload(client, b"gone" * 500)
        loop = asyncio.get_running_loop()

        def sweep_once(what: str, done: int, total: int) -> None:
            if what == "database" and done == total:
                store = running.relay.store
                swept = asyncio.run_coroutine_threadsafe(store.sweep(now() + 31 * 86_400_000), loop)
                swept.result(20)

        made = await asyncio.to_thread(make_backup, data, backup, now(), sweep_once)
        assert made.blobs == 0
        assert refused(await client.exchange(GetBlob(gone, 0, 10))) == "UNKNOWN_BLOB"
    assert check_data(backup) == []


async def test_damage_of_the_relay_is_not_carried_over(tmp_path: Path) -> None:
    data, backup = tmp_path / "data", tmp_path / "backup"
    async with connected(data) as (_, client):
        blob = await upload(client, b"a file" * 500)
    make_backup(data, backup, now())
    before = files(backup)
    place = data / "blobs" / blob.hex()[:2] / blob.hex()
    shutil.rmtree(backup / "blobs")
    place.write_bytes(b"b file" * 500)
    with pytest.raises(DataError, match="not what they were"):
        make_backup(data, backup, now())
    place.unlink()
    with pytest.raises(DataError, match="bytes of a file are missing"):
        make_backup(data, backup, now())
    assert files(backup)[DATABASE] == before[DATABASE], "the earlier backup stays"


async def test_a_damaged_database_does_not_take_the_place_of_the_earlier_backup(tmp_path: Path) -> None:
    data, backup, secret = tmp_path / "data", tmp_path / "backup", os.urandom(32)
    async with connected(data) as (_, client):
        await client.exchange(CreateTopic(secret, 30))
        await publish(client, secret, b"commit 0" * 10, b"commit 1" * 10, slot=SLOT)
        kept = await upload(client, b"a file" * 500)
        await client.exchange(Publish(secret, b"names it" * 10, None, (kept,)))
        make_backup(data, backup, now())
    before = files(backup)
    db = sqlite3.connect(data / DATABASE, isolation_level=None)
    (record,) = db.execute("SELECT record FROM entries WHERE position = 1").fetchone()
    db.execute("UPDATE entries SET record = ? WHERE position = 1", (b"rotten" + record[6:],))
    # The relay has let the file go meanwhile: the earlier backup needs it all the same.
    db.execute("DELETE FROM blobs")
    db.execute("DELETE FROM blob_names")
    with pytest.raises(DataError, match=r"No backup was made.*not signed by this relay.*earlier"):
        make_backup(data, backup, now())
    assert files(backup) == before
    assert check_data(backup) == []
    db.execute("UPDATE entries SET record = ? WHERE position = 1", (record,))
    db.close()
    make_backup(data, backup, now())
    assert check_data(backup) == []


async def test_a_first_backup_that_fails_is_none(tmp_path: Path) -> None:
    data, backup = tmp_path / "data", tmp_path / "backup"
    async with connected(data) as (_, client):
        await client.exchange(CreateTopic(os.urandom(32), 30))
    db = sqlite3.connect(data / DATABASE, isolation_level=None)
    db.execute("INSERT INTO entries (id, time) VALUES (1 << 32 | 1, 0)")
    db.close()
    with pytest.raises(DataError, match="neither record nor hash"):
        make_backup(data, backup, now())
    with pytest.raises(DataError, match="not a whole backup"):
        restore_backup(backup, tmp_path / "again", now())


async def test_a_file_that_rotted_in_the_backup_is_copied_again(tmp_path: Path) -> None:
    data, backup = tmp_path / "data", tmp_path / "backup"
    async with connected(data) as (_, client):
        blob = await upload(client, b"a file" * 500)
        other = await upload(client, b"another" * 500)
    make_backup(data, backup, now())
    place = backup / "blobs" / blob.hex()[:2] / blob.hex()
    place.write_bytes(b"b file" * 500)
    made = make_backup(data, backup, now())
    assert (made.blobs, made.new_blobs) == (2, 1)
    assert hashlib.sha256(place.read_bytes()).digest() == blob
    assert (backup / "blobs" / other.hex()[:2] / other.hex()).exists()
    assert check_data(backup) == []


@pytest.mark.parametrize("name", ["a#b", "a?b", "a%41b"])
async def test_folders_may_have_any_name(tmp_path: Path, name: str) -> None:
    data, backup = tmp_path / f"data {name}", tmp_path / f"backup {name}"
    async with connected(data) as (_, client):
        await client.exchange(CreateTopic(os.urandom(32), 30))
    make_backup(data, backup, now())
    assert check_data(backup) == check_data(data) == []
    restore_backup(backup, tmp_path / f"again {name}", now())


def test_wrong_places_are_refused_with_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data, other, full = tmp_path / "data", tmp_path / "other", tmp_path / "full"
    for folder in (data, other):
        open_folder(folder, SystemRandom()).close()
        sqlite3.connect(folder / DATABASE).close()
    full.mkdir()
    (full / "photo.jpg").write_bytes(b"mine")
    for words, told in (
        (["backup", str(data / "backup"), "--data", str(data)], "lie within each other"),
        (["backup", str(tmp_path), "--data", str(data)], "lie within each other"),
        (["backup", str(full), "--data", str(data)], "something else than a backup"),
        (["backup", str(full / "photo.jpg"), "--data", str(data)], "photo.jpg is a file"),
        (["backup", str(full / "photo.jpg" / "deeper"), "--data", str(data)], "Not a directory"),
        (["backup", str(tmp_path / "x"), "--data", str(tmp_path / "none")], "no relay's data"),
        (["restore", str(full), "--data", str(tmp_path / "y")], "not a whole backup"),
        (["restore", str(tmp_path / "none"), "--data", str(tmp_path / "y")], "not a whole backup"),
    ):
        assert main(["relay", *words]) == 2
        out, err = capsys.readouterr()
        assert (out, len(err.splitlines())) == ("", 1)
        assert told in err
    assert files(full) == {"photo.jpg": b"mine"}


async def test_backups_of_two_relays_do_not_mix(tmp_path: Path) -> None:
    for name in ("one", "two"):
        async with connected(tmp_path / name):
            pass
    make_backup(tmp_path / "one", tmp_path / "backup", now())
    with pytest.raises(DataError, match="backup of another relay"):
        make_backup(tmp_path / "two", tmp_path / "backup", now())


# ---- bringing it back


async def relay_with_backup(tmp_path: Path) -> tuple[Path, Path, bytes]:
    """A relay that took one more record after its backup; (data, backup, the topic's write secret)."""
    data, backup, secret = tmp_path / "data", tmp_path / "backup", os.urandom(32)
    async with connected(data) as (_, client):
        await client.exchange(CreateTopic(secret, 30))
        await publish(client, secret, b"commit 0" * 10, b"commit 1" * 10, slot=SLOT)
        await upload(client, b"a file" * 500)
        owner = os.urandom(32)
        expect(KeyPackagesStored, await client.exchange(PutKeyPackages(owner, (b"k" * 50,), b"l" * 50)))
        make_backup(data, backup, now())
        await publish(client, secret, b"commit 2" * 10, slot=SLOT)
    return data, backup, secret


async def test_no_key_package_is_handed_out_a_second_time_after_a_restore(tmp_path: Path) -> None:
    """Those of the backup may have been handed out since: one that founds two groups lets the one who has its key
    read both."""
    data, backup, owner = tmp_path / "data", tmp_path / "backup", os.urandom(32)
    take = TakeKeyPackage(owner_id(owner))
    async with connected(data) as (_, client):
        await client.exchange(PutKeyPackages(owner, (b"k" * 50, b"m" * 50), b"l" * 50))
        make_backup(data, backup, now())
        assert await client.exchange(take) == KeyPackageTaken(b"k" * 50, False)
    restore_backup(backup, tmp_path / "again", now())
    shutil.copytree(backup, tmp_path / "copied")
    for place in ("again", "copied"):
        async with connected(tmp_path / place) as (_, client):
            assert await client.exchange(take) == KeyPackageTaken(b"l" * 50, True)
            again = PutKeyPackages(owner, (b"k" * 50, b"m" * 50), None)
            assert await client.exchange(again) == KeyPackagesStored(0), "they are not brought back"
            fresh = PutKeyPackages(owner, (b"f" * 50,), None)
            assert await client.exchange(fresh) == KeyPackagesStored(1)
            assert await client.exchange(take) == KeyPackageTaken(b"f" * 50, False)


async def test_no_second_receipt_is_signed_after_a_restore(tmp_path: Path) -> None:
    """Position 2 of the slot was signed for a record that the backup does not have: two receipts for one
    position would be proof of fraud."""
    _, backup, secret = await relay_with_backup(tmp_path)
    restore_backup(backup, tmp_path / "again", now())
    async with connected(tmp_path / "again") as (_, client):
        again = await publish(client, secret, b"commit 1" * 10, slot=SLOT)
        assert again[0].receipt is not None, "what the backup holds is answered as the first time"
        assert again[0].seq == 2
        for slot in (SLOT, os.urandom(16)):
            answer = await client.exchange(Publish(secret, b"another" * 10, slot))
            assert refused(answer) == "EXISTS"
        await client.exchange(CreateTopic(secret, 30))
        assert refused(await client.exchange(Publish(secret, b"another" * 10, SLOT))) == "EXISTS"
        assert (await publish(client, secret, b"a message" * 10))[0].seq == 3
        fresh = os.urandom(32)
        await client.exchange(CreateTopic(fresh, 30))
        assert (await publish(client, fresh, b"founding" * 10, slot=SLOT))[0].receipt is not None
    async with connected(tmp_path / "again") as (_, client):
        assert refused(await client.exchange(Publish(secret, b"another" * 10, SLOT))) == "EXISTS"


async def test_a_backup_that_is_merely_copied_back_is_as_safe(tmp_path: Path) -> None:
    _, backup, secret = await relay_with_backup(tmp_path)
    shutil.copytree(backup, tmp_path / "again")
    async with connected(tmp_path / "again") as (_, client):
        assert refused(await client.exchange(Publish(secret, b"another" * 10, SLOT))) == "EXISTS"


async def test_a_restore_goes_into_an_empty_folder_or_moves_aside(tmp_path: Path) -> None:
    data, backup, secret = await relay_with_backup(tmp_path)
    before = files(data)
    with pytest.raises(DataError, match=r"not empty.*--replace"):
        restore_backup(backup, data, now())
    assert files(data) == before
    async with connected(data):
        with pytest.raises(DataError, match="A relay is running"):
            restore_backup(backup, data, now(), replace=True)
    done = restore_backup(backup, data, now(), replace=True)
    assert done.replaced == data / f"{REPLACED}-1"
    assert DATABASE in files(done.replaced)
    assert not (done.replaced / "keys").exists(), "they are destroyed in their time, where the relay looks"
    async with connected(data) as (_, client):
        assert await fetch(client, secret) == [b"commit 0" * 10, b"commit 1" * 10]
    assert restore_backup(backup, data, now(), replace=True).replaced == data / f"{REPLACED}-2"
    assert check_data(data) == []


async def test_a_damaged_backup_changes_nothing(tmp_path: Path) -> None:
    data, backup, _ = await relay_with_backup(tmp_path)
    blob = next(path for path in (backup / "blobs").rglob("*") if path.is_file())
    before = files(data)
    for damage in (lambda: blob.write_bytes(b"c" * 3_000), blob.unlink):
        damage()
        for place, replace in ((tmp_path / "again", False), (data, True)):
            with pytest.raises(DataError):
                restore_backup(backup, place, now(), replace=replace)
        assert files(data) == before
        assert set(files(tmp_path / "again")) == {"lock"}


@pytest.mark.parametrize("replace", [False, True])
async def test_a_restore_is_never_half_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, replace: bool
) -> None:
    """It is interrupted at each of its renames in turn: the relay then has the old data, or does not start
    until the restore is finished, or has the new data."""
    old, backup, _ = await relay_with_backup(tmp_path)
    wanted = {
        name: content for name, content in files(backup).items() if name not in (ABOUT, "lock", DATABASE)
    }
    real, outcomes = os.rename, set()
    for stop_at in range(1, 30):
        data = tmp_path / f"data{stop_at}"
        if replace:
            shutil.copytree(old, data)
            (data / f"{DATABASE}-wal").touch()
        count = 0

        def rename(source: Path, target: Path, last: int = stop_at) -> None:
            nonlocal count
            count += 1
            if count == last:
                raise KeyboardInterrupt
            real(source, target)

        monkeypatch.setattr(os, "rename", rename)
        try:
            restore_backup(backup, data, now(), replace=replace)
            interrupted = False
        except KeyboardInterrupt:
            interrupted = True
        monkeypatch.setattr(os, "rename", real)
        if not interrupted:
            break
        assert not (data / STAGING).exists() or not (data / UNFINISHED).exists()
        if (data / UNFINISHED).exists():
            outcomes.add("unfinished")
            with pytest.raises(DataError, match="was interrupted"):
                open_folder(data, SystemRandom())
            assert restore_backup(backup, data, now(), replace=replace).finished
        else:
            outcomes.add("untouched")
            found = {name: content for name, content in files(data).items() if not name.startswith(STAGING)}
            assert found == (files(old) | {f"{DATABASE}-wal": b""} if replace else {"lock": b""})
            restore_backup(backup, data, now(), replace=replace)
        assert {name: content for name, content in files(data).items() if name in wanted} == wanted
        assert check_data(data) == []
        assert not (data / UNFINISHED).exists()
        open_folder(data, SystemRandom()).close()
        if replace:
            aside = files(data / f"{REPLACED}-1")
            assert aside[DATABASE] == files(old)[DATABASE]
    assert outcomes == {"untouched", "unfinished"}
    assert not interrupted


async def test_a_restore_notes_where_it_moves_things_before_it_moves_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An empty note after a power cut would move what was there onto the data folder itself."""
    data, backup, _ = await relay_with_backup(tmp_path)
    synced: dict[int, int] = {}
    real_fsync, real_replace = os.fsync, os.replace
    noted = []

    def fsync(fd: int) -> None:
        real_fsync(fd)
        synced[os.fstat(fd).st_ino] = os.fstat(fd).st_size

    def replace(source: Path, target: Path) -> None:
        if Path(target).name == REPLACED:
            noted.append(synced.get(os.stat(source).st_ino) == len(f"{REPLACED}-1"))
        real_replace(source, target)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "replace", replace)
    monkeypatch.setattr(os, "rename", replace)
    assert restore_backup(backup, data, now(), replace=True).replaced == data / f"{REPLACED}-1"
    assert noted == [True]


@pytest.mark.skipif(os.geteuid() != 0, reason="a small disk of its own needs root")
async def test_a_full_disk_leaves_the_earlier_backup_and_the_data_whole(tmp_path: Path) -> None:
    data, disk = tmp_path / "data", tmp_path / "disk"
    disk.mkdir()
    if (
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(disk)], check=False).returncode
        != 0
    ):
        pytest.skip("this machine lets nobody mount")
    try:
        async with connected(data) as (_, client):
            await upload(client, b"first" * 2_000)
            make_backup(data, disk / "backup", now())
            before = files(disk / "backup")
            for index in range(60):
                await upload(client, b"%05d" % index * 12_000)
            with pytest.raises(DataError, match=r"disk of .* is full. What was there before is whole"):
                make_backup(data, disk / "backup", now())
            assert {
                name: content for name, content in files(disk / "backup").items() if name in before
            } == before
            assert check_data(disk / "backup") == []
        make_backup(data, tmp_path / "large", now())
        shutil.rmtree(disk / "backup")
        with pytest.raises(DataError, match="is full"):
            restore_backup(tmp_path / "large", disk / "again", now())
        assert set(files(disk / "again")) == {"lock"}
    finally:
        subprocess.run(["umount", str(disk)], check=True)
