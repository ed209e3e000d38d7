"""`tallenne status`: what runs, what lags, what is missing, which protection level holds."""

from __future__ import annotations

import argparse
import json
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline.commands.common import add_place, place_of
from pipeline.config.load import Loaded
from pipeline.config.model import ROLES
from pipeline.config.roles import run_directory_of
from pipeline.exit_codes import FAILED, OK
from pipeline.installation import Installation
from pipeline.supervise.disk import disk_trouble
from pipeline.supervise.display import camera_lines, problem_lines, summary_line
from runtime.status import NOT_KNOWN, statuses

_LEVELS = {
    "split": "The custodian runs as its own user: a stolen recorder, bucket or spool opens nothing that is past.",
    "elsewhere": "The custodian runs on another machine: this one, stolen whole, opens nothing that is past.",
    "one box": (
        "All roles share a user: bucket and spool stay closed without this machine; a whole stolen machine does not."
    ),
}
_NOT_PROTECTED = {
    "split": (
        "Root on this machine, and a thief of the whole machine, reach the keyring: another machine is the remedy.",
        "An attacker in ingest sees what it records from then on, and can sign until the recorder is revoked.",
    ),
    "elsewhere": (
        "An attacker in ingest sees what it records from then on, and can sign until the recorder is revoked.",
    ),
    "one box": (
        "This machine, a whole copy of its disk, or its user is enough to open all footage that has not expired:"
        " the keyring lies beside it.",
        "A backup that holds the custodian's directory opens the bucket.",
        "An attacker who takes over any role can read the keyring. Remedy: pipeline/APART.md.",
    ),
}


def add(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_place(parser)
    parser.add_argument("--json", action="store_true", help="for scripts")


def run(arguments: argparse.Namespace) -> int:
    """Run the command and return its exit code."""
    loaded, installation = place_of(arguments)
    report = report_of(loaded, installation)
    if arguments.json:
        print(json.dumps(report))
    else:
        _print(report)
    return OK if report["ok"] else FAILED


def report_of(loaded: Loaded, installation: Installation) -> dict[str, Any]:
    """Everything, as JSON."""
    roles = statuses(run_directory_of(loaded, installation))
    running = {role["role"] for role in roles if role["state"] not in NOT_KNOWN}
    expected = loaded.config.roles
    missing = [name for name in expected if name not in running]
    disk = shutil.disk_usage(installation.root) if installation.root.exists() else None
    trouble = disk_trouble(installation.root) if disk else ""
    level = protection_level(roles, expected)
    return {
        "ok": not missing and not trouble and not any(role.get("problems") for role in roles),
        "data": str(installation.root),
        "configuration": str(loaded.path),
        "missing": missing,
        "protection": level,
        "protection_means": _LEVELS[level],
        "not_protected": _NOT_PROTECTED[level],
        "disk_free_bytes": disk.free if disk else None,
        "disk_trouble": trouble,
        "roles": roles,
    }


def protection_level(roles: Sequence[Mapping[str, Any]], expected: Sequence[str] = ROLES) -> str:
    """By who really runs the custodian and the others now. What cannot be seen does not count as protected."""
    owners: dict[str, set[int | None]] = {}
    for role in roles:
        if role["state"] not in ("dead", "unreadable"):
            owners.setdefault(role["role"], set()).add(_uid(role["pid"]))
    custodian = owners.pop("custodian", set())
    if "custodian" not in expected and not custodian:
        return "elsewhere"
    others = set().union(*owners.values())
    if not custodian or not others or None in custodian | others or custodian & others or 0 in others:
        return "one box"
    return "one box" if owners.get("ingest", set()) & owners.get("serve", set()) else "split"


def _uid(pid: int) -> int | None:
    try:
        return os.stat(f"/proc/{pid}").st_uid  # noqa: PTH116
    except OSError:
        return None


def _print(report: dict[str, Any]) -> None:
    for role in report["roles"]:
        print(f"{role['role']:<10} {role['state']:<10} pid {role.get('pid', '?')}  {role.get('address', '')}".rstrip())
    for name in report["missing"]:
        print(f"{name:<10} not running")
    roles = report["roles"]
    for line in [*camera_lines(roles), summary_line(roles), *problem_lines(roles, Path(report["data"]))]:
        if line:
            print(line)
    print(f"protection: {report['protection']}. {report['protection_means']}")
    for line in report["not_protected"]:
        print(f"  not protected: {line}")
