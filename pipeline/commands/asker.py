"""Commands that ask the staff API: who asks, why, and at which server."""

from __future__ import annotations

import argparse
import asyncio
import getpass
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from domain.time import to_iso
from pipeline.client import ApiRefusedError, StaffClient, staff_client
from pipeline.commands.common import place_of
from pipeline.commands.naming import one_named
from pipeline.commands.times import add_span
from pipeline.config.roles import run_directory_of
from pipeline.demo.account import demo_account
from pipeline.errors import SetupError
from runtime.status import read_status_files

_CATEGORIES: Final = ("incident", "access", "safety", "property", "member_request", "authority", "maintenance")


def add_asker(parser: argparse.ArgumentParser) -> None:
    """Add --reason, --category, --server, --ca and --user."""
    parser.add_argument("--reason", required=True, help="the reason; recorded with every look")
    parser.add_argument("--category", choices=_CATEGORIES, default="incident", help="category of the reason")
    who = parser.add_argument_group("who asks (password and code are asked for, or read from the environment)")
    who.add_argument("--server", metavar="URL", help="https://…; without it the one that runs here")
    who.add_argument("--ca", type=Path, metavar="FILE", help="the server's certificate, or its authority's")
    who.add_argument("--user", metavar="NAME", help="TALLENNE_USER; in the demo it is made for you")
    parser.epilog = "environment: TALLENNE_USER, TALLENNE_PASSWORD, TALLENNE_CODE"


def add_cameras(parser: argparse.ArgumentParser) -> None:
    """Add --camera, --start and --end of cameras_of()."""
    parser.add_argument("--camera", action="append", required=True, metavar="NAME", help="may be repeated")
    add_span(parser)


@asynccontextmanager
async def signed_in(arguments: argparse.Namespace) -> AsyncIterator[StaffClient]:
    """A session with a stated purpose. SetupError: no API runs here, or there is no terminal; the client's errors."""
    address, certificate = _server(arguments)
    async with staff_client(address, certificate) as client:
        await _sign_in(client, arguments)
        await client.state_purpose(arguments.category, arguments.reason)
        yield client


async def one_of(client: StaffClient, kind: str, name: str, items: list[dict[str, Any]]) -> dict[str, Any]:
    """The one camera or door of that name. ApiRefusedError names the sites when several have one."""
    sites = {site["site_id"]: site["name"] for site in await client.get("/v1/sites")}
    return one_named(kind, name, items, lambda item: (sites.get(item["site_id"], "?"), item["name"]), ApiRefusedError)


async def cameras_of(client: StaffClient, arguments: argparse.Namespace) -> dict[str, Any]:
    """The cameras and the span that were named, as a request's body has them. ApiRefusedError."""
    cameras = await client.get("/v1/cameras")
    return {
        "camera_ids": [(await one_of(client, "camera", name, cameras))["camera_id"] for name in arguments.camera],
        "start": to_iso(arguments.start),
        "end": to_iso(arguments.end),
    }


async def member_named(client: StaffClient, text: str) -> str:
    """The id of the one member of that name or number. ApiRefusedError lists them when there are several."""
    people = await client.get("/v1/members", query=text)
    if len(people) != 1:
        names = "; ".join(f"{item['name']} ({item['number']})" for item in people) or "none"
        raise ApiRefusedError(f"{text!r} is not one member: {names}.", "Give the number.")
    member_id: str = people[0]["member_id"]
    return member_id


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
            f"There is no terminal to ask for {what.rstrip(': ')!r}.",
            "Without a terminal, set TALLENNE_USER, TALLENNE_PASSWORD and TALLENNE_CODE.",
        ) from None


async def _sign_in(client: StaffClient, arguments: argparse.Namespace) -> None:
    """Sign in, which also counts as a fresh code for a following export."""
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
