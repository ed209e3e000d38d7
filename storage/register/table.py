"""The register as a table: CSV for other programs, and what an import may bring."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import AsyncIterator, Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final

import asyncpg

from domain.cells import guarded, plain
from domain.ids import MemberId
from runtime import sql
from runtime.database import wrapped_errors
from storage.register.fields import Field, FieldError, checked
from storage.register.values import Source, keep

_PACKAGE: Final = "storage.register"
COLUMNS: Final[tuple[Field, ...]] = tuple(each for each in Field if each is not Field.NAME)
"""Beside number, name and minor."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What a list says of a member beside number and name, as it was typed. ``line`` counts from 1."""

    line: int
    number: str = field(repr=False)
    values: Mapping[str, str] = field(repr=False)


def check_rows(rows: Collection[Row], today: date) -> tuple[list[Row], list[tuple[int, FieldError]]]:
    """Return the rows with their values as they are stored, and what is wrong with others, by line.

    Of two lines of one member the later must not contradict the earlier; an empty value says nothing.
    """
    good: dict[str, Row] = {}
    wrong: list[tuple[int, FieldError]] = []
    for row in rows:
        values: dict[str, str] = {}
        before = good[row.number].values if row.number in good else {}
        for name, text in row.values.items():
            each = Field(name)
            try:
                value = checked(each, plain(text), today)
            except FieldError as exc:
                wrong.append((row.line, exc))
                continue
            if not value:
                continue
            if before.get(each, value) != value:
                wrong.append((row.line, FieldError(each, "differs from another line with the same number")))
            values[each] = value
        good[row.number] = Row(line=row.line, number=row.number, values={**before, **values})
    return list(good.values()), wrong


async def import_rows(conn: asyncpg.Connection, rows: Collection[Row], now_ns: int) -> int:
    """Keep checked rows of members who are in the register, in the caller's transaction; return how many changed.

    The caller wraps the driver's errors.
    """
    found = await conn.fetch(sql.load(_PACKAGE, "by_number"), [row.number for row in rows])
    ids = {row["number"]: MemberId(row["member_id"]) for row in found}
    changed = 0
    for row in rows:
        if row.number in ids and row.values:
            values = {Field(name): text for name, text in row.values.items()}
            done = await keep(conn, ids[row.number], values, source=Source.IMPORT, staff_id=None, now_ns=now_ns)
            changed += bool(done)
    return changed


async def export_lines(conn: asyncpg.Connection, fields: Collection[Field]) -> AsyncIterator[str]:
    """Yield the register as lines of CSV, the header first. One transaction: the register of one moment."""
    columns = [each for each in COLUMNS if each in fields]
    yield _line(["number", "name", "minor", *columns])
    with wrapped_errors():
        async with conn.transaction(isolation="repeatable_read", readonly=True):
            async for row in conn.cursor(sql.load(_PACKAGE, "export"), list(columns), prefetch=500):
                values = json.loads(row["values"])
                minor = "yes" if row["minor"] else "no"
                yield _line([row["number"], row["name"], minor, *(values.get(each, "") for each in columns)])


def _line(cells: list[str]) -> str:
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\r\n").writerow([guarded(cell) for cell in cells])
    return out.getvalue()
