"""The SQLite store: held to the suite of all stores, and to what only it has."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

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
