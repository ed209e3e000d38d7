"""A role as a process: its settings, its log, its signals, its exit code."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import uvloop

from domain.errors import MisuseError, TallenneError
from pipeline.exit_codes import MISUSE, OK, RETRY
from pipeline.signals import stop_event

Role = Callable[[Any, asyncio.Event], Awaitable[None]]


def run_role(role: Role, settings: Any) -> int:
    """Run it until a signal stops it."""
    logging.basicConfig(
        stream=sys.stderr, level=logging.INFO, format="%(asctime)s.%(msecs)03dZ %(levelname)s %(name)s %(message)s"
    )
    logging.getLogger("httpx").setLevel(logging.WARNING)
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_until_stopped(role, settings))
    except MisuseError as error:
        print(f"tallenne: {error}", file=sys.stderr)
        return MISUSE
    except TallenneError as error:
        print(f"tallenne: {error}", file=sys.stderr)
        return RETRY
    return OK


async def _until_stopped(role: Role, settings: Any) -> None:
    await role(settings, stop_event())
