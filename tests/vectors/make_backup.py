"""Makes ``backup.json`` anew by the second implementation: ``python -m tests.vectors.make_backup``."""

from __future__ import annotations

import json
from pathlib import Path

from storage.backup import RecoveryKey
from tests.vectors import second_backup as second

SET = "20261130T060000Z-0a0b0c"


def main() -> None:
    """Write the file."""
    secret, set_key = bytes(range(32)), bytes(range(100, 132))
    parts = []
    for name, plain in (("base", b""), ("log-00000000", b"x"), ("base-000000", bytes(range(256)) * 5)):
        data = second.seal_part(name, plain, set_key)
        parts.append({"name": name, "plain": plain.hex(), "data": data.hex(), "opens": True, "why": "good"})
        bad = {
            "truncated": data[:-1],
            "cut at the head": data[:40],
            "a bit changed": data[:-20] + bytes([data[-20] ^ 4]) + data[-19:],
            "another version": data[:4] + b"\x02" + data[5:],
            "appended": data + b"\0",
        }
        parts += [{"name": name, "data": data.hex(), "opens": False, "why": why} for why, data in bad.items()]
    parts.append({"name": "log-00000001", "data": parts[6]["data"], "opens": False, "why": "the part of another name"})
    body = {
        "secret": secret.hex(),
        "text": RecoveryKey(secret).text(),
        "set": SET,
        "set_key": set_key.hex(),
        "head": second.seal_head(secret, SET, 1_795_240_800_000_000_000, set_key).hex(),
        "parts": parts,
    }
    Path(__file__).with_name("backup.json").write_text(json.dumps(body, indent=1) + "\n")


if __name__ == "__main__":
    main()
