"""`tallenne staff add`: creates accounts on the machine, the first administrator's among them."""

from __future__ import annotations

import argparse
import asyncio
import getpass
import os
import sys

import segno

from api.credentials.accounts import ROLES, create_staff
from pipeline.commands.common import add_place, settings_of
from pipeline.errors import SetupError
from pipeline.exit_codes import OK
from pipeline.output import say
from runtime.database import connect


def add(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="action")
    make = actions.add_parser("add", help="create an account; its second factor is shown once")
    make.add_argument("user_name")
    make.add_argument("--name", required=True, metavar="TEXT", help="what others see")
    make.add_argument(
        "--role", action="append", choices=ROLES, required=True, help="may be repeated; valid at every site"
    )
    make.epilog = "The password is asked for, or read from TALLENNE_NEW_PASSWORD."
    add_place(make)


def run(arguments: argparse.Namespace) -> int:
    """Run the command and return its exit code."""
    return asyncio.run(_add(arguments))


async def _add(arguments: argparse.Namespace) -> int:
    settings = settings_of(arguments)
    password = os.environ.get("TALLENNE_NEW_PASSWORD") or _asked()
    conn = await connect(settings.database("owner"))
    try:
        made = await create_staff(
            conn,
            user_name=arguments.user_name,
            display_name=arguments.name,
            password=password,
            grants=arguments.role,
            secret_directory=settings.installation.root / "serve",
        )
    finally:
        await conn.close()
    say("Scan this with an authenticator app; it is not shown again:")
    if sys.stdout.isatty():
        segno.make(made.otpauth_uri, micro=False).terminal(compact=True)
    say(f"  {made.otpauth_uri}")
    say("Recovery codes, each good once; keep them on paper:")
    say("  " + "\n  ".join(made.recovery_codes))
    return OK


def _asked() -> str:
    if not sys.stdin.isatty():
        raise SetupError(
            "There is no terminal to ask for the password.", "Set TALLENNE_NEW_PASSWORD, or use a terminal."
        )
    first = getpass.getpass("Password: ")
    if first != getpass.getpass("Again: "):
        raise SetupError("The two passwords differ.", "Try again.")
    return first
