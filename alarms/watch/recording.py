"""Watches cameras, spool and hour keys by the recorders' reports."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from alarms.conditions import Condition, Kind
from alarms.watch.rates import Growth
from alarms.watch.roles import known
from runtime.status import name_of

NO_PICTURES_S: Final = 60.0
"""A recorder gives a silent camera up sooner; this is for one that is connected, and whose pictures stand still."""
NEARLY_FULL: Final = 0.97
_FILLING_FROM: Final = 0.05  # of the spool; less is the ordinary coming and going
_WAITS_FOR: Final = frozenset(
    {Kind.STORE, Kind.DATABASE, Kind.SPOOL_FULL, Kind.DISK_FULL, Kind.READ_ONLY, Kind.KEYS, Kind.ROLE, Kind.RESTARTS}
)
_STATES: Final = {
    "connecting": "cannot be reached",
    "refused": "refuses the recorder",
    "waiting": "is not recorded",
    "failed": "is not recorded",
}


class Recording:
    """Remembers figures of earlier looks: pictures counted, the spool's growth."""

    def __init__(self, *, spool_full_h: float, keys_left_h: float) -> None:
        self._spool_full_h, self._keys_left_h = spool_full_h, keys_left_h
        self._frames: dict[str, tuple[int, float]] = {}  # pictures, and when there were more than before
        self._spools: dict[str, Growth] = {}

    def look(self, mono_s: float, statuses: Sequence[Mapping[str, Any]]) -> Iterator[Condition]:
        """Conditions now."""
        for status in known(statuses, "ingest"):
            for camera_id, camera in status.get("cameras", {}).items():
                if (found := self._camera(mono_s, camera_id, camera)) is not None:
                    yield found
            if "spool" in status:
                yield from self._spool(mono_s, name_of(status), status["spool"])
            if "keys_ahead_s" in status and status["cameras"]:
                yield from self._keys(name_of(status), status["keys_ahead_s"] / 3600)

    def _camera(self, mono_s: float, camera_id: str, camera: Mapping[str, Any]) -> Condition | None:
        name, state, frames = camera["name"], camera["state"], camera["frames"]
        before, since_s = self._frames.get(camera_id, (-1, mono_s))
        if frames != before:
            since_s = mono_s
        self._frames[camera_id] = (frames, since_s)
        if state == "stopped":
            return None
        if state in _STATES:
            what = f"Camera {name} {_STATES[state]}."
            remedy = str(camera.get("remedy", ""))  # without its last error, which names its address
        elif mono_s - since_s >= NO_PICTURES_S:
            what, remedy = f"Camera {name} is connected but gives no pictures.", "Restart it; check its network."
        else:
            return None
        explained = _WAITS_FOR if state == "waiting" else frozenset({Kind.RESTARTS})
        return Condition(kind=Kind.CAMERA, subject=camera_id, what=what, remedy=remedy, explained_by=explained)

    def _spool(self, mono_s: float, name: str, spool: Mapping[str, Any]) -> Iterator[Condition]:
        growth = self._spools.setdefault(name, Growth(window_s=600, least_s=60))
        size, most = spool["bytes"], spool["max_bytes"]
        growth.add(mono_s, size)
        if most <= 0:
            return
        if size >= NEARLY_FULL * most:
            yield Condition(
                kind=Kind.SPOOL_FULL,
                subject=name,
                what=f"The spool of {name} is full: footage is being lost.",
                remedy="Check the object store and the database, or configure a larger spool.",
            )
            return
        hours = growth.hours_until(most - size)
        if size >= _FILLING_FROM * most and hours <= self._spool_full_h:
            yield Condition(
                kind=Kind.SPOOL,
                subject=name,
                what=f"The spool of {name} will be full in {hours_text(hours)} at the present rate.",
                remedy="Check the object store and the database: footage is lost once it is full.",
                explained_by=frozenset({Kind.STORE, Kind.DATABASE}),
            )

    def _keys(self, name: str, hours: float) -> Iterator[Condition]:
        if hours <= self._keys_left_h:
            yield Condition(
                kind=Kind.KEYS,
                subject=name,
                what=f"{name[0].upper()}{name[1:]} has keys for {max(0, math.floor(hours))} h of recording only.",
                remedy="Check that the custodian runs and reaches the database: it makes keys for two weeks ahead.",
                explained_by=frozenset({Kind.DATABASE, (Kind.ROLE, "custodian")}),
            )


def hours_text(hours: float) -> str:
    """ "12 min", "5 h"."""
    return f"{max(1, round(hours * 60))} min" if hours < 1.5 else f"{round(hours)} h"
