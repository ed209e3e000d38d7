"""What `tallenne retention status` says, as JSON, and what an operator confirms who has seen it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import asyncpg

from domain.time import HOUR_NS, hour_of, to_iso
from storage.access.retention import CameraKept, ended, erasures, kept


async def report_of(
    conn: asyncpg.Connection | asyncpg.Pool, custodian: Mapping[str, Any], now_ns: int
) -> dict[str, Any]:
    """``custodian``: the part ``retention`` of its status. Raises the database errors."""
    cameras = await kept(conn, now_ns)
    totals = await ended(conn)
    overdue = sum(camera.overdue_hours for camera in cameras)
    # The keeper takes a while: only what waits for an hour is late.
    late = totals.to_remove_since_ns is not None and now_ns - totals.to_remove_since_ns > HOUR_NS
    return {
        "ok": not overdue and custodian["held"] is None and not custodian["shorter"] and not late,
        "cameras": [_camera(camera) for camera in cameras],
        "overdue_camera_hours": overdue,
        "overdue_s": custodian["overdue_s"],
        "held": _held(custodian),
        "shorter": custodian["shorter"],
        "removal_late": late,
        "erasures": [{**asdict(one), "erasure_id": str(one.erasure_id)} for one in await erasures(conn)],
        "erasing_waits_for_keys": custodian["erasures"]["waiting_keys"],
        **asdict(totals),
    }


def _camera(camera: CameraKept) -> dict[str, Any]:
    said = asdict(camera)
    said["camera_id"], said["site_id"] = str(camera.camera_id), str(camera.site_id)
    for name in ("oldest_hour", "next_expiry", "last_expiry"):
        time_ns = said.pop(f"{name}_ns")
        said[name] = None if time_ns is None else to_iso(time_ns)
    said["retention_h"] = said.pop("retention_s") / 3600
    return said


def _held(custodian: Mapping[str, Any]) -> dict[str, Any] | None:
    held = custodian["held"]
    if held is None:
        return None
    return {**held, "camera_hours": custodian["due_camera_hours"], "up_to_ns": custodian["due_up_to_ns"]}


def confirmation_of(report: Mapping[str, Any], now_ns: int) -> dict[str, Any]:
    """What an operator confirms who has seen ``report``: the arguments of ``CustodianClient.confirm_expiry()``."""
    held, shorter = report["held"], report["shorter"]
    # What a shortened retention ends at once has hours of expiry up to the present one.
    up_to_ns = hour_of(now_ns) if shorter else held["up_to_ns"]
    camera_hours = (held["camera_hours"] if held else 0) + sum(one["at_once_hours"] for one in shorter)
    confirmed = {one["camera_id"]: one["retention_s"] for one in shorter}
    return {"up_to_ns": up_to_ns, "camera_hours": camera_hours, "shorter": confirmed}
