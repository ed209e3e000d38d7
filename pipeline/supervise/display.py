"""The live block: a line per camera, a line per problem."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from domain.time import to_iso
from pipeline.supervise.disk import disk_trouble
from pipeline.supervise.terminal import bits, size
from runtime.status import NOT_KNOWN, name_of

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
    """Yield remarks about a camera, if there are any."""
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
    if camera.get("substream", "") not in ("", "closed", "open"):
        said += f"  substream: {camera['substream']}"
    if camera.get("sound"):
        said += f"  sound: {camera['sound']}"
    return said


def summary_line(statuses: Sequence[dict[str, Any]]) -> str:
    """Return a line about spool, index and alarms."""
    parts = []
    for status in statuses:
        if status.get("role") == "ingest" and "spool" in status:
            spool = status["spool"]
            parts.append(f"spool {size(spool['bytes'])}, {spool['pending']} to upload, {spool['uploaded']} uploaded")
            parts.append(f"packets taken by {status.get('packets_by', '?')}")
        elif status.get("role") == "index" and "committed" in status:
            parts.append(f"events {status['committed']}, tags {status.get('tags', 0)}")
        elif status.get("role") == "notify" and (status.get("raised_count") or status.get("waiting")):
            parts.append(f"alarms {status['raised_count']} raised, {status['waiting']} messages to send")
    return " " + "; ".join(parts) if parts else ""


def waiting_lines(statuses: Sequence[dict[str, Any]]) -> list[str]:
    """Which role waits for which part, and since when."""
    return [
        f" … {name_of(status)} waits for the {part} since {to_iso(since_ns)}"
        for status in statuses
        for part, since_ns in sorted(_waits(status).items())
    ]


def _waits(status: dict[str, Any]) -> dict[str, int]:
    found: dict[str, int] = {}
    for problem in status.get("problems", []):
        if part := problem.get("waits_for"):
            found[part] = min(problem["since_ns"], found.get(part, problem["since_ns"]))
    return found


def service_lines(statuses: Sequence[dict[str, Any]]) -> list[str]:
    """The embedded services, as `tallenne up` finds them: their state, its age, restarts."""
    lines = []
    for status in statuses:
        for name, one in status.get("services", {}).items():
            age = f"answered {one['answered_s']:.0f} s ago"
            again = f", started again {one['restarts']} times" if one["restarts"] else ""
            lines.append(f"{name:<10} {one['state']:<10} {age}{again}")
    return lines


def quarantine_lines(statuses: Sequence[dict[str, Any]]) -> list[str]:
    """Door messages that were not understood and wait for a person; nothing when there are none."""
    waiting = sum(status.get("quarantine_waiting") or 0 for status in statuses if status.get("role") == "index")
    return [f" ! {waiting} door messages are in quarantine: `tallenne quarantine list`"] if waiting else []


def backup_lines(statuses: Sequence[dict[str, Any]]) -> list[str]:
    """How old the last backup and the last good drill are."""
    return [
        f"backup: everything until {_when(status['last_ns'])}, {status['sets']} sets"
        f" since {_when(status['oldest_ns'])}; last good drill {_when(status['good_drill_ns'])}"
        for status in statuses
        if status.get("role") == "backup" and "last_ns" in status
    ]


def _when(at_ns: int) -> str:
    return to_iso(at_ns) if at_ns else "never"


def disk_lines(statuses: Sequence[dict[str, Any]]) -> list[str]:
    """How full each disk is, and when it will be, by what the role notify measures."""
    return [
        f"disk of {name}: {size(disk['free_bytes'])} of {size(disk['total_bytes'])} free, {_outlook(disk)}"
        for status in statuses
        if status.get("role") == "notify"
        for name, disk in status.get("disks", {}).items()
    ]


def _outlook(disk: dict[str, Any]) -> str:
    if not disk["measured"]:
        return "how fast it fills is not known before a quarter of an hour"
    hours = disk["full_in_h"]
    if hours is None:
        return "it does not fill at present"
    left = f"{hours / 24:.0f} days" if hours >= 48 else f"{hours:.0f} h" if hours >= 2 else f"{hours * 60:.0f} min"
    return f"full in {left} at the rate of the last hour"


def problem_lines(statuses: Sequence[dict[str, Any]], data: Path | None = None) -> list[str]:
    """What is wrong and what to do. ``data``: the data directory, whose disk may keep the roles from saying so."""
    lines = [
        f" ! {name_of(status)}: {problem['what']} {problem['remedy']}"
        for status in statuses
        for problem in status.get("problems", [])
    ]
    trouble = disk_trouble(data) if data is not None and data.exists() else ""
    if trouble and not any(trouble in line for line in lines):
        lines.append(f" ! disk: The disk under {data} {trouble}. Make room on it, or make it writable.")
    return lines
