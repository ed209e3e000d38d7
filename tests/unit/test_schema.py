"""schema.sql and the migrations name the same tables with the same columns: what needs no database to be seen.

That they agree to the letter is held over a real database by tests/integration/storage/test_schema.py.
"""

from __future__ import annotations

import re
from pathlib import Path

CATALOGUE = Path(__file__).resolve().parents[2] / "storage/catalogue"
_TABLE = re.compile(r"^CREATE TABLE (?:tallenne\.)?(\w+) \(\n(.*?)^\)", re.MULTILINE | re.DOTALL)
_COLUMN = re.compile(r"^    ([a-z]\w*) [a-z]", re.MULTILINE)


def tables(text: str) -> dict[str, list[str]]:
    """The columns of every table; constraints begin with a word in capitals."""
    return {name: _COLUMN.findall(body) for name, body in _TABLE.findall(text)}


def migrated() -> str:
    return "\n".join(path.read_text(encoding="utf-8") for path in sorted((CATALOGUE / "migrations").glob("*.sql")))


def test_schema_names_every_table_and_column_of_the_migrations() -> None:
    schema = tables((CATALOGUE / "schema.sql").read_text(encoding="utf-8"))
    made = tables(migrated())
    assert len(made) > 20 and all(made.values())
    made_by_the_migrator = schema.keys() - made.keys()
    assert {name: schema.get(name) for name in made} == made, "Run: python -m tests.support.schema"
    assert made_by_the_migrator == {"schema_migration"}


def test_forgotten_column_is_seen() -> None:
    assert tables("CREATE TABLE a (\n    b int,\n    c text\n);") == {"a": ["b", "c"]}
    assert tables(migrated().replace("    user_name text", "    account_name text")) != tables(migrated())
