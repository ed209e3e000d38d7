"""`tallenne up`, and the smoke check that starts everything the same way."""

from __future__ import annotations

import argparse
import asyncio
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from domain.arguments import whole
from pipeline.commands.common import DEFAULT_DATA
from pipeline.exit_codes import OK
from pipeline.supervise.tell import Tell
from pipeline.up import UpOptions, up

if TYPE_CHECKING:
    from pipeline.running import Running


def add(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("--config", type=Path, metavar="FILE", help="your cameras and doors; without it the demo gym")
    parser.add_argument("--data", type=Path, metavar="DIR", help=f"the data directory (default: ./{DEFAULT_DATA})")
    parser.add_argument("--cameras", type=whole(1, 1000), metavar="N", help="number of simulated cameras (default 4)")
    parser.add_argument("--smoke", action="store_true", help="start the demo, check it all, print JSON, stop")


def run(arguments: argparse.Namespace) -> int:
    """Run the command and return its exit code."""
    options = UpOptions(config=arguments.config, data=arguments.data, cameras=arguments.cameras)
    if arguments.smoke:
        from pipeline.smoke.run import smoke  # here: an ordinary start does not load it

        return asyncio.run(smoke(options))
    with Tell() as tell:
        asyncio.run(up(options, tell, _banner))
    return OK


def _banner(running: Running) -> list[str]:
    lines = ["", f"Staff pages: {running.address}"]
    broker = running.services.broker
    if broker is not None and running.gym is None:
        from pipeline.embedded.accounts import DOORS_USER

        password = broker.password_file(DOORS_USER)
        lines += [
            f"Doors: mqtt://127.0.0.1:{broker.port}, user {DOORS_USER!r}, password in {password}",
            "       From this machine only: for real controllers name your own broker, or bridge it to this one.",
        ]
    if running.gym is not None:
        from pipeline.demo.account import demo_account

        account = demo_account(running.installation)
        colleague = demo_account(running.installation, colleague=True)
        lines += [
            f"Sign in as {account.user_name!r} with password {account.password}",
            f"One-time code, good for a minute at most: {account.code()}",
            f"A fresh one at any time: tallenne demo sign-in --data {shlex.quote(str(running.installation.root))}",
            *(
                ["Or scan this with an authenticator app:", *account.qr_code().splitlines()]
                if running.tell.terminal
                else []
            ),
            f"Exports need a second person: {colleague.user_name!r}; the same command prints how they sign in.",
            "The browser will warn: the certificate was made here. Ctrl-C stops everything; the data stays.",
        ]
    return [*lines, *running.missing, ""]
