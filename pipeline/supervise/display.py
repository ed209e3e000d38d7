"""The live block: a line per camera, a line per problem."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from domain.time import to_iso
from pipeline.supervise.disk import disk_trouble
from pipeline.supervise.terminal import bits, size
from runtime.status import NOT_KNOWN

_SKEW_S = 2.0
_STATES = {"recording": "●", "connecting": "…", "refused": "✗", "waiting": "!", "failed": "✗", "stopped": "-"}


def camera_lines(statuses: Sequence[dict[str, Any]]) -> list[str]:
    """From the roles' status files."""
    lines = []
    for status in statuses:
        for camera in status.get("cameras", {}).values() if status.get("role") == "ingest" else ():
            if status["state"] in NOT_KNOWN:
                lines.append(f" ? {camera['name']:<16} unknown since {to_iso(status['updated_ns'])}")
                continue
            lag = camera["lag_s"]
            lines.append(
                f" {_STATES.get(camera['state'], '?')} {camera['name']:<16} {camera['state']:<10}"
                f" {bits(camera['bits_per_s']):>11}  {camera['frames_per_s']:>4.1f}/s"
                f"  {camera['segments']:>4} segments  {camera['gaps']:>3} gaps"
                f"  lag {f'{lag:.0f}' if lag is not None else '?':>2} s" + _remarks(camera)
            )
    return lines


def _remarks(camera: dict[str, Any]) -> str:
    """What is only said when it is so."""
    said = ""
    if camera.get("losses"):
        said += f"  lost {camera['lost_packets']} packets ({camera['losses']} times)"
    if camera.get("damaged_frames"):
        said += f"  {camera['damaged_frames']} damaged pictures"
    skew = camera.get("skew_s")
    if skew is not None and abs(skew) >= _SKEW_S:
        said += f"  its clock {abs(skew):.0f} s {'ahead' if skew > 0 else 'behind'}"
    if camera.get("forced_cuts"):
        said += f"  {camera['forced_cuts']} cuts without a key frame"
    if camera.get("note"):
        said += f"  {camera['note']}"
    if camera.get("sound"):
        said += f"  sound: {camera['sound']}"
    return said


def summary_line(statuses: Sequence[dict[str, Any]]) -> str:
    """Spool, index, who is degraded."""
    parts = []
    for status in statuses:
        if status.get("role") == "ingest" and "spool" in status:
            spool = status["spool"]
            parts.append(f"spool {size(spool['bytes'])}, {spool['pending']} to upload, {spool['uploaded']} uploaded")
        elif status.get("role") == "index" and "committed" in status:
            parts.append(f"events {status['committed']}, tags {status.get('tags', 0)}")
        elif status.get("role") == "notify" and (status.get("raised_count") or status.get("waiting")):
            parts.append(f"alarms {status['raised_count']} raised, {status['waiting']} messages to send")
    return " " + "; ".join(parts) if parts else ""


def problem_lines(statuses: Sequence[dict[str, Any]], data: Path | None = None) -> list[str]:
    """What is wrong and what to do. ``data``: the data directory, whose disk may keep the roles from saying so."""
    lines = [
        f" ! {status['role']}: {problem['what']} {problem['remedy']}"
        for status in statuses
        for problem in status.get("problems", [])
    ]
    trouble = disk_trouble(data) if data is not None and data.exists() else ""
    if trouble and not any(trouble in line for line in lines):
        lines.append(f" ! disk: The disk under {data} {trouble}. Make room on it, or make it writable.")
    return lines
