"""Thumbnails from the decoding process: one at a time, killed when it takes too long, started again when needed."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections import OrderedDict
from typing import Annotated, Final

from fastapi import Depends

from api.errors import NoPictureError
from api.footage.cache import KEPT_NS, ClipRequest
from api.footage.thumbnail.worker import INPUT_MAX, LENGTH, REQUEST
from api.http.problems import Problem
from api.http.provide import provided

DEADLINE_S: Final = 4.0
WAITING_MAX: Final = 64
KEPT_MAX: Final = 256
"""About ten kilobytes each."""


class Pictures:
    """Not for several event loops. What was made is kept for five minutes for the very same request, in memory only."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._process: Process | None = None
        self._waiting = 0
        self._kept: OrderedDict[ClipRequest, tuple[int, bytes]] = OrderedDict()

    def kept(self, asked: ClipRequest, now_ns: int) -> bytes | None:
        """A picture made lately for the same session, purpose, camera and moment."""
        found = self._kept.get(asked)
        return found[1] if found is not None and now_ns - found[0] < KEPT_NS else None

    async def make(self, asked: ClipRequest, clip: bytes, now_ns: int, *, at_us: int = 0) -> bytes:
        """JPEG of the picture at a time of the clip, in microseconds from its start.

        NoPictureError when nothing can be decoded in time; 429 when too many are asked for at once.
        """
        if self._waiting >= WAITING_MAX:
            raise Problem(429, "busy", "Too many pictures at once.", "Wait a little.", headers={"Retry-After": "2"})
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
            async with asyncio.timeout(DEADLINE_S):
                made = await self._exchange(clip, at_us)
            whole = True
        except (TimeoutError, OSError, asyncio.IncompleteReadError) as exc:
            raise NoPictureError("A picture could not be decoded in time.") from exc
        finally:
            # Whatever ended the exchange early, cancelling included: the next one must not read this one's answer.
            if not whole:
                await self._kill()
        if not made:
            raise NoPictureError("There is no picture that can be decoded.")
        return made

    async def _exchange(self, clip: bytes, at_us: int) -> bytes:
        if self._process is None or self._process.returncode is not None:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "api.footage.thumbnail.worker"),
                stdin=PIPE,
                stdout=PIPE,
                env={"PYTHONPATH": os.pathsep.join(path for path in sys.path if path), "PYTHONDONTWRITEBYTECODE": "1"},
            )
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(REQUEST.pack(len(clip), at_us) + clip)
        await process.stdin.drain()
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
