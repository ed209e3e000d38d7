"""`tallenne status`: what runs, what lags, what is missing, which protection level holds."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import time
from typing import Any

from pipeline.commands.common import add_place, place_of
from pipeline.config.load import Loaded
from pipeline.exit_codes import FAILED, OK
from pipeline.installation import Installation
from pipeline.supervise.display import camera_lines, problem_lines, summary_line
from pipeline.supervise.ready import statuses

_ROLES = ("custodian", "index", "ingest", "serve")
_STALE_S = 10.0
_LEVELS = {
    "split": "The custodian runs as its own user: a stolen recorder, bucket or spool opens nothing that is past.",
    "one box": (
        "All roles share a user: bucket and spool stay closed without this machine; a whole stolen machine does not."
    ),
}


def add(parser: argparse.ArgumentParser) -> None:
    add_place(parser)
    parser.add_argument("--json", action="store_true", help="for scripts")


def run(arguments: argparse.Namespace) -> int:
    loaded, installation = place_of(arguments)
    report = report_of(loaded, installation)
    if arguments.json:
        print(json.dumps(report))
    else:
        _print(report)
    return OK if report["ok"] else FAILED


def report_of(loaded: Loaded, installation: Installation) -> dict[str, Any]:
    """Everything, as JSON."""
    roles = statuses(installation.run)
    now_ns = time.time_ns()
    for role in roles:
        if role["state"] not in ("dead", "unreadable") and now_ns - role.get("updated_ns", 0) > _STALE_S * 1e9:
            role["state"] = "silent"
    running = {role["role"] for role in roles if role["state"] not in ("dead", "silent", "unreadable")}
    missing = [name for name in _ROLES if name not in running]
    disk = shutil.disk_usage(installation.root) if installation.root.exists() else None
    level = protection_level(roles)
    return {
        "ok": not missing and not any(role.get("problems") for role in roles),
        "data": str(installation.root),
        "configuration": str(loaded.path),
        "missing": missing,
        "protection": level,
        "protection_means": _LEVELS[level],
        "disk_free_bytes": disk.free if disk else None,
        "roles": roles,
    }


def protection_level(roles: list[dict[str, Any]]) -> str:
    """By who really runs the custodian and the others now."""
    owners = {role["role"]: _uid(role["pid"]) for role in roles if role["state"] not in ("dead", "unreadable")}
    custodian = owners.pop("custodian", None)
    others = {uid for uid in owners.values() if uid is not None}
    return "split" if custodian is not None and others and custodian not in others and 0 not in others else "one box"


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
    for line in [*camera_lines(report["roles"]), summary_line(report["roles"]), *problem_lines(report["roles"])]:
        if line:
            print(line)
    print(f"protection: {report['protection']}. {report['protection_means']}")
