"""`tallenne audit`: the chain of every look against the heads that the custodian signed outside the database."""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from contextlib import AsyncExitStack
from typing import Any

from custodian.audit.chain import START, Link, SignedHead
from custodian.audit.heads import HeadBucket, HeadFile, HeadPlace
from custodian.audit.log import batches
from custodian.audit.verify import Examination, report
from custodian.client import CustodianClient
from domain.errors import StorageError
from pipeline.commands.common import add_place, settings_of
from pipeline.config.roles import RoleSettings
from pipeline.errors import SetupError
from pipeline.exit_codes import FAILED, OK
from pipeline.output import say
from runtime.database import connect
from runtime.settings import DatabaseSettings
from storage.store import open_store


def add(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="action")
    verify = actions.add_parser(
        "verify", help="compare the whole chain with the signed heads of every place; exit 1 when anything is amiss"
    )
    verify.add_argument("--json", action="store_true", help="for scripts")
    verify.set_defaults(audit=_verify)
    restore = actions.add_parser(
        "restore-heads", help="copy signed heads to a place that lost them or is new, on record"
    )
    restore.set_defaults(audit=_restore)
    for each in (verify, restore):
        add_place(each)


def run(arguments: argparse.Namespace) -> int:
    """Run the command and return its exit code."""
    code: int = asyncio.run(arguments.audit(arguments))
    return code


def reading_database(settings: RoleSettings) -> DatabaseSettings:
    """Return the database settings of a role whose secret is here. SetupError.

    Where roles run apart each data directory holds only its own role's secret.
    """
    refused: SetupError | None = None
    for role in ("serve", "custodian", "owner"):
        try:
            return settings.database(role)
        except SetupError as error:
            refused = refused or error
    assert refused is not None
    raise refused


async def _verify(arguments: argparse.Namespace) -> int:
    settings = settings_of(arguments)
    result = await _examined(settings)
    if arguments.json:
        say(json.dumps(result))
    else:
        say(_text(result))
    return OK if result["ok"] else FAILED


async def _examined(settings: RoleSettings) -> dict[str, Any]:
    client = CustodianClient(settings.custodian_socket)
    identity, status = await client.identity(), await client.status()
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(open_store(settings.store(), connections=1))
        heads, unread = await _read((HeadFile(settings.audit_heads), HeadBucket(store)))
        conn = await connect(reading_database(settings))
        stack.push_async_callback(conn.close)
        remembered = _remembered(status)
        examined = Examination(heads, identity.signer, unread=unread, remembered=remembered, now_ns=time.time_ns())
        async for entries in batches(conn):
            examined.push(entries)
    return report(examined.finish(), examined, heads)


async def _read(places: tuple[HeadPlace, ...]) -> tuple[dict[str, list[SignedHead]], dict[str, str]]:
    """The heads of each place, and why a place cannot be read. Before the chain, which grows meanwhile."""
    heads: dict[str, list[SignedHead]] = {}
    unread: dict[str, str] = {}
    for place in places:
        try:
            heads[place.name] = await place.read()
        except (OSError, StorageError) as error:
            unread[place.name] = str(error)
    return heads, unread


def _remembered(status: dict[str, Any]) -> Link:
    """What the running custodian says it signed last."""
    if "audit_signed_hash" not in status:
        return START  # it has just started
    return Link(seq=status["audit_signed_seq"], hash=bytes.fromhex(status["audit_signed_hash"]))


def _text(result: dict[str, Any]) -> str:
    kept = ", ".join(f"{count} in {name[0].lower()}{name[1:]}" for name, count in result["signed_heads"].items())
    lost = [f"- Audit entries {one['first']} to {one['last']} were lost with a restoration." for one in result["lost"]]
    if result["ok"]:
        return "\n".join([f"The audit chain holds: {result['entries']} entries; signed heads: {kept}.", *lost])
    lines = [f"The audit chain does NOT hold. Entries: {result['entries']}; signed heads: {kept}."]
    return "\n".join([*lines, *lost, *(f"- {one['what']}" for one in result["findings"])])


async def _restore(arguments: argparse.Namespace) -> int:
    settings = settings_of(arguments)
    copied = await CustodianClient(settings.custodian_socket).restore_heads()
    say(f"Copied {copied} signed heads to places that lacked them. `tallenne audit verify` examines the result.")
    return OK
