"""A spool with one camera and a recorder that writes into it."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path

from domain.time import NS
from ingest.recording.segment import OpenSegment
from ingest.spool import (
    Beginning,
    CameraPosition,
    Pending,
    Spool,
)
from runtime.settings import SpoolSettings
from storage.keys import RecorderIdentity
from storage.sealed import Sealer
from storage.sealed.format import parse_header
from tests.support.footage.fragments import FRAGMENT_NS, piece
from tests.support.footage.recording import CODEC, INIT
from tests.support.footage.sealed import START_NS, World, new_sealer, open_object


@dataclass
class Bench:
    spool: Spool
    world: World
    identity: RecorderIdentity
    directory: Path

    def sealer(self, start_ns: int = START_NS) -> Sealer:
        return new_sealer(self.world, start_ns=start_ns)

    def begin(self, start_ns: int = START_NS) -> OpenSegment:
        sealer = self.sealer(start_ns)
        core = parse_header(sealer.header).core
        beginning = Beginning(
            site_id=core.site_id,
            camera_id=core.camera_id,
            segment_id=core.segment_id,
            start_ns=start_ns,
            codec=CODEC,
            init_size=len(INIT),
            epoch=1,
        )
        file = self.spool.begin(beginning, sealer.header, expected_bytes=100_000)
        return OpenSegment(sealer, file, start_ns, INIT, self.spool.grown)

    def feed(self, segment: OpenSegment, sizes: list[int]) -> list[bytes]:
        dice = random.Random(len(sizes))
        made = []
        for number, size in enumerate(sizes):
            at_ns = segment.start_ns + number * FRAGMENT_NS
            item = piece(dice, segment.start_ns, at_ns, key=number == 0, size=size)
            segment.append([item.data], item.start_ns, item.end_ns, key=item.key, frames=3, mono_ns=0)
            made.append(item.data)
        return made

    def whole(self, start_ns: int = START_NS) -> tuple[Pending, bytes]:
        segment = self.begin(start_ns)
        self.feed(segment, [20_000] * 4)
        done = segment.finish(start_ns + 2 * NS, self.identity, CameraPosition())
        pending = self.spool.publish(done.file, self.world.camera_id, done.position)
        return pending, pending.place.ready.read_bytes()

    def opened(self, data: bytes) -> bytes:
        return open_object(data, self.world.hour_private, {self.identity.recorder_id: self.identity.public_key})

    def reopen(self) -> None:
        self.spool.close()
        self.spool = Spool(self.settings())

    def settings(self) -> SpoolSettings:
        return SpoolSettings(directory=self.directory, max_bytes=1 << 30, reserve_bytes=0)
