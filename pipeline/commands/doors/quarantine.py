"""`tallenne quarantine`: lists door messages that could not be decoded, and replays them once the cause is removed."""

from __future__ import annotations

import argparse
import asyncio
import json
from dataclasses import asdict
from typing import Any
from uuid import UUID

import asyncpg

from custodian.client import CustodianClient
from domain.arguments import whole
from domain.time import to_iso
from indexer.events.replay import replay
from pipeline.commands.common import add_place, settings_of
from pipeline.errors import SetupError
from pipeline.exit_codes import OK
from pipeline.output import say
from runtime.database import open_pool
from storage.access.quarantine import QuarantineRow, quarantined

_EXAMPLES = """examples:
  tallenne quarantine list
  tallenne members import members.csv && tallenne quarantine replay
"""


def add(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.epilog, parser.formatter_class = _EXAMPLES, argparse.RawDescriptionHelpFormatter
    actions = parser.add_subparsers(dest="action", required=True, metavar="action")
    show = actions.add_parser("list", help="list waiting messages and the reasons, newest first")
    show.add_argument("--all", action="store_true", help="also those that were replayed successfully")
    show.add_argument("--limit", type=whole(1), default=100, metavar="N", help="how many (default 100)")
    again = actions.add_parser("replay", help="replay all messages or some; on record")
    again.add_argument("ids", type=UUID, nargs="*", metavar="ID", help="as the list shows them (default: all)")
    for action in (show, again):
        action.add_argument("--json", action="store_true", help="for scripts")
        add_place(action)


def run(arguments: argparse.Namespace) -> int:
    """Run the command and return its exit code."""
    return asyncio.run(_replay(arguments) if arguments.action == "replay" else _list(arguments))


async def _list(arguments: argparse.Namespace) -> int:
    settings = settings_of(arguments)
    async with open_pool(settings.database("serve"), application_name="quarantine") as pool:
        rows = await _rows(pool, arguments.limit, waiting_only=not arguments.all)
    shown = [
        {
            "received": to_iso(row.received_ns),
            "topic": row.topic,
            "reason": row.reason,
            "seen": row.seen_count,
            "replayed": None if row.replayed_ns is None else to_iso(row.replayed_ns),
            "id": str(row.quarantine_id),
        }
        for row in rows
    ]
    if arguments.json:
        say(json.dumps(shown))
        return OK
    for item in shown:
        say(f"{item['received']}  {item['seen']:>4} times  {item['id']}  {item['topic']:<32} {_why(item)}")
    more = "the newest; --limit shows more" if len(shown) == arguments.limit else "in quarantine"
    say(f"{len(shown)} {more}.")
    return OK


async def _rows(pool: asyncpg.Pool, limit: int, *, waiting_only: bool) -> list[QuarantineRow]:
    rows: list[QuarantineRow] = []
    while len(rows) < limit:
        before = rows[-1].cursor if rows else None
        page = await quarantined(pool, limit=limit - len(rows), before=before, waiting_only=waiting_only)
        if not page:
            break
        rows += page
    return rows


def _why(item: dict[str, Any]) -> str:
    return f"replayed {item['replayed']}" if item["replayed"] else str(item["reason"])


async def _replay(arguments: argparse.Namespace) -> int:
    settings = settings_of(arguments)
    custodian = CustodianClient(settings.custodian_socket)
    async with open_pool(settings.database("index"), application_name="quarantine") as pool:
        report = await replay(pool, custodian, settings.topics(), ids=arguments.ids or None)
    if arguments.json:
        say(json.dumps(asdict(report)))
    else:
        say(
            f"{report.looked_at} tried again: {report.understood} understood, {report.still_refused} still not,"
            f" {report.unopened} sealed to a key that is gone."
        )
    missing = len(set(arguments.ids or ())) - report.looked_at if arguments.ids else 0
    if missing > 0:
        raise SetupError(
            f"{missing} of these ids are not in the quarantine.", "`tallenne quarantine list` shows which do."
        )
    return OK
