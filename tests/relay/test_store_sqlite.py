"""The SQLite store: held to the suite of all stores, and to what only it has."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from polynya.relay.store.sqlite import SqliteStore, open_store
from tests.relay.store_conformance import NOW, Opener, StoreConformance, sign


class TestSqliteStore(StoreConformance):
    @pytest.fixture
    async def open_again(self, tmp_path: Path) -> AsyncIterator[Opener]:
        opened: list[SqliteStore] = []

        async def opener() -> SqliteStore:
            while opened:
                await opened.pop().close()
            opened.append(await open_store(tmp_path, sign, time=NOW, reserve=0))
            return opened[-1]

        yield opener
        while opened:
            await opened.pop().close()


async def test_no_two_write_one_blob_when_one_has_ended_and_the_next_has_not_begun(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = await open_store(tmp_path, sign, time=NOW, reserve=0)
    data = os.urandom(4_000)
    blob = hashlib.sha256(data).digest()
    write, at_once, most = store._put_blob, 0, 0

    async def counted(*arguments: Any) -> int:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        try:
            return await write(*arguments)
        finally:
            at_once -= 1

    async def put(*parts: int) -> None:
        for part in parts:
            await store.put_blob(blob, 4_000, part * 1_000, data[part * 1_000 : part * 1_000 + 1_000], NOW)

    monkeypatch.setattr(store, "_put_blob", counted)
    # The first one comes back at once, while the second, which has waited for it, is only woken.
    await asyncio.gather(put(0, 2), put(1, 3))
    assert await store.put_blob(blob, 4_000, 4_000, b"", NOW) == 4_000
    assert most == 1
    assert not store._uploads
    await store.close()
