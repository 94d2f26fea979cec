"""The SQLite schema and its migrations: forward only, each in one transaction with its version number."""

from __future__ import annotations

import sqlite3

from polynya.relay.errors import DataError

APPLICATION_ID = 0x506F6C79
"""\"Poly\": marks the file as a relay's database."""

MIGRATIONS: tuple[str, ...] = (
    """
    -- Topics and inboxes. An entry's id is number << 32 | seq: a log's entries lie side by side in one B-tree
    -- of integer keys. `head` is a lower bound of the newest seq (entries may be gone). Up to `swept` only
    -- records with a slot still hold bytes. Numbers are never used twice: a forgotten log's entries go in
    -- small steps.
    CREATE TABLE logs (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        id BLOB NOT NULL UNIQUE,
        kind INTEGER NOT NULL,
        retention_days INTEGER NOT NULL,
        created INTEGER NOT NULL,
        used INTEGER NOT NULL,
        head INTEGER NOT NULL DEFAULT 0,
        swept INTEGER NOT NULL DEFAULT 0
    );
    CREATE TABLE entries (
        id INTEGER PRIMARY KEY,
        time INTEGER NOT NULL,
        record BLOB,
        record_hash BLOB,
        slot BLOB,
        position INTEGER,
        signature BLOB,
        blobs BLOB
    );
    CREATE INDEX entries_by_slot ON entries (slot, id) WHERE slot IS NOT NULL;
    CREATE INDEX entries_of_slots_kept ON entries (id) WHERE slot IS NOT NULL AND record IS NOT NULL;
    -- Finds a record that a log holds already: the first 8 bytes of its hash as a signed integer.
    CREATE TABLE record_index (
        log INTEGER NOT NULL,
        hash INTEGER NOT NULL,
        seq INTEGER NOT NULL,
        PRIMARY KEY (log, hash, seq)
    ) WITHOUT ROWID;
    -- On this day (since the epoch) something in this log may be over its time.
    CREATE TABLE visits (
        day INTEGER NOT NULL,
        log INTEGER NOT NULL,
        PRIMARY KEY (day, log)
    ) WITHOUT ROWID;
    CREATE INDEX visits_by_log ON visits (log);
    CREATE TABLE key_package_owners (
        number INTEGER PRIMARY KEY,
        id BLOB NOT NULL UNIQUE,
        last_resort BLOB,
        used INTEGER NOT NULL
    );
    -- A package that was handed out leaves its hash, so that a repeated PutKeyPackages does not bring it
    -- back.
    CREATE TABLE key_packages (
        number INTEGER PRIMARY KEY,
        owner INTEGER NOT NULL,
        hash BLOB NOT NULL,
        package BLOB,
        UNIQUE (owner, hash)
    );
    CREATE INDEX key_packages_left ON key_packages (owner, number) WHERE package IS NOT NULL;
    -- state: 0 growing, 1 whole, 2 being removed. `since`: creation while growing; then since when no record
    -- names it.
    CREATE TABLE blobs (
        id BLOB PRIMARY KEY,
        total INTEGER NOT NULL,
        received INTEGER NOT NULL,
        state INTEGER NOT NULL,
        since INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE INDEX blobs_by_age ON blobs (state, since);
    -- Which records that are still there name a blob.
    CREATE TABLE blob_names (
        entry INTEGER NOT NULL,
        blob BLOB NOT NULL,
        PRIMARY KEY (entry, blob)
    ) WITHOUT ROWID;
    CREATE INDEX blob_names_by_blob ON blob_names (blob);
    """,
    """
    -- `restored`: 1 where the log comes from a backup, so that receipts may exist that it does not know of.
    ALTER TABLE logs ADD COLUMN restored INTEGER NOT NULL DEFAULT 0;
    -- What the relay knows of its clock (ms): `seen` when it was looked at last, `doubted` since when it has
    -- been going on from a jump; 0 where it is trusted.
    CREATE TABLE clock (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        seen INTEGER NOT NULL,
        doubted INTEGER NOT NULL
    );
    """,
    """
    -- Who may be issued tokens; `invited`: 1 where it joined with one. Times are days since the epoch.
    CREATE TABLE members (
        number INTEGER PRIMARY KEY,
        id BLOB NOT NULL UNIQUE,
        invited INTEGER NOT NULL,
        joined INTEGER NOT NULL,
        used INTEGER NOT NULL
    );
    CREATE INDEX members_by_use ON members (used);
    -- Tokens of each kind that a member could still be issued on `day`; `request`: hash of the last request.
    CREATE TABLE allowances (
        member INTEGER NOT NULL,
        kind INTEGER NOT NULL,
        left INTEGER NOT NULL,
        day INTEGER NOT NULL,
        request BLOB,
        PRIMARY KEY (member, kind)
    ) WITHOUT ROWID;
    -- How many became members on the last day on which anybody did; `open`: of them, without a token.
    CREATE TABLE joins (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        day INTEGER NOT NULL,
        members INTEGER NOT NULL,
        open INTEGER NOT NULL
    );
    -- `key` counts token keys; `request`: hash of what the token paid for.
    CREATE TABLE spent_tokens (
        key INTEGER NOT NULL,
        nonce BLOB NOT NULL,
        request BLOB NOT NULL,
        PRIMARY KEY (key, nonce)
    ) WITHOUT ROWID;
    -- MiB of a blob that are paid for; what was begun before is.
    ALTER TABLE blobs ADD COLUMN paid INTEGER NOT NULL DEFAULT 0;
    UPDATE blobs SET paid = 100;
    """,
)


def version_of(db: sqlite3.Connection) -> int:
    """Migrations that the database has had; 0 for a new file."""
    if db.execute("SELECT 1 FROM sqlite_master WHERE name = 'schema_version'").fetchone() is None:
        return 0
    return int(db.execute("SELECT max(version) FROM schema_version").fetchone()[0])


def migrate(db: sqlite3.Connection, time: int, migrations: tuple[str, ...] = MIGRATIONS) -> None:
    """Brings the database to the newest version; raises DataError where it is newer than this program."""
    version = version_of(db)
    if version > len(migrations):
        raise DataError(
            f"The data was written by a newer Polynya (schema {version}, this one knows {len(migrations)}). "
            "Install that version or a newer one, and start again."
        )
    for number in range(version, len(migrations)):
        db.execute("BEGIN IMMEDIATE")
        try:
            for statement in _statements(migrations[number]):
                db.execute(statement)
            if number == 0:
                db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
                db.execute(
                    "CREATE TABLE schema_version (version INTEGER PRIMARY KEY, applied INTEGER NOT NULL)"
                )
            db.execute("INSERT INTO schema_version VALUES (?, ?)", (number + 1, time))
            db.execute("COMMIT")
        except BaseException:
            if db.in_transaction:
                db.execute("ROLLBACK")
            raise


def _statements(script: str) -> list[str]:
    """The script's statements one by one: `executescript` would commit the transaction around them."""
    statements, current = [], ""
    for line in script.splitlines():
        if line.strip().startswith("--"):
            continue
        current += line + "\n"
        if sqlite3.complete_statement(current):
            statements.append(current.strip())
            current = ""
    return statements
