"""`tallenne clip`: find a clip, ask for its export, fetch it when a colleague has approved it: as staff would."""

from __future__ import annotations

import argparse
import asyncio
import getpass
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from domain.arguments import whole
from domain.time import NS, Span, from_iso, to_iso
from pipeline.client import ApiRefusedError, StaffClient, staff_client
from pipeline.commands.common import add_place, place_of
from pipeline.commands.naming import one_named
from pipeline.commands.times import add_span, at_site
from pipeline.config.roles import run_directory_of
from pipeline.demo.account import demo_account
from pipeline.errors import SetupError
from pipeline.exit_codes import OK
from pipeline.supervise.terminal import size
from runtime.status import read_status_files

_WAIT_S = 240.0
_CATEGORIES = ("incident", "access", "safety", "property", "member_request", "authority", "maintenance")


def add(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_place(parser)
    add_span(parser, required=False)
    what = parser.add_argument_group("what to find")
    what.add_argument("--camera", metavar="NAME", help="footage of this camera from --start to --end")
    what.add_argument("--member", metavar="NAME", help="door events of this member (name or number)")
    what.add_argument("--door", metavar="NAME", help="only events at this door")
    what.add_argument("--pick", type=whole(1), metavar="N", help="which of the events that were listed (from 1)")
    what.add_argument("--reason", required=True, help="why; kept with everything that is looked at")
    what.add_argument("--category", choices=_CATEGORIES, default="incident", help="what kind of reason")
    out = parser.add_argument_group("the clip")
    out.add_argument("-o", "--output", type=Path, metavar="FILE", help="where the MP4 goes; without it: a list")
    out.add_argument("--export", metavar="ID", help="fetch this export, which was asked for before")
    out.add_argument("--json", action="store_true", help="for scripts")
    who = parser.add_argument_group("who asks (password and code are asked for, or read from the environment)")
    who.add_argument("--server", metavar="URL", help="https://…; without it the one that runs here")
    who.add_argument("--ca", type=Path, metavar="FILE", help="the server's certificate, or its authority's")
    who.add_argument("--user", metavar="NAME", help="TALLENNE_USER; in the demo it is made for you")
    parser.epilog = "environment: TALLENNE_USER, TALLENNE_PASSWORD, TALLENNE_CODE"


def run(arguments: argparse.Namespace) -> int:
    """Run the command and return its exit code."""
    if not arguments.camera and not arguments.member and not arguments.door and not arguments.export:
        raise SetupError("Nothing to find was named.", "Give --camera, --member, --door or --export.")
    if (arguments.camera or arguments.export) and not arguments.output:
        raise SetupError("Where the clip goes was not named.", "Give -o FILE.")
    if (arguments.start is None or arguments.end is None) and arguments.camera:
        raise SetupError("A camera needs a span.", "Give --start and --end.")
    if None not in (arguments.start, arguments.end) and arguments.end <= arguments.start:
        raise SetupError("--end is not after --start.", "Write the earlier time as --start.")
    if arguments.output and (arguments.output.is_dir() or not os.access(arguments.output.absolute().parent, os.W_OK)):
        raise SetupError(f"{arguments.output} cannot be written.", "Name a file in a folder of yours with -o.")
    return asyncio.run(_run(arguments))


async def _run(arguments: argparse.Namespace) -> int:
    address, certificate = _server(arguments)
    async with staff_client(address, certificate) as client:
        await _sign_in(client, arguments)
        await client.state_purpose(arguments.category, arguments.reason)
        if arguments.export:
            await _fetch(client, arguments, arguments.export)
            return OK
        if arguments.camera:
            cameras = await client.get("/v1/cameras")
            found = await _one_named(client, "camera", arguments.camera, cameras)
            wish = (found["camera_id"], Span(arguments.start, arguments.end))
        else:
            picked = await _event(client, arguments)
            if picked is None:
                return OK
            wish = picked
        asked = await client.ask_export(*wish)
        if not arguments.json:
            print(
                f"Export {asked['export_id']} waits for a colleague's approval (page Exports). Ctrl-C: fetch it later."
            )
        await _approved(client, arguments, asked)
        await _fetch(client, arguments, asked["export_id"])
    return OK


async def _approved(client: StaffClient, arguments: argparse.Namespace, asked: dict[str, Any]) -> None:
    """A code is good for five minutes; a later fetch needs a new one."""
    deadline_s = time.monotonic() + _WAIT_S
    while asked["state"] == "approval":
        if time.monotonic() > deadline_s:
            raise ApiRefusedError(
                f"Nobody has approved export {asked['export_id']} yet.",
                f"After the approval: tallenne clip --export {asked['export_id']} -o {arguments.output} --reason ...",
            )
        await asyncio.sleep(1)
        asked = await client.get(f"/v1/exports/{asked['export_id']}")


async def _one_named(client: StaffClient, kind: str, name: str, items: list[dict[str, Any]]) -> dict[str, Any]:
    sites = {site["site_id"]: site["name"] for site in await client.get("/v1/sites")}
    return one_named(kind, name, items, lambda item: (sites.get(item["site_id"], "?"), item["name"]), ApiRefusedError)


async def _event(client: StaffClient, arguments: argparse.Namespace) -> tuple[str, Span] | None:
    """The camera and span of the picked event; None when the events were listed only."""
    now_ns = time.time_ns()
    end_ns = arguments.end or now_ns
    start_ns = arguments.start or end_ns - 24 * 3600 * NS
    query: dict[str, str] = {"start": to_iso(start_ns), "end": to_iso(end_ns)}
    if arguments.member:
        people = await client.get("/v1/members", query=arguments.member)
        if len(people) != 1:
            names = "; ".join(f"{item['name']} ({item['number']})" for item in people) or "nobody"
            raise ApiRefusedError(f"{arguments.member!r} is not one member: {names}.", "Give the number.")
        query["member"] = people[0]["member_id"]
    if arguments.door:
        doors = await client.get("/v1/doors")
        query["door"] = (await _one_named(client, "door", arguments.door, doors))["door_id"]
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
        print(json.dumps(events))
        return
    for number, event in enumerate(events, start=1):
        member = event["member"] or {}
        when = at_site(from_iso(event["occurred"]), event["time_zone"])
        print(
            f"{number:>3}  {when}  {event['door']:<16} {event['kind']:<12}"
            f" {member.get('name') or '-':<28} {', '.join(camera['name'] for camera in event['cameras'])}"
        )
    zones = ", ".join(sorted({event["time_zone"] for event in events}))
    print(f"Times are of {zones}. Download one with --pick N -o FILE." if events else "No events.")


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
    if sys.stderr.isatty():
        print("\r\x1b[K", end="", file=sys.stderr)
    done = {
        "export_id": export_id,
        "file": str(arguments.output),
        "start": to_iso(fetched.span.start_ns),
        "end": to_iso(fetched.span.end_ns),
        "bytes": fetched.size_bytes,
        "seconds": round(time.monotonic() - started_s, 3),
    }
    if arguments.json:
        print(json.dumps(done))
    else:
        print(f"{arguments.output}: {done['start']} to {done['end']}, {size(fetched.size_bytes)}, {done['seconds']} s")


def _progress(got: int, whole: int) -> None:
    if sys.stderr.isatty():
        print(f"\r  {size(got)} of {size(whole)} ({100 * got // whole} %)\x1b[K", end="", file=sys.stderr)


def _server(arguments: argparse.Namespace) -> tuple[str, Path | None]:
    if arguments.server:
        return arguments.server, arguments.ca
    loaded, installation = place_of(arguments)
    own = loaded.config.serve.certificate
    certificate = loaded.resolve(own) if own else installation.root / "serve" / "tls-cert.pem"
    for status in read_status_files(run_directory_of(loaded, installation)):
        if status.get("role") == "serve" and status.get("address"):
            return str(status["address"]), arguments.ca or certificate
    raise SetupError(f"No staff API runs on {installation.root}.", "Start it with `tallenne up`, or give --server.")


async def _asked(ask: Callable[[str], str], what: str) -> str:
    try:
        return await asyncio.to_thread(ask, what)
    except EOFError:
        raise SetupError(
            f"Nobody answers {what.rstrip(': ')!r}.",
            "Without a terminal, set TALLENNE_USER, TALLENNE_PASSWORD and TALLENNE_CODE.",
        ) from None


async def _sign_in(client: StaffClient, arguments: argparse.Namespace) -> None:
    """A fresh sign-in is a fresh code, too: what follows may be an export."""
    user = arguments.user or os.environ.get("TALLENNE_USER", "")
    if not user and not arguments.server:
        _, installation = place_of(arguments)
        if (installation.root / "demo").exists():
            await demo_account(installation).sign_in(client)
            return
    user = user or await _asked(input, "User name: ")
    password = os.environ.get("TALLENNE_PASSWORD", "") or await _asked(getpass.getpass, "Password: ")
    code = os.environ.get("TALLENNE_CODE", "") or await _asked(input, "One-time code: ")
    await client.sign_in(user, password, code)
