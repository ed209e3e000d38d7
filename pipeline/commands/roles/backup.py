"""The role `backup` as a process: `tallenne backup-role`."""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Final

from pipeline.commands.common import add_place, settings_of
from pipeline.config.backups import backup_settings
from pipeline.config.policies import policy_of
from pipeline.config.roles import RoleSettings
from pipeline.role_command import run_role
from upkeep.backup import role

_WAIT_S: Final = 20.0


def add(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_place(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run the command and return its exit code."""
    settings = settings_of(arguments)
    _wait_for_files(settings, settings.installation.root / "custodian" / "custodian-keys")
    return run_role(role.run, backup_settings(settings), policy_of("backup", settings))


def _wait_for_files(settings: RoleSettings, keys: Path) -> None:
    """A sandbox lets a role read the files that were there when it began: at a first start the custodian's are not.

    Where the custodian runs elsewhere they never are.
    """
    deadline_s = time.monotonic() + _WAIT_S
    while settings.loaded.config.custodian.directory is None and not keys.exists() and time.monotonic() < deadline_s:
        time.sleep(0.1)
    heads = settings.audit_heads
    if heads.parent.is_dir() and not heads.exists():
        heads.touch(mode=0o600)
