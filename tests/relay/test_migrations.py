"""The relay's schema goes forward only: from every version that there has been, whole or not at all."""

from __future__ import annotations

import asyncio
import hashlib
import re
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from polynya.relay.check import check_data
from polynya.relay.errors import DataError
from polynya.relay.store import schema
from polynya.relay.store.sqlite import BLOB_FOLDER, DATABASE, open_store
from polynya.relay.store.threads import connect
from tests.relay.filled import BLOB, GROWING, SCHEMAS, fill, fixture, holds_everything
from tests.relay.store_conformance import sign
from tests.relay.storing import NOW
from tests.support.relay import ROOT

NO_IDENTITY = "identity.key is missing or cannot be read"
"""All that a check finds wrong with a store alone."""
VERSIONS = range(1, len(schema.MIGRATIONS) + 1)


def lay_out(folder: Path, version: int) -> None:
    """The data of a store of this version: rows from its fixture, blobs as files."""
    db = sqlite3.connect(folder / DATABASE, isolation_level=None)
    db.executescript(fixture(version).read_text())
    db.execute(f"PRAGMA application_id = {schema.APPLICATION_ID}")
    db.close()
    name = hashlib.sha256(BLOB).hexdigest()
    for path, data in (
        (folder / BLOB_FOLDER / name[:2] / name, BLOB),
        (folder / BLOB_FOLDER / "incoming" / GROWING.hex(), b"g" * 1_000),
    ):
        path.parent.mkdir(parents=True)
        path.write_bytes(data)


def tables(db: sqlite3.Connection) -> dict[str, str]:
    """By name, how each table and index was made, in one spelling."""
    rows = db.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    return {name: re.sub(r"--.*|\s+|\"", "", sql) for name, sql in rows if name != "sqlite_sequence"}


def test_every_version_has_its_fixture() -> None:
    """Whoever adds a migration writes down first what the version before it leaves behind."""
    assert {path.name for path in SCHEMAS.iterdir()} == {f"{version}.sql" for version in VERSIONS}


@pytest.mark.parametrize("version", VERSIONS)
async def test_data_of_every_version_lives_on(tmp_path: Path, version: int) -> None:
    lay_out(tmp_path, version)
    store = await open_store(tmp_path, sign, time=NOW, reserve=0)
    await holds_everything(store)
    await store.close()
    assert check_data(tmp_path) == [NO_IDENTITY]
    db = sqlite3.connect(tmp_path / DATABASE)
    assert schema.version_of(db) == len(schema.MIGRATIONS)
    fresh = connect(tmp_path / "fresh.db", now=NOW)
    assert tables(db) == tables(fresh)
    assert db.execute("PRAGMA application_id").fetchone() == (schema.APPLICATION_ID,)
    fresh.close()
    db.close()


async def test_the_fixtures_hold_what_a_store_writes(tmp_path: Path) -> None:
    """The newest one, against a store of today: row for row."""
    store = await open_store(tmp_path, sign, time=NOW, reserve=0)
    await fill(store)
    await store.close()
    db = sqlite3.connect(tmp_path / DATABASE)
    assert "\n".join(db.iterdump()) + "\n" == fixture(len(schema.MIGRATIONS)).read_text()
    db.close()


async def test_newer_data_is_refused_with_words_and_left_alone(tmp_path: Path) -> None:
    lay_out(tmp_path, len(schema.MIGRATIONS))
    db = sqlite3.connect(tmp_path / DATABASE, isolation_level=None)
    db.execute("INSERT INTO schema_version VALUES (999, 0)")
    before = "\n".join(db.iterdump())
    with pytest.raises(DataError, match=r"newer Polynya \(schema 999.*Install that version"):
        await open_store(tmp_path, sign, time=NOW, reserve=0)
    assert "\n".join(db.iterdump()) == before
    db.close()


def test_migrations_run_once_in_order(tmp_path: Path) -> None:
    path = tmp_path / "test.db"
    steps = ("CREATE TABLE one (a INTEGER);", "ALTER TABLE one ADD COLUMN b INTEGER DEFAULT 7;")
    db = sqlite3.connect(path, isolation_level=None)
    schema.migrate(db, NOW, steps[:1])
    db.execute("INSERT INTO one VALUES (1)")
    schema.migrate(db, NOW + 1, steps)
    schema.migrate(db, NOW + 2, steps)
    assert db.execute("SELECT a, b FROM one").fetchall() == [(1, 7)]
    assert db.execute("SELECT * FROM schema_version").fetchall() == [(1, NOW), (2, NOW + 1)]
    with pytest.raises(DataError, match="newer Polynya"):
        schema.migrate(db, NOW, steps[:1])
    db.close()


def test_a_migration_that_fails_changes_nothing(tmp_path: Path) -> None:
    db = sqlite3.connect(tmp_path / "test.db", isolation_level=None)
    schema.migrate(db, NOW, ("CREATE TABLE one (a INTEGER);",))
    with pytest.raises(sqlite3.OperationalError):
        schema.migrate(db, NOW, ("", "CREATE TABLE two (a INTEGER);\nCREATE TABLE one (a INTEGER);"))
    assert schema.version_of(db) == 1
    assert db.execute("SELECT count(*) FROM sqlite_master WHERE name = 'two'").fetchone() == (0,)
    db.close()


KILLED_WITHIN = """
import os, signal, sqlite3, sys
from polynya.relay.store import schema
db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute("PRAGMA journal_mode = WAL")
db.create_function("die", 0, lambda: os.kill(os.getpid(), signal.SIGKILL))
# Pages spill to disk in the middle of the transaction, as they do where a table is large.
db.execute("PRAGMA cache_size = 1")
steps = schema.MIGRATIONS + (
    "CREATE TABLE added AS SELECT * FROM entries;\\n"
    "UPDATE logs SET retention_days = 1;\\n"
    "CREATE TABLE padding AS WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 200) "
    "SELECT randomblob(4000) FROM n;\\n"
    "SELECT die();",
)
schema.migrate(db, 1, steps)
"""


async def test_a_crash_within_a_migration_leaves_the_version_before(tmp_path: Path) -> None:
    """A process that is killed before the last statement, half of the pages written already."""
    lay_out(tmp_path, len(schema.MIGRATIONS))
    killed = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", KILLED_WITHIN, str(tmp_path / DATABASE)],
        env={"PYTHONPATH": str(ROOT / "src")},
        timeout=60,
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL
    assert (tmp_path / f"{DATABASE}-wal").stat().st_size > 200 * 4_000
    store = await open_store(tmp_path, sign, time=NOW, reserve=0)
    await holds_everything(store)
    await store.close()
    db = sqlite3.connect(tmp_path / DATABASE)
    assert schema.version_of(db) == len(schema.MIGRATIONS)
    assert "added" not in tables(db)
    assert check_data(tmp_path) == [NO_IDENTITY]
    db.close()
