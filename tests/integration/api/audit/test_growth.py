"""A trail that grows: every entry that fits is on one page, and a page reads little, whatever the filter."""

from __future__ import annotations

import statistics
import time
import uuid
from collections.abc import AsyncIterator
from typing import Any, Final

import asyncpg
import pytest

from api.audit.finding import LAST, PERIOD_MAX, READ_MAX, Filters, find_entries
from runtime.database import connect
from tests.conftest import Database

pytestmark = pytest.mark.services
ALL: Final = 2_000_000
DAY_NS: Final = 86_400 * 10**9
STAFF: Final = [uuid.UUID(int=1000 + n) for n in range(20)]
CAMERAS: Final = [uuid.UUID(int=2000 + n) for n in range(16)]
NEVER: Final = uuid.UUID(int=9)

# $1 staff, $2 cameras, $3 how many: one every fifteen seconds. The first of both have not been there since the first
# twentieth; the last camera is new. Members are named in the column, in lists of one and of twenty.
ENTRIES: Final = """
    WITH n AS (SELECT n, n % 10 AS kind, n < $3::bigint / 20 AS early FROM generate_series(1, $3::bigint) AS n)
    INSERT INTO audit_entry (seq, at_ns, writer, actor, action, camera_id, member_id, detail, previous, hash)
    SELECT n, n * 15000000000, 'tallenne_serve',
        'staff:' || ($1::uuid[])[CASE WHEN early AND n % 2 = 0 THEN 1 ELSE 2 + n * 7919 % 19 END],
        CASE WHEN n IN (5, 7000) THEN 'export_refused' WHEN kind < 6 THEN 'look' WHEN kind < 8 THEN 'find'
             ELSE 'timeline' END,
        CASE WHEN kind NOT IN (6, 7) THEN
             ($2::uuid[])[CASE WHEN early AND n % 3 = 0 THEN 1 ELSE 2 + n * 104729 % 14 END] END,
        CASE WHEN kind = 6 THEN lpad(to_hex(n % 2000), 32, '7')::uuid END,
        CASE WHEN kind = 6 THEN jsonb_build_object('members', ARRAY[lpad(to_hex(n % 2000), 32, '7')::uuid])
             WHEN kind = 7 THEN jsonb_build_object('members', (
                 SELECT jsonb_agg(lpad(to_hex(CASE WHEN early AND k = 1 THEN 5000 ELSE n * k * 31 % 2000 END),
                                       32, '7')::uuid)
                 FROM generate_series(1, 20) AS k))
             WHEN n % 1000 = 8 THEN jsonb_build_object('cameras', ($2::uuid[])[3:4])
             ELSE '{}' END,
        sha256(''), sha256('')
    FROM n
"""

FITS: Final = """
    SELECT array_agg(seq ORDER BY seq DESC) FROM audit_entry a
    WHERE a.at_ns >= $1 AND a.at_ns < $2 AND ($3::text IS NULL OR action = $3) AND ($4::text IS NULL OR actor = $4)
      AND ($5::uuid IS NULL OR coalesce(member_id = $5, false) OR detail::text LIKE '%' || $5::uuid || '%')
      AND ($6::uuid IS NULL OR coalesce(camera_id = $6, false) OR detail::text LIKE '%' || $6::uuid || '%')
      AND ($7::uuid[] IS NULL OR camera_id = ANY ($7)
           OR EXISTS (SELECT FROM unnest($7::uuid[]) AS c WHERE detail::text LIKE '%' || c || '%'))
"""


def member(number: int) -> uuid.UUID:
    return uuid.UUID(f"{number:x}".rjust(32, "7"))


def actor(number: int) -> str:
    return f"staff:{STAFF[number]}"


CASES: Final[dict[str, dict[str, Any]]] = {
    "nothing": {},
    "a person": {"actor": actor(3)},
    "a person who left": {"actor": actor(0)},
    "a person who did nothing": {"actor": f"staff:{NEVER}"},
    "a rare action": {"action": "export_refused"},
    "an action that never was": {"action": "verify"},
    "a member": {"member": member(3)},
    "a member who left": {"member": member(5000)},
    "a member without entries": {"member": NEVER},
    "a camera": {"camera": CAMERAS[3]},
    "a camera that is gone": {"camera": CAMERAS[0]},
    "a new camera": {"camera": CAMERAS[15]},
    "a person and a rare action": {"actor": actor(3), "action": "export_refused"},
    "a person and a camera that is gone": {"actor": actor(3), "camera": CAMERAS[0]},
    "a person who left and a new camera": {"actor": actor(0), "camera": CAMERAS[15]},
    "a day": {"start": DAY_NS, "end": 2 * DAY_NS},
    "half a day of a person": {"start": DAY_NS, "end": 3 * DAY_NS // 2, "actor": actor(3)},
    "an auditor of a camera that is gone": {"scope": [CAMERAS[0]]},
    "an auditor of two cameras, and a person": {"scope": CAMERAS[2:4], "actor": actor(3)},
    "an auditor of a new camera": {"scope": [CAMERAS[15]]},
}


@pytest.fixture
async def owner(database: Database) -> AsyncIterator[asyncpg.Connection]:
    conn = await connect(database.owner, statement_timeout_s=0)
    await conn.execute("ALTER TABLE audit_entry DISABLE TRIGGER USER")
    yield conn
    await conn.close()


async def fill(owner: asyncpg.Connection, count: int) -> None:
    await owner.execute(ENTRIES, STAFF, CAMERAS, count, timeout=600)
    await owner.execute("VACUUM ANALYZE audit_entry", timeout=600)


async def page(owner: asyncpg.Connection, case: dict[str, Any], before: int = LAST) -> Any:
    given = {key: value for key, value in case.items() if key != "scope"}
    async with owner.transaction():
        return await find_entries(owner, Filters(**given), case.get("scope"), before, 100)


async def test_pages_hold_each_entry_that_fits_once(owner: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.audit.finding.READ_MAX", 300)
    await fill(owner, 20_000)
    names = ("start", "end", "action", "actor", "member", "camera", "scope")
    blank = dict.fromkeys(names) | {"start": 0, "end": LAST}
    for name, case in CASES.items():
        wanted = await owner.fetchval(FITS, *((blank | case)[each] for each in names))
        found: list[int] = []
        before: int | None = LAST
        while before is not None:
            one = await page(owner, case, before)
            found += one.seqs
            before = one.next
        assert found == (wanted or []), name


async def test_a_page_reads_little_of_a_long_trail(owner: asyncpg.Connection) -> None:
    """Rows, not seconds: so many as it may by each of two ways, and as many to see which filter is the narrowest."""
    await fill(owner, 200_000)
    read = "SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_xact_user_tables WHERE relname = 'audit_entry'"
    for name, case in CASES.items():
        given = {key: value for key, value in case.items() if key != "scope"}
        async with owner.transaction():
            before = await owner.fetchval(read)
            await find_entries(owner, Filters(**given), case.get("scope"), LAST, 100)
            rows = await owner.fetchval(read) - before
        assert rows <= 6 * READ_MAX + ("start" in case) * PERIOD_MAX, (name, rows)


@pytest.mark.long
async def test_what_a_page_costs_beside_two_million_entries(owner: asyncpg.Connection) -> None:
    await fill(owner, ALL)
    size = "SELECT pg_size_pretty(pg_table_size('audit_entry')), pg_size_pretty(pg_indexes_size('audit_entry'))"
    print(*await owner.fetchrow(size))
    month = {"a month long ago": {"start": 30 * DAY_NS, "end": 61 * DAY_NS}}
    for name, case in {**CASES, **month}.items():
        took = []
        for _ in range(9):
            began = time.perf_counter()
            found = await page(owner, case)
            took.append((time.perf_counter() - began) * 1000)
        median = statistics.median(took)
        print(f"{name:40} {len(found.seqs):4} entries  median {median:7.1f}  worst {max(took):7.1f} ms")
        assert median < 200 or name in month, name
