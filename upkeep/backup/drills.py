"""Reports of drills: JSON, signed by the key that signs backups, one file each in the role's directory.

``{"report": {...}, "signer": "<Ed25519 public key>", "signature": "<hex>"}``; the signature is over "tallenne/1 drill"
|| the report as JSON with sorted keys and without blanks.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from runtime.private_files import private_directory, write_private
from storage.backup.errors import BackupDamagedError
from storage.backup.recovery import WritingKeys

_FOLDER: Final = "drills"
_LABEL: Final = b"tallenne/1 drill"


def write_drill(directory: Path, report: Mapping[str, Any], keys: WritingKeys) -> Path:
    """Keep a report. ``report`` has "at_ns" and "ok". OSError."""
    folder = private_directory(directory / _FOLDER)
    signed = {
        "report": dict(report),
        "signer": keys.signer.hex(),
        "signature": keys.signing.sign(_LABEL + _body(report)).hex(),
    }
    path = folder / f"{report['at_ns']}.json"
    write_private(path, json.dumps(signed, indent=1).encode())
    return path


def read_drill(path: Path, signer: bytes) -> dict[str, Any]:
    """BackupDamagedError unless ``signer`` signed it."""
    try:
        body = json.loads(path.read_text())
        report: dict[str, Any] = body["report"]
        key = Ed25519PublicKey.from_public_bytes(signer)
        key.verify(bytes.fromhex(body["signature"]), _LABEL + _body(report))
    except (ValueError, KeyError, TypeError, InvalidSignature):
        raise BackupDamagedError(f"The report {path} was changed, or is of another installation.") from None
    return report


def newest_drill(directory: Path) -> dict[str, Any]:
    """For the status: when the last drill was, whether it was good, and when the last good one was. 0: never."""
    found: dict[str, Any] = {"drill_ns": 0, "drill_ok": True, "good_drill_ns": 0}
    for path in sorted((directory / _FOLDER).glob("*.json"), key=lambda path: path.name.rjust(30, "0")):
        try:
            report = json.loads(path.read_text())["report"]
            at_ns, ok = int(report["at_ns"]), bool(report["ok"])
        except (OSError, ValueError, KeyError, TypeError):
            continue
        found.update(drill_ns=at_ns, drill_ok=ok)
        if ok:
            found["good_drill_ns"] = at_ns
    return found


def _body(report: Mapping[str, Any]) -> bytes:
    return json.dumps(report, sort_keys=True, separators=(",", ":")).encode()
