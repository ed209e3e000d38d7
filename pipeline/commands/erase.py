"""`tallenne erase`: order that footage is erased before its time, and decide about a colleague's order."""

from __future__ import annotations

import argparse
import asyncio
import json
from typing import Any, Final

from domain.time import from_iso
from pipeline.client import ApiRefusedError, StaffClient
from pipeline.commands.asker import add_asker, add_cameras, cameras_of, member_named, signed_in
from pipeline.commands.common import add_place
from pipeline.commands.times import at_site, local, span_of
from pipeline.errors import SetupError
from pipeline.exit_codes import OK
from pipeline.output import agreed, say

_STATES: Final = {
    "asked": "waits for a second person",
    "approved": "approved, being carried out",
    "done": "erased",
    "refused": "refused",
    "cancelled": "taken back",
}


def add(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    actions = parser.add_subparsers(dest="erase_action", metavar="action", required=True)

    def _action(name: str, what: str, *, order: bool = True) -> argparse.ArgumentParser:
        made = actions.add_parser(name, help=what, description=f"{what[0].upper()}{what[1:]}.")
        add_place(made)
        if order:
            made.add_argument("order", metavar="ORDER", help="its id, or the beginning of it")
        add_asker(made)
        made.add_argument("--json", action="store_true", help="for scripts")
        return made

    _action("list", "list the orders, what they take, and what keeps it", order=False)
    span = _action("span", "order that a span of cameras is erased; --reason says why", order=False)
    add_cameras(span)
    member = _action("member", "order that all footage tagged with a member is erased; --reason says why", order=False)
    member.add_argument("member", help="name or number")
    approve = _action("approve", "approve a colleague's order: nothing brings the footage back")
    approve.add_argument("--yes", action="store_true", help="do not ask")
    _action("refuse", "refuse a colleague's order")
    _action("cancel", "take your own order back")


def run(arguments: argparse.Namespace) -> int:
    """Run the command and return its exit code."""
    if arguments.erase_action == "span":
        span_of(arguments)
    return asyncio.run(_run(arguments))


async def _run(arguments: argparse.Namespace) -> int:
    async with signed_in(arguments) as client:
        match arguments.erase_action:
            case "list":
                orders = await client.get("/v1/erasures")
                said = "\n".join(map(_words, orders)) or "No erasure was ordered."
                say(json.dumps(orders) if arguments.json else said)
            case "span" | "member":
                _show(arguments, await client.post("/v1/erasures", await _body(client, arguments)))
            case _:
                await _decide(client, arguments)
    return OK


async def _body(client: StaffClient, arguments: argparse.Namespace) -> dict[str, Any]:
    if arguments.erase_action == "member":
        return {"reason": arguments.reason, "member_id": await member_named(client, arguments.member)}
    return {"reason": arguments.reason, **await cameras_of(client, arguments)}


async def _decide(client: StaffClient, arguments: argparse.Namespace) -> None:
    orders = [one for one in await client.get("/v1/erasures") if one["erasure_id"].startswith(arguments.order)]
    if len(orders) != 1:
        known = "there are several" if orders else "there is none"
        raise ApiRefusedError(f"{arguments.order!r} is not one order: {known}.", "See `tallenne erase list`.")
    if arguments.erase_action == "approve" and not arguments.yes:
        say(_words(orders[0]))
        if not await asyncio.to_thread(agreed, "Erase it? Nothing brings it back. Type yes: "):
            raise SetupError("Nothing was approved.", "Type yes, or give --yes.")
    path = f"/v1/erasures/{orders[0]['erasure_id']}/{arguments.erase_action}"
    _show(arguments, await client.post(path, {}))


def _show(arguments: argparse.Namespace, order: dict[str, Any]) -> None:
    say(json.dumps(order) if arguments.json else _words(order))


def _words(order: dict[str, Any]) -> str:
    takes = "would go" if order["state"] == "asked" else "erased"
    lines = [
        f"{order['erasure_id'][:13]}  {_STATES[order['state']]}: {order['reason']}",
        f"  {order['segments']} segments, {order['size_bytes'] / 1e6:.0f} MB {takes};"
        f" ordered by {order['asked_by']}, {local(from_iso(order['asked']))}",
    ]
    for place in order["places"]:
        zone = place["time_zone"]
        span = f"{at_site(from_iso(place['start']), zone)} to {at_site(from_iso(place['end']), zone)}"
        lines.append(f"  {place['camera']}: {span}" + (f" ({place['spans']} spans)" if place["spans"] > 1 else ""))
    lines += [f"  KEPT by case {block['number']} ({block['kind']}): {block['reason']}" for block in order["blocks"]]
    return "\n".join(lines)
