"""All conditions of one look. Pure but for the memory of earlier looks that rates need."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from typing import Any, Final

from alarms.conditions import Condition, Kind, Seen
from alarms.settings import WatchSettings
from alarms.watch.backup import late_backups
from alarms.watch.machine import Machine
from alarms.watch.recording import Recording
from alarms.watch.retention import overdue
from alarms.watch.roles import RestartWatch, StartWatch, silent_roles, unknown_kinds
from alarms.watch.services import ServiceWatch
from alarms.watch.snapshot import Snapshot

CONDITIONS_MAX: Final = 500
_NOT_UNDERSTOOD: Final = Condition(
    kind=Kind.PROBLEM,
    subject="status files",
    what="A status file in the run directory cannot be read: its subject is not watched.",
    remedy="Run one version of Tallenne on this machine; remove files of others from the run directory.",
)
_log = logging.getLogger(__name__)


class Observer:
    """``look()`` at each snapshot."""

    def __init__(self, settings: WatchSettings, roles: Sequence[str]) -> None:
        """``roles``: those that must run on this machine."""
        self._settings, self._roles = settings, tuple(roles)
        self._starts = StartWatch()
        self._restarts = RestartWatch(settings.restarts)
        self._recording = Recording(spool_full_h=settings.spool_full_h, keys_left_h=settings.keys_left_h)
        self._machine = Machine(disk_full_h=settings.disk_full_h)
        self._service = ServiceWatch(settings)

    def look(self, snapshot: Snapshot) -> Seen:
        """Return the present conditions, without the kinds that are off."""
        found: list[Condition] = []
        unknown = unknown_kinds(snapshot.statuses, self._roles)
        try:
            found += self._all(snapshot)
        except (
            KeyError,
            TypeError,
            ValueError,
            AttributeError,
        ) as exc:  # a process that may write to run/ wrote nonsense
            unknown = frozenset(Kind)
            found.append(_NOT_UNDERSTOOD)
            _log.warning("a status file cannot be read: %r", exc)
        unique = {one.key: one for one in found if one.kind not in self._settings.off}
        return Seen(conditions=tuple(unique.values())[:CONDITIONS_MAX], unknown=unknown)

    def disks(self, snapshot: Snapshot) -> dict[str, dict[str, Any]]:
        """JSON: how full each disk is, and when it will be."""
        return self._machine.outlook(snapshot)

    def _all(self, snapshot: Snapshot) -> Iterator[Condition]:
        yield from silent_roles(snapshot.statuses, self._roles)
        yield from self._starts.look(snapshot.mono_s, snapshot.statuses)
        yield from self._restarts.look(snapshot.mono_s, snapshot.statuses)
        yield from self._machine.look(snapshot)
        yield from self._service.look(snapshot)
        yield from overdue(snapshot.statuses)
        yield from late_backups(snapshot.statuses, snapshot.now_ns)
        yield from self._recording.look(snapshot.mono_s, snapshot.statuses)
