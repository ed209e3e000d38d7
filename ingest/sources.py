"""Which client a camera is asked with: as its settings say, or the native one first."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import replace

from ingest.access_unit import AccessUnit, Loss, Sound, SoundFormat, Source
from ingest.errors import NotSpokenError
from ingest.libav.source import LibavSource
from ingest.rtsp.signalling.habits import Habits
from ingest.rtsp.source import NativeSource
from ingest.rtsp.wheel import Wheel
from ingest.settings import CameraSettings, SourceKind, Transport

_log = logging.getLogger(__name__)
_PUT_AWAY_S = 0.5  # gst-rtsp-server takes a moment, and answers 503 meanwhile


class Sources:
    """Makes them; one for each event loop, since native connections share a timer and buffers."""

    def __init__(self) -> None:
        self._wheel = Wheel()
        self._unspoken: set[Asked] = set()  # what the native client has found not to be spoken
        self._habits: dict[Asked, Habits] = {}

    def make(self, camera: CameraSettings) -> Source:
        """The client that the camera's settings ask for."""
        if camera.source is SourceKind.LIBAV or camera.transport is Transport.UDP:
            return LibavSource(camera)
        native = NativeSource(camera, self._wheel, self._habits.setdefault(asked_of(camera), Habits()))
        if camera.source is SourceKind.NATIVE:
            return native
        if asked_of(camera) in self._unspoken:
            return LibavSource(replace(camera, transport=Transport.UDP))
        return AutoSource(camera, native, self._unspoken)


Asked = tuple[str, Transport]
"""A camera's address, and how it is to be asked: TLS that is asked for later must never find libav in its place."""


def asked_of(camera: CameraSettings) -> Asked:
    return camera.url, camera.transport


class AutoSource:
    """Native first; libav when the camera wants what that does not speak. Never where TLS was asked for: libav would
    not check who answers.

    unspoken: is told what was asked then, so that it is asked with libav at once when it is connected to again:
    some are busy for a moment putting away what the first question set up, and would be so each time.
    """

    def __init__(self, camera: CameraSettings, native: NativeSource, unspoken: set[Asked]) -> None:
        self._camera = camera
        self._unspoken = unspoken
        self._source: Source = native

    @property
    def kind(self) -> str:
        return self._source.kind

    @property
    def skew_ns(self) -> int | None:
        return self._source.skew_ns

    @property
    def passed_over(self) -> int:
        return self._source.passed_over

    @property
    def note(self) -> str:
        return self._source.note

    @property
    def packets(self) -> Mapping[str, int]:
        return self._source.packets

    @property
    def sound(self) -> SoundFormat | None:
        return self._source.sound

    @property
    def sound_note(self) -> str:
        return self._source.sound_note

    def take_sounds(self) -> list[Sound]:
        return self._source.take_sounds()

    async def batches(self) -> AsyncGenerator[list[AccessUnit | Loss], None]:
        """See ingest.access_unit.Source."""
        try:
            async with aclosing(self._source.batches()) as batches:
                async for batch in batches:
                    yield batch
            return
        except NotSpokenError as error:
            if self._camera.transport is Transport.TLS or self._camera.url.startswith("rtsps:"):
                raise
            _log.info("%s libav is taken.", error.what)
        self._unspoken.add(asked_of(self._camera))
        await asyncio.sleep(_PUT_AWAY_S)
        self._source = LibavSource(replace(self._camera, transport=Transport.UDP))
        async with aclosing(self._source.batches()) as batches:
            async for batch in batches:
                yield batch
