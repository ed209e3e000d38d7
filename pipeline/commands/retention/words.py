"""What `tallenne retention status` says, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from domain.time import from_iso
from pipeline.commands.times import local


def words_of(report: Mapping[str, Any]) -> list[str]:
    """Lines for a person."""
    lines = [_camera_line(camera) for camera in report["cameras"]]
    lines.append(
        f"Ended so far: {report['expired_camera_hours']} camera-hours, {report['expired_segments']} segments,"
        f" {report['certificates']} certificates."
    )
    if report["to_remove_camera_hours"]:
        how = " This is late: look at the role keeper." if report["removal_late"] else ""
        lines.append(f"Unreadable, to be deleted: {report['to_remove_camera_hours']} camera-hours.{how}")
    lines += [_erasure_line(one, report["erasing_waits_for_keys"]) for one in report["erasures"]]
    lines += [f"HELD: {line}" for line in shorter_lines(report)]
    if report["held"] is not None:
        lines += [f"HELD: {report['held']['what']}", f"  {report['held']['remedy']}"]
    elif report["overdue_camera_hours"]:
        lines.append(f"OVERDUE: {report['overdue_camera_hours']} camera-hours, for {report['overdue_s'] // 60} min.")
    return lines


def shorter_lines(report: Mapping[str, Any]) -> list[str]:
    """A line for each camera whose shortened retention waits for an operator."""
    return [
        f"{one['camera']} is to be kept for {one['retention_s'] / 3600:g} h only: {one['shorter_hours']} recorded"
        f" camera-hours end sooner, {one['at_once_hours']} at once. `tallenne retention confirm` carries it out."
        for one in report["shorter"]
    ]


def _erasure_line(one: Mapping[str, Any], waiting_keys: int) -> str:
    line = f"Erasure of {one['segments']} segments ({one['cameras']}), ordered {local(one['asked_ns'])}: "
    if one["cases"]:
        return line + f"kept by {one['cases']}, until two people end that."
    if one["state"] == "asked":
        return line + "waits for a second person."
    waits = f" {waiting_keys} hour keys wait for footage that recorders may still have." if waiting_keys else ""
    return line + f"approved, not shown any more; its keys are being replaced.{waits}"


def _camera_line(camera: Mapping[str, Any]) -> str:
    name = f"{camera['site']} / {camera['camera']}"
    if camera["removed"]:
        name += " (removed)"
    kept_for = f"{camera['retention_h']:g} h"
    if not camera["camera_hours"]:
        return f"{name:<40} {kept_for:>7}  nothing is kept"
    return (
        f"{name:<40} {kept_for:>7}  {camera['camera_hours']} hours since {_time(camera['oldest_hour'])};"
        f" the next end at {_time(camera['next_expiry'])}, the last at {_time(camera['last_expiry'])}"
    )


def _time(text: str) -> str:
    return local(from_iso(text))


_PERIODS: Final = {
    "events_d": "door events, their tags and visits",
    "quarantine_d": "door messages that were not understood",
    "exports_d": "records of exports",
    "lookups_d": "reasons of looks",
    "member_history_d": "earlier values of the register",
    "requests_d": "members' requests, hand-overs to others",
    "sessions_d": "sessions",
    "logs_d": "logs",
}


def period_lines(periods: Mapping[str, int]) -> list[str]:
    """A line for what else is kept."""
    return ["Also kept: " + "; ".join(f"{what} {periods[name]} days" for name, what in _PERIODS.items()) + "."]
