"""A role of the product as a benchmark's child: started by the very code that starts it for `tallenne up`.

Runs as a child of frame/process.py, which ends it by SIGTERM. Parameters: ``role``, ``settings`` and ``policy`` (as
JSON), and ``log``, the file for its log.
"""

from __future__ import annotations

import importlib
import os
import sys
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter

from benchmarks.frame.side import read_parameters, say
from pipeline.embedded.process import die_with_parent
from pipeline.role_command import run_role
from runtime.sandbox.role import RolePolicy


@dataclass(frozen=True, slots=True)
class _Role:
    module: str
    settings_module: str
    settings: str


ROLES = {
    "ingest": _Role("ingest.role", "ingest.settings", "IngestSettings"),
    "index": _Role("indexer.role", "indexer.settings", "IndexSettings"),
    "custodian": _Role("custodian.role", "runtime.settings", "CustodianSettings"),
    "serve": _Role("api.role", "api.settings", "ServeSettings"),
}


def to_json(settings: Any) -> Any:
    """Of any role's settings or policy; secrets included, since it goes down a pipe to the child."""
    return TypeAdapter(type(settings)).dump_python(settings, mode="json")


def start(given: dict[str, Any]) -> int:
    """Run the role until SIGTERM; the exit code of `tallenne`."""
    role = ROLES[given["role"]]
    kind = getattr(importlib.import_module(role.settings_module), role.settings)
    settings = TypeAdapter(kind).validate_python(given["settings"])
    policy = TypeAdapter(RolePolicy).validate_python(given["policy"])
    run = importlib.import_module(role.module).run
    say("ready", {})
    return run_role(run, settings, policy)


def main() -> int:
    """Until SIGTERM, or until the parent has gone."""
    die_with_parent()
    given = read_parameters()
    log = os.open(given["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    os.dup2(log, sys.stderr.fileno())
    return start(given)


if __name__ == "__main__":
    sys.exit(main())
