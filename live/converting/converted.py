"""A feed that another process converts to H.264 while it has viewers, and the limit on how many there are."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

from domain.errors import TallenneError
from live.converting.process import FRAME_MAX, converting_process
from live.errors import ConversionsFullError
from live.feed import AGAIN_S, Feed
from live.protocol import Stream, pack_stream, picture_head, read_frame
from live.viewer import Viewer
from runtime.sandbox.held import Held

_log = logging.getLogger(__name__)
WAIT_S: Final = 6.0
"""So long a recorded clip waits for a place; a player waits for ten seconds until something comes."""
WAITING_MAX: Final = 32
STUCK_S: Final = 8.0
"""A process that takes pictures and returns none for so long is stuck."""


class ConvertedFeed(Feed):
    """``run()`` starts the process, feeds it, and ends it."""

    def __init__(self, source: Feed) -> None:
        super().__init__(source.camera_id, Path(), ())
        self._source = source
        self._owed_s: float | None = None  # since when pictures have gone in and none has come out
        self.held: Held | None = None  # what confines the process
        self.process: Process | None = None

    async def run(self) -> None:
        """Convert until cancelled, whatever becomes of the process."""
        while True:
            with contextlib.suppress(TallenneError, OSError, TimeoutError):
                await self._once()
            self._stopped()
            await asyncio.sleep(AGAIN_S)

    async def _once(self) -> None:
        viewer = Viewer()
        async with converting_process() as made:
            self.process, self.held = made.process, made.held
            self._source.join(viewer)
            tasks = [
                asyncio.create_task(self._pump(viewer, made.stdin), name="pictures to convert"),
                asyncio.create_task(self._watch(made.process), name="conversion watched"),
            ]
            try:
                while (frame := await read_frame(made.stdout, FRAME_MAX)) is not None:
                    self._owed_s = None
                    self.take(*frame)
            finally:
                self._source.leave(viewer)
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    async def _pump(self, viewer: Viewer, stdin: asyncio.StreamWriter) -> None:
        """While the process is behind, the viewer leaves pictures out, up to a key frame."""
        while True:
            item = await viewer.next()
            if item is None:
                self._stopped()
            elif isinstance(item, Stream):
                stdin.write(pack_stream(replace(item, init=b"")))
            else:
                head = picture_head(
                    size_bytes=len(item.data),
                    pts_ticks=item.pts_ticks,
                    mono_ns=item.mono_ns,
                    key=item.key,
                    damaged=item.damaged,
                    replayed=item.replayed,
                )
                stdin.writelines((head, item.data))
                if self._owed_s is None:
                    self._owed_s = asyncio.get_running_loop().time()
            await stdin.drain()

    async def _watch(self, process: Process) -> None:
        """Kill a process from which nothing comes: a stream can be made to occupy a decoder for ever."""
        while True:
            await asyncio.sleep(1)
            owed_s = self._owed_s
            if owed_s is not None and asyncio.get_running_loop().time() - owed_s > STUCK_S:
                _log.warning("a converting process makes nothing of its pictures, and is ended")
                self._owed_s = None
                process.kill()


class Conversions:
    """What is converted now, live feeds and recorded clips together: at most ``most``."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._running: dict[Feed, tuple[ConvertedFeed, asyncio.Task[None]]] = {}
        self._ending: set[asyncio.Task[None]] = set()
        self._recorded = 0
        self._waiting = 0
        self._turn = asyncio.Lock()  # which is given in the order of coming
        self._freed = asyncio.Event()

    @property
    def present(self) -> int:
        """How many live feeds there are."""
        return len(self._running)

    @property
    def recorded(self) -> int:
        """How many recorded clips."""
        return self._recorded

    @property
    def _full(self) -> bool:
        return len(self._running) + self._recorded >= self.most

    def _refusal(self) -> ConversionsFullError:
        return ConversionsFullError(
            f"{self.most} cameras are converted to H.264 already.", "Raise [live] conversions_max, or H.264."
        )

    @asynccontextmanager
    async def watch(self, source: Feed, viewer: Viewer) -> AsyncIterator[Feed]:
        """The feed as H.264, which pushes to ``viewer`` until the end of the block; the last viewer ends the process.

        ConversionsFullError: so many others are converted. Pieces of clips end soon: for those it waits.
        """
        if source not in self._running and self._full:
            if not self._recorded:
                raise self._refusal()
            await self._await_place()
        if source not in self._running:
            made = ConvertedFeed(source)
            self._running[source] = made, asyncio.create_task(made.run(), name=f"conversion of {source.camera_id}")
        feed, task = self._running[source]
        feed.join(viewer)
        try:
            yield feed
        finally:
            feed.leave(viewer)
            if not feed.viewers and source in self._running:
                del self._running[source]
                self._end(task)
                self._freed.set()

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """A place for a piece of a recorded clip within the block. Pieces are short: one waits for a place, behind
        those that came before. ConversionsFullError: there was none in time, or too many wait."""
        await self._await_place()
        self._recorded += 1
        try:
            yield
        finally:
            self._recorded -= 1
            self._freed.set()

    async def _await_place(self) -> None:
        """It is the caller's if they take it at once, before anything else runs."""
        if not self.most or self._waiting >= WAITING_MAX:
            raise self._refusal()
        self._waiting += 1
        try:
            async with asyncio.timeout(WAIT_S), self._turn:
                while self._full:
                    self._freed.clear()
                    await self._freed.wait()
        except TimeoutError:
            raise self._refusal() from None
        finally:
            self._waiting -= 1

    def _end(self, task: asyncio.Task[None]) -> None:
        """Not waited for: a look that is cancelled twice would cut off the wait for the process's end."""
        task.cancel()
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)

    async def close(self) -> None:
        """End all of them."""
        for _, task in self._running.values():
            self._end(task)
        self._running.clear()
        await asyncio.gather(*self._ending, return_exceptions=True)
