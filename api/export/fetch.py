"""Streams an export: opens and hashes the footage again, and breaks off when it differs from the manifest."""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from functools import partial
from typing import Any, cast
from uuid import UUID

from api.errors import ExportChangedError
from api.export import rows
from api.export.bundle import zipped
from api.export.exports import Exports
from api.export.make import export_request
from api.export.manifest import enclosures, public_pem
from api.export.names import attachment
from api.export.rows import ExportRow
from api.footage import ClipReader, NoFootageError
from api.http.problems import Problem
from api.http.streaming import StreamedResponse
from api.masked.films import Film
from api.records import Records
from api.sign_in import rights
from api.sign_in.sessions import Session, still_may
from domain.ids import CameraId


async def response(
    records: Records, exports: Exports, session: Session, purpose_id: UUID, row: ExportRow, *, head_only: bool
) -> StreamedResponse:
    """409 when the footage is no longer all there."""
    footage, still = exports.footage, partial(_still, records, session, row)
    assert row.manifest is not None
    assert row.signature is not None
    manifest = json.loads(row.manifest)
    said = manifest["files"]
    readers = [await _reader(exports, session, purpose_id, row, file) for file in said]
    if row.format == "mp4":
        (file,) = said
        headers = {
            "Content-Type": readers[0].mime,
            "Content-Length": str(file["size_bytes"]),
            "Content-Disposition": attachment(file["name"].partition("-")[2]),
        }
        return StreamedResponse(
            200, headers, partial(_checked, readers[0], file), footage.priority, still, head_only=head_only
        )
    entries = [
        (file["name"], file["size_bytes"], _checked(reader, file)) for reader, file in zip(readers, said, strict=True)
    ]
    rest = {
        "manifest.json": row.manifest,
        "manifest.sig": row.signature,
        "public-key.pem": public_pem(exports.key.export_key),
        **enclosures(),
    }
    name = f"tallenne {manifest['asked']['start'][:19].replace(':', '-')}Z.zip"
    headers = {"Content-Type": "application/zip", "Content-Disposition": attachment(name)}
    stream = partial(zipped, entries, rest, row.created_ns)
    return StreamedResponse(200, headers, stream, footage.priority, still, head_only=head_only)


async def _still(records: Records, session: Session, row: ExportRow) -> bool:
    """A fresh code was needed to begin. Until the end it needs the right, and the approval that it began with."""
    found = await rows.find(records, row.export_id)
    unchanged = found is not None and (found.state, found.approved_by) == (row.state, row.approved_by)
    return unchanged and await still_may(records, session.session_id, rights.EXPORT, row.camera_ids, row.span)


async def _reader(
    exports: Exports, session: Session, purpose_id: UUID, row: ExportRow, said: dict[str, Any]
) -> ClipReader | Film:
    """A masked film is given only while the footage that it shows could be given: that is asked and on record."""
    camera_id = CameraId(UUID(said["camera_id"]))
    try:
        reader = await exports.footage.clip(export_request(session, purpose_id, camera_id, row.span))
    except NoFootageError:
        raise changed() from None
    if row.masked:
        film = exports.films.find(row.export_id, row.attempt, camera_id)
        if film is None:
            raise Problem(
                409, "masked-gone", "The masked copy is not kept any more.", "Prepare it again: that masks it anew."
            )
        if reader.size_bytes != film.source_bytes:
            raise changed()
        return film
    if reader.size_bytes != said["size_bytes"]:
        raise changed()
    return reader


def changed() -> Problem:
    """Return problem 409: the footage differs from what the manifest lists."""
    return Problem(
        409,
        "export-changed",
        "Some of this export's footage no longer exists.",
        "Prepare the export again: it then holds what is left.",
    )


async def _checked(reader: ClipReader | Film, said: dict[str, Any]) -> AsyncGenerator[bytes | memoryview, None]:
    """Yield the file; its last piece is held back until the whole matches its hash."""
    digest = hashlib.sha256()
    last: bytes | memoryview = b""
    async with aclosing(cast("Any", reader.stream())) as stream:
        async for piece in stream:
            digest.update(piece)
            if last:
                yield last
            last = piece
    if digest.hexdigest() != said["sha256"]:
        raise ExportChangedError("An export differs from its manifest.", "Prepare it again.")
    yield last
