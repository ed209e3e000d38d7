"""A camera's second, smaller stream: open while it is watched, and never recorded.

Until it shows a key frame, and whenever it fails, those who watch it get the stream that is recorded. Only where that
one is H.265, which many browsers cannot play, they wait a little for the smaller one first.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import replace
from typing import Final

from ingest.access_unit import AccessUnit, Loss, Source
from ingest.budget import Budget, TurnTooLongError
from ingest.errors import CameraAwayError, CameraStalledError, IngestError
from ingest.health import Health
from ingest.media.clock import MediaClock
from ingest.settings import CameraSettings, Transport
from ingest.watched.feeding import CameraFeed, Watcher

_log = logging.getLogger(__name__)
LINGER_S: Final = 3.0
"""So long it stays open after the last viewer: a wall that is opened again need not connect."""
OPEN_S: Final = 20.0
STILL_S: Final = 4.0
"""Without a picture for so long, viewers get the recorded stream."""
WAIT_S: Final = 5.0
"""So long viewers wait for it where the recorded stream is H.265."""
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 2.0, 60.0
CLOSED, OPEN, INSTEAD = "closed", "open", "the recorded stream is shown instead"


class Substream:
    """``join()`` and ``leave()`` as of a CameraFeed. ``health.substream`` says how it is."""

    def __init__(
        self,
        settings: CameraSettings,
        recorded: CameraFeed,
        make_source: Callable[[CameraSettings], Source],
        health: Health,
    ) -> None:
        self._settings, self._recorded, self._make_source, self._health = settings, recorded, make_source, health
        self._feed = CameraFeed(lambda: None)
        self._watchers: set[Watcher] = set()
        self._waiting: set[Watcher] = set()  # those of them that get neither stream yet
        self._shown = False  # it has shown a key frame, and goes on
        self._task: asyncio.Task[None] | None = None
        self._ending: asyncio.TimerHandle | None = None
        health.substream = CLOSED

    def join(self, watcher: Watcher) -> None:
        """Add a watcher. It gets the recorded stream until this one has a key frame."""
        self._watchers.add(watcher)
        if self._ending is not None:
            self._ending.cancel()
            self._ending = None
        if self._shown:
            self._feed.join(watcher)
        elif self._recorded.codec == "h265":
            self._waiting.add(watcher)
            asyncio.get_running_loop().call_later(WAIT_S, self._waited, watcher)
        else:
            self._recorded.join(watcher)
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name=f"substream of {self._settings.name}")

    def leave(self, watcher: Watcher) -> None:
        """Remove a watcher. After the last one the stream is closed, a little later."""
        self._watchers.discard(watcher)
        self._waiting.discard(watcher)
        self._feed.leave(watcher)
        self._recorded.leave(watcher)
        if not self._watchers and self._ending is None:
            self._ending = asyncio.get_running_loop().call_later(LINGER_S, self.close)

    def close(self) -> None:
        """Close the stream; watchers that are left get nothing more."""
        if self._ending is not None:
            self._ending.cancel()
            self._ending = None
        if self._task is not None:
            self._task.cancel()
            self._task = None
        for watcher in tuple(self._watchers):
            watcher.close()
        self._shown = False
        self._feed.forget()
        if self._health.substream == OPEN:
            self._health.substream = CLOSED

    def _waited(self, watcher: Watcher) -> None:
        if watcher in self._waiting:
            self._waiting.discard(watcher)
            self._recorded.join(watcher)

    async def _run(self) -> None:
        pause_s = _FIRST_PAUSE_S
        while True:
            try:
                await self._once()
                error: IngestError = CameraAwayError(f"Camera {self._settings.name} ended its substream.", "")
            except IngestError as raised:
                error = raised
            except Exception:  # noqa: BLE001 (this is the supervisor)
                _log.exception("substream of %s: a programming error", self._settings.name)
                error = CameraAwayError("Reading the substream failed.", "")
            pause_s = _FIRST_PAUSE_S if self._shown else min(_LONGEST_PAUSE_S, pause_s * 2)
            self._failed(error)
            await asyncio.sleep(pause_s)

    async def _once(self) -> None:
        loop = asyncio.get_running_loop()
        source, clock, budget = self._make_source(self._settings), MediaClock(), Budget()
        source.hurry(True)
        unplaced: list[AccessUnit] = []
        try:
            async with asyncio.timeout(OPEN_S) as timeout, aclosing(source.batches()) as batches:
                async for batch in batches:
                    with budget:
                        self._take(batch, source, clock, unplaced)
                    if self._shown:
                        timeout.reschedule(loop.time() + STILL_S)
        except TimeoutError:
            raise CameraStalledError(f"The substream of {self._settings.name} sends no picture.", "") from None
        except TurnTooLongError as error:
            raise TurnTooLongError(f"The substream of {self._settings.name}: {error.what}", error.remedy) from None

    def _take(
        self, batch: list[AccessUnit | Loss], source: Source, clock: MediaClock, unplaced: list[AccessUnit]
    ) -> None:
        """Give pictures their times, as the recording does, and hand them on."""
        pictures = [item for item in batch if not isinstance(item, Loss)]
        clock.take(pictures, sum(len(one.data) for one in pictures), source.rests)
        unplaced += pictures
        if clock.settled:
            for one in unplaced:
                one.pts_ticks = clock.place(one.pts_ticks)
            unplaced.clear()
        self._feed.take(batch, placed=clock.settled)
        if clock.settled and not self._shown and self._feed.codec:
            self._begun()

    def _begun(self) -> None:
        self._shown, self._health.substream = True, OPEN
        self._waiting.clear()
        for watcher in self._watchers:
            self._recorded.leave(watcher)
            watcher.turn("sub")
            self._feed.join(watcher)

    def _failed(self, error: IngestError) -> None:
        said = f"{INSTEAD}: {error.what}"
        if self._health.substream != said:
            _log.warning("substream of %s: %s", self._settings.name, error.what)
        self._health.substream = said
        was_shown, self._shown = self._shown, False
        self._feed.forget()
        for watcher in self._watchers if was_shown else tuple(self._waiting):
            self._feed.leave(watcher)
            if self._recorded.codec:
                watcher.turn("recorded")
            else:
                watcher.lost()
            self._recorded.join(watcher)
        self._waiting.clear()


def substream_of(
    settings: CameraSettings,
    recorded: CameraFeed,
    make_source: Callable[[CameraSettings], Source],
    health: Health,
) -> Substream | None:
    """The camera's second stream, asked for as the first one is; None: its settings name none."""
    url = settings.substream_url
    if not url:
        return None
    plain = Transport.TCP if settings.transport is Transport.TLS else settings.transport
    transport = Transport.TLS if url.startswith("rtsps:") else plain
    own = replace(settings, url=url, substream_url="", transport=transport, audio=False, audio_reason="")
    return Substream(own, recorded, make_source, health)
