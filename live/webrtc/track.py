"""A viewer's pictures as aiortc takes them: coded packets, with start codes and parameter sets in front of key frames.

aiortc packs an ``av.Packet`` into RTP without a codec. It ignores requests for a key frame on that way: a viewer begins
with the last group of pictures, and waits for the camera's next key frame after a loss that was not repaired.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from fractions import Fraction
from typing import Any, Final

from aiortc.mediastreams import MediaStreamError, MediaStreamTrack
from av.packet import Packet

from live.annex_b import annex_b
from live.protocol import Picture, Stream
from live.viewer import Item, Viewer

_TIME_BASE: Final = Fraction(1, 90_000)
_REPLAY_PAUSE_S: Final = 0.002
"""Between replayed pictures: a second of them takes a twentieth, and no router has to queue them all at once."""


class PictureTrack(MediaStreamTrack):
    """``begins``: called with what is about to be sent, None where pictures have stopped; False ends the track."""

    kind = "video"

    def __init__(self, viewer: Viewer, begins: Callable[[Item], bool]) -> None:
        super().__init__()
        self._viewer, self._begins = viewer, begins
        self._stream: Stream | None = None
        self._last_ticks: int | None = None
        self.sent = 0

    async def recv(self) -> Any:
        """The next picture, as soon as there is one. MediaStreamError: the track has ended."""
        while self.readyState == "live":
            item = await self._viewer.next()
            if not self._begins(item):
                break
            if item is None:
                continue
            if isinstance(item, Stream):
                self._stream = item
                continue
            if item.replayed:
                await asyncio.sleep(_REPLAY_PAUSE_S)
            self.sent += 1
            return self._packet(item)
        self.stop()
        raise MediaStreamError

    def _packet(self, picture: Picture) -> Any:
        sets = self._stream.sets if picture.key and self._stream is not None else ()
        made = Packet(annex_b(picture.data, sets))
        # Of another stream of the camera the first pictures may be a little older than the last ones that were sent.
        last, ticks = self._last_ticks, picture.pts_ticks
        self._last_ticks = ticks if last is None else max(ticks, last + 1)
        made.pts, made.time_base = self._last_ticks, _TIME_BASE
        return made
