"""A camera's position: in place, the newest counts, a torn one leaves the one before."""

from __future__ import annotations

import json
import uuid
from pathlib import Path

from domain.ids import CameraId
from ingest.spool import CameraPosition
from ingest.spool.positions import CameraPositions
from ingest.spool.records import packed

CAMERA = CameraId(uuid.uuid4())


# -- CameraPositions


def test_position_comes_back_and_the_newest_counts(tmp_path: Path) -> None:
    positions = CameraPositions(tmp_path, sync=True)
    assert positions.load(CAMERA) == CameraPosition()
    for number in range(5):
        position = CameraPosition(
            trailer_sha256=bytes([number] * 32), end_ns=number, orderly=bool(number % 2), epoch=number % 3
        )
        positions.save(CAMERA, position)
        assert CameraPositions(tmp_path, sync=False).load(CAMERA) == position
    assert positions.load(CameraId(uuid.uuid4())) == CameraPosition()


def test_position_that_was_torn_while_written_leaves_the_one_before(tmp_path: Path) -> None:
    positions = CameraPositions(tmp_path, sync=False)
    before, after = CameraPosition(end_ns=1), CameraPosition(end_ns=2)
    positions.save(CAMERA, before)
    path = next(tmp_path.iterdir())
    old = path.read_bytes()
    positions.save(CAMERA, after)
    new = path.read_bytes()
    changed = [at for at in range(len(old)) if old[at] != new[at]]
    for upto in range(min(changed), max(changed) + 1, 7):
        path.write_bytes(new[:upto] + old[upto:])
        assert positions.load(CAMERA) in (before, after)
    path.write_bytes(new[: max(changed)] + old[max(changed) :])
    assert positions.load(CAMERA) == before
    positions.save(CAMERA, after)
    assert positions.load(CAMERA) == after


def test_position_is_rewritten_in_place_so_that_a_full_disk_takes_it(tmp_path: Path) -> None:
    positions = CameraPositions(tmp_path, sync=False)
    positions.save(CAMERA, CameraPosition(end_ns=1))
    path = next(tmp_path.iterdir())
    inode, size = path.stat().st_ino, path.stat().st_size
    for number in range(10):
        positions.save(CAMERA, CameraPosition(end_ns=number))
    assert (path.stat().st_ino, path.stat().st_size) == (inode, size)
    assert [item.name for item in tmp_path.iterdir()] == [path.name]


def test_position_of_the_first_format_is_still_read(tmp_path: Path) -> None:
    body = {"trailer_sha256": "ab" * 32, "end_ns": 7, "orderly": True}
    (tmp_path / f"{CAMERA}.position").write_bytes(packed(json.dumps(body).encode()))
    positions = CameraPositions(tmp_path, sync=False)
    assert positions.load(CAMERA) == CameraPosition(trailer_sha256=b"\xab" * 32, end_ns=7, orderly=True)
    positions.save(CAMERA, CameraPosition(end_ns=8))
    assert positions.load(CAMERA) == CameraPosition(end_ns=8)
