"""`tallenne alarms`: shows raised alarms and messages; `tallenne alarms test`: tests every channel."""

from __future__ import annotations

import argparse
import asyncio
import json
import time
import uuid
from typing import Any, Final
from zoneinfo import ZoneInfo

from alarms.conditions import Kind
from alarms.send.channels import channels
from alarms.settings import AlarmSettings
from alarms.state.notice import Change, Line, Notice
from alarms.state.wording import Writer, age
from domain.errors import TallenneError
from domain.time import NS
from pipeline.commands.alarms.report import report_of
from pipeline.commands.common import add_place, settings_of
from pipeline.errors import SetupError
from pipeline.exit_codes import FAILED, OK
from pipeline.output import say

_SHOWN: Final = 10


def add(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "action", nargs="?", choices=("show", "test"), default="show", help="show, or try every channel"
    )
    add_place(parser)
    parser.add_argument("--json", action="store_true", help="for scripts")


def run(arguments: argparse.Namespace) -> int:
    """Run the command and return its exit code."""
    settings = settings_of(arguments)
    test = arguments.action == "test"
    report = asyncio.run(_test(settings.alarms())) if test else report_of(settings.alarms(secrets=False))
    if arguments.json:
        say(json.dumps(report))
    elif test:
        for target, result in report["results"].items():
            say(f"{target}: {result or 'sent'}")
    else:
        _print(report)
    return OK if report["ok"] else FAILED


def _print(report: dict[str, Any]) -> None:
    if not report["watched"]:
        since = f" since {report['silent_since']}" if report["silent_since"] else ""
        say(f"Alarms are not watched: the role notify is silent{since}. `tallenne up` starts it.")
    elif not report["raised"]:
        say("No alarm is raised.")
    for one in report["raised"]:
        if one["over_since"]:
            say(f"- Over since {one['over_since']}, its all-clear follows unless it comes back: {one['what']}")
            continue
        say(f"! {one['what']} For {age(time.time() - one['since_ns'] / NS)}, since {one['since']}.")
        if one["remedy"]:
            say(f"    {one['remedy']}")
    for problem in report["problems"]:
        say(f"! {problem['what']} {problem['remedy']}")
    for message in report["messages"][-_SHOWN:]:
        parts = [f"sent to {len(message['sent'])}"] if message["sent"] else []
        parts += [f"waits for {target}" for target in message["waiting"]]
        parts += [f"given up for {target}: {why}" for target, why in message["given_up"].items()]
        say(f"  {message['at']} {message['subject']}  {'; '.join(parts) or 'no channel'}")
    say("channels: " + (", ".join(report["channels"]) or "none; see [alarms.mail] in `tallenne config example`"))


async def _test(settings: AlarmSettings) -> dict[str, Any]:
    """Send a test to every target at once. SetupError when there is none."""
    targets = channels(settings)
    if not targets:
        raise SetupError("No channel is configured.", "Write [alarms.mail] or [alarms.webhook]; see the example.")
    writer = Writer(installation=settings.name, zone=ZoneInfo(settings.time_zone))
    now_ns, incident = time.time_ns(), uuid.uuid4().hex
    what = "This message was sent by `tallenne alarms test`."
    line = Line(kind=Kind.PROBLEM, subject="test", what=what, remedy="", since_ns=now_ns)
    notice = Notice(
        notice_id=f"{incident}.1", change=Change.TEST, incident=incident, at_ns=now_ns, since_ns=now_ns, lines=(line,)
    )

    async def attempt(target: str) -> str:
        """Send the notice to one recipient; return the error's text, empty when it was taken."""
        try:
            await targets[target](notice, writer)
        except TallenneError as error:
            return str(error)
        return ""

    results = await asyncio.gather(*map(attempt, targets))
    return {"ok": not any(results), "results": dict(zip(targets, results, strict=True))}
