"""Watches disks that fill, are full or refuse writes, and this machine's clock."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from alarms.conditions import Condition, Kind
from alarms.watch.rates import Growth
from alarms.watch.recording import hours_text
from alarms.watch.roles import known
from alarms.watch.snapshot import Disk, Snapshot

LEAST_FREE_BYTES: Final = 512 * 1024 * 1024
LEAST_FREE_SHARE: Final = 0.1  # of a disk so small that the above is too much
SKEW_S: Final = 5.0
AGREE_S: Final = 2.0
UNSYNCHRONISED_S: Final = 3600.0
"""A machine that has just started, or whose time server is briefly away, is not worth a message."""
_CLOCK_TOPICS: Final = ("clock", "clock step")


class Machine:
    """Remembers the disks' growth, and since when nothing keeps the clock."""

    def __init__(self, *, disk_full_h: float) -> None:
        self._disk_full_h = disk_full_h
        self._used: dict[str, Growth] = {}
        self._unsynchronised_s: float | None = None

    def look(self, snapshot: Snapshot) -> Iterator[Condition]:
        """Conditions now."""
        for name, disk in snapshot.disks.items():
            yield from self._disk(snapshot.mono_s, name, disk)
        yield from self._clock(snapshot)

    def outlook(self, snapshot: Snapshot) -> dict[str, dict[str, Any]]:
        """JSON, by disk: bytes, and the hours until it is full at the rate of the last hour.

        None of hours: it does not fill; ``measured`` is false while too little is known to say so.
        """
        found = {}
        for name, disk in snapshot.disks.items():
            growth = self._used.get(name)
            hours = math.inf if growth is None else growth.hours_until(disk.free_bytes)
            found[name] = {
                "free_bytes": disk.free_bytes,
                "total_bytes": disk.total_bytes,
                "full_in_h": None if math.isinf(hours) else round(hours, 1),
                "measured": growth is not None and growth.per_s() is not None,
            }
        return found

    def _disk(self, mono_s: float, name: str, disk: Disk) -> Iterator[Condition]:
        growth = self._used.setdefault(name, Growth(window_s=3600, least_s=900))
        growth.add(mono_s, disk.total_bytes - disk.free_bytes)
        hours = growth.hours_until(disk.free_bytes)
        if disk.refusal:
            what = f"The disk of {name} cannot be written to ({disk.refusal})."
            yield Condition(kind=Kind.READ_ONLY, subject=name, what=what, remedy="Look into the kernel's log: dmesg.")
        if disk.free_bytes < min(LEAST_FREE_BYTES, LEAST_FREE_SHARE * disk.total_bytes):
            what = f"The disk of {name} is full: {disk.free_bytes // (1024 * 1024)} MiB are left."
            yield Condition(kind=Kind.DISK_FULL, subject=name, what=what, remedy="Make room on it.")
        elif hours <= self._disk_full_h:
            what = f"The disk of {name} will be full in {hours_text(hours)} at the present rate."
            yield Condition(kind=Kind.DISK, subject=name, what=what, remedy="Make room on it.")

    def _clock(self, snapshot: Snapshot) -> Iterator[Condition]:
        for status in known(snapshot.statuses, "ingest"):
            for problem in status.get("problems", ()):
                if (topic := problem.get("topic")) in _CLOCK_TOPICS:
                    yield _clock(topic, problem["what"], problem["remedy"])
        off_s = machine_skew_s(snapshot.statuses)
        if off_s is not None:
            how = "behind" if off_s > 0 else "ahead of"
            what = f"This machine's clock is {abs(off_s):.0f} s {how} that of most cameras."
            yield _clock("cameras", what, "Check the time of this machine: `timedatectl`, `chronyc tracking`.")
        if not snapshot.unsynchronised:
            self._unsynchronised_s = None
        elif self._unsynchronised_s is None:
            self._unsynchronised_s = snapshot.mono_s
        elif snapshot.mono_s - self._unsynchronised_s >= UNSYNCHRONISED_S:
            what = "This machine's clock is not synchronised: the kernel has had no correction for an hour."
            remedy = 'Install and start chrony; where the time comes from elsewhere, write off = ["clock"] in [alarms].'
            yield _clock("kernel", what, remedy)


def machine_skew_s(statuses: Sequence[Mapping[str, Any]]) -> float | None:
    """How far the cameras' clocks are ahead of ours, when most of three or more agree that it is much; else None."""
    cameras = [camera for status in known(statuses, "ingest") for camera in status.get("cameras", {}).values()]
    skews = [float(camera["skew_s"]) for camera in cameras if camera.get("skew_s") is not None]
    if len(skews) < 3:
        return None
    middle = statistics.median(skews)
    agree = sum(abs(skew - middle) <= AGREE_S for skew in skews)
    return middle if abs(middle) >= SKEW_S and agree * 2 > len(skews) else None


def _clock(subject: str, what: str, remedy: str) -> Condition:
    return Condition(kind=Kind.CLOCK, subject=subject, what=what, remedy=remedy)
