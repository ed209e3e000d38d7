"""`tallenne verify`: read and authenticate every object of a span; exit 1 when something does not hold."""

from __future__ import annotations

import argparse
import asyncio
import json
from typing import Any

from custodian.client import CustodianClient
from domain.ids import CameraId
from domain.time import Span, to_iso
from pipeline.commands.common import add_place, settings_of
from pipeline.commands.times import add_span, local, span_of
from pipeline.config.roles import RoleSettings
from pipeline.errors import SetupError
from pipeline.exit_codes import FAILED, OK
from pipeline.output import progress, say
from pipeline.supervise.terminal import size
from runtime.database import open_pool
from storage.store import open_store
from upkeep.verify import VerifyProgress, VerifyReport, verify


def add(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_span(parser)
    parser.add_argument("--camera", action="append", metavar="NAME", help="only this camera; may be repeated")
    parser.add_argument("--json", action="store_true", help="for scripts")
    add_place(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run the command and return its exit code."""
    return asyncio.run(_verify(arguments))


async def _verify(arguments: argparse.Namespace) -> int:
    span = span_of(arguments)
    settings = settings_of(arguments)
    names = {camera.camera_id: camera.name for camera in settings.inventory().cameras}
    cameras = cameras_named(settings, arguments.camera)
    async with (
        open_pool(settings.database("serve"), application_name="verify", statement_timeout_s=120) as pool,
        open_store(settings.store()) as store,
    ):
        custodian = CustodianClient(settings.custodian_socket)
        report = await verify(pool, store, custodian, camera_ids=cameras, span=span, progress=_progress)
    progress()
    if arguments.json:
        say(json.dumps(_shown(report, span, names)))
    else:
        _tell(report, span, names)
    return OK if report.ok else FAILED


def cameras_named(settings: RoleSettings, names: list[str] | None) -> list[CameraId] | None:
    """Ids of the configuration's cameras; None for all that were ever recorded."""
    if names is None:
        return None
    known = settings.inventory().cameras
    found = {camera.camera_id for camera in known for name in names if camera.name.lower() == name.lower()}
    missing = [name for name in names if name.lower() not in {camera.name.lower() for camera in known}]
    if missing:
        there = ", ".join(sorted(camera.name for camera in known))
        raise SetupError(f"There is no camera {missing[0]!r}.", f"There are: {there}.")
    return sorted(found)


def _shown(report: VerifyReport, span: Span, names: dict[CameraId, str]) -> dict[str, Any]:
    return {
        "ok": report.ok,
        "start": to_iso(span.start_ns),
        "end": to_iso(span.end_ns),
        "cameras": report.cameras,
        "objects": report.objects,
        "bytes": report.bytes,
        "fragments": report.fragments,
        "frames": report.frames,
        "recovered": report.recovered,
        "shadows": report.shadows,
        "seconds": round(report.seconds, 3),
        "bad_count": report.bad_count,
        "bad": [
            {
                "segment": str(item.segment_id),
                "camera": names.get(item.camera_id, str(item.camera_id)),
                "start": to_iso(item.start_ns),
                "reason": item.flaw.value,
                "detail": item.detail,
            }
            for item in report.bad
        ],
        "unexplained_breaks": report.unexplained_breaks,
        "breaks": [
            {
                "segment": str(item.found.segment_id),
                "camera": names.get(item.found.camera_id, str(item.found.camera_id)),
                "start": to_iso(item.found.start_ns),
                "kind": item.found.kind.value,
                "gap": item.gap,
            }
            for item in report.breaks
        ],
    }


def _tell(report: VerifyReport, span: Span, names: dict[CameraId, str]) -> None:
    for bad in report.bad:
        camera = names.get(bad.camera_id, str(bad.camera_id))
        say(f"BAD    {local(bad.start_ns)}  {camera:<20} {bad.segment_id}  {bad.flaw}  {bad.detail}")
    for item in report.breaks:
        camera = names.get(item.found.camera_id, str(item.found.camera_id))
        why = f"a gap lies before it ({item.gap})" if item.gap else "NO gap explains it"
        say(f"BREAK  {local(item.found.start_ns)}  {camera:<20} {item.found.segment_id}  {item.found.kind}: {why}")
    rate = report.bytes / report.seconds if report.seconds else 0.0
    say(
        f"{local(span.start_ns)} to {local(span.end_ns)}: {report.objects} objects of {report.cameras} cameras,"
        f" {size(report.bytes)}, {report.frames} pictures read in {report.seconds:.1f} s ({size(rate)}/s)."
    )
    if report.ok:
        say("Every object is whole, signed, opens, and is what its row says; every chain of trailers holds.")
    else:
        say(f"{report.bad_count} objects are BAD, {report.unexplained_breaks} breaks are UNEXPLAINED.")


def _progress(so_far: VerifyProgress) -> None:
    share = 100 * so_far.bytes // max(1, so_far.bytes_in_all)
    progress(f"  {so_far.objects} of {so_far.objects_in_all} objects, {size(so_far.bytes)} ({share} %)")
