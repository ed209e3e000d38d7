"""The live block: a line per camera, a line per problem."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pipeline.terminal import bits, size

_STATES = {"recording": "●", "connecting": "…", "refused": "✗", "waiting": "!", "failed": "✗", "stopped": "-"}


def camera_lines(statuses: Sequence[dict[str, Any]]) -> list[str]:
    """From the roles' status files."""
    lines = []
    for status in statuses:
        for camera in status.get("cameras", {}).values() if status.get("role") == "ingest" else ():
            lag = camera["lag_s"]
            lines.append(
                f" {_STATES.get(camera['state'], '?')} {camera['name']:<16} {camera['state']:<10}"
                f" {bits(camera['bits_per_s']):>11}  {camera['frames_per_s']:>4.1f}/s"
                f"  {camera['segments']:>4} segments  {camera['gaps']:>3} gaps"
                f"  lag {f'{lag:.0f}' if lag is not None else '?':>2} s"
            )
    return lines


def summary_line(statuses: Sequence[dict[str, Any]]) -> str:
    """Spool, index, who is degraded."""
    parts = []
    for status in statuses:
        if status.get("role") == "ingest" and "spool" in status:
            spool = status["spool"]
            parts.append(f"spool {size(spool['bytes'])}, {spool['pending']} to upload, {spool['uploaded']} uploaded")
        elif status.get("role") == "index" and "committed" in status:
            parts.append(f"events {status['committed']}, tags {status.get('tags', 0)}")
    return " " + "; ".join(parts) if parts else ""


def problem_lines(statuses: Sequence[dict[str, Any]]) -> list[str]:
    """What is wrong and what to do."""
    return [
        f" ! {status['role']}: {problem['what']} {problem['remedy']}"
        for status in statuses
        for problem in status.get("problems", [])
    ]
