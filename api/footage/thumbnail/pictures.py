"""Gets thumbnails from the decoding process: one at a time. It is killed when it takes too long, and restarted."""

from __future__ import annotations

import asyncio
import contextlib
import json
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections import OrderedDict
from typing import Annotated, Final

from fastapi import Depends

from api.errors import NoPictureError
from api.footage.cache import KEPT_NS, ClipRequest
from api.footage.thumbnail.pipe import INPUT_MAX, LENGTH, REQUEST
from api.http.problems import Problem
from api.http.provide import provided
from runtime.sandbox.decoder import worker_command, worker_environment
from runtime.sandbox.held import Held

DEADLINE_S: Final = 4.0
START_S: Final = 20.0
"""The time that a new process gets: it loads libav, on a machine that may be busy."""
WAITING_MAX: Final = 64
KEPT_MAX: Final = 256
"""About ten kilobytes each."""


class Pictures:
    """For one event loop. A picture is kept in memory for five minutes, for the very same request."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._process: Process | None = None
        self._waiting = 0
        self._kept: OrderedDict[ClipRequest, tuple[int, bytes]] = OrderedDict()
        self.held: Held | None = None  # what confines the process; None before there was one

    def kept(self, asked: ClipRequest, now_ns: int) -> bytes | None:
        """Return a recent picture for the same session, purpose, camera and moment."""
        found = self._kept.get(asked)
        return found[1] if found is not None and now_ns - found[0] < KEPT_NS else None

    async def make(self, asked: ClipRequest, clip: bytes, now_ns: int, *, at_us: int = 0) -> bytes:
        """JPEG of the picture at a time of the clip, in microseconds from its start.

        NoPictureError when nothing can be decoded in time; 429 when too many are asked for at once.
        """
        if self._waiting >= WAITING_MAX:
            raise Problem(
                429, "busy", "Too many pictures are requested at once.", "Wait a little.", headers={"Retry-After": "2"}
            )
        self._waiting += 1
        try:
            async with self._lock:
                made = await self._decoded(clip, at_us)
        finally:
            self._waiting -= 1
        self._kept[asked] = (now_ns, made)
        while len(self._kept) > KEPT_MAX:
            self._kept.popitem(last=False)
        return made

    async def close(self) -> None:
        """At the end of the role."""
        self._kept.clear()
        async with self._lock:
            await self._kill()

    async def _decoded(self, clip: bytes, at_us: int) -> bytes:
        if len(clip) > INPUT_MAX:
            raise NoPictureError("The picture is too large.")
        whole = False
        try:
            async with asyncio.timeout(START_S):
                process = await self._running()
            async with asyncio.timeout(DEADLINE_S):
                made = await self._exchange(process, clip, at_us)
            whole = True
        except (TimeoutError, OSError, asyncio.IncompleteReadError) as exc:
            raise NoPictureError("A picture could not be decoded in time.") from exc
        finally:
            # After any early end, cancellation included, the next request must not read this one's answer.
            if not whole:
                await self._kill()
        if not made:
            raise NoPictureError("There is no picture that can be decoded.")
        return made

    async def _running(self) -> Process:
        if self._process is None or self._process.returncode is not None:
            self._process = await asyncio.create_subprocess_exec(
                *worker_command("api.footage.thumbnail.worker"),
                stdin=PIPE,
                stdout=PIPE,
                stderr=DEVNULL,
                env=worker_environment(),
            )
            self.held = Held.load(json.loads(await self._answer(self._process)))
        return self._process

    async def _exchange(self, process: Process, clip: bytes, at_us: int) -> bytes:
        assert process.stdin is not None
        process.stdin.write(REQUEST.pack(len(clip), at_us) + clip)
        await process.stdin.drain()
        return await self._answer(process)

    async def _answer(self, process: Process) -> bytes:
        assert process.stdout is not None
        (length,) = LENGTH.unpack(await process.stdout.readexactly(LENGTH.size))
        return await process.stdout.readexactly(length)

    async def _kill(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        assert process.stdin is not None
        process.stdin.close()
        await process.wait()


PicturesDep = Annotated[Pictures, Depends(provided(Pictures))]
