"""The converting process as its parent has it: started, confined, and ended with the block, whatever becomes of it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from live.protocol import Kind, read_frame, read_message
from runtime.sandbox.decoder import worker_command, worker_environment
from runtime.sandbox.held import Held, words

_log = logging.getLogger(__name__)
START_S: Final = 20.0
"""The time that a new process gets: it loads libav, on a machine that may be busy."""
FRAME_MAX: Final = 8 << 20
"""The longest frame that is read from it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Converting:
    """A process that waits for pictures, its pipes, and what confines it."""

    process: Process
    stdin: asyncio.StreamWriter
    stdout: asyncio.StreamReader
    held: Held


@asynccontextmanager
async def converting_process() -> AsyncIterator[Converting]:
    """Killed at the end of the block. OSError, TimeoutError, ConnectionError, FrameError: it does not start."""
    process = await asyncio.create_subprocess_exec(
        *worker_command("live.converting.worker"),
        stdin=PIPE,
        stdout=PIPE,
        stderr=DEVNULL,
        env=worker_environment(),
    )
    try:
        assert process.stdin is not None
        assert process.stdout is not None
        async with asyncio.timeout(START_S):
            held = _confined(await read_frame(process.stdout, FRAME_MAX))
        yield Converting(process=process, stdin=process.stdin, stdout=process.stdout, held=held)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def _confined(frame: tuple[Kind, bytes] | None) -> Held:
    if frame is None or frame[0] is not Kind.MESSAGE:
        raise ConnectionError
    held = Held.load(read_message(frame[1]))
    if held.lacks:
        _log.warning("the converting process is not confined as to %s", words(held.lacks))
    return held
