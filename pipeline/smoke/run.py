"""`./run --smoke`: everything started, checked from camera to clip, stopped; one JSON line."""

from __future__ import annotations

import asyncio
import io
import json
import sys
import tempfile
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import asyncpg

from demo.doors import EVENTS_FILE
from demo.members import members as demo_members
from demo.role import SKIPS_FILE
from demo.video.marker import MARKER
from domain.errors import TallenneError
from domain.time import NS, Span, from_iso, to_iso
from pipeline.client import StaffClient, staff_client
from pipeline.demo.account import demo_account
from pipeline.errors import SetupError
from pipeline.exit_codes import FAILED, OK
from pipeline.output import say
from pipeline.running import Running
from pipeline.smoke.clear_bytes import files_holding
from pipeline.smoke.expected import Sent, brute_force, read_sent, read_skipped, segment_rows, tag_rows, untiled
from pipeline.smoke.forgetting import forgotten
from pipeline.smoke.holding import SmokeError, hold, until
from pipeline.smoke.lateness import Lateness
from pipeline.smoke.live import live_age_ms
from pipeline.smoke.pictures import Pictures, read_pictures
from pipeline.smoke.seeking import Seeks, seek
from pipeline.supervise.tell import Tell
from pipeline.up import UpOptions, running
from runtime.database import connect
from runtime.status import read_status_files

_TIMECODE_LIMIT_MS = 200.0
_FPS = 12.5


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """A clip that was found and fetched."""

    clip: bytes
    span: Span
    asked: Span
    camera_id: str
    camera_name: str
    seconds: float


async def smoke(options: UpOptions) -> int:
    """The exit code. Without --data the data lives in a directory that goes away."""
    started_s = time.monotonic()
    with Tell(sys.stderr) as tell, tempfile.TemporaryDirectory(prefix="tallenne-smoke-") as scratch:
        if options.config is not None:
            raise SetupError("The smoke check brings its own gym.", "Leave --config out.")
        if options.data is None:
            options = replace(options, data=Path(scratch) / "data")
        try:
            async with running(options, tell) as everything:
                with Lateness() as late:  # behind the start, which keeps any machine busy
                    result = await checked(everything, tell, started_s, late, forget=True)
        except TallenneError as error:
            say(f"tallenne: the smoke check failed: {error}", error=True)
            return FAILED
    say(json.dumps(result))
    return OK


async def checked(
    everything: Running, tell: Tell, started_s: float, late: Lateness, *, frames_off: int = 1, forget: bool = False
) -> dict[str, Any]:
    """All checks; SmokeError names the one that does not hold. frames_off: by so many pictures a clip may differ.

    ``late``: entered before the footage of the clip. ``forget``: footage expires, too, after a change of retention.
    """
    conn = await connect(everything.settings.database("owner"))
    try:
        event = await until(lambda: _covered_event(everything, conn), "a member's visit that is recorded")
        tell.line(f"  a visit is recorded and tagged after {time.monotonic() - started_s:.0f} s")
        async with _signed_in(everything) as client:
            found = await _find_and_fetch(client, event)
            first_clip_s = time.monotonic() - started_s
            tell.line(f"  its clip was found and fetched in {found.seconds:.2f} s")
            pictures = await asyncio.to_thread(read_pictures, found.clip, found.span)
            left_out = "word of what the cameras left out"
            skipped = await until(lambda: _skipped(everything, found.span, pictures), left_out)
            expected = _check_pictures(found, pictures, skipped, frames_off, late)
            seeks = await asyncio.to_thread(seek, found.clip, pictures.shown)
            _check_seeks(seeks)
            result = await until(lambda: tags_agree(everything, conn), "tags that equal the join")
            holes = await untiled(conn)
            hold(not holes, f"Footage and gaps do not tile the cameras' time: {'; '.join(holes[:3])}.")
            searched = await asyncio.to_thread(_no_clear_bytes, everything, found.clip)
            age_ms = await live_age_ms(client, found.camera_id)
            ended = await forgotten(everything, client, found.clip) if forget else {}
    finally:
        await conn.close()
    duration_s = found.span.duration_ns / NS
    return {
        "ok": True,
        **result,
        "clip_s": round(duration_s, 3),
        "frames": pictures.frames,
        "frames_expected": expected,
        "frames_skipped": skipped,
        "timecode_error_ms_max": pictures.error_ms_max,
        "machine_late_ms_max": round(late.worst_ms, 1),
        "seeks": seeks.times,
        "seeks_ffmpeg": seeks.by_ffmpeg,
        "seek_error_ms_max": seeks.error_ms_max,
        "first_clip_s": round(first_clip_s, 1),
        "clip_fetch_s": round(found.seconds, 3),
        "live_age_ms": age_ms,
        "bytes_searched": searched,
        "clear_files": 0,
        **ended,
        "restarts": sum(process.restarts.total for process in everything.processes.values()),
    }


async def _covered_event(everything: Running, conn: asyncpg.Connection) -> Sent | None:
    """A grant to a member whose whole window is footage of two segments or more, on every camera of the door."""
    cards = {member.credential for member in demo_members() if not member.valid_to}
    segments = await segment_rows(conn)
    inventory = everything.settings.inventory()
    doors = {door.external_id: door.door_id for door in inventory.doors}
    for event in read_sent(everything.installation.run / EVENTS_FILE):
        if event.kind != "granted" or event.credential not in cards:
            continue
        windows = [
            (mapping.camera_id, event.occurred_ns - mapping.before_ns, event.occurred_ns + mapping.after_ns)
            for mapping in inventory.mappings
            if mapping.door_id == doors[event.door]
        ]
        if all(_whole(segments, camera, start_ns, end_ns) for camera, start_ns, end_ns in windows):
            return event
    return None


def _whole(segments: list[Any], camera_id: Any, start_ns: int, end_ns: int) -> bool:
    at = start_ns
    pieces = 0
    for _, camera, begin_ns, stop_ns, _ in segments:
        if camera == camera_id and begin_ns <= at < stop_ns:
            at = stop_ns
            pieces += 1
    return at >= end_ns and pieces >= 2


@asynccontextmanager
async def _signed_in(everything: Running) -> Any:
    account = demo_account(everything.installation)
    certificate = everything.installation.root / "serve" / "tls-cert.pem"
    async with staff_client(everything.address, certificate) as client:
        await account.sign_in(client)
        yield client


async def _find_and_fetch(client: StaffClient, event: Sent) -> _Found:
    """Find the clip as staff do: by the member's name, the visit at that time, the first camera of its door."""
    member = next(member for member in demo_members() if member.credential == event.credential)
    started_s = time.monotonic()
    await client.state_purpose("access", "smoke check")
    people = await client.get("/v1/members", query=member.name)
    person = next((item for item in people if item["number"] == member.number), None)
    if person is None:
        raise SmokeError("The member is not found by name.")
    day = Span(event.occurred_ns - 3600 * NS, event.occurred_ns + 3600 * NS)
    query = {"start": to_iso(day.start_ns), "end": to_iso(day.end_ns)}
    visits = await client.get(f"/v1/members/{person['member_id']}/visits", **query)
    page = await client.get("/v1/events", member=person["member_id"], **query)
    mine = [item for item in page["events"] if from_iso(item["occurred"]) == event.occurred_ns]
    if not visits or not mine:
        raise SmokeError("The member's visit is not found.")
    detail = await client.get(f"/v1/events/{mine[0]['event_id']}")
    camera = detail["cameras"][0]
    asked = Span(from_iso(camera["start"]), from_iso(camera["end"]))
    out = io.BytesIO()
    fetched = await client.fetch_clip(camera["camera_id"], asked, out)
    return _Found(
        clip=out.getvalue(),
        span=fetched.span,
        asked=asked,
        camera_id=camera["camera_id"],
        camera_name=camera["name"],
        seconds=time.monotonic() - started_s,
    )


async def _skipped(everything: Running, span: Span, pictures: Pictures) -> int | None:
    """The number of pictures in the span that its camera skipped; None until the cameras have reported past its end."""
    run = everything.installation.run
    said = next((each for each in read_status_files(run) if each["role"] == "demo"), {})
    if said.get("updated_ns", 0) <= span.end_ns:
        return None
    return sum(read_skipped(run / SKIPS_FILE, camera, span, _FPS) for camera in pictures.cameras)


def _check_pictures(found: _Found, pictures: Pictures, skipped: int, frames_off: int, late: Lateness) -> int:
    """How many pictures there had to be: what the camera made."""
    hold(found.span.start_ns <= found.asked.start_ns, "The clip begins after what was asked for.")
    hold(found.span.end_ns >= found.asked.end_ns, "The clip ends before what was asked for.")
    hold(pictures.unreadable == 0, f"{pictures.unreadable} pictures have no readable strip.")
    hold(len(pictures.cameras) == 1, f"The clip shows cameras {sorted(pictures.cameras)}.")
    expected = round(found.span.duration_ns / NS * _FPS) - skipped
    hold(
        abs(pictures.frames - expected) <= frames_off,
        f"The clip has {pictures.frames} pictures, not {expected} ({skipped} that the camera left out are not counted;"
        f" the longest time between two is {max(pictures.steps_ms, default=0)} ms).",
    )
    _check_times(pictures, late)
    return expected


def _check_times(pictures: Pictures, late: Lateness) -> None:
    limit_ms = late.limit_ms(_TIMECODE_LIMIT_MS)
    hold(
        pictures.error_ms_max <= limit_ms,
        f"A picture's time is {pictures.error_ms_max} ms from what the catalogue claims, and may be {limit_ms:.0f}"
        f" (this machine ran late by up to {late.worst_ms:.0f} ms).",
    )


def _check_seeks(seeks: Seeks) -> None:
    hold(seeks.unreadable == 0, f"Seeking in the clip shows no readable strip {seeks.unreadable} times.")
    hold(
        seeks.error_ms_max <= 1000 / _FPS,
        f"Seeking in the clip shows a picture that is {seeks.error_ms_max:.0f} ms from the one of the time.",
    )


async def tags_agree(everything: Running, conn: asyncpg.Connection) -> dict[str, Any] | None:
    """Return the figures; None: the tags do not equal the join yet."""
    cards = {member.credential for member in demo_members()}
    sent = read_sent(everything.installation.run / EVENTS_FILE)
    async with conn.transaction(isolation="repeatable_read", readonly=True):
        segments = await segment_rows(conn)
        tags = await tag_rows(conn)
        events = await conn.fetchval("SELECT count(*) FROM access_event")
        gaps = await conn.fetchval("SELECT count(*) FROM gap")
    expected = brute_force(sent, segments, everything.settings.inventory(), cards)
    if tags != expected or not tags:
        return None
    return {
        "cameras": len(everything.settings.inventory().cameras),
        "segments": len(segments),
        "gaps": gaps,
        "events": events,
        "tags": len(tags),
        "tags_expected": len(expected),
    }


def _no_clear_bytes(everything: Running, clip: bytes) -> int:
    """Search everything on disk, with two positive controls: the served clip and a planted file."""
    hold(MARKER in clip, "The served clip does not hold the marker: the search would prove nothing.")
    root = everything.installation.root
    with tempfile.TemporaryDirectory(prefix="tallenne-control-") as control:
        (Path(control) / "planted").write_bytes(bytes(5000) + MARKER + bytes(5000))
        planted, _ = files_holding(MARKER, [Path(control)])
    hold(len(planted) == 1, "The search does not find what is planted.")
    found, searched = files_holding(MARKER, [root])
    hold(not found, f"Footage in the clear: {', '.join(str(path.relative_to(root)) for path in found[:3])}.")
    return searched
