"""`tallenne up`: starts services, database and roles from one command, and stops them again by Ctrl-C.

The roles' processes are started first, and load their modules; what this process needs for the rest it loads meanwhile.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.config.load import Loaded, load
from pipeline.errors import SetupError
from pipeline.installation import Installation
from pipeline.signals import stop_event
from pipeline.supervise.disk import takes_no_writes
from pipeline.supervise.display import camera_lines, problem_lines, summary_line
from pipeline.supervise.leftovers import end_leftovers
from pipeline.supervise.log_files import turn_logs
from pipeline.supervise.roles import Roles
from pipeline.supervise.tell import Tell
from runtime.pause import pause

if TYPE_CHECKING:
    from pipeline.demo.gym import DemoGym
    from pipeline.running import Running

DEFAULT_DATA = Path("data")
SPEAK_ON_A_FULL_DISK = ("up", "notify")
"""On a disk without room a status file can be replaced in place, but not made: these two are kept over a start."""
_SHOW_EVERY_S = 1.0
_LOGS_EVERY_S = 3600.0
_SHOW_EVERY_WITHOUT_TERMINAL_S = 15.0


@dataclass(frozen=True, slots=True, kw_only=True)
class UpOptions:
    """Options of the command line."""

    config: Path | None  # None: the demo
    data: Path | None
    cameras: int | None = None


@contextlib.asynccontextmanager
async def running(options: UpOptions, tell: Tell, stop: asyncio.Event | None = None) -> AsyncIterator[Running]:
    """Start everything; stop it on leaving, whatever happened. SetupError, ServiceError, ConfigError, StorageError.

    stop: when it is set, a start that waits for room on the disk is given up
    """
    loaded, installation, gym = await _opened(options, tell, stop or asyncio.Event())
    tell.line(f"Tallenne starts on {installation.root}")
    roles = Roles(loaded, installation, tell)
    try:
        roles.load(demo=gym is not None)
        await asyncio.sleep(0)  # their processes start before this thread is busy with loading
        from pipeline.starting import started

        async with started(loaded, installation, gym, roles, tell, stop or asyncio.Event()) as everything:
            yield everything
    finally:
        await roles.stop()


async def _opened(options: UpOptions, tell: Tell, stop: asyncio.Event) -> tuple[Loaded, Installation, DemoGym | None]:
    """Read the configuration, or make the demo's, and take the data directory. SetupError, ConfigError.

    A disk that takes no writes is waited for. DiskTroubleError: ``stop`` was set meanwhile.
    """
    loaded = load(options.config) if options.config else None
    if loaded and loaded.config.apart:
        raise SetupError(
            f"{loaded.path} describes roles under users, or on machines, of their own (run, roles, custodian.users).",
            "Start each by itself, under its user: `tallenne custodian` and so on; see pipeline/APART.md.",
        )
    root = options.data or (loaded.resolve(loaded.config.data) if loaded and loaded.config.data else DEFAULT_DATA)
    installation = Installation(root.absolute())
    installation.require_restored()
    installation.prepare()
    installation.lock()
    if takes_no_writes(installation.root):
        from pipeline.starting import wait_until_writable

        await wait_until_writable(loaded, installation, tell, stop)
    if await asyncio.to_thread(end_leftovers, installation.root):
        tell.line("  roles that an earlier run had left behind were ended")
    for left_over in installation.run.glob("*-*.json"):
        if left_over.name.partition("-")[0] not in SPEAK_ON_A_FULL_DISK:
            left_over.unlink()
    if loaded is not None:
        return loaded, installation, None
    from pipeline.demo.gym import make_demo

    gym, path = make_demo(installation, options.cameras)
    return load(path), installation, gym


async def up(options: UpOptions, tell: Tell, banner: Callable[[Running], list[str]]) -> None:
    """Run until Ctrl-C or SIGTERM."""
    stop = stop_event()
    async with running(options, tell, stop) as everything:
        from pipeline.backup.schedule import DrillSchedule
        from pipeline.reload import Changes

        for line in banner(everything):
            tell.line(line)
        shown_s = turned_s = 0.0
        changed = Changes(everything, stop)
        drills = DrillSchedule(everything.settings.loaded, everything.installation)
        while not stop.is_set():
            now_s = time.monotonic()
            every_s = _SHOW_EVERY_S if tell.terminal else _SHOW_EVERY_WITHOUT_TERMINAL_S
            await changed.look()
            if now_s - turned_s >= _LOGS_EVERY_S:
                turned_s = now_s
                _turn_logs(everything)
                with contextlib.suppress(OSError):  # the alarm says that none was made
                    await drills.look()
            if now_s - shown_s >= every_s:
                shown_s = now_s
                found = everything.statuses()
                tell.live(
                    [*camera_lines(found), summary_line(found), *problem_lines(found, everything.installation.root)]
                )
            await pause(stop, 0.5)
        await drills.close()


def _turn_logs(everything: Running) -> None:
    with contextlib.suppress(OSError):  # a full disk is said otherwise; an hour later it is tried again
        turn_logs(everything.installation.logs, everything.settings.loaded.config.retention.logs_d)
