"""Every recorder that was ever enrolled counts, with the time until which it does."""

from __future__ import annotations

from uuid import UUID

from domain.ids import RecorderId
from storage.catalogue.recorders import Enrolled, read_recorders
from tests.support.database.recording_pool import RecordingPool


async def test_rows_become_recorders_by_id() -> None:
    rows = [
        {"recorder_id": UUID(int=1), "public_key": b"a" * 32, "revoked_ns": None},
        {"recorder_id": UUID(int=2), "public_key": b"b" * 32, "revoked_ns": 99},
    ]
    assert await read_recorders(RecordingPool(rows)) == {
        RecorderId(UUID(int=1)): Enrolled(public_key=b"a" * 32, revoked_ns=None),
        RecorderId(UUID(int=2)): Enrolled(public_key=b"b" * 32, revoked_ns=99),
    }
    assert await read_recorders(RecordingPool()) == {}
