"""Files up and down: whole, interrupted, resumed, damaged, hostile."""

from __future__ import annotations

import asyncio
import hashlib
import random
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from polynya import Client, ClientError, Message
from polynya.client import files
from polynya.testing import LocalRelay
from polynya.wire.errors import WireError
from polynya.wire.files import blob_size, open_file, seal_file
from polynya.wire.messages import BLOB_PART, FILE_MAX, FileReference
from tests.client.people import account, meet, people, until

pytestmark = pytest.mark.usefixtures("short_pauses")

SIZES = [0, 1, 65_519, 65_520, 65_521, 200_000, 1_000_003]


@pytest.fixture
async def relay(tmp_path: Path) -> AsyncIterator[LocalRelay]:
    async with LocalRelay(tmp_path / "relay") as relay:
        yield relay


def content(size: int) -> bytes:
    return random.Random(size).randbytes(size)  # noqa: S311 - any bytes that are the same each time


# ---- sealing ----


@pytest.mark.parametrize("size", SIZES)
def test_parts_are_those_of_the_whole_blob(tmp_path: Path, size: int) -> None:
    path = tmp_path / "file"
    path.write_bytes(content(size))
    sealed = files.seal(path, bytes(32))
    whole = b"".join(seal_file(bytes(32), size, [content(size)]))
    assert sealed.total == len(whole) == blob_size(size)
    assert sealed.blob == hashlib.sha256(whole).digest()
    with path.open("rb") as file:
        for offset in (*range(0, len(whole), BLOB_PART), len(whole) // 3, len(whole) - 1):
            end = min((offset // BLOB_PART + 1) * BLOB_PART, len(whole))
            assert sealed.part(file, offset) == whole[offset:end]
    assert b"".join(open_file(bytes(32), size, [whole])) == content(size)


def test_a_file_that_changes_while_it_is_sealed_is_told(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(content(100_000))
    sealed = files.seal(path, bytes(32))
    path.write_bytes(content(70_000))
    assert not sealed.is_current()
    with path.open("rb") as file, pytest.raises(ClientError, match="changed"):
        sealed.part(file, BLOB_PART)


def test_what_cannot_be_sent_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ClientError) as missing:
        files.seal(tmp_path / "missing", bytes(32))
    assert missing.value.code == "file-unreadable"
    with pytest.raises(ClientError) as folder:
        files.seal(tmp_path, bytes(32))
    assert folder.value.code == "file-unreadable"
    monkeypatch.setattr(files, "FILE_MAX", 10)
    (tmp_path / "large").write_bytes(bytes(11))
    with pytest.raises(ClientError) as large:
        files.seal(tmp_path / "large", bytes(32))
    assert large.value.code == "file-too-large"


# ---- names ----


@pytest.mark.parametrize(
    ("given", "safe"),
    [
        ("photo.jpg", "photo.jpg"),
        ("../../etc/passwd", "passwd"),
        ("..\\..\\boot.ini", "boot.ini"),
        ("/absolute", "absolute"),
        (".bashrc", "bashrc"),
        ("..", "file"),
        ("", "file"),
        ("con", "file-con"),
        ("LPT1.txt", "file-LPT1.txt"),
        ("a\x00b\x1b[31mc\n.txt", "ab[31mc.txt"),
        ("invoice\u202efdp.exe", "invoicefdp.exe"),
        ("what?.txt", "what.txt"),
        ("письмо.pdf", "письмо.pdf"),
    ],
)
def test_names_of_strangers_are_made_safe(given: str, safe: str) -> None:
    assert files.safe_name(given) == safe


def test_long_names_keep_their_ending() -> None:
    short = files.safe_name("ж" * 300 + ".jpeg")
    assert len(short.encode()) <= files.NAME_MOST
    assert short.endswith("ж.jpeg")


def test_a_download_never_writes_over_anything(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("mine")
    (tmp_path / "a (1).txt").write_text("mine too")
    temporary = tmp_path / ".part"
    temporary.write_text("new")
    assert files.finish(temporary, tmp_path, "a.txt") == tmp_path / "a (2).txt"
    assert not temporary.exists()
    temporary.write_text("newer")
    with pytest.raises(ClientError) as taken:
        files.finish(temporary, tmp_path / "a.txt", "ignored")
    assert taken.value.code == "file-exists"
    assert (tmp_path / "a.txt").read_text() == "mine"


# ---- up and down ----


async def received_file(client: Client, chat: bytes) -> Message:
    async def there() -> Message | None:
        found = [m for m in await client.history(chat) if m.kind == "file"]
        return found[-1] if found else None

    message: Message = await until(client, there)
    return message


async def test_files_go_up_and_down(tmp_path: Path, relay: LocalRelay) -> None:
    async with people(tmp_path, relay.link, "Anna", "Boris") as (anna, boris):
        chat, _ = await meet(anna, boris)
        for number, size in enumerate([0, 65_520, 300_001]):
            path = tmp_path / f"picture {number}.png"
            path.write_bytes(content(size))
            steps: list[tuple[int, int]] = []

            def step(done: int, all: int, s: list[tuple[int, int]] = steps) -> None:
                s.append((done, all))

            sent = await anna.send_file(chat, path, caption=f"caption {number}", progress=step)
            assert steps[-1] == (size, size) and steps == sorted(steps)
            assert sent.file is not None and sent.file.media_type == "image/png"

            async def caption(expected: str = f"caption {number}") -> Message | None:
                return next((m for m in await boris.history(chat) if m.text == expected), None)

            got: Message = await until(boris, caption)
            folder = tmp_path / "down"
            folder.mkdir(exist_ok=True)
            target = await boris.download(got, folder)
            assert target == folder / f"picture {number}.png"
            assert target.read_bytes() == content(size)
        assert not [p for p in (tmp_path / "down").iterdir() if p.name.startswith(".")]


async def test_transfers_survive_a_relay_that_is_killed(tmp_path: Path, relay: LocalRelay) -> None:
    path = tmp_path / "film.mkv"
    path.write_bytes(content(3_000_000))
    async with people(tmp_path, relay.link, "Anna", "Boris") as (anna, boris):
        chat, _ = await meet(anna, boris)

        async def restart_at(started: asyncio.Event) -> None:
            await started.wait()
            await relay.kill()
            await relay.start()
            anna.retry_now()
            boris.retry_now()

        for direction in ("up", "down"):
            started = asyncio.Event()
            steps: list[int] = []

            def step(done: int, _: int, s: list[int] = steps, e: asyncio.Event = started) -> None:
                s.append(done)
                if done > 1_000_000:
                    e.set()

            restarting = asyncio.create_task(restart_at(started))
            if direction == "up":
                await anna.send_file(chat, path, progress=step)
            else:
                target = await boris.download(await received_file(boris, chat.id), tmp_path, progress=step)
                assert target == tmp_path / "film (1).mkv"
                assert target.read_bytes() == path.read_bytes()
            await restarting
            assert steps[-1] == 3_000_000
            assert len(steps) <= 3_000_000 // 65_520 + 4, "it went on where it was"


async def test_a_stopped_program_goes_on_where_it_was(tmp_path: Path, relay: LocalRelay) -> None:
    path = tmp_path / "film.mkv"
    path.write_bytes(content(2_000_000))
    async with people(tmp_path, relay.link, "Anna", "Boris") as (anna, boris):
        chat, _ = await meet(anna, boris)
        await interrupted(lambda step: anna.send_file(chat, path, progress=step))
    async with people(tmp_path, relay.link, "Anna", "Boris") as (anna, boris):
        await anna.settled()
        first: list[int] = []
        await anna.send_file(chat, path, progress=lambda done, _: first.append(done))
        assert first[0] > 900_000
        message = await received_file(boris, chat.id)
        (tmp_path / "down").mkdir()
        await interrupted(lambda step: boris.download(message, tmp_path / "down", progress=step))
    async with account(tmp_path / "Boris", "Boris", relay.link) as boris:
        await boris.settled()
        again: list[int] = []
        target = await boris.download(message, tmp_path / "down", progress=lambda done, _: again.append(done))
        assert again[0] > 900_000
        assert target.read_bytes() == path.read_bytes()
        assert [p.name for p in (tmp_path / "down").iterdir()] == ["film.mkv"]


async def interrupted(start) -> None:  # type: ignore[no-untyped-def]
    """Starts a transfer and cancels it in the middle."""
    half = asyncio.Event()

    def step(done: int, all: int) -> None:
        if done > all // 2:
            half.set()

    task = asyncio.ensure_future(start(step))
    await half.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_forgotten_or_forged_file_is_told(tmp_path: Path, relay: LocalRelay) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(content(100_000))
    async with people(tmp_path, relay.link, "Anna", "Boris") as (anna, boris):
        chat, _ = await meet(anna, boris)
        message = await anna.send_file(chat, path)
        assert message.file is not None
        good = message.file.reference
        link = anna.loop.links[anna.me.relay.identity]
        transfers = files.Transfers(lambda: link)

        async def problem(reference: FileReference) -> str:
            with pytest.raises(ClientError) as caught:
                await transfers.download(reference, tmp_path / "never")
            return caught.value.code

        def changed(**fields: object) -> FileReference:
            values = {name: getattr(good, name) for name in FileReference.__dataclass_fields__}
            return FileReference(**(values | fields))

        assert await problem(changed(blob=bytes(32))) == "file-gone"
        assert await problem(changed(key=bytes(32))) == "file-damaged"
        assert await problem(changed(size=99_999)) == "file-damaged"
        assert await problem(changed(size=10_000_000)) == "file-damaged"
        text = await anna.send(chat, "no file")
        with pytest.raises(ClientError) as none:
            await anna.download(text, tmp_path)
        assert none.value.code == "no-file"


def test_the_wire_layer_refuses_what_is_over_the_limit() -> None:
    with pytest.raises(WireError):
        blob_size(FILE_MAX + 1)


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    for place in (tmp_path / "no such folder" / "x", tmp_path):
        with pytest.raises(ClientError) as caught:
            files._append(place, 0, b"x")
        assert caught.value.code == "file-unwritable"
