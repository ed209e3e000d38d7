"""`tallenne demo sign-in`: name, password and a one-time code of the demo's staff, fresh whenever it is asked for."""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Final

from demo.mail import FILE
from pipeline.commands.common import DEFAULT_DATA
from pipeline.demo.account import DemoAccount, demo_account
from pipeline.demo.gym import kept_gym
from pipeline.demo.members import EMAIL
from pipeline.errors import SetupError
from pipeline.exit_codes import OK
from pipeline.installation import Installation
from pipeline.output import say
from runtime.status import statuses

_STEP_S: Final = 30  # RFC 6238, section 4.1


def add(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="action")
    sign_in = actions.add_parser("sign-in", help="address, name, password and a fresh one-time code")
    sign_in.add_argument(
        "--data", type=Path, metavar="DIR", help=f"the demo's data directory (default: ./{DEFAULT_DATA})"
    )
    sign_in.add_argument("--json", action="store_true", help="for scripts")


def run(arguments: argparse.Namespace) -> int:
    """Print it."""
    installation = Installation((arguments.data or DEFAULT_DATA).absolute())
    if kept_gym(installation) is None:
        raise SetupError(
            f"There is no demo in {installation.root}.", "Start it with `tallenne up`, or name its --data."
        )
    try:
        accounts = [demo_account(installation, colleague=colleague) for colleague in (False, True)]
    except SetupError:
        raise SetupError("The demo has no staff yet.", "Wait until `tallenne up` prints the address.") from None
    address = _address(installation)
    if arguments.json:
        say(json.dumps({"address": address, "staff": [_facts(account) for account in accounts]}))
        return OK
    say(f"Staff pages: {address or 'not running now'}")
    for account in accounts:
        _print(account)
    say(f"\nMembers' pages: {address}/me, with {EMAIL}; the mail with the code: {installation.run / FILE}")
    return OK


def _print(account: DemoAccount) -> None:
    say(f"\nName      {account.user_name}")
    say(f"Password  {account.password}")
    say(f"Code      {account.code()}   after use, or in {_left_s()} s: {account.code(1)}")
    if sys.stdout.isatty():
        say(account.qr_code())


def _facts(account: DemoAccount) -> dict[str, str]:
    return {
        "user_name": account.user_name,
        "password": account.password,
        "code": account.code(),
        "next_code": account.code(1),
        "otpauth_uri": account.otpauth_uri,
    }


def _left_s() -> int:
    """Seconds that the present code stays valid."""
    return _STEP_S - int(time.time()) % _STEP_S


def _address(installation: Installation) -> str:
    """Address of the staff pages; empty: they are not served at present."""
    found = (status for status in statuses(installation.run) if status.get("role") == "serve")
    return next((str(status.get("address", "")) for status in found), "")
