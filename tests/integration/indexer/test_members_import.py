"""The import against the database: all or nothing, again and again, on record."""

from __future__ import annotations

from pathlib import Path

import asyncpg
import pytest

from domain.time import DAY_NS
from indexer.errors import IndexMisuseError
from indexer.members.importing import ImportReport, import_members
from storage.access import search_members

pytestmark = pytest.mark.services
NOW = 20_500 * DAY_NS
HEAD = "number,name,credential,valid_from,valid_to,minor\n"


async def load(pool: asyncpg.Pool, body: str, *, dry_run: bool = False, now_ns: int = NOW) -> ImportReport:
    return await import_members(pool, HEAD + body, dry_run, clock_ns=lambda: now_ns)


async def held(owner: asyncpg.Connection) -> list[tuple[str, str, int, int]]:
    rows = await owner.fetch(
        "SELECT number, credential, valid_from_ns, valid_to_ns FROM credential JOIN member_identity USING (member_id)"
        " ORDER BY 1, 2, 3"
    )
    return [tuple(row) for row in rows]


async def test_dry_run_says_what_would_be_done_and_does_nothing(owner: asyncpg.Connection, pool: asyncpg.Pool) -> None:
    report = await load(pool, "1,Åsa Ström,04:a1,,,\n2,Bo,B2,,,yes\n", dry_run=True)
    assert (report.members_new, report.credentials_new, report.applied, report.errors) == (2, 2, False, ())
    assert await owner.fetchval("SELECT count(*) FROM member") == 0
    assert await owner.fetchval("SELECT count(*) FROM audit_entry") == 0


async def test_import_twice_is_import_once_and_on_record(owner: asyncpg.Connection, pool: asyncpg.Pool) -> None:
    body = "1,Åsa Ström,04:a1,,,\n2,Bo,B2,2026-01-01,2026-12-31,yes\n3,Cy,,,,\n"
    first = await load(pool, body)
    assert (first.applied, first.members_new, first.credentials_new) == (True, 3, 2)
    before = await owner.fetch("SELECT * FROM member JOIN member_identity USING (member_id) ORDER BY number")
    again = await load(pool, body, now_ns=NOW + DAY_NS)
    assert (again.applied, again.members_new, again.members_changed) == (True, 0, 0)
    assert (again.credentials_new, again.credentials_changed, again.credentials_closed) == (0, 0, 0)
    assert await owner.fetch("SELECT * FROM member JOIN member_identity USING (member_id) ORDER BY number") == before
    assert [row["action"] for row in await owner.fetch("SELECT action FROM audit_entry")] == ["members_imported"] * 2


async def test_one_wrong_line_keeps_all_out_and_every_one_is_named(
    owner: asyncpg.Connection, pool: asyncpg.Pool
) -> None:
    report = await load(pool, "1,Åsa,A1,,,\n,Bo,,,,\n3,Cy,C3,2026-05-01,2026-04-01,\n4,Di,a1,,,\n")
    assert not report.applied
    assert [(error.line, error.column) for error in report.errors] == [
        (3, "number"),
        (4, "valid_to"),
        (5, "credential"),
    ]
    assert await owner.fetchval("SELECT count(*) FROM member") == 0


async def test_changes_keep_the_member_and_what_was(owner: asyncpg.Connection, pool: asyncpg.Pool) -> None:
    await load(pool, "1,Åsa,A1,,,\n2,Bo,B2,,,\n")
    report = await load(pool, "1,Åsa Nyström,A9,,,yes\n3,Cy,B2,,,\n", now_ns=NOW + DAY_NS)
    assert (report.members_new, report.members_changed, report.credentials_new) == (1, 1, 2)
    assert report.credentials_closed == 2
    forever = (1 << 63) - 1
    assert await held(owner) == [
        ("1", "A1", 0, NOW + DAY_NS),
        ("1", "A9", 0, forever),
        ("2", "B2", 0, NOW + DAY_NS),
        ("3", "B2", NOW + DAY_NS, forever),
    ]
    (found,) = await search_members(pool, "NYSTROM asa")
    assert (found.number, found.minor) == ("1", True)


async def test_removed_rows_stay_untouched(owner: asyncpg.Connection, pool: asyncpg.Pool) -> None:
    await load(pool, "1,Åsa,A1,,,\n2,Bo,B2,,,\n")
    before = await held(owner)
    await load(pool, "1,Åsa,A1,,,\n", now_ns=NOW + DAY_NS)
    assert await held(owner) == before


async def test_file_is_read_with_its_mark_and_refused_when_it_is_not_text(
    pool: asyncpg.Pool, tmp_path: Path, owner: asyncpg.Connection
) -> None:
    good, bad = tmp_path / "members.csv", tmp_path / "members.xlsx"
    good.write_bytes("\ufeffnumber;name\r\n1;Åsa\r\n".encode())
    bad.write_bytes(b"PK\x03\x04\xff\xfe")
    assert (await import_members(pool, good)).members_new == 1
    for path in (bad, tmp_path / "none.csv"):
        with pytest.raises(IndexMisuseError):
            await import_members(pool, path)


async def test_connection_does_as_well_as_a_pool(owner: asyncpg.Connection, pool: asyncpg.Pool) -> None:
    async with pool.acquire() as conn:
        assert (await import_members(conn, "number,name\n1,A\n")).applied


async def test_large_file_is_imported_in_bounded_time(owner: asyncpg.Connection, pool: asyncpg.Pool) -> None:
    body = "".join(f"{n},Member {n},{n:08X},,,\n" for n in range(20_000))
    report = await load(pool, body)
    assert (report.members_new, report.credentials_new) == (20_000, 20_000)
    assert (await load(pool, body, now_ns=NOW + 1)).credentials_changed == 0
