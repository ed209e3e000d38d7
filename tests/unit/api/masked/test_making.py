"""A clip that is opened for an export is masked, and its progress told in bytes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, cast

import pytest

from api.masked import making
from domain.time import NS, Span
from masking.process.running import Masked, Wish
from masking.tracks import Tracks
from runtime.sandbox.held import Held


class _Reader:
    footage = (Span(0, 4 * NS), Span(6 * NS, 12 * NS))
    size_bytes = 5000

    async def stream(self) -> AsyncIterator[bytes]:
        yield b"clip"


async def test_masking_gets_the_footage_and_its_length(monkeypatch: pytest.MonkeyPatch) -> None:
    async def masked(pieces: AsyncIterator[bytes], wish: Wish, progress: Any) -> Masked:
        assert [piece async for piece in pieces] == [b"clip"]
        assert wish == Wish(duration_s=10)
        progress(500)
        tracks = Tracks(width=2, height=2, frames=1, fps=1.0, tracks=())
        return Masked(tracks=tracks, film=b"masked", held=Held())

    monkeypatch.setattr(making, "mask_clip", masked)
    told: list[int] = []
    film = await making.masked_film(cast("Any", _Reader()), told.append)
    assert (film.data, film.source_bytes, told) == (b"masked", 5000, [2500])
