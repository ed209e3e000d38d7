"""`tallenne clip`: finds a clip, requests its export, and fetches it once a colleague has approved it."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import time
from pathlib import Path
from typing import Any

from domain.arguments import whole
from domain.time import NS, Span, from_iso, to_iso
from pipeline.client import ApiRefusedError, StaffClient
from pipeline.commands.asker import add_asker, member_named, one_of, signed_in
from pipeline.commands.common import add_place
from pipeline.commands.times import add_span, at_site, span_of
from pipeline.errors import SetupError
from pipeline.exit_codes import OK
from pipeline.output import progress, say
from pipeline.supervise.terminal import size

_WAIT_S = 240.0


def add(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_place(parser)
    add_span(parser, required=False)
    what = parser.add_argument_group("what to find")
    what.add_argument("--camera", metavar="NAME", help="footage of this camera from --start to --end")
    what.add_argument("--member", metavar="NAME", help="door events of this member (name or number)")
    what.add_argument("--door", metavar="NAME", help="only events at this door")
    what.add_argument("--pick", type=whole(1), metavar="N", help="number of the listed event, from 1")
    out = parser.add_argument_group("the clip")
    out.add_argument(
        "-o", "--output", type=Path, metavar="FILE", help="write the MP4 to this file; without it, list the events"
    )
    out.add_argument("--export", metavar="ID", help="fetch this export, which was requested before")
    out.add_argument("--masked", action="store_true", help="mask everyone, by programs alone: look through the file")
    out.add_argument("--json", action="store_true", help="for scripts")
    add_asker(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run the command and return its exit code."""
    if not arguments.camera and not arguments.member and not arguments.door and not arguments.export:
        raise SetupError("No search was given.", "Give --camera, --member, --door or --export.")
    if (arguments.camera or arguments.export) and not arguments.output:
        raise SetupError("No output file was given.", "Give -o FILE.")
    if (arguments.start is None or arguments.end is None) and arguments.camera:
        raise SetupError("A camera needs a span.", "Give --start and --end.")
    if None not in (arguments.start, arguments.end):
        span_of(arguments)
    if arguments.output and (arguments.output.is_dir() or not os.access(arguments.output.absolute().parent, os.W_OK)):
        raise SetupError(f"{arguments.output} cannot be written.", "Name a file in a folder of yours with -o.")
    return asyncio.run(_run(arguments))


async def _run(arguments: argparse.Namespace) -> int:
    async with signed_in(arguments) as client:
        if arguments.export:
            await _fetch(client, arguments, arguments.export)
            return OK
        if arguments.camera:
            cameras = await client.get("/v1/cameras")
            found = await one_of(client, "camera", arguments.camera, cameras)
            wish = (found["camera_id"], Span(arguments.start, arguments.end))
        else:
            picked = await _event(client, arguments)
            if picked is None:
                return OK
            wish = picked
        camera, span = wish
        asked = await client.ask_export(camera, _up_to_now(span, time.time_ns()), masked=arguments.masked)
        if not arguments.json:
            say(f"Export {asked['export_id']} waits for a colleague's approval (page Exports). Ctrl-C: fetch it later.")
        await _approved(client, arguments, asked)
        await _fetch(client, arguments, asked["export_id"])
    return OK


def _up_to_now(span: Span, now_ns: int) -> Span:
    """Of an event that has only just happened, the seconds after it are still to come: an export ends before them."""
    return Span(span.start_ns, min(span.end_ns, now_ns)) if span.start_ns < now_ns else span


async def _approved(client: StaffClient, arguments: argparse.Namespace, asked: dict[str, Any]) -> None:
    """A code is good for five minutes; a later fetch needs a new one."""
    deadline_s = time.monotonic() + _WAIT_S
    while asked["state"] == "approval":
        if time.monotonic() > deadline_s:
            raise ApiRefusedError(
                f"Export {asked['export_id']} is not approved yet.",
                f"After the approval: tallenne clip --export {asked['export_id']} -o {arguments.output} --reason ...",
            )
        await asyncio.sleep(1)
        asked = await client.get(f"/v1/exports/{asked['export_id']}")


async def _event(client: StaffClient, arguments: argparse.Namespace) -> tuple[str, Span] | None:
    """The camera and span of the picked event; None when the events were listed only."""
    now_ns = time.time_ns()
    end_ns = arguments.end or now_ns
    start_ns = arguments.start or end_ns - 24 * 3600 * NS
    query: dict[str, str] = {"start": to_iso(start_ns), "end": to_iso(end_ns)}
    if arguments.member:
        query["member"] = await member_named(client, arguments.member)
    if arguments.door:
        doors = await client.get("/v1/doors")
        query["door"] = (await one_of(client, "door", arguments.door, doors))["door_id"]
    events = (await client.get("/v1/events", **query))["events"]
    if not arguments.output:
        _list(events, arguments.json)
        return None
    if not events or not 1 <= (arguments.pick or 1) <= len(events):
        raise ApiRefusedError("There is no such event.", "List them first: leave -o out.")
    event = events[(arguments.pick or 1) - 1]
    if not event["cameras"]:
        raise ApiRefusedError("No camera sees that door.", "Map one in the configuration.")
    camera = event["cameras"][0]
    return camera["camera_id"], Span(from_iso(camera["start"]), from_iso(camera["end"]))


def _list(events: list[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        say(json.dumps(events))
        return
    for number, event in enumerate(events, start=1):
        member = event["member"] or {}
        when = at_site(from_iso(event["occurred"]), event["time_zone"])
        say(
            f"{number:>3}  {when}  {event['door']:<16} {event['kind']:<12}"
            f" {member.get('name') or '-':<28} {', '.join(camera['name'] for camera in event['cameras'])}"
        )
    zones = ", ".join(sorted({event["time_zone"] for event in events}))
    say(f"Times are of {zones}. Download one with --pick N -o FILE." if events else "No events.")


async def _fetch(client: StaffClient, arguments: argparse.Namespace, export_id: str) -> None:
    part = arguments.output.with_name(arguments.output.name + ".part")
    started_s = time.monotonic()
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
        try:
            fetched = await client.fetch_export(export_id, out, _progress)
        except BaseException:
            part.unlink()
            raise
    part.replace(arguments.output)
    progress()
    done = {
        "export_id": export_id,
        "file": str(arguments.output),
        "start": to_iso(fetched.span.start_ns),
        "end": to_iso(fetched.span.end_ns),
        "bytes": fetched.size_bytes,
        "seconds": round(time.monotonic() - started_s, 3),
    }
    if arguments.json:
        say(json.dumps(done))
    else:
        say(f"{arguments.output}: {done['start']} to {done['end']}, {size(fetched.size_bytes)}, {done['seconds']} s")


def _progress(got: int, whole: int) -> None:
    progress(f"  {size(got)} of {size(whole)} ({100 * got // whole} %)")
