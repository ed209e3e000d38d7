"""Chooses the client for a camera: the native one, or libav where its settings say so."""

from __future__ import annotations

from ingest.access_unit import Source
from ingest.libav.source import LibavSource
from ingest.rtsp.signalling.habits import Habits
from ingest.rtsp.source import NativeSource
from ingest.rtsp.wheel import Wheel
from ingest.settings import CameraSettings, SourceKind, Transport

Asked = tuple[str, Transport]
"""A camera's address and transport. Habits learned over one transport do not apply to another."""


class Sources:
    """Creates sources. One per event loop, since native connections share a timer and buffers."""

    def __init__(self) -> None:
        self._wheel = Wheel()
        self._habits: dict[Asked, Habits] = {}

    def make(self, camera: CameraSettings) -> Source:
        """Return the client that the camera's settings ask for. Nothing that a camera sends changes the choice."""
        if camera.source is SourceKind.LIBAV:
            return LibavSource(camera)
        return NativeSource(camera, self._wheel, self._habits.setdefault((camera.url, camera.transport), Habits()))
