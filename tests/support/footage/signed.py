"""Rows as a recorder signs them, without footage; and rows as somebody makes them up who has ingest's password."""

from __future__ import annotations

import hashlib
import os
import uuid
from dataclasses import dataclass, field, replace
from typing import Any

import asyncpg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from domain.footage import Codec, FragmentIndex, Segment
from domain.ids import CameraId, HourKeyId, RecorderId, SegmentId, SiteId
from domain.time import Span
from storage.catalogue import Catalogue, Commit
from storage.sealed.format import CHUNK_LOG2_MIN, OVERHEAD, TAG_SIZE, ZERO_HASH, Core, pack_header
from storage.sealed.sealer import sign_trailer

SITE_ID = SiteId(uuid.UUID(int=7))
_PLAIN_LEN = 20_000
_SIZE = OVERHEAD + _PLAIN_LEN + 2 * TAG_SIZE


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """A recorder's identity."""

    recorder_id: RecorderId = field(default_factory=lambda: RecorderId(uuid.uuid4()))
    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)

    async def enrol(self, owner: Any, *, revoked_ns: int | None = None) -> None:
        public = self.key.public_key().public_bytes_raw()
        query = "INSERT INTO recorder VALUES ($1, 'test', $2, 1, $3)"
        await owner.execute(query, self.recorder_id, public, revoked_ns)

    def segment(self, camera_id: CameraId, span: Span, *, epoch: int = 0, **changes: Any) -> Segment:
        """A row whose trailer verifies. ``changes``: fields that then say other than what was signed."""
        core = Core(
            chunk_log2=CHUNK_LOG2_MIN,
            site_id=SITE_ID,
            camera_id=camera_id,
            segment_id=SegmentId(uuid.uuid4()),
            hour_key_id=HourKeyId(uuid.uuid4()),
            start_ns=span.start_ns,
            salt=os.urandom(16),
        )
        header = pack_header(core.pack(), os.urandom(32), os.urandom(80))
        made = Segment(
            segment_id=core.segment_id,
            site_id=core.site_id,
            camera_id=camera_id,
            recorder_id=self.recorder_id,
            hour_key_id=core.hour_key_id,
            span=span,
            size_bytes=_SIZE,
            sha256=os.urandom(32),
            header=header,
            codec=Codec(name="h264", mime="avc1.64001f", width=640, height=360),
            init_size=700,
            frames=250,
            recovered=False,
            fragments=FragmentIndex(start_ms=(0, 500), offset=(700, 1000), size=(300, 200), key=(True, False)),
            epoch=epoch,
        )
        return replace(made, trailer=self.trailer(made), **changes)

    def trailer(self, segment: Segment) -> bytes:
        """Signed by this one, whatever recorder the segment names."""
        return sign_trailer(
            core_sha256=hashlib.sha256(segment.header[:96]).digest(),
            state=0,
            end_ns=segment.span.end_ns,
            plain_len=_PLAIN_LEN,
            sealed_sha256=os.urandom(32),
            previous_sha256=ZERO_HASH,
            recorder_id=segment.recorder_id,
            sign=self.key.sign,
        )


def garbage(camera_id: CameraId, span: Span, **changes: Any) -> Segment:
    """What fits the columns, and nothing more."""
    made = Signer().segment(camera_id, span)
    return replace(made, header=os.urandom(210), trailer=os.urandom(168), **changes)


async def settle_all(owner: asyncpg.Connection | asyncpg.Pool) -> None:
    """As the custodian settles rows whose trailers verify, in the order of their commits."""
    while rows := await owner.fetch("SELECT segment_id FROM segment_claim ORDER BY claim_id"):
        for row in rows:
            await owner.fetchval("SELECT settle_segment($1, NULL, 'v1/x')", row["segment_id"])


class SettledCatalogue(Catalogue):
    """Each commit is settled at once, the row taken for verified: for tests of what becomes of genuine rows."""

    def __init__(self, pool: asyncpg.Pool, owner: asyncpg.Connection | asyncpg.Pool) -> None:
        super().__init__(pool)
        self._owner = owner

    async def commit_segment(self, segment: Segment) -> Commit:
        outcome = await super().commit_segment(segment)
        if outcome in (Commit.DUPLICATE, Commit.EXPIRED):
            return outcome
        await settle_all(self._owner)
        found = await self.segment(segment.segment_id)
        assert found is not None
        return Commit(found.state)
