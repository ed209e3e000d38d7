"""`tallenne events`: door events with their tags, for the operator on the machine; and corrections."""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from typing import Any
from uuid import UUID

from domain.ids import EventId
from domain.time import NS, Span, to_iso
from indexer.corrections import withdraw_event
from pipeline.commands.common import add_place, settings_of
from pipeline.exit_codes import OK
from pipeline.times import add_span
from storage.access import events
from storage.database import open_pool


def add(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="action")
    show = actions.add_parser("list", help="the newest first; members by their internal id only")
    add_span(show, required=False)
    show.add_argument("--limit", type=int, default=50, metavar="N", help="how many (default 50)")
    show.add_argument("--json", action="store_true", help="for scripts")
    add_place(show)
    withdraw = actions.add_parser("withdraw", help="an event that was wrong: its tags are superseded, on record")
    withdraw.add_argument("event", type=UUID)
    add_place(withdraw)


def run(arguments: argparse.Namespace) -> int:
    return asyncio.run(_withdraw(arguments) if arguments.action == "withdraw" else _list(arguments))


async def _list(arguments: argparse.Namespace) -> int:
    settings = settings_of(arguments)
    end_ns = arguments.end or time.time_ns() + 60 * NS
    span = Span(arguments.start or end_ns - 24 * 3600 * NS, end_ns)
    inventory = settings.inventory()
    doors = {door.door_id: door.name for door in inventory.doors}
    cameras = {camera.camera_id: camera.name for camera in inventory.cameras}
    async with open_pool(settings.database("serve"), application_name="events") as pool:
        rows = await events(pool, site_ids=[site.site_id for site in inventory.sites], span=span, limit=arguments.limit)
    shown: list[dict[str, Any]] = [
        {
            "event": str(row.event.event_id),
            "occurred": to_iso(row.event.occurred_ns),
            "door": doors.get(row.event.door_id, str(row.event.door_id)),
            "kind": row.event.kind.value,
            "member": str(row.event.member_id) if row.event.member_id else None,
            "uncertain": row.event.uncertain,
            "tags": {cameras.get(item.camera_id, str(item.camera_id)): item.segments for item in row.cameras},
        }
        for row in rows
    ]
    if arguments.json:
        print(json.dumps(shown))
        return OK
    for item in shown:
        tags = ", ".join(f"{name}: {count}" for name, count in item["tags"].items())
        print(f"{item['occurred']}  {item['door']:<16} {item['kind']:<12} {item['member'] or '-':<36}  segments {tags}")
    return OK


async def _withdraw(arguments: argparse.Namespace) -> int:
    settings = settings_of(arguments)
    async with open_pool(settings.database("index"), application_name="events") as pool:
        await withdraw_event(pool, EventId(arguments.event), actor="operator")
    print(f"Event {arguments.event} is withdrawn; its tags are superseded.")
    return OK
