"""`tallenne audit verify`: the chain of every look against the heads that the custodian signed outside the database."""

from __future__ import annotations

import argparse
import asyncio
import json

from custodian.audit.log import read_heads, verify_audit
from custodian.client import CustodianClient
from custodian.errors import BrokenAuditError
from pipeline.commands.common import add_place, settings_of
from pipeline.config.roles import RoleSettings
from pipeline.errors import SetupError
from pipeline.exit_codes import FAILED, OK
from runtime.database import connect
from runtime.settings import DatabaseSettings


def add(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="action")
    verify = actions.add_parser("verify", help="follow the chain from its first entry; exit 1 when it does not hold")
    verify.add_argument("--json", action="store_true", help="for scripts")
    add_place(verify)


def run(arguments: argparse.Namespace) -> int:
    """Run the command and return its exit code."""
    return asyncio.run(_verify(arguments))


def _database(settings: RoleSettings) -> DatabaseSettings:
    """Of whichever role's secret is here: where roles are apart, each directory has its own only. SetupError."""
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
    identity = await CustodianClient(settings.custodian_socket).identity()
    heads = read_heads(settings.audit_heads)
    conn = await connect(_database(settings))
    report: dict[str, object]
    try:
        link = await verify_audit(conn, heads, identity.signer)
        report = {"ok": True, "entries": link.seq, "signed_heads": len(heads), "hash": link.hash.hex()}
    except BrokenAuditError as error:
        report = {"ok": False, "problem": error.what}
    finally:
        await conn.close()
    if arguments.json:
        print(json.dumps(report))
    elif report["ok"]:
        print(f"The audit chain holds: {report['entries']} entries, {report['signed_heads']} signed heads.")
    else:
        print(f"The audit chain does NOT hold: {report['problem']}")
    return OK if report["ok"] else FAILED
