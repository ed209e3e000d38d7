"""Importing the gym's members: all of a file or nothing, as often as one likes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any, Final, NamedTuple
from uuid import UUID

import asyncpg

from domain.ids import new_id
from domain.time import day_name
from indexer.errors import IndexMisuseError
from indexer.members.credential_plan import CredentialPlan, Holding, plan_credentials
from indexer.members.ending import Missing, end_members, find_missing
from indexer.members.member_file import LineError, MemberLine, read_members
from runtime import sql
from runtime.database import wrapped_errors
from storage.access import fold
from storage.catalogue import audit
from storage.register.table import Row, check_rows

_PACKAGE: Final = "indexer.members"
FILE_MAX_BYTES: Final = 64 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportReport:
    """What an import did, or with a dry run would do. With errors nothing was done.

    register: what the list says beside number, name and credentials, checked. The indexer's user may not write it:
    the caller hands it to ``storage.register.table.import_rows`` with another.
    """

    lines: int
    members_new: int
    members_changed: int
    credentials_new: int
    credentials_changed: int
    credentials_closed: int
    missing: Missing  # with Ending: members that the list does not name, who are ended
    errors: tuple[LineError, ...]
    applied: bool
    register: tuple[Row, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """Members that the list does not name are ended (ending.py). ``confirmed``: how many, as a person has read it."""

    confirmed: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _MemberPlan:
    ids: dict[str, UUID]
    new: list[MemberLine]
    changed: list[MemberLine]


class _Wish(NamedTuple):
    """How a list is imported."""

    dry_run: bool
    ending: Ending | None
    actor: str
    now_ns: int


async def import_members(
    pool_or_conn: asyncpg.Pool | asyncpg.Connection,
    path_or_text: Path | str,
    dry_run: bool = False,
    *,
    ending: Ending | None = None,
    actor: str = "operator",
    clock_ns: Callable[[], int] = time.time_ns,
) -> ImportReport:
    """Add and change members and credentials as the file says (member_file.py). One transaction, on record.

    Members that the file no longer names are left as they are without ``ending``. With it they are ended;
    IndexMisuseError when there are so many that the list may not be whole, and the number is not confirmed. Events
    in quarantine for an unknown credential are not looked at again by this: replay them afterwards.
    """
    text = await asyncio.to_thread(_text, path_or_text)
    now_ns = clock_ns()
    lines, errors = await asyncio.to_thread(read_members, text)
    said = [Row(line=line.line, number=line.number, values=line.register) for line in lines]
    rows, wrong = check_rows(said, date.fromisoformat(day_name(now_ns)))
    errors += [LineError(line=line, column=exc.field, what=exc.why) for line, exc in wrong]
    wish = _Wish(dry_run, ending, actor, now_ns)
    if isinstance(pool_or_conn, asyncpg.Pool):
        async with pool_or_conn.acquire() as conn:
            report = await _import(conn, lines, errors, wish)
    else:
        report = await _import(pool_or_conn, lines, errors, wish)
    return replace(report, register=tuple(row for row in rows if row.values))


def _text(path_or_text: Path | str) -> str:
    if isinstance(path_or_text, str):
        return path_or_text
    try:
        if not path_or_text.is_file():
            reason = "it is no file" if path_or_text.exists() else "there is none"
            raise IndexMisuseError(f"{path_or_text} cannot be read: {reason}.", "Name a CSV file.")
        if path_or_text.stat().st_size > FILE_MAX_BYTES:
            raise IndexMisuseError(f"{path_or_text} is larger than {FILE_MAX_BYTES >> 20} MiB.", "Split the file.")
        return path_or_text.read_text(encoding="utf-8-sig")
    except OSError as exc:
        raise IndexMisuseError(f"{path_or_text} cannot be read: {exc.strerror}.") from exc
    except UnicodeDecodeError:
        raise IndexMisuseError(f"{path_or_text} is not UTF-8.", "Export it as UTF-8.") from None


async def _import(
    conn: asyncpg.Connection,
    lines: Sequence[MemberLine],
    errors: Sequence[LineError],
    wish: _Wish,
) -> ImportReport:
    now_ns = wish.now_ns
    with wrapped_errors():
        async with conn.transaction():
            await conn.execute(sql.load(_PACKAGE, "members_lock"))
            members = await _plan_members(conn, lines)
            known = await _known_holdings(conn, lines, members.ids)
            credentials = plan_credentials(lines, members.ids, known, now_ns)
            found = (*errors, *credentials.errors)
            missing = await find_missing(conn, list(members.ids), now_ns) if wish.ending else Missing()
            report = _report(lines, members, credentials, missing, found, applied=not wish.dry_run and not found)
            if report.applied:
                if wish.ending:
                    missing.check(wish.ending.confirmed)
                await _apply(conn, members, credentials, now_ns)
                await end_members(conn, missing, wish.actor, now_ns)
                await _record(conn, report, wish.actor, now_ns)
    return report


async def _plan_members(conn: asyncpg.Connection, lines: Sequence[MemberLine]) -> _MemberPlan:
    first = {line.number: line for line in reversed(lines)}
    rows = {row["number"]: row for row in await conn.fetch(sql.load("indexer", "members_by_number"), list(first))}
    return _MemberPlan(
        ids={number: rows[number]["member_id"] if number in rows else new_id() for number in first},
        new=[line for number, line in first.items() if number not in rows],
        changed=[
            line
            for number, line in first.items()
            if number in rows and (rows[number]["name"], rows[number]["minor"]) != (line.name, line.minor)
        ],
    )


async def _known_holdings(conn: asyncpg.Connection, lines: Sequence[MemberLine], ids: dict[str, UUID]) -> list[Holding]:
    credentials = list({line.credential for line in lines if line.credential is not None})
    rows = await conn.fetch(sql.load(_PACKAGE, "credentials_known"), credentials, list(ids.values()))
    return [
        Holding(
            credential=row["credential"],
            member_id=row["member_id"],
            from_ns=row["valid_from_ns"],
            to_ns=row["valid_to_ns"],
        )
        for row in rows
    ]


def _report(
    lines: Sequence[MemberLine],
    members: _MemberPlan,
    credentials: CredentialPlan,
    missing: Missing,
    errors: Sequence[LineError],
    *,
    applied: bool,
) -> ImportReport:
    return ImportReport(
        lines=len(lines),
        members_new=len(members.new),
        members_changed=len(members.changed),
        credentials_new=credentials.new,
        credentials_changed=credentials.changed,
        credentials_closed=credentials.closed,
        missing=missing,
        errors=tuple(sorted(errors, key=lambda error: error.line)),
        applied=applied,
    )


async def _apply(conn: asyncpg.Connection, members: _MemberPlan, credentials: CredentialPlan, now_ns: int) -> None:
    await conn.execute(sql.load(_PACKAGE, "members_add"), *_identities(members.new, members.ids), now_ns)
    await conn.execute(sql.load(_PACKAGE, "members_change"), *_identities(members.changed, members.ids))
    gone = credentials.remove
    columns: tuple[list[Any], ...] = ([one.credential for one in gone], [one.from_ns for one in gone])
    await conn.execute(sql.load(_PACKAGE, "credentials_remove"), *columns)
    come = credentials.add
    columns = (
        [one.credential for one in come],
        [one.member_id for one in come],
        [one.from_ns for one in come],
        [one.to_ns for one in come],
    )
    await conn.execute(sql.load(_PACKAGE, "credentials_add"), *columns)


def _identities(lines: Sequence[MemberLine], ids: dict[str, UUID]) -> tuple[list[Any], ...]:
    return (
        [ids[line.number] for line in lines],
        [line.number for line in lines],
        [line.name for line in lines],
        [fold(line.name) for line in lines],
        [line.minor for line in lines],
    )


async def _record(conn: asyncpg.Connection, report: ImportReport, actor: str, now_ns: int) -> None:
    detail = {
        "lines": report.lines,
        "members_new": report.members_new,
        "members_changed": report.members_changed,
        "credentials_new": report.credentials_new,
        "credentials_changed": report.credentials_changed,
        "credentials_closed": report.credentials_closed,
        "members_ended": len(report.missing.members),
    }
    await audit.append_in(conn, audit.Entry(actor=actor, action="members_imported", detail=detail), now_ns)
