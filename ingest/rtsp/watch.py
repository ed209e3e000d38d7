"""Reports what a camera sends instead of pictures, before it counts as silent."""

from __future__ import annotations

from typing import Final

from ingest.errors import IngestError, StreamError
from ingest.rtsp.streams import Streams

_DIAGNOSED_NS: Final = 8_000_000_000  # without a picture
_MANY: Final = 8  # this many packets of another kind are not an accident


class Watch:
    """Watches whether pictures arrive, or something else."""

    __slots__ = ("_foreign", "_good_ns", "_malformed", "_passed_over", "_unasked")

    def __init__(self) -> None:
        self._good_ns = -1
        self._foreign = self._malformed = self._passed_over = self._unasked = 0

    def look(self, streams: Streams, mono_ns: int) -> None:
        """Look at what was received. Call after each read."""
        track = streams.track
        if track is None or (not streams.items and track.passed_over == self._passed_over and self._good_ns >= 0):
            return
        counts = streams.counts
        self._good_ns, self._passed_over = mono_ns, track.passed_over
        self._foreign, self._malformed, self._unasked = counts.foreign, counts.malformed, counts.unasked

    def diagnosis(self, streams: Streams, payload_type: int, mono_ns: int) -> IngestError | None:
        """Return the error for what arrives instead of pictures."""
        track = streams.track
        if track is None or mono_ns - self._good_ns < _DIAGNOSED_NS:
            return None
        if track.counts.foreign - self._foreign >= _MANY:
            found = track.counts.foreign_type
            return StreamError(
                f"it sends packets of payload type {found}, but describes {payload_type}.",
                "Choose another codec or stream there and back; update its firmware.",
            )
        if streams.counts.unasked - self._unasked >= _MANY:
            return StreamError(
                f"it sends on channel {streams.counts.unasked_channel}, but answered {streams.channel}.",
                "Update its firmware; choose another stream there.",
            )
        if track.counts.malformed - self._malformed >= _MANY:
            return StreamError("its packets are not what it describes.", "Update its firmware; choose H.264 there.")
        return None
