"""A changed configuration takes effect while everything runs: cameras, doors, mappings, members of a site."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping
from typing import Any

from domain.errors import TallenneError
from pipeline.config.load import Loaded, load, stamp_of
from pipeline.config.model import Config
from pipeline.config.roles import RoleSettings
from pipeline.running import Running
from pipeline.supervise.ready import wait_ready
from runtime.database import connect
from storage.catalogue.inventory import apply_inventory

_log = logging.getLogger(__name__)
_TAKEN_UP_S = 30.0
_LIVE = ("site", "door_system", "alarms")
"""Sections that take effect without a restart; a change of any other is reported."""


class Changes:
    """Call ``look()`` now and then: it checks a changed file, and applies it or reports its mistakes.

    stop: when everything is being stopped, nothing is waited for any more
    """

    def __init__(self, running: Running, stop: asyncio.Event) -> None:
        self._running = running
        self._stop = stop
        self._loaded = running.settings.loaded
        self._seen = self._loaded.stamp  # what was changed while everything started is a change, too

    async def look(self) -> None:
        """Look at the file. For mistakes in it the old configuration stays in force, and they are printed."""
        stamp = stamp_of(self._loaded.path)
        if stamp == self._seen:
            return
        self._seen = stamp
        tell = self._running.tell
        try:
            fresh = load(self._loaded.path)
            await self._apply(fresh)
        except TallenneError as error:
            tell.line(f"! The changed configuration is not used. {error}")
            return
        except Exception as error:  # noqa: BLE001 (what is running goes on)
            _log.exception("the changed configuration")
            tell.line(f"! The changed configuration is not used: a programming error ({type(error).__name__}).")
            return
        for name in needing_restart(self._loaded.config, fresh.config):
            tell.line(f"! [{name}] was changed: that takes effect at the next start.")
        self._loaded = fresh
        try:
            await self._taken_up()
        except TallenneError as error:
            tell.line(f"! The changed configuration is not in force everywhere yet. {error}")
        else:
            tell.line("The changed configuration is in force.")

    async def _apply(self, fresh: Loaded) -> None:
        running = self._running
        settings = RoleSettings(loaded=fresh, installation=running.installation, endpoints=running.settings.endpoints)
        conn = await connect(settings.database("owner"))
        try:
            await apply_inventory(conn, settings.inventory(), time.time_ns())
        finally:
            await conn.close()
        if fresh.config.door_system != self._loaded.config.door_system:
            await asyncio.to_thread(running.services.apply, fresh.config)
        for name, process in running.processes.items():
            if name.startswith("ingest"):
                process.reload()
            elif name == "index" or (name == "notify" and fresh.config.alarms != self._loaded.config.alarms):
                process.restart()  # nothing is lost: its session, or what it has raised and must send, is kept

    async def _taken_up(self) -> None:
        """Until the index role is back and subscribed.

        What a door sends to a new topic before that, the broker acknowledges and discards, for lack of a subscription.
        """
        running = self._running
        index = [process for name, process in running.processes.items() if name == "index"]
        run = running.installation.run
        await wait_ready(run, index, timeout_s=_TAKEN_UP_S, ready=_subscribed, stop=self._stop)


def _subscribed(status: Mapping[str, Any]) -> bool:
    """A broker that is away makes the role degraded: it is up, and subscribed to nothing."""
    return bool(status.get("subscribed"))


def needing_restart(old: Config, new: Config) -> list[str]:
    """Sections that differ and are read only at the start."""
    return [name for name in Config.model_fields if name not in _LIVE and getattr(old, name) != getattr(new, name)]
