"""An audit entry goes to the database whole, and its actions are all that the audit page offers."""

from __future__ import annotations

import json
import re
from pathlib import Path
from uuid import UUID

import pytest

from domain.ids import CameraId, MemberId, SessionId
from domain.time import Span
from runtime import sql
from storage.catalogue import audit
from tests.support.database.recording_pool import RecordingPool

ROOT = Path(__file__).parents[4]
ARGPARSE = {"store_true", "append"}


async def test_entry_is_handed_over_in_the_functions_order() -> None:
    pool = RecordingPool([{"seq": 7}], [{"seq": 8}])
    entry = audit.Entry(
        actor="staff:1",
        action="look",
        session_id=SessionId(UUID(int=1)),
        purpose_id=UUID(int=2),
        member_id=MemberId(UUID(int=3)),
        camera_id=CameraId(UUID(int=4)),
        span=Span(10, 20),
        detail={"segments": 3},
    )
    assert await audit.append(pool, entry, 99) == 7
    assert pool.arguments[:9] == (99, "staff:1", "look", *(UUID(int=n) for n in (1, 2, 3, 4)), 10, 20)
    assert json.loads(pool.arguments[9]) == {"segments": 3}
    assert await audit.append(pool, audit.Entry(actor="nobody", action="sign_in_failed"), 100) == 8
    assert pool.arguments == (100, "nobody", "sign_in_failed", None, None, None, None, None, None, "{}")


def test_entry_waits_for_the_disk_whatever_the_servers_default_is() -> None:
    text = sql.load("storage.catalogue", "audit_append")
    assert "set_config('synchronous_commit', 'on', true)" in text


def test_actions_are_named_once() -> None:
    assert len(set(audit.ACTIONS)) == len(audit.ACTIONS)


@pytest.mark.parametrize("package", ["api", "custodian", "pipeline"])
def test_every_action_that_the_source_records_is_one_of_them(package: str) -> None:
    found = set()
    for path in (ROOT / package).rglob("*.py"):
        found |= set(re.findall(r'\baction="([a-z_]+)"', path.read_text(encoding="utf-8")))
    assert found - ARGPARSE <= set(audit.ACTIONS)


def test_every_action_belongs_to_one_role_in_the_migration() -> None:
    """The database refuses what no role may record; this finds it without one."""
    migration = (ROOT / "storage/catalogue/migrations/0001_schema.sql").read_text(encoding="utf-8")
    (rows,) = re.findall(r"INSERT INTO audit_writer VALUES(.*?);", migration, re.DOTALL)
    assert sorted(re.findall(r"'([a-z_]+)'", re.sub(r"'tallenne_[a-z]+'", "", rows))) == sorted(audit.ACTIONS)
