"""The project's vectors, half of them made by each of two implementations: both must agree on every one."""

from __future__ import annotations

import json
import os
import random
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from domain.ids import RecorderId
from storage.sealed import RefusedError, opener, unwrap
from tests.support.footage.sealed import load_vectors, open_by_row, open_object
from tests.vectors import second
from tests.vectors.changes import assemble
from tests.vectors.make import FOLDER, SIZES
from tests.vectors.world import Ours, Second, World

SHARED = Path(__file__).parents[5] / "shared" / "vectors"
BOUNDARY = {16383, 16384, 16385, 32767, 32768, 32769}


@dataclass(frozen=True, slots=True, kw_only=True)
class Vectors:
    hour_private: bytes
    recorders: dict[bytes, bytes]
    vectors: list[dict[str, Any]]
    objects: list[bytes]  # in their order


@pytest.fixture(scope="module")
def own() -> Vectors:
    listing = json.loads((FOLDER / "vectors.json").read_text())
    files = {path.name: path.read_bytes() for path in FOLDER.glob("*.tlns")}
    return Vectors(
        hour_private=bytes.fromhex(listing["hour_private_key"]),
        recorders={bytes.fromhex(name): bytes.fromhex(key) for name, key in listing["recorders"].items()},
        vectors=listing["vectors"],
        objects=[assemble(vector["pieces"], files) for vector in listing["vectors"]],
    )


def open_ours(data: bytes, hour_private: bytes, recorders: dict[bytes, bytes]) -> bytes:
    enrolled = {RecorderId(UUID(bytes=name)): key for name, key in recorders.items()}
    return open_object(data, X25519PrivateKey.from_private_bytes(hour_private), enrolled)


def verdict(vector: dict[str, Any], plain: bytes) -> bool:
    return (len(plain), sha256(plain).hexdigest()) == (vector.get("plain_len"), vector.get("plain_sha256"))


def disagreements_of_ours(vectors: Vectors) -> list[str]:
    wrong = []
    for vector, data in zip(vectors.vectors, vectors.objects, strict=True):
        try:
            agrees = verdict(vector, open_ours(data, vectors.hour_private, vectors.recorders))
        except RefusedError:
            agrees = vector["expect"] == "refused"
        if not agrees:
            wrong.append(vector["name"])
    return wrong


def disagreements_of_the_second(vectors: Vectors) -> list[str]:
    wrong = []
    for vector, data in zip(vectors.vectors, vectors.objects, strict=True):
        try:
            agrees = verdict(vector, second.open_whole(data, vectors.hour_private, vectors.recorders))
        except second.Refused:
            agrees = vector["expect"] == "refused"
        if not agrees:
            wrong.append(vector["name"])
    return wrong


def test_half_of_the_vectors_is_made_by_each_with_boundary_sizes_and_failures(own: Vectors) -> None:
    by = {name: [v for v in own.vectors if v["made_by"] == name] for name in ("tallenne", "second")}
    assert len(by["tallenne"]) == len(by["second"]) == len(own.vectors) / 2
    kinds = {name: [v["expect"] for v in made] for name, made in by.items()}
    assert kinds["tallenne"] == kinds["second"]
    assert (kinds["second"].count("opens"), kinds["second"].count("refused")) == (23, 97)
    assert {v["plain_len"] for v in by["second"] if v["expect"] == "opens"} >= {0, 1} | BOUNDARY
    assert len({sha256(data).digest() for data in own.objects}) == len(own.objects) - 2  # both cut to 0 and to 1


def test_ours_agrees_on_every_vector(own: Vectors) -> None:
    assert disagreements_of_ours(own) == []


def test_second_implementation_agrees_on_every_vector(own: Vectors) -> None:
    assert disagreements_of_the_second(own) == []


@pytest.mark.skipif(not SHARED.is_dir(), reason="../shared/vectors is absent")
def test_second_implementation_agrees_on_the_shared_vectors() -> None:
    shared = load_vectors(SHARED)
    vectors = Vectors(
        hour_private=shared.hour_private.private_bytes_raw(),
        recorders={name.bytes: key for name, key in shared.recorders.items()},
        vectors=shared.vectors,
        objects=[shared.read(vector["file"]) for vector in shared.vectors],
    )
    assert disagreements_of_the_second(vectors) == []


def test_vectors_find_an_opener_that_leaves_a_check_out(own: Vectors, monkeypatch: pytest.MonkeyPatch) -> None:
    """Control: each check of ours taken away is noticed by some vector of each maker."""
    planted: list[tuple[Any, str, Any]] = [
        (opener, "signature_holds", lambda *_: True),
        (unwrap.hmac, "compare_digest", lambda *_: True),
        (opener, "nonce", lambda index, last: index.to_bytes(11, "big") + b"\0"),
    ]
    for place, name, fault in planted:
        with monkeypatch.context() as planting:
            planting.setattr(place, name, fault)
            wrong = disagreements_of_ours(own)
        assert {item.partition("-")[0] for item in wrong} == {"tallenne", "second"}, name


def test_all_vectors_are_the_same_where_the_row_holds_the_trailer(own: Vectors) -> None:
    key = X25519PrivateKey.from_private_bytes(own.hour_private)
    enrolled = {RecorderId(UUID(bytes=name)): value for name, value in own.recorders.items()}
    for vector, data in zip(own.vectors, own.objects, strict=True):
        if vector["expect"] == "refused":
            with pytest.raises(RefusedError):
                open_by_row(data, key, enrolled)
        else:
            assert verdict(vector, open_by_row(data, key, enrolled)), vector["name"]


def test_what_one_seals_the_other_opens() -> None:
    world, dice = World(), random.Random(4)
    ours, other = Ours(world), Second(world)
    for size in (*SIZES, *(dice.randrange(200_000) for _ in range(40))):
        chunk_log2 = dice.randrange(14, 19)
        data, plain = ours.seal(os.urandom(size), chunk_log2=chunk_log2)
        assert second.open_whole(data, world.hour.private, world.recorders) == plain
        data, plain = other.seal(os.urandom(size), chunk_log2=chunk_log2)
        assert open_ours(data, world.hour.private, world.recorders) == plain
        full = size >> chunk_log2 << chunk_log2
        for maker in (ours, other):
            data, plain = maker.seal(os.urandom(full), chunk_log2=chunk_log2, recovered=True)
            assert second.open_whole(data, world.hour.private, world.recorders) == plain
            assert open_ours(data, world.hour.private, world.recorders) == plain
