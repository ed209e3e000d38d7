"""Which client a camera is asked with, the second time too."""

from __future__ import annotations

import uuid
from collections.abc import AsyncGenerator
from dataclasses import replace

import pytest

from domain.ids import CameraId, SiteId
from ingest import sources
from ingest.access_unit import AccessUnit, Loss
from ingest.errors import CameraAwayError, IngestError, NotSpokenError
from ingest.settings import CameraSettings, Transport


class Refusing:
    """A client that comes to nothing; counts its conversations."""

    def __init__(self, kind: str, error: IngestError) -> None:
        self.kind, self._error, self.asked = kind, error, 0

    async def batches(self) -> AsyncGenerator[list[AccessUnit | Loss], None]:
        self.asked += 1
        raise self._error
        yield []


@pytest.mark.parametrize("transport", [Transport.TCP, Transport.TLS])
async def test_camera_that_is_busy_after_the_native_client_is_asked_with_libav_at_once_the_next_time(
    monkeypatch: pytest.MonkeyPatch, transport: Transport
) -> None:
    native = Refusing("native", NotSpokenError("it sends over UDP.", "Take libav."))
    libav = Refusing("libav", CameraAwayError("it answers 503.", "It may serve too many viewers."))
    monkeypatch.setattr(sources, "NativeSource", lambda *_: native)
    monkeypatch.setattr(sources, "LibavSource", lambda _: libav)
    camera = CameraSettings(
        camera_id=CameraId(uuid.uuid4()),
        site_id=SiteId(uuid.uuid4()),
        name="hall",
        url="rtsp://127.0.0.1/hall",
        transport=transport,
    )
    made = sources.Sources()
    for _ in range(2):
        with pytest.raises(IngestError):
            async for _ in made.make(camera).batches():
                pass
    tls = transport is Transport.TLS  # never left to libav, which would not check who answers
    assert (native.asked, libav.asked) == ((2, 0) if tls else (1, 2))


async def test_tls_that_is_asked_for_later_is_never_answered_with_libav(monkeypatch: pytest.MonkeyPatch) -> None:
    """The configuration is read again while the role runs: what is remembered of a camera must not outlive it."""
    native = Refusing("native", NotSpokenError("it sends over UDP.", "Take libav."))
    libav = Refusing("libav", CameraAwayError("it answers 503.", "It may serve too many viewers."))
    monkeypatch.setattr(sources, "NativeSource", lambda *_: native)
    monkeypatch.setattr(sources, "LibavSource", lambda _: libav)
    camera = CameraSettings(
        camera_id=CameraId(uuid.uuid4()),
        site_id=SiteId(uuid.uuid4()),
        name="hall",
        url="rtsp://127.0.0.1/hall",
        transport=Transport.TCP,
    )
    made = sources.Sources()
    for asked in (camera, replace(camera, transport=Transport.TLS)):
        with pytest.raises(IngestError):
            async for _ in made.make(asked).batches():
                pass
    assert (native.asked, libav.asked) == (2, 1)
