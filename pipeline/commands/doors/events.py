"""`tallenne events`: door events with their tags, for the operator on the machine; and corrections."""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from typing import Any

import asyncpg

from domain.arguments import whole
from domain.ids import DoorId, SiteId
from domain.time import NS, Span, to_iso
from pipeline.commands.common import add_place, settings_of
from pipeline.commands.doors import event_corrections
from pipeline.commands.times import add_span, span_of
from pipeline.exit_codes import OK
from pipeline.output import say
from runtime.database import open_pool
from storage.access import EventRow, events

_EXAMPLES = """examples:
  tallenne events list --start 06:00 --end 07:00 --door "Main door"
  tallenne events correct 0d9f6a1c-... --time 2026-11-22T06:31:04+02:00
  tallenne events reassign --from-member 1041 --to-member 2077 --start 2026-11-20 --end 2026-11-23
"""


def add(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.epilog, parser.formatter_class = _EXAMPLES, argparse.RawDescriptionHelpFormatter
    actions = parser.add_subparsers(dest="action", required=True, metavar="action")
    show = actions.add_parser("list", help="the newest first, of the last day; members by their internal id only")
    add_span(show, required=False)
    show.add_argument("--door", metavar="NAME", help="this door only, as the configuration names it")
    show.add_argument("--limit", type=whole(1), default=50, metavar="N", help="how many (default 50)")
    show.add_argument("--json", action="store_true", help="for scripts")
    add_place(show)
    event_corrections.add(actions)


def run(arguments: argparse.Namespace) -> int:
    """Run the command and return its exit code."""
    return asyncio.run(_list(arguments) if arguments.action == "list" else event_corrections.run(arguments))


def _span(arguments: argparse.Namespace) -> Span:
    """Fill in missing times: the end is in a minute (clocks differ), the start a day before the end."""
    arguments.end = arguments.end or time.time_ns() + 60 * NS
    arguments.start = arguments.start or arguments.end - 24 * 3600 * NS
    return span_of(arguments)


async def _rows(
    pool: asyncpg.Pool, sites: list[SiteId], span: Span, door_id: DoorId | None, limit: int
) -> list[EventRow]:
    """Fetch the events page by page."""
    rows: list[EventRow] = []
    while len(rows) < limit:
        before = rows[-1].cursor if rows else None
        wanted = limit - len(rows)
        page = await events(
            pool,
            site_ids=sites,
            span=span,
            door_ids=None if door_id is None else [door_id],
            limit=wanted,
            before=before,
        )
        if not page:
            break
        rows += page
    return rows


async def _list(arguments: argparse.Namespace) -> int:
    settings, span = settings_of(arguments), _span(arguments)
    inventory = settings.inventory()
    doors = {door.door_id: door.name for door in inventory.doors}
    cameras = {camera.camera_id: camera.name for camera in inventory.cameras}
    door_id = event_corrections.door_named(settings, arguments.door) if arguments.door else None
    async with open_pool(settings.database("serve"), application_name="events") as pool:
        rows = await _rows(pool, [site.site_id for site in inventory.sites], span, door_id, arguments.limit)
    shown: list[dict[str, Any]] = [
        {
            "event": str(row.event.event_id),
            "occurred": to_iso(row.event.occurred_ns),
            "door": doors.get(row.event.door_id, str(row.event.door_id)),
            "kind": row.event.kind.value,
            "member": str(row.event.member_id) if row.event.member_id else None,
            "uncertain": row.event.uncertain,
            "received": to_iso(row.event.received_ns),
            "reported": None if row.event.reported_ns is None else to_iso(row.event.reported_ns),
            "tags": {cameras.get(item.camera_id, str(item.camera_id)): item.segments for item in row.cameras},
        }
        for row in rows
    ]
    if arguments.json:
        say(json.dumps(shown))
        return OK
    for item in shown:
        tags = ", ".join(f"{name}: {count}" for name, count in item["tags"].items())
        said = f"; its controller says {item['reported']}" if item["reported"] else ""
        sure = f" (time uncertain{said})" if item["uncertain"] else ""
        say(f"{item['event']}  {item['occurred']}  {item['door']:<16} {item['kind']:<12}{sure}")
        say(f"    member {item['member'] or '-'}  segments {tags or '-'}")
    say(f"{len(shown)} events{', the newest; --limit shows more' if len(shown) == arguments.limit else ''}.")
    return OK
