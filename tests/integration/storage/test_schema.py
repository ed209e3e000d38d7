"""schema.sql is what the migrations make: it is read by people, and a change of one without the other fails here."""

from __future__ import annotations

import pytest

from runtime.database import connect
from tests.conftest import Database
from tests.support.schema import FILE, schema_text

pytestmark = pytest.mark.services


def test_schema_file_equals_what_the_migrations_make(database: Database) -> None:
    assert schema_text(database.owner) == FILE.read_text(encoding="utf-8"), "Run: python -m tests.support.schema"


async def test_change_of_the_schema_is_seen(database: Database) -> None:
    """Columns, privileges and properties of functions are in the text."""
    conn = await connect(database.owner)
    for statement in (
        "ALTER TABLE tallenne.gap ADD COLUMN more text",
        "GRANT DELETE ON tallenne.gap TO tallenne_ingest",
        "ALTER FUNCTION tallenne.audit_append SECURITY INVOKER",
    ):
        before = schema_text(database.owner)
        await conn.execute(statement)
        assert schema_text(database.owner) != before
    await conn.close()
