"""The notify role: looks every two seconds, puts notices into the outbox, sends them, and reports raised alarms."""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from functools import partial
from typing import Any, Final
from zoneinfo import ZoneInfo

from alarms.conditions import ESSENTIAL
from alarms.errors import ChannelRefusedError
from alarms.send.channels import Send, channels, kind_of
from alarms.send.http import call_dead_man
from alarms.settings import AlarmSettings
from alarms.state.incidents import Incidents, Watched
from alarms.state.journal import Journal
from alarms.state.outbox import Outbox
from alarms.state.wording import Writer
from alarms.watch.observer import Observer
from alarms.watch.roles import known
from alarms.watch.snapshot import Snapshot, look
from domain.errors import RetryableError, TallenneError
from runtime.pause import pause
from runtime.problems import Problems
from runtime.status import StatusFile
from runtime.supervise import supervised

LOOK_EVERY_S: Final = 2.0
SEND_EVERY_S: Final = 1.0
SAVE_EVERY_S: Final = 30.0
"""How long a pending condition has lasted; what is raised and what waits is saved at once."""
DEAD_MAN_EVERY_S: Final = 60.0
SHOWN_MAX: Final = 50
_log = logging.getLogger(__name__)


async def run(settings: AlarmSettings, stop: asyncio.Event) -> None:
    """Until ``stop``. PrivateFileError when others may read what it keeps."""
    journal = Journal(settings.directory)
    role = _Role(settings, journal)
    async with supervised(role.problems) as tasks:
        tasks.every(LOOK_EVERY_S, "look", role.look)
        tasks.every(role.file.period_s, "status", role.write)
        for target, send in channels(settings).items():
            tasks.forever(
                f"sending by {kind_of(target)}", partial(role.send, target, send, stop), drain=True, restart=True
            )
        if settings.dead_man_url:
            tasks.every(DEAD_MAN_EVERY_S, "dead-man's URL", role.call_dead_man, longest_s=DEAD_MAN_EVERY_S)
        await stop.wait()
    role.save()
    role.file.remove()


class _Role:
    """The cores of the role, and their status."""

    def __init__(self, settings: AlarmSettings, journal: Journal) -> None:
        self._settings, self._journal = settings, journal
        self.problems = Problems()
        self.file = StatusFile(settings.run_directory, "notify")
        self._observer = Observer(settings.watch, settings.roles)
        self._writer = Writer(installation=settings.name, zone=ZoneInfo(settings.time_zone))
        self._incidents, self._outbox = _restored(settings, journal)
        self._outbox.aim(channels(settings))
        self._snapshot: Snapshot | None = None
        self._saved_s = 0.0
        self.problems.watch("alarms' file", self._unsaved)
        self.problems.watch("sending", self._unsent)

    async def look(self) -> None:
        """Look, raise and clear."""
        settings = self._settings
        self._snapshot = look(settings.run_directory, settings.disks, settings.directory)
        before = len(self._incidents.raised())
        notices = self._incidents.push(self._snapshot.now_ns, self._observer.look(self._snapshot))
        for notice in notices:
            self._outbox.put(notice)
            _log.info("%s: %s", notice.change, "; ".join(line.what for line in notice.lines))
        changed = bool(notices) or before != len(self._incidents.raised())
        if changed or time.monotonic() - self._saved_s >= SAVE_EVERY_S:
            self.save()

    def save(self) -> None:
        """Save incidents and outbox."""
        self._saved_s = time.monotonic()
        self._journal.save({"incidents": self._incidents.as_json(), "outbox": self._outbox.as_json()})

    async def send(self, target: str, send: Send, stop: asyncio.Event) -> None:
        """Send what waits for one target, in order, until ``stop``. One that is being sent is sent to its end."""
        while not await pause(stop, SEND_EVERY_S):
            while not stop.is_set() and (notice := self._outbox.next(target, time.time_ns())) is not None:
                try:
                    await send(notice, self._writer)
                except TallenneError as error:
                    refused = isinstance(error, ChannelRefusedError)
                    self._outbox.failed(target, notice.notice_id, time.time_ns(), str(error), refused=refused)
                else:
                    self._outbox.delivered(target, notice.notice_id, time.time_ns())
                self.save()

    async def call_dead_man(self) -> None:
        """Call the dead-man's URL if all is well. ChannelAwayError."""
        if self._snapshot is not None and self._well(self._snapshot):
            await call_dead_man(self._settings.dead_man_url)

    def _well(self, snapshot: Snapshot) -> bool:
        """Whether every role reports, and no essential condition is raised."""
        heard = all(known(snapshot.statuses, role) for role in self._settings.roles)
        lasting = (one for one in self._incidents.raised() if one.over_since_ns(snapshot.now_ns) is None)
        return heard and not any(one.condition.kind in ESSENTIAL for one in lasting)

    async def write(self) -> None:
        """Write the status file: raised alarms, without addresses of recipients."""
        problems = self.problems.present()
        now_ns = 0 if self._snapshot is None else self._snapshot.now_ns
        raised = [_shown(one, now_ns) for one in self._incidents.raised()]
        self.file.write(
            "starting" if self._snapshot is None else "degraded" if problems else "ready",
            problems=problems,
            raised=raised[:SHOWN_MAX],
            raised_count=sum(one["over_since_ns"] is None for one in raised),
            waiting=self._outbox.waiting(),
            given_up=self._outbox.given_up,
            channels=len(self._outbox.targets),
            disks={} if self._snapshot is None else self._observer.disks(self._snapshot),
        )

    def _unsaved(self) -> TallenneError | None:
        if not self._journal.refusal:
            return None
        what = f"Raised alarms and waiting messages cannot be saved ({self._journal.refusal})."
        return RetryableError(what, "Messages are sent nevertheless, but a restart would forget them. Check the disk.")

    def _unsent(self) -> TallenneError | None:
        found = [target.last_error for target in self._outbox.targets.values() if target.last_error]
        return RetryableError(found[0], "`tallenne alarms` shows the waiting messages.") if found else None


def _restored(settings: AlarmSettings, journal: Journal) -> tuple[Incidents, Outbox]:
    """Restore the state from the file; begin anew if it is invalid."""
    saved = journal.load()
    try:
        return Incidents(settings.rules, _new_id, saved.get("incidents")), Outbox(saved.get("outbox"))
    except (KeyError, TypeError, ValueError):
        _log.exception("the saved alarms cannot be read; they are determined anew")
        return Incidents(settings.rules, _new_id), Outbox()


def _new_id() -> str:
    return uuid.uuid4().hex


def _shown(one: Watched, now_ns: int) -> dict[str, Any]:
    condition = one.condition
    return {
        "urgent": condition.kind in ESSENTIAL,
        "kind": condition.kind,
        "subject": condition.subject,
        "what": condition.what,
        "remedy": condition.remedy,
        "since_ns": one.since_ns,
        "over_since_ns": one.over_since_ns(now_ns),
    }
