"""A recorder with a store and a catalogue in memory, and what must hold of whatever it was given."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import itertools
import random
import uuid
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from domain.footage import FragmentIndex, Gap, GapCause, Segment, SegmentState
from domain.ids import CameraId, HourKeyId, RecorderId, SegmentId, SiteId
from domain.time import HOUR_NS, NS, Span, hour_of, subtract_spans
from ingest.recording import CameraRecording, Recorder, open_recorder
from runtime.errors import DatabaseAwayError, DatabaseError
from runtime.failpoints import Failpoints
from runtime.problems import Problems
from runtime.settings import SpoolSettings
from storage.catalogue import Commit
from storage.catalogue.errors import SegmentConflictError
from storage.catalogue.rows import gap_pieces, joined_gaps
from storage.keys import HourKeyCache, PublicHourKey, RecorderIdentity
from storage.mp4 import Walker
from storage.sealed import object_name_of
from storage.sealed.format import parse_header
from tests.support.faults.failpoints import users
from tests.support.faults.memory_store import FakeStore
from tests.support.footage.fragments import FRAGMENT_NS, Piece, init_of, piece
from tests.support.footage.sealed import START_NS, open_object

CODEC, INIT = init_of()


class FakeCatalogue:
    """Rows in memory; the database may be away or refuse."""

    def __init__(self) -> None:
        self.segments: dict[SegmentId, Segment] = {}
        self.epochs: dict[tuple[CameraId, RecorderId], dict[int, int]] = {}  # when each began
        self.gap_rows: dict[tuple[CameraId, Span, GapCause], Gap] = {}
        self.away = False
        self.refuse: Callable[[Segment], bool] = lambda segment: False
        self.refuse_gaps = False
        self.lose_replies = 0
        self.commits = 0

    async def take_leases(self, camera_ids: Sequence[CameraId], recorder_id: RecorderId) -> dict[CameraId, int]:
        """As for a recorder that is not enrolled."""
        return {}

    async def accounted_until(self, before_ns: Mapping[CameraId, int]) -> dict[CameraId, int]:
        """As the SQL of that name."""
        if self.away:
            raise DatabaseAwayError("The database is away.")
        found: dict[CameraId, int] = {}
        for one in self._accounted():
            if one.span.start_ns < before_ns.get(one.camera_id, 0):
                found[one.camera_id] = max(one.span.end_ns, found.get(one.camera_id, 0))
        return found

    async def accounted_spans(self, within: Mapping[CameraId, Span]) -> dict[CameraId, list[Span]]:
        """As the SQL of that name, but for joining."""
        if self.away:
            raise DatabaseAwayError("The database is away.")
        found: dict[CameraId, list[Span]] = {}
        for one in self._accounted():
            if one.camera_id in within and one.span.overlaps(within[one.camera_id]):
                found.setdefault(one.camera_id, []).append(one.span)
        return found

    def _accounted(self) -> list[Segment | Gap]:
        return [*self.live(), *self.gap_rows.values()]

    async def commit_segment(self, segment: Segment) -> Commit:
        await asyncio.sleep(0)
        self.commits += 1
        if self.away:
            raise DatabaseAwayError("The database is away.")
        if self.refuse(segment):
            raise DatabaseError("The database refused a statement.")
        known = self.segments.get(segment.segment_id)
        if known is not None:
            if known.sha256 != segment.sha256:
                raise SegmentConflictError("Known with other contents.")
            return Commit.DUPLICATE
        state = self._filed(segment)
        self.segments[segment.segment_id] = replace(segment, state=state)
        if self.lose_replies:
            self.lose_replies -= 1
            raise DatabaseAwayError("The reply was lost.")
        return Commit.SHADOW if state is SegmentState.SHADOW else Commit.LIVE

    def _filed(self, segment: Segment) -> SegmentState:
        """As the SQL function commit_segment() does it."""
        who = (segment.camera_id, segment.recorder_id)
        begun = self.epochs.setdefault(who, {})
        start_ns = segment.span.start_ns
        begins = start_ns < begun.get(segment.epoch, start_ns + 1)
        if begins:
            begun[segment.epoch] = start_ns
        if any(epoch > segment.epoch and at <= begun[segment.epoch] for epoch, at in begun.items()):
            return SegmentState.SHADOW
        live = [one for one in self.live() if one.camera_id == segment.camera_id]
        losers = [one for one in live if one.span.overlaps(segment.span)]
        if any(one.epoch >= segment.epoch for one in losers):
            return SegmentState.SHADOW
        misfiled = {epoch for epoch, at in begun.items() if epoch < segment.epoch and at >= start_ns and begins}
        losers += [
            one
            for one in live
            if one.recorder_id == segment.recorder_id and one.epoch in misfiled and one not in losers
        ]
        for loser in losers:
            self.segments[loser.segment_id] = replace(loser, state=SegmentState.SHADOW)
            self._add(Gap(camera_id=loser.camera_id, span=loser.span, cause=GapCause.CLOCK))
        for key, gap in list(self.gap_rows.items()):
            if gap.camera_id == segment.camera_id and gap.span.overlaps(segment.span):
                del self.gap_rows[key]
                for left in subtract_spans(gap.span, [segment.span]):
                    self._add(replace(gap, span=left))
        return SegmentState.LIVE

    async def commit_gaps(self, gaps: Sequence[Gap]) -> None:
        await asyncio.sleep(0)
        if self.away:
            raise DatabaseAwayError("The database is away.")
        if self.refuse_gaps:
            raise DatabaseError("The database refused a statement.")
        for gap in gaps:
            self._add(gap)

    def _add(self, gap: Gap) -> None:
        """What is not accounted for yet."""
        known = [one.span for one in self.live(gap.camera_id)]
        known += [one.span for one in self.gap_rows.values() if one.camera_id == gap.camera_id]
        for left in subtract_spans(gap.span, known):
            for part in gap_pieces(replace(gap, span=left)):
                self.gap_rows[part.camera_id, part.span, part.cause] = part

    def live(self, camera_id: CameraId | None = None) -> list[Segment]:
        found = [item for item in self.segments.values() if item.state is SegmentState.LIVE]
        return sorted((item for item in found if camera_id in (None, item.camera_id)), key=lambda item: item.span)

    def gaps(self, camera_id: CameraId) -> list[Gap]:
        found = [gap for gap in self.gap_rows.values() if gap.camera_id == camera_id]
        return joined_gaps(sorted(found, key=lambda gap: gap.span))


class TestKeys:
    """Hour keys of one site, signed by a signer that recorders pin."""

    __test__ = False

    def __init__(self) -> None:
        self.signer = Ed25519PrivateKey.generate()
        self.private: dict[HourKeyId, X25519PrivateKey] = {}
        self._serial = 0

    def cache(self, site_id: SiteId, cameras: Sequence[CameraId], hours: int = 4) -> HourKeyCache:
        cache = HourKeyCache(self.signer.public_key().public_bytes_raw())
        for camera_id in cameras:
            for hour in range(-2, hours):
                cache.offer([_Published(self._make(site_id, camera_id, hour_of(START_NS) + hour * HOUR_NS))])
        return cache

    def _make(self, site_id: SiteId, camera_id: CameraId, hour_ns: int) -> PublicHourKey:
        private = X25519PrivateKey.generate()
        self._serial += 1
        key = PublicHourKey(
            hour_key_id=HourKeyId(uuid.uuid4()),
            site_id=site_id,
            camera_id=camera_id,
            hour_ns=hour_ns,
            public_key=private.public_key().public_bytes_raw(),
            serial=self._serial,
        )
        self.private[key.hour_key_id] = private
        return replace(key, signature=self.signer.sign(key.statement()))


class _Published:
    state = "active"

    def __init__(self, key: PublicHourKey) -> None:
        self._key = key

    def __getattr__(self, name: str) -> Any:
        return getattr(self._key, name)


@dataclass
class Rig:
    """One recorder's world, kept over its restarts."""

    directory: Path
    cameras: tuple[CameraId, ...]
    site_id: SiteId
    store: FakeStore
    catalogue: FakeCatalogue
    test_keys: TestKeys
    keys: HourKeyCache
    identity: RecorderIdentity
    now_ns: int = START_NS  # the media's clock, moved by whoever records
    dice: random.Random = field(default_factory=lambda: random.Random(7))
    handed_in: dict[CameraId, list[Piece]] = field(default_factory=dict)
    problems: Problems = field(default_factory=Problems)
    more: dict[str, Any] = field(default_factory=dict)  # of SpoolSettings

    @property
    def settings(self) -> SpoolSettings:
        values: dict[str, Any] = {"max_bytes": 1 << 30, "reserve_bytes": 0}
        return SpoolSettings(directory=self.directory / "spool", **(values | self.more))

    @contextlib.asynccontextmanager
    async def recorder(self, *, drain_s: float = 10.0, **more: Any) -> AsyncIterator[Recorder]:
        self.problems = Problems()
        async with open_recorder(
            self.settings,
            self.store,  # type: ignore[arg-type]
            self.catalogue,  # type: ignore[arg-type]
            self.identity,
            self.keys,
            self.problems,
            drain_s=drain_s,
            **more,
        ) as recorder:
            yield recorder

    def camera(self, recorder: Recorder, number: int = 0) -> CameraRecording:
        return recorder.camera(self.site_id, self.cameras[number])

    def begin(self, camera: CameraRecording) -> None:
        camera.begin(self.now_ns, CODEC, INIT)

    def hand_in(self, camera: CameraRecording, count: int = 1, *, size: int = 20_000) -> None:
        """Fragments into the open segment; the clock moves."""
        for _ in range(count):
            start_ns = camera.segment_start_ns
            made = piece(self.dice, start_ns, self.now_ns, key=self.now_ns == start_ns, size=size)
            self.handed_in.setdefault(camera.camera_id, []).append(made)
            camera.append([made.data], made.start_ns, made.end_ns, key=made.key, frames=made.frames)
            self.now_ns += FRAGMENT_NS

    def segment(self, camera: CameraRecording, fragments: int = 4, *, size: int = 20_000) -> None:
        """One whole segment."""
        self.begin(camera)
        self.hand_in(camera, fragments, size=size)
        camera.finish(self.now_ns)

    def stop(self, camera: CameraRecording) -> None:
        camera.finish(self.now_ns)
        camera.stop(self.now_ns)

    def plaintext(self, segment: Segment) -> bytes:
        data = self.store.objects[object_name_of(segment)]
        assert (len(data), hashlib.sha256(data).digest()) == (segment.size_bytes, segment.sha256)
        private = self.test_keys.private[parse_header(data[:210]).core.hour_key_id]
        return open_object(data, private, {self.identity.recorder_id: self.identity.public_key})

    def check(self, camera_id: CameraId | None = None, *, lost_at_most: int = 0) -> list[Segment]:
        """Tiles, bytes, nothing twice; at most so many fragments are missing. The live segments."""
        camera_id = camera_id or self.cameras[0]
        live = self.catalogue.live(camera_id)
        gaps = self.catalogue.gaps(camera_id)
        assert_tiled([item.span for item in live], [gap.span for gap in gaps])
        assert not [item for item in self.catalogue.segments.values() if item.state is SegmentState.SHADOW]
        found = [part for item in live for part in fragments_of(item, self.plaintext(item))]
        handed = [(made.start_ns, made.sha256) for made in self.handed_in.get(camera_id, [])]
        assert len(set(found)) == len(found)
        assert set(found) <= set(handed)
        missing = [item for item in handed if item not in set(found)]
        assert len(missing) <= lost_at_most, (len(missing), [start for start, _ in missing], [i.span for i in live])
        for start_ns, _ in missing:
            assert any(gap.span.contains(start_ns) for gap in gaps)
        return live


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return make_rig(tmp_path)


def make_rig(directory: Path, cameras: int = 1) -> Rig:
    ids = tuple(CameraId(uuid.uuid4()) for _ in range(cameras))
    site_id = SiteId(uuid.uuid4())
    keys = TestKeys()
    cache = keys.cache(site_id, ids)
    return Rig(
        directory=directory,
        cameras=ids,
        site_id=site_id,
        store=FakeStore(),
        catalogue=FakeCatalogue(),
        test_keys=keys,
        keys=cache,
        identity=RecorderIdentity.create(keys.signer.public_key().public_bytes_raw()),
    )


class Killed(BaseException):
    """As far as a process's own memory is concerned, kill -9: nobody catches it."""


def fragments_of(segment: Segment, plain: bytes) -> list[tuple[int, str]]:
    """(start_ns to the millisecond, hash) of each fragment as the catalogue's index finds it, or the boxes tell."""
    index = segment.fragments or index_of(plain, torn=segment.recovered)
    assert plain[: segment.init_size] == INIT[: segment.init_size]
    return [
        (segment.span.start_ns + start_ms * 1_000_000, hashlib.sha256(plain[offset : offset + size]).hexdigest())
        for start_ms, offset, size in zip(index.start_ms, index.offset, index.size, strict=True)
    ]


def index_of(plain: bytes, *, torn: bool) -> FragmentIndex:
    """As a reader makes it when the catalogue has none."""
    walker = Walker()
    walker.push(plain)
    return walker.finish(torn=torn).index


def assert_tiled(footage: Sequence[Span], gaps: Sequence[Span]) -> None:
    """No hole and no overlap between the first and the last."""
    spans = sorted([*footage, *gaps])
    for before, after in itertools.pairwise(spans):
        assert before.end_ns == after.start_ns, (
            f"{'hole' if before.end_ns < after.start_ns else 'overlap'} of {(after.start_ns - before.end_ns) / NS} s"
            f" between {before} ({'footage' if before in footage else 'gap'}) and {after}"
        )


def break_at(monkeypatch: pytest.MonkeyPatch, specification: str) -> None:
    """Failpoints in this process, for this test."""
    hit = Failpoints(specification).hit
    for module in users():
        monkeypatch.setattr(module, "hit", hit)


async def until(holds: Callable[[], bool], *, seconds: float = 60) -> None:
    """TimeoutError."""
    async with asyncio.timeout(seconds):
        while not holds():  # noqa: ASYNC110
            await asyncio.sleep(0.01)
