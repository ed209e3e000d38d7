"""A role as a process: its settings, its log, its signals, its exit code."""

from __future__ import annotations

import asyncio
import faulthandler
import logging
import signal
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import uvloop

from domain.errors import MisuseError, TallenneError
from pipeline.exit_codes import MISUSE, OK, RETRY
from pipeline.output import log_to, say
from pipeline.signals import stop_event
from runtime.heartbeat import beating
from runtime.sandbox.outside import Outside
from runtime.sandbox.role import RolePolicy, confine_role
from runtime.supervise import stuck

_log = logging.getLogger(__name__)

Role = Callable[..., Awaitable[None]]


def run_role(
    role: Role, settings: Any, policy: RolePolicy | None = None, reload: Callable[[], Any] | None = None
) -> int:
    """Run it until a signal stops it.

    policy: what it may reach from the start on; None: everything
    reload: reads new settings when SIGUSR1 asks for it; outside of the policy, which closes their files
    """
    log_to(sys.stderr)
    faulthandler.register(signal.SIGUSR2)  # where it is stuck, before it is ended for that
    for library in ("httpx", "aioice"):  # they log addresses: of requests, of viewers
        logging.getLogger(library).setLevel(logging.WARNING)
    try:
        if policy is not None:
            reload = Outside(reload).call if reload is not None else None
            confine_role(policy)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_until_stopped(role, settings, reload))
    except MisuseError as error:
        say(f"tallenne: {error}", error=True)
        return MISUSE
    except TallenneError as error:
        say(f"tallenne: {error}", error=True)
        return RETRY
    return OK


async def _until_stopped(role: Role, settings: Any, reload: Callable[[], Any] | None) -> None:
    stop = stop_event()
    async with beating(stuck):
        await _run(role, settings, reload, stop)


async def _run(role: Role, settings: Any, reload: Callable[[], Any] | None, stop: asyncio.Event) -> None:
    if reload is None:
        await role(settings, stop)
        return
    changes: asyncio.Queue[Any] = asyncio.Queue()

    def change() -> None:
        """Read the configuration again and hand it to the role; a faulty one is logged and left."""
        try:
            changes.put_nowait(reload())
        except TallenneError as error:
            _log.error("the changed configuration is not used: %s", error)

    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, change)
    await role(settings, stop, changes)
