"""`tallenne cases`: open a case, keep or restrict footage for it, add a note, and end it with a colleague."""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from typing import Any, Final

from domain.arguments import whole
from domain.time import DAY_NS, from_iso, to_iso
from pipeline.client import ApiRefusedError, StaffClient
from pipeline.commands.asker import add_asker, add_cameras, cameras_of, signed_in
from pipeline.commands.common import add_place
from pipeline.commands.times import at_site, local, span_of
from pipeline.exit_codes import OK
from pipeline.output import say

_STATES: Final = {"open": "open", "closing": "waits for a colleague to end it", "closed": "ended"}


def add(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    actions = parser.add_subparsers(dest="case_action", metavar="action", required=True)

    def _action(name: str, what: str, *, case: bool = True) -> argparse.ArgumentParser:
        made = actions.add_parser(name, help=what, description=f"{what[0].upper()}{what[1:]}.")
        add_place(made)
        if case:
            made.add_argument("case", metavar="NUMBER", help="the case's number, such as 2026-001")
        add_asker(made)
        made.add_argument("--json", action="store_true", help="for scripts")
        return made

    _action("list", "list the cases", case=False)
    _action("show", "show a case with its footage and notes")
    opened = _action("open", "open a case; --reason says why the footage is kept", case=False)
    opened.add_argument("title", help="what it is about")
    opened.add_argument("--review-days", type=whole(1), default=30, metavar="N", help="reviewed in N days (30)")
    hold = _action("hold", "keep footage for a case past its retention")
    add_cameras(hold)
    hold.add_argument("--restrict", action="store_true", help="also keep it from being shown and exported (GDPR 18)")
    note = _action("note", "add a note to a case")
    note.add_argument("text")
    _action("end", "ask for a case's end, or end it when a colleague has asked; what only it kept is destroyed")
    _action("keep", "keep a case open whose end was asked for")


def run(arguments: argparse.Namespace) -> int:
    """Run the command and return its exit code."""
    if arguments.case_action == "hold":
        span_of(arguments)
    return asyncio.run(_run(arguments))


async def _run(arguments: argparse.Namespace) -> int:
    async with signed_in(arguments) as client:
        if arguments.case_action == "list":
            cases = await client.get("/v1/cases")
            say(json.dumps(cases) if arguments.json else "\n".join(map(_line, cases)) or "There are no cases.")
            return OK
        if arguments.case_action == "open":
            review = to_iso(time.time_ns() + arguments.review_days * DAY_NS)
            body = {"title": arguments.title, "reason": arguments.reason, "review": review}
            _show(arguments, await client.post("/v1/cases", body))
            return OK
        path = await _path(client, arguments.case)
        if arguments.case_action == "hold":
            await _hold(client, arguments, path)
        elif arguments.case_action == "end":
            await _end(client, arguments, path)
        else:
            await _other(client, arguments, path)
    return OK


async def _path(client: StaffClient, number: str) -> str:
    cases = await client.get("/v1/cases")
    for case in cases:
        if number in (case["number"], case["case_id"]):
            return f"/v1/cases/{case['case_id']}"
    known = ", ".join(case["number"] for case in cases) or "none"
    raise ApiRefusedError(f"There is no case {number!r}.", f"Cases that you may see: {known}.")


async def _hold(client: StaffClient, arguments: argparse.Namespace, path: str) -> None:
    body = {"kind": "restriction" if arguments.restrict else "hold", **await cameras_of(client, arguments)}
    kept = await client.post(f"{path}/holds", body)
    if arguments.json:
        say(json.dumps(kept))
    else:
        say(f"Kept: {kept['segments']} recorded segments, and what is still to come of this span.")


async def _end(client: StaffClient, arguments: argparse.Namespace, path: str) -> None:
    case = await client.get(path)
    if case["state"] != "closing":
        _show(arguments, await client.post(f"{path}/end", {}))
        return
    ended = await client.post(f"{path}/confirm-end", {})
    if arguments.json:
        say(json.dumps(ended))
    else:
        say(f"Ended. {ended['segments_expired']} segments that only this case kept are destroyed.")


async def _other(client: StaffClient, arguments: argparse.Namespace, path: str) -> None:
    match arguments.case_action:
        case "note":
            _show(arguments, await client.post(f"{path}/entries", {"note": arguments.text}))
        case "keep":
            _show(arguments, await client.post(f"{path}/keep", {}))
        case _:
            _show(arguments, await client.get(path))


def _show(arguments: argparse.Namespace, case: dict[str, Any]) -> None:
    if arguments.json:
        say(json.dumps(case))
        return
    say(_line(case))
    say(f"  {case['reason']}")
    for hold in case["in_force"]:
        what = "restricted" if hold["kind"] == "restriction" else "kept"
        ended = "" if hold["ended"] is None else ", ended"
        zone = hold["time_zone"]
        span = f"{at_site(from_iso(hold['start']), zone)} to {at_site(from_iso(hold['end']), zone)}"
        say(f"  {what}: {hold['camera']}, {span}{ended}")
    for entry in case["entries"]:
        say(f"  {local(from_iso(entry['added']))} {entry['added_by']}: {entry['note'] or entry['camera']}")


def _line(case: dict[str, Any]) -> str:
    due = ", review is due" if case["review_due"] else ""
    return f"{case['number']}  {case['title']}  ({_STATES[case['state']]}, {case['holds']} holds{due})"
