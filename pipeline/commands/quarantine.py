"""`tallenne quarantine`: door messages that were not understood: listed, and tried again once the cause is mended."""

from __future__ import annotations

import argparse
import asyncio
import json
from dataclasses import asdict

from domain.time import to_iso
from indexer.replay import replay
from pipeline.commands.common import add_place, settings_of
from pipeline.exit_codes import OK
from storage.access.quarantine import quarantined
from storage.custodian.client import CustodianClient
from storage.database import open_pool


def add(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="action")
    for name, text in (("list", "what waits, and why"), ("replay", "try all of it again; on record")):
        action = actions.add_parser(name, help=text)
        action.add_argument("--json", action="store_true", help="for scripts")
        add_place(action)


def run(arguments: argparse.Namespace) -> int:
    return asyncio.run(_replay(arguments) if arguments.action == "replay" else _list(arguments))


async def _list(arguments: argparse.Namespace) -> int:
    settings = settings_of(arguments)
    async with open_pool(settings.database("serve"), application_name="quarantine") as pool:
        rows = await quarantined(pool)
    shown = [
        {
            "received": to_iso(row.received_ns),
            "topic": row.topic,
            "reason": row.reason,
            "seen": row.seen_count,
            "id": str(row.quarantine_id),
        }
        for row in rows
    ]
    if arguments.json:
        print(json.dumps(shown))
        return OK
    for item in shown:
        print(f"{item['received']}  {item['seen']:>4} times  {item['topic']:<32} {item['reason']}")
    print(f"{len(shown)} in quarantine.")
    return OK


async def _replay(arguments: argparse.Namespace) -> int:
    settings = settings_of(arguments)
    custodian = CustodianClient(settings.installation.custodian_socket)
    async with open_pool(settings.database("index"), application_name="quarantine") as pool:
        report = await replay(pool, custodian, settings.index().topics)
    if arguments.json:
        print(json.dumps(asdict(report)))
    else:
        print(
            f"{report.looked_at} tried again: {report.understood} understood, {report.still_refused} still not,"
            f" {report.unopened} sealed to a key that is gone."
        )
    return OK
