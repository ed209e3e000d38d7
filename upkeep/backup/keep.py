"""Removes sets whose time is over, and those that were never finished."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from domain.time import DAY_NS
from runtime.failpoints import hit
from storage.backup.place import BackupPlace
from upkeep.backup.parts import BASE
from upkeep.backup.reader import SetListing, list_sets


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """After a round."""

    sets: int = 0
    oldest_ns: int = 0
    removed: int = 0
    parts: Mapping[str, int] = field(default_factory=dict)  # of the log without a hole, by whole set


async def keep(
    place: BackupPlace, *, now_ns: int, keep_d: int, writing: Collection[str], halves_before_ns: int
) -> Kept:
    """Remove sets that began more than ``keep_d`` days ago; the newest whole one stays, whatever its age.

    writing: sets that are being written; halves_before_ns: half-written others are removed if they began before
    Raises OSError and the store's errors; again after a crash.
    """
    sets = await list_sets(place)
    newest = next((one.set_id for one in reversed(sets) if not one.half), "")
    others = [one for one in sets if one.set_id not in (*writing, newest)]
    before_ns = now_ns - keep_d * DAY_NS
    over = [one for one in others if one.created_ns < (halves_before_ns if one.half else before_ns)]
    for one in over:
        await remove(place, one)
    left = [one for one in sets if one not in over and not one.half]
    return Kept(
        sets=len(left),
        oldest_ns=left[0].created_ns if left else 0,
        removed=len(over),
        parts={one.set_id: one.logs for one in left},
    )


async def remove(place: BackupPlace, listing: SetListing) -> None:
    """``base`` first: what a crash leaves of it is a half-written set."""
    for name in sorted(listing.names, key=lambda name: name != BASE):
        await place.delete(f"{listing.set_id}/{name}")
        hit("backup.removed")
