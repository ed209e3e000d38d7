"""`tallenne import`: imports a recorded file as sealed footage of a camera, at the time of its recording."""

from __future__ import annotations

import argparse
import asyncio
import json
from pathlib import Path

from domain.time import NS, to_iso
from ingest.importing import Imported, import_file, resume
from ingest.settings import CameraSettings
from pipeline.commands.common import add_place, settings_of
from pipeline.commands.naming import one_named
from pipeline.commands.times import local, typed_time
from pipeline.config.imports import import_settings
from pipeline.config.roles import RoleSettings
from pipeline.errors import SetupError
from pipeline.exit_codes import OK
from pipeline.output import progress, say

_EXAMPLES = """\
examples:
  tallenne import hall.mp4 --camera Hall --start 2026-11-22T06:00:00+02:00
  tallenne import --resume                    finish one that was interrupted while it was uploaded
"""


def add(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "file", type=Path, nargs="?", metavar="FILE", help="MP4, Matroska, MPEG-TS, AVI; H.264 or H.265"
    )
    parser.add_argument(
        "--camera", metavar="NAME", help="the camera that recorded it; SITE/NAME if several have the name"
    )
    parser.add_argument(
        "--start", type=typed_time, metavar="TIME", help="time of its first picture: 06:31, or with a date"
    )
    parser.add_argument("--resume", action="store_true", help="complete an interrupted import")
    parser.add_argument("--json", action="store_true", help="for scripts")
    add_place(parser)
    parser.epilog = _EXAMPLES


def run(arguments: argparse.Namespace) -> int:
    """Run the command and return its exit code."""
    if not arguments.resume and (arguments.file is None or arguments.camera is None or arguments.start is None):
        raise SetupError("There is nothing to import.", "Give FILE, --camera and --start; or --resume.")
    try:
        return asyncio.run(_run(arguments))
    except KeyboardInterrupt:
        say("\nInterrupted. `tallenne import --resume` finishes what was sealed, if there is any.", error=True)
        raise


async def _run(arguments: argparse.Namespace) -> int:
    settings = settings_of(arguments)
    wanted = import_settings(settings)
    tell = _Progress()
    if arguments.resume:
        found = await resume(wanted, tell)
    else:
        camera = named_camera(settings, arguments.camera)
        found = await import_file(wanted, camera, arguments.file, arguments.start, tell)
    tell.clear()
    _say(found, arguments.json)
    return OK


def named_camera(settings: RoleSettings, name: str) -> CameraSettings:
    """By "NAME" or "SITE/NAME". SetupError lists the known cameras."""
    sites = {site.site_id: site.name for site in settings.inventory().sites}
    cameras = settings.cameras_without_secrets()
    return one_named("camera", name, cameras, lambda camera: (sites[camera.site_id], camera.name), SetupError)


class _Progress:
    """Show the progress, on a terminal only."""

    def __call__(self, what: str, part: float) -> None:
        progress(f"  {what}  {part:.0%}")

    def clear(self) -> None:
        progress()


def _say(found: Imported | None, as_json: bool) -> None:
    if as_json:
        say(json.dumps(_shown(found)))
        return
    if found is None:
        say("There is no interrupted import.")
        return
    say(
        f"{found.camera_name}: {local(found.span.start_ns)} to {local(found.span.end_ns)},"
        f" {found.segments} segments, {found.pictures} pictures."
    )
    if found.audio_left_out:
        say("Its sound was left out.")
    if found.hidden_ns:
        say(f"Its first {found.hidden_ns / NS:.1f} s, which players hide, are kept: decoding begins there.")
    if found.shadows:
        say(f"{found.shadows} segments are hidden: the recorder handed in footage of their time meanwhile.")


def _shown(found: Imported | None) -> dict[str, object] | None:
    if found is None:
        return None
    return {
        "camera": found.camera_name,
        "start": to_iso(found.span.start_ns),
        "end": to_iso(found.span.end_ns),
        "segments": found.segments,
        "pictures": found.pictures,
        "shadows": found.shadows,
        "audio_left_out": found.audio_left_out,
        "hidden_s": found.hidden_ns / NS,
    }
