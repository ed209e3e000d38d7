"""The epoch of a lost row: by the journal and the chain of trailers, and by time where the chain is broken."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass, field
from typing import Any

import pytest

from domain.ids import CameraId, RecorderId, SegmentId
from storage.journal.rows import EpochStart
from storage.sealed.format import ZERO_HASH
from upkeep.inspection.epochs import Epochs

CAMERA, RECORDER = CameraId(uuid.uuid4()), RecorderId(uuid.uuid4())


@dataclass
class Pool:
    """Rows that are there already: epochs by the hash of their trailers."""

    rows: dict[bytes, int] = field(default_factory=dict)

    async def fetchval(self, _query: str, *arguments: Any) -> int | None:
        return self.rows.get(arguments[3])


@dataclass
class Sealed:
    """What the chain says of an object."""

    start_ns: int
    previous: bytes = ZERO_HASH
    segment_id: SegmentId = field(default_factory=lambda: SegmentId(uuid.uuid4()))
    camera_id: CameraId = CAMERA

    @property
    def header(self) -> Any:
        return self

    @property
    def core(self) -> Any:
        return self

    @property
    def trailer(self) -> Any:
        return self

    recorder_id = RECORDER

    @property
    def previous_sha256(self) -> bytes:
        return self.previous

    @property
    def trailer_sha256(self) -> bytes:
        return hashlib.sha256(self.segment_id.bytes).digest()


def chain(*starts: int, after: Sealed | None = None) -> list[Sealed]:
    made: list[Sealed] = []
    for start_ns in starts:
        last = made[-1] if made else after
        made.append(Sealed(start_ns, last.trailer_sha256 if last else ZERO_HASH))
    return made


def epochs(*firsts: tuple[Sealed, int], rows: dict[bytes, int] | None = None) -> Epochs:
    pool: Any = Pool(rows or {})
    made = Epochs(pool)
    for first, epoch in firsts:
        start = EpochStart(
            camera_id=CAMERA,
            recorder_id=RECORDER,
            epoch=epoch,
            segment_id=first.segment_id,
            start_ns=first.start_ns,
        )
        made.add(start)
    return made


async def found(made: Epochs, items: list[Sealed]) -> list[int | None]:
    """In the order of their time, as a bucket lists them."""
    by_time = sorted(items, key=lambda item: item.start_ns)
    known = {item.segment_id: await made.epoch_of(item) for item in by_time}  # type: ignore[arg-type]
    return [known[item.segment_id] for item in items]


async def test_without_a_record_nothing_is_known() -> None:
    assert await found(epochs(), chain(10, 20, 30)) == [None, None, None]


async def test_clock_that_was_set_back_parts_what_lies_at_the_same_time() -> None:
    ahead = chain(10, 20, 30, 40, 50)
    again = chain(25, 35, 45, 55, after=ahead[-1])
    made = epochs((again[0], 2))
    assert await found(made, ahead + again) == [1, 1, 1, 1, 1, 2, 2, 2, 2]


async def test_broken_chain_takes_the_newest_epoch_that_had_begun() -> None:
    first, second = chain(10, 20), chain(30, 40)
    later = Sealed(50, b"x" * 32)
    assert await found(epochs((second[0], 2)), [*first, *second, later]) == [1, 1, 2, 2, 2]


async def test_predecessor_that_has_its_row_says_the_epoch() -> None:
    """A rebuild that was killed goes on in the middle of the chain."""
    before = chain(30)[0]
    after = chain(40, after=before)
    first = Sealed(20)
    assert await found(epochs((first, 3), rows={before.trailer_sha256: 2}), after) == [2]


@pytest.mark.parametrize("epoch", [2, 1 << 40])
async def test_restart_of_the_recorder_names_another_first_segment_of_the_same_epoch(epoch: int) -> None:
    made = chain(10, 20, 30, 40)
    assert await found(epochs((made[1], epoch), (made[3], epoch)), made) == [1, epoch, epoch, epoch]


async def test_other_camera_is_not_concerned() -> None:
    other = Sealed(90, camera_id=CameraId(uuid.uuid4()))
    assert await found(epochs((Sealed(20), 2)), [other]) == [None]
