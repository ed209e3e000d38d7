"""One span of footage expires before our eyes: it opened, then nothing of it opens by any means, and that is certified.

The fetched clip is imported some hours back, and its camera's retention shortened to an hour, as an operator would do.
Its first segment is held for a case that staff open, and still opens afterwards.
Copies are kept from before: rows of keys and segments, and the objects' headers. With all of them put back, what opens
is counted.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
import time
import zipfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import asyncpg

from custodian.client import CustodianClient
from domain.ids import CameraId, SegmentId
from domain.time import DAY_NS, HOUR_NS, MINUTE_NS, Span, hour_of, to_iso
from ingest.importing import import_file
from pipeline.client import StaffClient
from pipeline.config.imports import import_settings
from pipeline.retention.bundle import write_bundle
from pipeline.retention.report import confirmation_of, report_of
from pipeline.running import Running
from pipeline.smoke.holding import hold, until
from runtime.database import connect
from storage.catalogue.certificates import read_certificates
from storage.catalogue.inventory import apply_inventory
from storage.sealed import object_name
from storage.store import open_store

_BACK_H: Final = 5
_KEEP: Final = (
    "CREATE TEMP TABLE kept_hour_key AS SELECT * FROM hour_key",
    "CREATE TEMP TABLE kept_segment AS SELECT * FROM segment",
    "CREATE TEMP TABLE kept_segment_identity AS SELECT * FROM segment_identity",
)
_RESTORE: Final = (
    "INSERT INTO hour_key SELECT * FROM kept_hour_key ON CONFLICT DO NOTHING",
    "INSERT INTO segment SELECT * FROM kept_segment ON CONFLICT DO NOTHING",
    "INSERT INTO segment_identity SELECT * FROM kept_segment_identity ON CONFLICT DO NOTHING",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Imported:
    """Segments of one past hour."""

    camera_id: CameraId
    segment_ids: list[SegmentId]
    headers: list[bytes]
    names: list[str]  # of their objects
    span: Span  # of the first one

    def first(self) -> _Imported:
        """The first segment alone."""
        return replace(self, segment_ids=self.segment_ids[:1], headers=self.headers[:1], names=self.names[:1])

    def rest(self) -> _Imported:
        """All but the first."""
        return replace(self, segment_ids=self.segment_ids[1:], headers=self.headers[1:], names=self.names[1:])


async def forgotten(everything: Running, staff: StaffClient, clip: bytes) -> dict[str, Any]:
    """Return the figures. ``staff``: signed in, with a purpose. SmokeError names the check that does not hold."""
    client = CustodianClient(everything.settings.custodian_socket)
    conn = await connect(everything.settings.database("owner"))
    try:
        whole = await _imported(everything, conn, clip)
        opened = await _openable(client, whole)
        hold(opened == len(whole.segment_ids) > 1, f"{opened} of the imported segments open before they expire.")
        held, imported = whole.first(), whole.rest()
        await _hold(staff, held)
        for statement in _KEEP:
            await conn.execute(statement)
        await _shorten(everything, conn, imported.camera_id)
        await until(lambda: _confirmed(client, conn, imported), "shortened retention that waits for an operator")
        await until(lambda: _over(conn, imported), "an end of the shortened footage")
        openable = await _openable(client, imported)
        await until(lambda: _removed(everything, imported), "a bucket without the expired objects")
        for statement in _RESTORE:  # as when a backup is restored
            await conn.execute(statement)
        openable = max(openable, await _openable(client, imported))
        held_openable = await _openable(client, held)
        certificate_ok = await _certified(client, conn)
        await apply_inventory(conn, everything.settings.inventory(), time.time_ns())
    finally:
        await conn.close()
    hold(not openable, f"{openable} expired segments open.")
    hold(held_openable == 1, "The held segment does not open after its hour has expired.")
    hold(certificate_ok, "The certificate of the expired footage does not verify.")
    return {"expired_openable": openable, "held_openable": held_openable, "certificate_ok": certificate_ok}


async def _imported(everything: Running, conn: asyncpg.Connection, clip: bytes) -> _Imported:
    settings = everything.settings
    camera = settings.cameras_without_secrets()[0]
    start_ns = await _free_hour(conn, camera.camera_id) + MINUTE_NS
    with tempfile.NamedTemporaryFile(prefix="tallenne-smoke-", suffix=".mp4") as file:
        file.write(clip)
        file.flush()
        found = await import_file(import_settings(settings), camera, Path(file.name), start_ns, lambda _, __: None)
    rows = await conn.fetch(
        "SELECT segment_id, site_id, start_ns, end_ns, header FROM segment"
        " WHERE camera_id = $1 AND state = 'live' AND start_ns >= $2 AND start_ns < $3 ORDER BY start_ns",
        camera.camera_id,
        found.span.start_ns,
        found.span.end_ns,
    )
    names = [
        object_name(
            site_id=row["site_id"],
            camera_id=camera.camera_id,
            segment_id=row["segment_id"],
            start_ns=row["start_ns"],
        )
        for row in rows
    ]
    return _Imported(
        camera_id=camera.camera_id,
        segment_ids=[SegmentId(row["segment_id"]) for row in rows],
        headers=[row["header"] for row in rows],
        names=names,
        span=Span(rows[0]["start_ns"], rows[0]["end_ns"]),
    )


async def _free_hour(conn: asyncpg.Connection, camera_id: CameraId) -> int:
    """A past UTC hour that no check on the same data has used before."""
    rows = await conn.fetch(
        "SELECT hour_ns FROM hour_key WHERE camera_id = $1 UNION SELECT hour_ns FROM expired_key WHERE camera_id = $1",
        camera_id,
    )
    used = {row["hour_ns"] for row in rows}
    hour_ns = hour_of(time.time_ns()) - _BACK_H * HOUR_NS
    while hour_ns in used:
        hour_ns -= HOUR_NS
    return hour_ns


async def _hold(staff: StaffClient, held: _Imported) -> None:
    """As on the page Cases: a case, and the segment kept for it."""
    review = to_iso(time.time_ns() + DAY_NS)
    case = await staff.post("/v1/cases", {"title": "Smoke check", "reason": "It keeps one segment.", "review": review})
    span = {"start": to_iso(held.span.start_ns), "end": to_iso(held.span.end_ns)}
    await staff.post(f"/v1/cases/{case['case_id']}/holds", {"camera_ids": [str(held.camera_id)], **span})


async def _openable(client: CustodianClient, imported: _Imported) -> int:
    """How many segments open, by their rows or by the headers of copies of their objects."""
    by_rows = await client.open_for_verify(imported.segment_ids)
    by_headers = await client.open_headers(imported.headers)
    return len(by_rows.keys() | by_headers.keys())


async def _shorten(everything: Running, conn: asyncpg.Connection, camera_id: CameraId) -> None:
    """Apply a configuration that keeps this camera's footage for an hour."""
    inventory = everything.settings.inventory()
    cameras = tuple(
        replace(entry, retention_s=3600) if entry.camera_id == camera_id else entry for entry in inventory.cameras
    )
    await apply_inventory(conn, replace(inventory, cameras=cameras), time.time_ns())


async def _confirmed(client: CustodianClient, conn: asyncpg.Connection, imported: _Imported) -> bool | None:
    """As `tallenne retention confirm` does; None while there is nothing to confirm.

    An earlier check on the same data may have confirmed this hour, too.
    """
    now_ns = time.time_ns()
    report = await report_of(conn, (await client.status())["retention"], now_ns)
    if not report["shorter"]:
        return await _over(conn, imported)
    await client.confirm_expiry(**confirmation_of(report, now_ns))
    return True


async def _over(conn: asyncpg.Connection, imported: _Imported) -> bool | None:
    """None until a certificate covers the hour."""
    found = await conn.fetchval(
        "SELECT count(*) FROM expired_key"
        " WHERE camera_id = $1 AND hour_ns = $2 AND segments > 0 AND certificate IS NOT NULL",
        imported.camera_id,
        hour_of(imported.span.start_ns),
    )
    return True if found else None


async def _removed(everything: Running, imported: _Imported) -> bool | None:
    async with open_store(everything.settings.store()) as store:
        for name in imported.names:
            if await store.stat(name) is not None:
                return None
    return True


async def _certified(client: CustodianClient, conn: asyncpg.Connection) -> bool:
    """Whether the offline verifier, run from the bundle as a receiver runs it, finds all certificates in order."""
    certificates = await read_certificates(conn, 0, sys.maxsize)
    bundle = write_bundle(certificates, (await client.identity()).signer)
    return bool(certificates) and await asyncio.to_thread(_verifies, bundle)


def _verifies(bundle: bytes) -> bool:
    with tempfile.TemporaryDirectory(prefix="tallenne-smoke-") as scratch:
        path = Path(scratch) / "certificates.zip"
        path.write_bytes(bundle)
        with zipfile.ZipFile(path) as archive:
            archive.extract("verify.py", scratch)
        command = [sys.executable, "-I", str(Path(scratch) / "verify.py"), str(path)]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
