"""Creates a ZIP while it is sent: stored, not compressed (video does not shrink), never whole in memory."""

from __future__ import annotations

import zipfile
from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Final

from domain.time import NS

_LARGE_BYTES: Final = 1 << 31


class _Sink:
    """The unseekable file to which ZipFile writes, so that sizes follow their data."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def write(self, data: bytes) -> int:
        """Take bytes from the ZIP writer."""
        self._pieces.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Do nothing: no bytes are held back."""

    def take(self) -> bytes:
        """Return what was written since the last call."""
        taken = b"".join(self._pieces)
        self._pieces.clear()
        return taken


Entry = tuple[str, int, AsyncGenerator[bytes | memoryview, None]]  # name, size, contents


async def zipped(entries: Iterable[Entry], rest: dict[str, bytes], created_ns: int) -> AsyncGenerator[bytes, None]:
    """The ZIP's bytes: ``entries``, then ``rest``. An entry that raises leaves the ZIP without its directory."""
    sink = _Sink()
    at = datetime.fromtimestamp(created_ns // NS, UTC).timetuple()[:6]
    # Not closed when something raises: a ZIP without its directory at the end cannot pass for a whole one.
    archive = zipfile.ZipFile(sink, "w", zipfile.ZIP_STORED)  # type: ignore[call-overload]
    try:
        for name, size, contents in entries:
            with archive.open(_info(name, at), "w", force_zip64=size >= _LARGE_BYTES) as file:
                async with aclosing(contents):
                    async for piece in contents:
                        file.write(piece)
                        yield sink.take()
        for name, data in rest.items():
            archive.writestr(_info(name, at), data)
        archive.close()
        yield sink.take()
    finally:
        archive.fp = None


def _info(name: str, at: tuple[int, ...]) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, at)  # type: ignore[arg-type]
    info.external_attr = 0o644 << 16
    return info
