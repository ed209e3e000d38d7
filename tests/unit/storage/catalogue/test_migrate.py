"""Migrations: numbered without a hole, and a database that is newer or other is refused."""

from __future__ import annotations

import hashlib

import pytest

from storage.catalogue import migrate
from storage.catalogue.errors import ChangedMigrationError, NewerDatabaseError
from storage.catalogue.migrate import Migration, shipped_migrations

SHIPPED = [Migration(version=n, name=f"n{n}", text=f"SELECT {n};") for n in (1, 2, 3)]


def test_shipped_migrations_are_numbered_from_one_and_checksummed() -> None:
    found = shipped_migrations()
    assert [migration.version for migration in found] == list(range(1, len(found) + 1))
    assert found[0].checksum == hashlib.sha256(found[0].text.encode()).digest()


@pytest.mark.parametrize("known", [[], [1], [1, 2], [1, 2, 3]])
def test_database_that_is_behind_or_level_passes(known: list[int]) -> None:
    migrate._check(SHIPPED, {n: SHIPPED[n - 1].checksum for n in known})


def test_newer_database_is_refused() -> None:
    with pytest.raises(NewerDatabaseError, match="schema 4"):
        migrate._check(SHIPPED, dict.fromkeys((1, 2, 3, 4), b""))


@pytest.mark.parametrize("changed", [1, 2, 3])
def test_applied_migration_with_another_text_is_refused(changed: int) -> None:
    applied = {migration.version: migration.checksum for migration in SHIPPED}
    applied[changed] = hashlib.sha256(b"other").digest()
    with pytest.raises(ChangedMigrationError, match=f"{changed:04d}_n{changed}"):
        migrate._check(SHIPPED, applied)
