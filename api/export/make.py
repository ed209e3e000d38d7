"""Prepares exports in the background: opens and hashes each camera's clip, or has it masked, and signs the manifest."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from typing import Any, cast
from uuid import UUID

from api.errors import ExportOvertakenError, MaskedTooLargeError
from api.export import rows
from api.export.exports import Exports
from api.export.manifest import ExportedFile, manifest_bytes
from api.export.names import file_name, plain_name
from api.export.rights import minors_seen
from api.export.rows import ExportRow
from api.footage import NoFootageError
from api.footage.cache import ClipRequest
from api.footage.opening import Footage, OpenedClip
from api.http.jobs import Progress
from api.masked.making import SAID, masked_film
from api.records import Records
from api.search.coverage import first_known, footage_spans, gap_answers
from api.sign_in.scope import CameraRow, Scope
from api.sign_in.sessions import Session
from custodian.errors import LookRefusedError, RestrictedError
from domain.errors import RetryableError, TallenneError
from domain.ids import CameraId
from domain.time import Span
from masking.errors import ClipRefusedError, ModelMissingError
from runtime import sql
from runtime.database import wrapped_errors
from storage.catalogue import Catalogue, audit

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Making:
    """An export in preparation, and the person for whom it is made."""

    records: Records
    exports: Exports
    session: Session
    purpose_id: UUID
    scope: Scope
    row: ExportRow

    async def run(self, progress: Progress) -> None:
        """Prepare the export: it becomes ready, fails with a code that the pages translate, or needs approval again."""
        try:
            await _make(self, progress)
        except ExportOvertakenError as exc:
            _log.info("an export was not made: %s", exc)
        except TallenneError as exc:
            _log.warning("an export was not made: %s", exc)
            await _failed(self, problem_of(exc))


async def _failed(making: Making, problem: str) -> None:
    try:
        await rows.fail(making.records, making.row, problem)
    except TallenneError as exc:
        _log.warning("and that could not be noted: %s", exc)


def problem_of(exc: TallenneError) -> str:
    """Return the code that the pages translate."""
    if isinstance(exc, NoFootageError):
        return "no-footage"
    if isinstance(exc, LookRefusedError):
        return "step-up-needed"
    if isinstance(exc, RestrictedError):
        return "restricted"
    if isinstance(exc, ModelMissingError):
        return "masking-missing"
    if isinstance(exc, ClipRefusedError | MaskedTooLargeError):
        return "masking-refused"
    return "away" if isinstance(exc, RetryableError) else "mistake"


async def _make(making: Making, progress: Progress) -> None:
    records, session, scope, row = making.records, making.session, making.scope, making.row
    opened = await _open_all(making.exports.footage, session, making.purpose_id, row)
    true_span = Span(
        min(each.reader.span.start_ns for each in opened.values()),
        max(each.reader.span.end_ns for each in opened.values()),
    )
    if await minor_unapproved(records, session, row, list(opened), true_span):
        return
    hashed = partial(_masked, making) if row.masked else _hashed
    progress.total = sum(each.reader.size_bytes for each in opened.values())
    made = [
        await hashed(scope, scope.cameras[camera_id], opened[camera_id], number, progress)
        for number, camera_id in enumerate(opened, start=1)
    ]
    manifest = manifest_bytes(
        made,
        export_id=row.export_id,
        asked=row.span,
        created_ns=row.created_ns,
        purpose=row.category,
        exported_by=row.staff_id,
        approved_by=row.approved_by,
        gaps=await _gaps(records, scope, row),
        public_key=making.exports.key.export_key,
        masking=SAID if row.masked else None,
    )
    await _ready(making, made, manifest)


async def minor_unapproved(
    records: Records, session: Session, row: ExportRow, cameras: Sequence[CameraId], span: Span
) -> bool:
    """Whether a minor has come to light since the approval: the export then waits for another approval."""
    return await minors_seen(records, cameras, span) and await rows.reopen(records, row, session)


async def _open_all(footage: Footage, session: Session, purpose_id: UUID, row: ExportRow) -> dict[CameraId, OpenedClip]:
    """Return the clips by camera, in the requested order, without cameras that have no footage. NoFootageError: all."""
    opened: dict[CameraId, OpenedClip] = {}
    for camera_id in row.camera_ids:
        try:
            opened[camera_id] = await footage.open(export_request(session, purpose_id, camera_id, row.span))
        except NoFootageError as exc:
            missing = exc
    if not opened:
        raise missing
    return opened


def export_request(session: Session, purpose_id: UUID, camera_id: CameraId, span: Span) -> ClipRequest:
    """Return the request for one camera's clip, recorded as an export."""
    return ClipRequest(
        session_id=session.session_id, purpose_id=purpose_id, action="export", camera_id=camera_id, span=span
    )


async def _hashed(scope: Scope, camera: CameraRow, opened: OpenedClip, number: int, progress: Progress) -> ExportedFile:
    digest = hashlib.sha256()
    # An async generator, though its type says only that it can be iterated.
    async with aclosing(cast("Any", opened.reader.stream())) as stream:
        async for piece in stream:
            digest.update(piece)
            progress.done += len(piece)
            await asyncio.sleep(0)
    return _file(scope, camera, opened, number, digest.digest(), opened.reader.size_bytes)


async def _masked(
    making: Making, scope: Scope, camera: CameraRow, opened: OpenedClip, number: int, progress: Progress
) -> ExportedFile:
    """The film is kept in memory until it is fetched; the sealed objects that the manifest names show more than it."""
    before = progress.done

    def told(done: int) -> None:
        progress.done = before + done

    row = making.row
    film = await masked_film(opened.reader, told)
    making.exports.films.add(row.export_id, row.attempt, camera.camera_id, film)
    progress.done = before + opened.reader.size_bytes
    return _file(scope, camera, opened, number, film.sha256, film.size_bytes)


def _file(
    scope: Scope, camera: CameraRow, opened: OpenedClip, number: int, sha256: bytes, size_bytes: int
) -> ExportedFile:
    reader = opened.reader
    return ExportedFile(
        name=f"{number}-{plain_name(file_name(camera, reader.span))}",
        camera_id=camera.camera_id,
        camera=camera.name,
        site=scope.sites[camera.site_id].name,
        time_zone=scope.zone_of(camera.site_id),
        span=reader.span,
        footage=reader.footage,
        segments=opened.segments,
        size_bytes=size_bytes,
        sha256=sha256,
    )


async def _gaps(records: Records, scope: Scope, row: ExportRow) -> list[dict[str, str]]:
    """Return the missing parts of the requested span, with their causes."""
    found = []
    footage = await footage_spans(records, row.camera_ids, row.span)
    for camera_id in row.camera_ids:
        known = await Catalogue(records.pool).gaps([camera_id], row.span)
        first_ns = await first_known(records, camera_id)
        kept_s = scope.cameras[camera_id].retention_s
        mine = gap_answers(row.span, footage.get(camera_id, []), known, records.clock_ns(), kept_s, first_ns)
        found += [{"camera_id": str(camera_id), **gap.model_dump()} for gap in mine]
    return found


async def _ready(making: Making, made: Sequence[ExportedFile], manifest: bytes) -> None:
    """Append an entry per file, with its true span, in the transaction that makes the export ready."""
    session, row, now_ns = making.session, making.row, making.records.clock_ns()
    arguments = (row.export_id, row.attempt, manifest, making.exports.key.sign_export(manifest), now_ns)
    with wrapped_errors():
        async with making.records.pool.acquire() as conn, conn.transaction():
            if not await conn.fetchval(sql.load("api.export", "export_ready"), *arguments):
                raise ExportOvertakenError("A later attempt has begun, or the approval was withdrawn.")
            for file in made:
                entry = audit.Entry(
                    actor=session.actor,
                    action="export_made",
                    session_id=session.session_id,
                    purpose_id=row.purpose_id,
                    camera_id=file.camera_id,
                    span=file.span,
                    detail={"export_id": str(row.export_id), "sha256": file.sha256.hex()},
                )
                await audit.append_in(conn, entry, now_ns)
