"""The role `live`: pictures of now, from the recorders to those who may watch."""

from __future__ import annotations

import asyncio

from custodian.client import CustodianClient
from custodian.harden import forbid_dumps
from live.converting.converted import Conversions
from live.feed import Feeds
from live.looks import Looks
from live.settings import SOCKET, LiveSettings
from live.sockets import listening
from runtime.problems import Problems
from runtime.status import StatusFile
from runtime.supervise import supervised


async def run(settings: LiveSettings, stop: asyncio.Event) -> None:
    """Until ``stop``; then all looks end. SocketError when its socket's path is taken."""
    forbid_dumps()  # pictures are in memory
    status = StatusFile(settings.run_directory, "live")
    status.write("starting")
    problems = Problems()
    feeds = Feeds(settings.run_directory, settings.feeder_uids)
    conversions = Conversions(settings.conversions_max)
    looks = Looks(settings, CustodianClient(settings.custodian_socket), feeds, conversions)

    async def write() -> None:
        """Write the status file."""
        present = problems.present()
        counts = {"looks": looks.present, "begun": looks.begun, "refused": looks.refused, "dropped": looks.dropped}
        watched = {"cameras_watched": feeds.cameras, "cameras_converted": conversions.present}
        watched["clips_converted"] = conversions.recorded
        status.write("degraded" if present else "ready", problems=present, **watched, **counts)

    try:
        async with (
            listening(settings.run_directory / SOCKET, settings.viewer_uids, looks.serve),
            supervised(problems) as tasks,
        ):
            tasks.every(status.period_s, "status", write)
            await stop.wait()
    finally:
        await conversions.close()
        await feeds.close()
    status.remove()
