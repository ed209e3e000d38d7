"""Which client a camera is asked with: nothing but its settings decides."""

from __future__ import annotations

import pytest

from ingest.settings import SourceKind, Transport
from ingest.sources import Sources
from tests.support.cameras.native import camera


@pytest.mark.parametrize("transport", list(Transport))
@pytest.mark.parametrize("source", list(SourceKind))
async def test_settings_decide(source: SourceKind, transport: Transport) -> None:
    made = Sources().make(camera("rtsp://127.0.0.1/hall", source=source, transport=transport))
    assert made.kind == source.value
