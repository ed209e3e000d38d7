"""Makes the vectors anew, half of them by each implementation: `python -m tests.vectors.make`. Fresh keys each time.

They are made once and kept: a format that had to make its vectors again would be another format.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from tests.vectors.changes import Base, Piece, refusals, whole
from tests.vectors.world import Maker, Ours, Pair, Second, World, ed25519_pair, x25519_pair

FOLDER = Path(__file__).parent / "sealed"
CHUNK = 1 << 14
_ROOM = 184  # what Sealer leaves free of a last chunk: a trailer and a tag
SIZES = (0, 1, CHUNK - _ROOM - 1, CHUNK - _ROOM, CHUNK - _ROOM + 1, CHUNK - 1, CHUNK, CHUNK + 1)
SIZES_OF_TWO = (2 * CHUNK - 1, 2 * CHUNK, 2 * CHUNK + 1)


def main() -> None:
    world = World()
    files: dict[str, bytes] = {}
    vectors = [vector for maker in (Ours(world), Second(world)) for vector in _of(maker, world, files)]
    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.glob("*.tlns"):
        old.unlink()
    for name, data in files.items():
        (FOLDER / name).write_bytes(data)
    listing = {
        "format": "sealed segment, version 1",
        "hour_private_key": world.hour.private.hex(),
        "recorders": {recorder.hex(): key.hex() for recorder, key in world.recorders.items()},
    }
    lines = ",\n".join(json.dumps(vector) for vector in vectors)
    head = json.dumps(listing, indent=1).removesuffix("\n}")
    (FOLDER / "vectors.json").write_text(f'{head},\n "vectors": [\n{lines}\n]}}\n')


def _of(maker: Maker, world: World, files: dict[str, bytes]) -> Iterator[dict[str, Any]]:
    """One maker's vectors; its objects go into ``files``."""

    def made(name: str, size: int, **changed: Any) -> tuple[Base, dict[str, Any]]:
        data, plain = maker.seal(os.urandom(size), **changed)
        base = Base(file=f"{maker.name}-{name}.tlns", data=data, chunk_log2=changed.get("chunk_log2", 14))
        files[base.file] = data
        facts = {"plain_len": len(plain), "plain_sha256": sha256(plain).hexdigest()}
        return base, _vector(maker, name, whole(base), **facts)

    for size in (*SIZES, *SIZES_OF_TWO):
        yield made(f"{size}-bytes", size)[1]
    for chunk_log2 in (15, 16, 17, 18):
        yield made(f"chunk-log2-{chunk_log2}", 5000, chunk_log2=chunk_log2)[1]
    yield made("two-chunks-of-log2-15", (1 << 15) + 1, chunk_log2=15)[1]
    yield made("not-the-first", 100, previous=os.urandom(32))[1]
    yield made("colleague", 100, recorder=world.colleague, signer=world.colleague_signer)[1]
    for chunks in (0, 1):
        yield made(f"recovered-{chunks}", chunks * CHUNK, recovered=True)[1]
    recovered, vector = made("recovered-2", 2 * CHUNK, recovered=True)
    yield vector
    base, vector = made("base", 2 * CHUNK + 700)
    yield vector
    foreign, vector = made("foreign", 2 * CHUNK + 700)
    yield vector
    yield from _wrong_keys(maker, world, files)

    def sign(bound: bytes, head: bytes) -> bytes:
        return maker.sign(world.signer.private, bound, head)

    for name, pieces in refusals(base, foreign, recovered, files, sign):
        yield _vector(maker, name, pieces)


def _wrong_keys(maker: Maker, world: World, files: dict[str, bytes]) -> Iterator[dict[str, Any]]:
    wrong: Mapping[str, dict[str, bytes | Pair]] = {
        "other-hour-key": {"hour": x25519_pair()},
        "other-signer": {"signer": ed25519_pair()},
        "signed-by-colleague": {"signer": world.colleague_signer},
        "recorder-not-enrolled": {"recorder": os.urandom(16)},
    }
    for name, changed in wrong.items():
        file = f"{maker.name}-{name}.tlns"
        files[file], _ = maker.seal(os.urandom(100), **changed)
        yield _vector(maker, name, [(file, 0, len(files[file]))])


def _vector(maker: Maker, name: str, pieces: list[Piece], **opens: Any) -> dict[str, Any]:
    expect = "opens" if opens else "refused"
    return {"name": f"{maker.name}-{name}", "made_by": maker.name, "expect": expect, **opens, "pieces": pieces}


if __name__ == "__main__":
    main()
