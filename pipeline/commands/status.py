"""`tallenne status`: shows the roles, what lags or is missing, and the protection level."""

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
from pipeline.output import say
from pipeline.supervise.disk import disk_trouble
from pipeline.supervise.display import (
    backup_lines,
    camera_lines,
    disk_lines,
    problem_lines,
    quarantine_lines,
    service_lines,
    summary_line,
    waiting_lines,
)
from pipeline.supervise.terminal import size
from runtime.sandbox.held import FILES, Held, words
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
    ),
}

_INTO_ANY_ROLE = "An attacker who takes over any role can read the keyring. Remedy: pipeline/APART.md."
_OUT_OF_SANDBOX = (
    "An attacker who takes over a role and breaks out of its sandbox can read the keyring. Remedy: pipeline/APART.md."
)


def add(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_place(parser)
    parser.add_argument("--json", action="store_true", help="for scripts")


def run(arguments: argparse.Namespace) -> int:
    """Run the command and return its exit code."""
    loaded, installation = place_of(arguments)
    report = report_of(loaded, installation)
    if arguments.json:
        say(json.dumps(report))
    else:
        _print(report)
    return OK if report["ok"] else FAILED


def report_of(loaded: Loaded, installation: Installation) -> dict[str, Any]:
    """Return the whole status as JSON."""
    roles = statuses(run_directory_of(loaded, installation))
    running = {role["role"] for role in roles if role["state"] not in NOT_KNOWN}
    expected = loaded.config.expected_roles
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
        "not_protected": not_protected(level, roles),
        "sandbox": sandbox_lines(roles),
        "disk_free_bytes": disk.free if disk else None,
        "disk_trouble": trouble,
        "roles": roles,
    }


def protection_level(roles: Sequence[Mapping[str, Any]], expected: Sequence[str] = ROLES) -> str:
    """Return the protection level by the users that run the roles now. What is unknown counts as unprotected."""
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


def not_protected(level: str, roles: Sequence[Mapping[str, Any]]) -> list[str]:
    """What the level leaves open, and the sandbox with it."""
    found = list(_NOT_PROTECTED[level])
    if level == "one box":
        others = [role for role in roles if role["role"] in ROLES and role["role"] != "custodian"]
        held = others and all(FILES in Held.load(role.get("sandbox", {})).holds for role in others)
        found.append(_OUT_OF_SANDBOX if held else _INTO_ANY_ROLE)
    return found


def sandbox_lines(roles: Sequence[Mapping[str, Any]]) -> list[str]:
    """What confines the roles that run, and their workers, by their own word; a line for those with the same."""
    found: dict[tuple[str, str], list[str]] = {}
    for role in roles:
        if role["state"] in NOT_KNOWN or role["role"] not in ROLES:
            continue
        for name, said in {"": role.get("sandbox", {}), **role.get("workers", {})}.items():
            held = Held.load(said)
            key = words(held.holds), words(held.lacks)
            found.setdefault(key, []).append(f"{role['role']} ({name})" if name else role["role"])
    return [
        f"sandbox of {', '.join(dict.fromkeys(names))}: {holds}" + (f"; NOT {lacks}" if lacks != "none" else "")
        for (holds, lacks), names in found.items()
    ]


def _uid(pid: int) -> int | None:
    try:
        return os.stat(f"/proc/{pid}").st_uid  # noqa: PTH116
    except OSError:
        return None


def _lines(report: Mapping[str, Any]) -> list[str]:
    """What goes on and what is wrong."""
    roles, data = report["roles"], Path(report["data"])
    lines = [*service_lines(roles), *camera_lines(roles), summary_line(roles), *waiting_lines(roles)]
    lines += backup_lines(roles) or ["backup: none is configured, see [backup] in `tallenne config example`"]
    lines += [*quarantine_lines(roles), *problem_lines(roles, data), *(disk_lines(roles) or [_free(report)])]
    return [line for line in lines if line]


def _free(report: Mapping[str, Any]) -> str:
    """What is known of the disk while the role that measures it says nothing."""
    free_bytes = report["disk_free_bytes"]
    return (
        "" if free_bytes is None else f"disk: {size(free_bytes)} free; the role notify does not say how fast it fills"
    )


def _print(report: dict[str, Any]) -> None:
    for role in report["roles"]:
        say(f"{role['role']:<10} {role['state']:<10} pid {role.get('pid', '?')}  {role.get('address', '')}".rstrip())
    for name in report["missing"]:
        say(f"{name:<10} not running")
    for line in _lines(report):
        say(line)
    say(f"protection: {report['protection']}. {report['protection_means']}")
    for line in report["sandbox"]:
        say(line)
    for line in report["not_protected"]:
        say(f"  not protected: {line}")
