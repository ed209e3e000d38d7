"""Brings the database to this version's schema: append-only migrations, each with a checksum, each in a transaction.

Only the owner role migrates. Concurrent runs wait for one another. A database that is newer than this program, or
whose applied migrations differ from the shipped ones, is refused and left unchanged.
"""

from __future__ import annotations

import hashlib
import re
import time
from dataclasses import dataclass
from importlib.resources import files
from typing import Final

import asyncpg

from runtime import sql
from runtime.database import connect, wrapped_errors
from runtime.settings import DatabaseSettings
from storage.catalogue.errors import ChangedMigrationError, NewerDatabaseError

_NAME = re.compile(r"(\d{4})_([a-z0-9_]+)\.sql")

_PACKAGE: Final = "storage.catalogue"


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    """A migration file, ``<version>_<name>.sql``."""

    version: int
    name: str
    text: str

    @property
    def checksum(self) -> bytes:
        """SHA-256 of the text."""
        return hashlib.sha256(self.text.encode()).digest()


def shipped_migrations() -> list[Migration]:
    """Return the migrations of this version in order. ValueError: their numbers are not 1 to n."""
    found: list[Migration] = []
    for entry in sorted(files("storage.catalogue").joinpath("migrations").iterdir(), key=lambda item: item.name):
        if match := _NAME.fullmatch(entry.name):
            found.append(Migration(version=int(match[1]), name=match[2], text=entry.read_text(encoding="utf-8")))
    if [migration.version for migration in found] != list(range(1, len(found) + 1)):
        raise ValueError("migrations are not numbered 1..n without a hole")
    return found


async def migrate(owner: DatabaseSettings) -> int:
    """Apply the missing migrations and return the schema's version.

    NewerDatabaseError, ChangedMigrationError: nothing was changed. DatabaseAwayError, DatabaseRefusedError,
    DatabaseError: earlier migrations may have been applied; run it again.
    """
    shipped = shipped_migrations()
    conn = await connect(owner, application_name="tallenne-migrate", statement_timeout_s=0)
    try:
        with wrapped_errors():
            await conn.execute("SELECT pg_advisory_lock(7411222000)")
            await conn.execute(sql.load(_PACKAGE, "migrations_table"))
            applied = await _applied(conn)
            _check(shipped, applied)
            for migration in shipped:
                if migration.version not in applied:
                    await _apply(conn, migration)
    finally:
        await conn.close()
    return len(shipped)


async def schema_version(conn: asyncpg.Connection) -> int:
    """The version the database is at; 0 for one that was never migrated."""
    with wrapped_errors():
        if await conn.fetchval(sql.load(_PACKAGE, "migrations_exist")):
            return max(await _applied(conn), default=0)
    return 0


async def _applied(conn: asyncpg.Connection) -> dict[int, bytes]:
    return {row["version"]: row["checksum"] for row in await conn.fetch(sql.load(_PACKAGE, "migrations_applied"))}


def _check(shipped: list[Migration], applied: dict[int, bytes]) -> None:
    newest = max(applied, default=0)
    if newest > len(shipped):
        raise NewerDatabaseError(
            f"The database has schema {newest}; this version of Tallenne knows {len(shipped)}.",
            "Install the version that migrated it, or a newer one.",
        )
    for migration in shipped:
        if applied.get(migration.version, migration.checksum) != migration.checksum:
            raise ChangedMigrationError(
                f"Migration {migration.version:04d}_{migration.name} was applied with a different text.",
                "Use the version of Tallenne that created this database, or start with an empty database.",
            )


async def _apply(conn: asyncpg.Connection, migration: Migration) -> None:
    async with conn.transaction():
        await conn.execute(migration.text)
        await conn.execute(
            sql.load(_PACKAGE, "migrations_record"),
            migration.version,
            migration.name,
            migration.checksum,
            time.time_ns(),
        )
