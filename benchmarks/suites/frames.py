"""How many pictures are missing, from what the catalogue says afterwards."""

from __future__ import annotations

from dataclasses import dataclass

from runtime import sql
from runtime.database import connect
from runtime.settings import DatabaseSettings

_PACKAGE = "benchmarks"


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameCount:
    """frames_lost: pictures that gaps other than a start's or a stop's are long, and those missing inside segments."""

    frames: int
    segments: int
    frames_lost: int
    gap_s: float  # of the gaps that count


async def count_frames(owner: DatabaseSettings, since_ns: int, fps: int) -> FrameCount:
    """Of all cameras, of segments that began at ``since_ns`` or later."""
    conn = await connect(owner)
    try:
        row = await conn.fetchrow(sql.load(_PACKAGE, "frames"), since_ns, fps)
    finally:
        await conn.close()
    gap_s = float(row["gap_ns"]) / 1e9
    return FrameCount(
        frames=row["frames"],
        segments=row["segments"],
        frames_lost=row["missing"] + round(gap_s * fps),
        gap_s=gap_s,
    )
