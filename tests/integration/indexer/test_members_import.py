"""The import against the database: all or nothing, again and again, on record."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Sequence
from pathlib import Path

import asyncpg
import pytest

from domain.time import DAY_NS
from indexer.errors import IndexMisuseError
from indexer.members.importing import Ending, ImportReport, import_members
from indexer.members.member_file import FOREVER_NS
from storage.access import search_members

pytestmark = pytest.mark.services
NOW = 20_500 * DAY_NS
HEAD = "number,name,credential,valid_from,valid_to,minor\n"


async def load(
    pool: asyncpg.Pool, body: str, *, dry_run: bool = False, now_ns: int = NOW, ending: Ending | None = None
) -> ImportReport:
    return await import_members(pool, HEAD + body, dry_run, clock_ns=lambda: now_ns, ending=ending)


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


def register(count: int, *, without: Sequence[int] = ()) -> str:
    return "".join(f"{n},Member {n},C{n:03},,,\n" for n in range(count) if n not in without)


async def test_members_missing_from_the_list_end_by_choice(owner: asyncpg.Connection, pool: asyncpg.Pool) -> None:
    await load(pool, register(20))
    before = await held(owner)
    later = NOW + DAY_NS
    body = register(20, without=(3, 7))
    dry = await load(pool, body, dry_run=True, now_ns=later, ending=Ending())
    assert [(one.number, one.name) for one in dry.missing.members] == [("3", "Member 3"), ("7", "Member 7")]
    assert (dry.missing.present, dry.missing.is_many, dry.applied) == (20, False, False)
    assert await held(owner) == before

    done = await load(pool, body, now_ns=later, ending=Ending())
    assert done.applied and len(done.missing.members) == 2
    ended = {number: to_ns for number, _, _, to_ns in await held(owner)}
    assert {number for number, to_ns in ended.items() if to_ns == later} == {"3", "7"}
    assert await owner.fetchval("SELECT count(*) FROM member") == 20  # past events stay theirs
    entries = await owner.fetch("SELECT action, member_id, detail FROM audit_entry ORDER BY seq")
    assert [entry["action"] for entry in entries[1:]] == ["member_ended", "member_ended", "members_imported"]
    assert {entry["member_id"] for entry in entries[1:3]} == {one.member_id for one in done.missing.members}
    assert json.loads(entries[3]["detail"])["members_ended"] == 2

    again = await load(pool, body, now_ns=later + DAY_NS, ending=Ending())
    assert again.missing.members == ()  # ended once
    await load(pool, register(20), now_ns=later + 2 * DAY_NS)
    spans = [(start, end) for number, _, start, end in await held(owner) if number == "3"]
    assert spans == [(0, later), (later + 2 * DAY_NS, FOREVER_NS)]  # back, and away in between


@pytest.mark.parametrize("body", ["", register(17), "99,New,N9,,,\n"])
async def test_short_list_ends_nobody_unless_the_number_is_confirmed(
    owner: asyncpg.Connection, pool: asyncpg.Pool, body: str
) -> None:
    await load(pool, register(20))
    before = await held(owner)
    count = 20 - body.count("Member")
    for wrong in (None, count - 1, 0):
        with pytest.raises(IndexMisuseError):
            await load(pool, body, now_ns=NOW + DAY_NS, ending=Ending(confirmed=wrong))
    assert await held(owner) == before
    assert await owner.fetchval("SELECT count(*) FROM member") == 20  # nothing of the list was imported either
    assert (await load(pool, body, dry_run=True, ending=Ending())).missing.is_many
    done = await load(pool, body, now_ns=NOW + DAY_NS, ending=Ending(confirmed=count))
    assert len(done.missing.members) == count


async def test_holding_of_later_is_removed_and_one_of_the_past_is_kept(
    owner: asyncpg.Connection, pool: asyncpg.Pool
) -> None:
    body = register(20) + "50,Past,P1,2020-01-01,2020-12-31,\n51,Later,L1,2099-01-01,,\n"
    await load(pool, body)
    past = [row for row in await held(owner) if row[0] == "50"]
    report = await load(pool, register(20), now_ns=NOW + DAY_NS, ending=Ending())
    assert [one.number for one in report.missing.members] == ["51"]
    assert [row for row in await held(owner) if row[0] in ("50", "51")] == past


async def test_wrong_list_ends_nobody(owner: asyncpg.Connection, pool: asyncpg.Pool) -> None:
    await load(pool, register(20))
    before = await held(owner)
    report = await load(pool, register(20, without=(1,)) + ",Bo,,,,\n", ending=Ending(confirmed=1))
    assert report.errors and not report.applied
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


async def test_lists_at_the_same_time_are_imported_one_after_another(
    owner: asyncpg.Connection, pool: asyncpg.Pool
) -> None:
    """One card is in both: it has one holder at a time, as if one list had come after the other."""
    lists = [f"{number},Member {number},CARD,,,\n{number},Member {number},OWN{number},,,\n" for number in range(6)]
    reports = await asyncio.gather(*(load(pool, body, now_ns=NOW + index) for index, body in enumerate(lists)))
    for index, report in enumerate(reports):
        if not report.applied:  # a list of a later time came first: nothing is changed, and it is read again
            assert "at a later time" in report.errors[0].what
            assert (await load(pool, lists[index], now_ns=NOW + 100 + index)).applied
    spans = [(start, end) for _, credential, start, end in await held(owner) if credential == "CARD" and start < end]
    assert all(one[1] <= other[0] for one, other in itertools.pairwise(sorted(spans)))
    assert sum(end == FOREVER_NS for _, end in spans) == 1
    assert await owner.fetchval("SELECT count(*) FROM member") == 6
