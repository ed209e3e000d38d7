"""`tallenne retention status`, `confirm` and `certificates`."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from custodian.client import CustodianClient
from pipeline.commands.checks.audit import reading_database
from pipeline.commands.common import add_place, settings_of
from pipeline.commands.retention.words import period_lines, shorter_lines, words_of
from pipeline.config.roles import RoleSettings
from pipeline.errors import SetupError
from pipeline.exit_codes import FAILED, OK
from pipeline.output import agreed, say
from pipeline.retention.bundle import key_sha256, write_bundle
from pipeline.retention.report import confirmation_of, report_of
from runtime.database import connect
from runtime.private_files import write_private
from storage.catalogue.certificates import check_chain, read_certificates


def add(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="action")
    status = actions.add_parser(
        "status", help="what is kept, until when, what is overdue and why; exit 1 when anything is"
    )
    status.add_argument("--json", action="store_true", help="for scripts")
    add_place(status)
    confirm = actions.add_parser("confirm", help="let expire what is held; says first what that is")
    confirm.add_argument("--yes", action="store_true", help="do not ask")
    add_place(confirm)
    certificates = actions.add_parser("certificates", help="write the certificates as a ZIP that verifies offline")
    certificates.add_argument("-o", "--output", type=Path, required=True, metavar="FILE", help="the ZIP")
    add_place(certificates)


def run(arguments: argparse.Namespace) -> int:
    """Run the command and return its exit code."""
    action = {"status": _status, "confirm": _confirm, "certificates": _certificates}[arguments.action]
    return asyncio.run(action(arguments))


async def _status(arguments: argparse.Namespace) -> int:
    report = await _report(settings_of(arguments))
    if arguments.json:
        say(json.dumps(report))
    else:
        say("\n".join([*words_of(report), *period_lines(report["periods"])]))
    return OK if report["ok"] else FAILED


async def _report(settings: RoleSettings) -> dict[str, Any]:
    conn = await connect(reading_database(settings))
    try:
        custodian = await CustodianClient(settings.custodian_socket).status()
        report = await report_of(conn, custodian["retention"], time.time_ns())
        return {**report, "periods": asdict(settings.loaded.config.retention.periods)}
    finally:
        await conn.close()


async def _confirm(arguments: argparse.Namespace) -> int:
    settings = settings_of(arguments)
    report = await _report(settings)
    if report["held"] is None and not report["shorter"]:
        say("Nothing is held: there is nothing to confirm.")
        return OK
    word = confirmation_of(report, time.time_ns())
    reasons = [report["held"]["what"]] if report["held"] else []
    say("\n".join([*reasons, *shorter_lines(report)]))
    say(
        f"If you confirm, the keys of {word['camera_hours']} camera-hours of footage are destroyed now."
        " That footage never opens again, also not from any backup."
    )
    if not arguments.yes and not agreed("Type yes to confirm: "):
        say("Nothing was confirmed.")
        return FAILED
    client = CustodianClient(settings.custodian_socket)
    await client.confirm_expiry(**word)
    say("Confirmed. The custodian goes on within seconds; `tallenne retention status` shows how far it is.")
    return OK


async def _certificates(arguments: argparse.Namespace) -> int:
    settings = settings_of(arguments)
    signer = (await CustodianClient(settings.custodian_socket).identity()).signer
    conn = await connect(reading_database(settings))
    try:
        certificates = await read_certificates(conn, 0, sys.maxsize)
    finally:
        await conn.close()
    check_chain(certificates, signer)
    if not certificates:
        say("There is no certificate yet, since nothing has ended: no file was written.")
        return OK
    try:
        write_private(arguments.output, write_bundle(certificates, signer))
    except OSError as exc:
        raise SetupError(
            f"{arguments.output} cannot be written ({exc.strerror}).", "Name a file in a folder of yours with -o."
        ) from exc
    say(f"{len(certificates)} certificates are in {arguments.output}, with the verifier. Unpack verify.py and run:")
    say(f"  python3 verify.py --key-sha256 {key_sha256(signer)} {arguments.output.name}")
    say("Tell those who check them the key's SHA-256 by another way than the file.")
    return OK
