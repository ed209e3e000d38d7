"""A ZIP made on the way: readable by zipfile when whole, and by nobody when an entry broke off."""

from __future__ import annotations

import io
import zipfile
from collections.abc import AsyncGenerator

import pytest

from api.export import bundle
from api.export.bundle import zipped
from domain.time import from_iso

MADE_NS = from_iso("2026-11-22T06:31:04Z")


async def pieces(*data: bytes, then: Exception | None = None) -> AsyncGenerator[bytes | memoryview, None]:
    for piece in data:
        yield piece
    if then is not None:
        raise then


async def read(stream: AsyncGenerator[bytes, None]) -> bytes:
    return b"".join([piece async for piece in stream])


@pytest.mark.parametrize("large", [False, True])
async def test_zip_holds_every_entry_stored_with_time_and_rights(large: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if large:
        monkeypatch.setattr(bundle, "_LARGE_BYTES", 1)
    data = await read(zipped([("a.mp4", 6, pieces(b"abc", b"def"))], {"manifest.json": b"{}"}, MADE_NS))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in archive.namelist()} == {"a.mp4": b"abcdef", "manifest.json": b"{}"}
        for info in archive.infolist():
            assert info.compress_type == zipfile.ZIP_STORED
            assert info.date_time == (2026, 11, 22, 6, 31, 4)
            assert info.external_attr >> 16 == 0o644


async def test_pieces_leave_as_they_come() -> None:
    stream = zipped([("a", 3, pieces(b"x" * 10, b"y" * 10))], {}, MADE_NS)
    first = await anext(stream)
    assert first.endswith(b"x" * 10) and b"y" not in first
    await stream.aclose()


async def test_entry_that_breaks_off_leaves_no_directory() -> None:
    stream = zipped([("a", 3, pieces(b"abc", then=OSError("gone")))], {"rest": b"1"}, MADE_NS)
    sent = bytearray()
    with pytest.raises(OSError, match="gone"):
        async for piece in stream:
            sent += piece
    with pytest.raises(zipfile.BadZipFile):
        zipfile.ZipFile(io.BytesIO(sent))
