"""`tallenne paper breach`: from the audit trail, what was exposed, of which members, and who looked."""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from dataclasses import asdict

from domain.time import Span
from paper.exposed import Exposure
from paper.kinds.breach import paper
from pipeline.commands.common import add_place, settings_of
from pipeline.commands.paper.output import add_output, write
from pipeline.commands.times import typed_time
from pipeline.config.roles import RoleSettings
from pipeline.errors import SetupError
from pipeline.exit_codes import OK
from pipeline.output import say
from pipeline.paper.breach import exposure_of
from pipeline.paper.stated import facts_of
from runtime.database import connect


def add(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    when = "06:31, or with a date"
    parser.add_argument("--from", dest="start", type=typed_time, required=True, metavar="TIME", help=when)
    parser.add_argument("--to", dest="end", type=typed_time, required=True, metavar="TIME", help="the same; exclusive")
    parser.add_argument("--staff", metavar="USER", help="what this person saw; by default what every person did")
    parser.add_argument("--json", action="store_true", help="every entry, for scripts, in place of a file")
    parser.set_defaults(paper=run)
    add_output(parser)
    add_place(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run the command and return its exit code."""
    if arguments.end <= arguments.start:
        raise SetupError("--to is not after --from.", "Write the earlier time as --from.")
    exposure = asyncio.run(_exposure(settings_of(arguments), arguments))
    if arguments.json:
        say(json.dumps(asdict(exposure)))
        return OK
    write(paper(exposure, arguments.language), arguments, private=True)
    say(f"{len(exposure.looks)} entries, {len(exposure.members)} members. It holds personal data: keep it accordingly.")
    return OK


async def _exposure(settings: RoleSettings, arguments: argparse.Namespace) -> Exposure:
    controller = facts_of(settings.loaded).controller.name
    conn = await connect(settings.database("serve"))
    try:
        period = Span(arguments.start, arguments.end)
        return await exposure_of(conn, controller, period, arguments.staff, time.time_ns())
    finally:
        await conn.close()
