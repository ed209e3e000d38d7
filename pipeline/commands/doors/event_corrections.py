"""`tallenne events withdraw | correct | reassign`: the wrong event stays, and its replacement is on record."""

from __future__ import annotations

import argparse
from dataclasses import replace
from typing import Any
from uuid import UUID

from domain.access import Direction, EventKind
from domain.ids import DoorId, EventId
from domain.time import Span
from indexer.events.corrections import event_as_it_is, member_named, reassign_events, supersede_event, withdraw_event
from pipeline.commands.common import add_place, settings_of
from pipeline.commands.naming import one_named
from pipeline.commands.times import add_span, span_of, typed_time
from pipeline.config.roles import RoleSettings
from pipeline.errors import SetupError
from pipeline.exit_codes import OK
from pipeline.output import say
from runtime.database import open_pool

_ACTOR = "operator"


def add(actions: Any) -> None:
    """actions: the subparsers of `tallenne events`."""
    withdraw = actions.add_parser("withdraw", help="an event that was wrong: its tags are superseded, on record")
    withdraw.add_argument("event", type=UUID, help="its id, as `events list` shows it")
    correct = actions.add_parser("correct", help="an event that should have said something else; only what you name")
    correct.add_argument("event", type=UUID, help="its id, as `events list` shows it")
    correct.add_argument("--door", metavar="NAME", help="as the configuration names it")
    correct.add_argument("--kind", choices=[kind.value for kind in EventKind])
    correct.add_argument("--direction", choices=[direction.value for direction in Direction])
    correct.add_argument("--time", type=typed_time, metavar="TIME", help="06:31, or with a date")
    correct.add_argument("--member", metavar="NUMBER", help="customer number or internal id; `nobody` for none")
    reassign = actions.add_parser("reassign", help="a credential was the wrong member's: their events in a span")
    reassign.add_argument("--from-member", required=True, metavar="NUMBER", help="customer number or internal id")
    reassign.add_argument("--to-member", required=True, metavar="NUMBER", help="the same")
    add_span(reassign)
    for action in (withdraw, correct, reassign):
        add_place(action)


async def run(arguments: argparse.Namespace) -> int:
    """Run one of the three actions and return the exit code."""
    work = {"withdraw": _withdraw, "correct": _correct, "reassign": _reassign}[arguments.action]
    settings = settings_of(arguments)
    async with open_pool(settings.database("index"), application_name="events") as pool:
        say(await work(pool, settings, arguments))
    return OK


async def _withdraw(pool: Any, _settings: RoleSettings, arguments: argparse.Namespace) -> str:
    await withdraw_event(pool, EventId(arguments.event), actor=_ACTOR)
    return f"Event {arguments.event} is withdrawn; its tags are superseded."


async def _correct(pool: Any, settings: RoleSettings, arguments: argparse.Namespace) -> str:
    changes = await _changes(pool, settings, arguments)
    if not changes:
        raise SetupError("No correction was given.", "Name --door, --kind, --direction, --time or --member.")
    as_it_is = await event_as_it_is(pool, EventId(arguments.event))
    new = await supersede_event(pool, EventId(arguments.event), replace(as_it_is, **changes), actor=_ACTOR)
    return f"Event {arguments.event} is superseded by {new}; the footage is tagged anew."


async def _changes(pool: Any, settings: RoleSettings, arguments: argparse.Namespace) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    if arguments.door:
        changes["door_id"] = door_named(settings, arguments.door)
    if arguments.kind:
        changes["kind"] = EventKind(arguments.kind)
    if arguments.direction:
        changes["direction"] = Direction(arguments.direction)
    if arguments.time:
        changes |= {"occurred_ns": arguments.time, "uncertain": False}
    if arguments.member:
        changes["member_id"] = None if arguments.member == "nobody" else await member_named(pool, arguments.member)
    return changes


def door_named(settings: RoleSettings, name: str) -> DoorId:
    """Find a door by "NAME" or "SITE/NAME". SetupError: the configuration names no such door, or several."""
    inventory = settings.inventory()
    sites = {site.site_id: site.name for site in inventory.sites}
    return one_named("door", name, inventory.doors, lambda door: (sites[door.site_id], door.name), SetupError).door_id


async def _reassign(pool: Any, _settings: RoleSettings, arguments: argparse.Namespace) -> str:
    span: Span = span_of(arguments)
    from_member = await member_named(pool, arguments.from_member)
    to_member = await member_named(pool, arguments.to_member)
    count = await reassign_events(pool, from_member, to_member, span, actor=_ACTOR)
    return f"{count} events of member {from_member} are member {to_member}'s now."
