"""What is wrong today is counted from the day's events alone, however many there are of other days."""

from __future__ import annotations

import pytest

from runtime import sql
from storage.access import CLOSE_NS
from tests.integration.api.conftest import Office
from tests.integration.api.gym import FRONT, NORTH, SIDE, open_gym

pytestmark = pytest.mark.services
DAY_NS = 86_400 * 10**9
PER_DAY = 200

# A hundred days back, one every 432 seconds.
EVENTS = """
    INSERT INTO access_event (event_id, dedup_key, site_id, door_id, kind, occurred_ns, received_ns)
    SELECT id, sha256(uuid_send(id)), $1, ($2::uuid[])[1 + n % 2], (ARRAY['granted', 'entered', 'denied'])[1 + n % 3],
        $3::bigint - n * 432000000000, 1
    FROM (SELECT gen_random_uuid() AS id, n FROM generate_series(1, 20000) AS n) AS made
"""


@pytest.mark.parametrize("mode", ["force_custom_plan", "force_generic_plan"])
async def test_counts_of_today_read_the_days_events_alone(office: Office, mode: str) -> None:
    now_ns = office.clock.now_ns
    await open_gym(office.owner, now_ns)
    await office.owner.execute(EVENTS, NORTH, [FRONT, SIDE], now_ns)
    await office.owner.execute("VACUUM ANALYZE access_event")
    await office.owner.execute(f"SET plan_cache_mode = {mode}")
    read = "SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_xact_user_tables WHERE relname = 'access_event'"
    async with office.owner.transaction():
        before = await office.owner.fetchval(read)
        values = [NORTH], [FRONT, SIDE], now_ns - DAY_NS, now_ns, CLOSE_NS
        row = await office.owner.fetchrow(sql.load("api.search", "wrong_since"), *values)
        rows = await office.owner.fetchval(read) - before
    assert row is not None and row["denied"] >= PER_DAY // 3 - 1
    assert rows <= 3 * PER_DAY, rows
