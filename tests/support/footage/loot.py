"""What a Unix user can reach here: `python -m tests.support.footage.loot`, told by JSON on standard input.

It walks every file, asks the custodian for everything it can be asked, reads other processes, every table of the
database, every object of the bucket, and looks in all of it for the secrets that it was told (by whoever knows them).
Prints JSON. `keys` in place of a search: what only the custodian can tell, for the search.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from custodian.client import CustodianClient
from custodian.keys.hour_keys import private_key_context
from domain.errors import TallenneError
from domain.time import Span
from runtime.database import connect
from runtime.settings import DatabaseSettings, StoreSettings
from storage.keys.hour_key import PublicHourKey
from storage.keys.keyring import FileKeyring
from storage.sealed import HEADER_SIZE, RefusedError
from storage.sealed.format import parse_header
from storage.sealed.unwrap import open_header
from storage.store import open_store

FORBIDDEN = (
    "SELECT audit_append(0, '', '', NULL, NULL, NULL, NULL, NULL, NULL, '{}')",
    "SET ROLE tallenne_custodian",
    "SET ROLE tallenne_owner",
    "SELECT * FROM pg_authid",
    "SELECT pg_read_file('PG_VERSION')",
    "CREATE TABLE mine (a int)",
    "UPDATE segment SET state = 'gone'",
    "DELETE FROM segment",
    "UPDATE recorder SET public_key = public_key",
)


def main() -> None:
    told = json.load(sys.stdin)
    print(json.dumps(asyncio.run(_keys(told) if told.get("keys") else _loot(told))))


async def _loot(told: dict[str, Any]) -> dict[str, Any]:
    wanted = [bytes.fromhex(item) for item in told["secrets"]]
    readable, unreadable, hits = 0, 0, []
    for root in told["roots"]:
        for path in _files(Path(root)):
            try:
                data = path.read_bytes()
            except OSError:
                unreadable += 1
                continue
            readable += 1
            hits += [str(path)] if holds(data, wanted) else []
    return {
        "uid": os.geteuid(),
        "readable": readable,
        "unreadable": unreadable,
        "hits": hits,
        "custodian": await _ask(told),
        "processes": [path for path in _process_files(told["pids"]) if _opens(path)],
        "database": await _tables(told, wanted),
        "opened": await _bucket(told),
    }


def holds(data: bytes, wanted: list[bytes]) -> bool:
    """A secret as it is, in hexadecimal or in base64."""
    return any(form in data for item in wanted for form in (item, item.hex().encode(), base64.b64encode(item)[:42]))


def _files(root: Path) -> Iterator[Path]:
    for folder, _, names in os.walk(root):
        yield from (path for name in names if not (path := Path(folder) / name).is_socket())


def _process_files(pids: list[int]) -> list[str]:
    return [f"/proc/{pid}/{name}" for pid in pids for name in ("mem", "environ", "maps", "auxv")]


def _opens(path: str) -> bool:
    try:
        with open(path, "rb") as file:  # noqa: PTH123
            return path.endswith("mem") or bool(file.read(1))
    except OSError:
        return False


async def _ask(told: dict[str, Any]) -> dict[str, str]:
    """Every question there is; what came of it."""
    client = CustodianClient(Path(told["socket"]), deadline_s=10)
    ids = [uuid.UUID(item) for item in told["segments"]]
    camera, span = uuid.UUID(told["camera"]), Span(told["start_ns"], told["end_ns"])
    session: dict[str, Any] = {"session_id": uuid.uuid4(), "purpose_id": uuid.uuid4(), "action": "look"}
    if "session" in told:
        session |= {name: uuid.UUID(value) for name, value in told["session"].items()}
    headers = [bytes.fromhex(item) for item in told["headers"]]
    questions = {
        "identity": client.identity(),
        "open_segments": client.open_segments(ids, camera_id=camera, span=span, **session),  # type: ignore[arg-type]
        "open_for_verify": client.open_for_verify(ids),  # type: ignore[arg-type]
        "open_headers": client.open_headers(headers),
        "open_intake": client.open_intake(bytes(60)),
        "make_past_keys": client.make_past_keys(camera, span),  # type: ignore[arg-type]
    }
    answers = {}
    for name, question in questions.items():
        try:
            answer = await question
            answers[name] = f"{len(answer)} keys" if isinstance(answer, dict) else "answered"
        except TallenneError as error:
            answers[name] = type(error).__name__ + (": may not ask" if "may not ask" in error.what else "")
    return answers


async def _tables(told: dict[str, Any], wanted: list[bytes]) -> dict[str, Any]:
    """Every table and view of every schema that gives rows, and whether a secret is in one; what is forbidden."""
    conn = await connect(DatabaseSettings(**told["database"]))
    names = await conn.fetch(
        "SELECT n.nspname AS schema, c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE c.relkind IN ('r', 'v', 'p', 'm') AND n.nspname = 'tallenne'"
    )
    readable, hits, passed = [], [], []
    for row in names:
        try:
            rows = await conn.fetch(f'SELECT * FROM "{row["schema"]}"."{row["name"]}"')
        except asyncpg.InsufficientPrivilegeError:
            continue
        readable.append(row["name"])
        found = b"\n".join(item if isinstance(item, bytes) else str(item).encode() for one in rows for item in one)
        hits += [row["name"]] if holds(found, wanted) else []
    for statement in FORBIDDEN:
        try:
            async with conn.transaction():
                await conn.execute(statement)
            passed.append(statement)
        except asyncpg.PostgresError:
            continue
    await conn.close()
    return {"readable": sorted(readable), "hits": hits, "passed": passed}


async def _bucket(told: dict[str, Any]) -> dict[str, int]:
    """Every object, tried with every key-shaped thing in the files that this user can read."""
    keys = [
        bytes.fromhex(word)
        for root in told["roots"]
        for path in _files(Path(root))
        if os.access(path, os.R_OK) and path.stat().st_size < 1 << 20
        for word in _hex_words(path.read_bytes())
    ]
    keys += [bytes.fromhex(item) for item in told.get("hour_keys", ())]
    objects = opened = 0
    async with open_store(StoreSettings(**told["store"])) as store:
        async for item in store.list("v1/"):
            objects += 1
            header = parse_header(await store.get_range(item.name, 0, HEADER_SIZE))
            opened += any(_fits(header, key) for key in keys)
    return {"objects": objects, "opened": opened, "tried": len(keys)}


def _hex_words(data: bytes) -> Iterator[str]:
    for word in data.replace(b'"', b" ").split():
        if len(word) == 64:
            try:
                yield bytes.fromhex(word.decode()).hex()
            except ValueError:
                continue


def _fits(header: Any, key: bytes) -> bool:
    try:
        open_header(header, X25519PrivateKey.from_private_bytes(key), {})
    except RefusedError:
        return False
    return True


async def _keys(told: dict[str, Any]) -> dict[str, Any]:
    """As the custodian's user: the private halves of the hour keys, and everything in its files that is secret."""
    directory = Path(told["directory"])
    keyring = FileKeyring.load([directory / "keyring"])
    conn = await connect(DatabaseSettings(**told["database"]))
    privates = {}
    for row in await conn.fetch("SELECT * FROM hour_key"):
        public = PublicHourKey(
            hour_key_id=row["hour_key_id"],
            site_id=row["site_id"],
            camera_id=row["camera_id"],
            hour_ns=row["hour_ns"],
            public_key=row["public_key"],
            serial=row["serial"],
        )
        context = private_key_context(public, row["expires_hour_ns"])
        privates[str(row["hour_key_id"])] = (
            await keyring.open(row["expires_hour_ns"], row["sealed_private"], context)
        ).hex()
    await conn.close()
    own = json.loads((directory / "custodian-keys").read_text())
    entries = [key.hex() for _, key in sorted(keyring._entries.items())]
    return {"hour_keys": privates, "entries": entries, "own": own}


if __name__ == "__main__":
    main()
