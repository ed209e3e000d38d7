"""What has expired opens by no means: restored rows, the database's files and log copied before, objects copied before.

A test clock runs through a day and a half, so that whole days end. What is not over opens throughout (the controls).
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from domain.time import HOUR_NS
from runtime.settings import StoreSettings
from storage.catalogue.certificates import check_chain, read_certificates
from tests.support.faults.copied import Copied, copied
from tests.support.footage.custodian import Recorded

pytestmark = pytest.mark.services

HOURS, COPIED_AT = 36, 20
RETENTION_H = (1, 5, 30)


async def test_expired_footage_opens_by_no_means(
    store: StoreSettings, keeper_store: StoreSettings, tmp_path: Path
) -> None:
    async with copied(store, keeper_store, tmp_path) as made:
        gym = made.gym
        ends = await recorded_and_expired(made)
        over = [one for hour, found in ends.items() if hour <= HOURS for one in found]
        living = [one for hour, found in ends.items() if hour > HOURS for one in found]
        # Positive control of the copy: what was recorded before it and lives still opens from it.
        before = [one for one in living if one.span.start_ns <= gym.start_ns + COPIED_AT * HOUR_NS]
        figures = {
            "expired_camera_hours": await gym.owner.fetchval("SELECT count(*) FROM expired_key WHERE segments > 0"),
            "expired_segments": len(over),
            "opened": await gym.opens(over),
            "objects_left": len([info async for info in made.objects.list("v1/")]),
            "days_dropped": made.keeper.dropped_days,
        }
        figures["opened_from_files_and_log"], figures["controls_from_copy"] = await made.open_from_files(over, before)
        figures["opened_after_restored_rows"] = await made.open_with_rows(over)
        figures["controls"] = await gym.opens(living)
        check_chain(await read_certificates(gym.owner, 0, 1000), gym.custody.signer)
    print(json.dumps(figures))
    assert len(over) > 60
    assert figures["expired_camera_hours"] == figures["expired_segments"] == len(over)
    assert figures["opened"] == figures["opened_from_files_and_log"] == figures["opened_after_restored_rows"] == 0
    assert figures["controls"] == figures["objects_left"] == len(living) > 0
    assert figures["controls_from_copy"] == len(before) > 0


async def recorded_and_expired(made: Copied) -> dict[int, list[Recorded]]:
    """Let the hours pass, with a segment of each camera in each. By the hour in which they expire."""
    gym = made.gym
    cameras = [await gym.camera(hours) for hours in RETENTION_H]
    ends: dict[int, list[Recorded]] = {}
    for hour in range(HOURS):
        for camera, hours in zip(cameras, RETENTION_H, strict=True):
            segments = await gym.record(camera, 1)
            await made.put(camera, segments)
            ends.setdefault(hour + hours + 1, []).extend(segments)
        if hour == COPIED_AT:
            await made.copy()
        gym.clock.now_ns += HOUR_NS
        await gym.expiry.run_once()
        await made.keeper.run_once()
    return ends
