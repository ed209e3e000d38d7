"""What the catalogue's row needs and the sealed file does not hold: a journal beside each spool file. Pure.

A first record when the segment begins, one for each fragment, one when it is finished, one when the object is stored,
or one when it is given up to make room.
After a crash the fragments that lie in full chunks count, the rest is dropped with the file's torn tail.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from domain.footage import Codec, FragmentIndex
from domain.ids import CameraId, RecorderId, SegmentId, SiteId
from ingest.spool.records import packed, unpacked

_FRAGMENT = struct.Struct(">cIQIIBq")  # kind, start_ms, offset, size, frames, key, end_ns
_BEGIN, _PIECE, _END, _STORED, _DROPPED = b"B", b"F", b"E", b"S", b"D"


@dataclass(frozen=True, slots=True, kw_only=True)
class Beginning:
    """Facts known when a segment begins."""

    site_id: SiteId
    camera_id: CameraId
    segment_id: SegmentId
    start_ns: int
    codec: Codec
    init_size: int
    epoch: int
    init_sha256: bytes | None = None  # None: begun by a version that did not record it


@dataclass(frozen=True, slots=True, kw_only=True)
class Fragment:
    """Place and time of one fragment."""

    start_ms: int  # since the segment's start
    offset: int  # in the plaintext
    size: int
    frames: int
    key: bool
    end_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """Facts known when a segment is finished or recovered."""

    end_ns: int
    size_bytes: int  # of the object
    sha256: bytes  # of the object
    header: bytes
    recovered: bool
    recorder_id: RecorderId  # signer of the trailer
    trailer: bytes | None = None  # None: finished by a version that did not record it


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentMetadata:
    """Contents of a metadata file, up to its first torn record."""

    beginning: Beginning
    fragments: tuple[Fragment, ...] = ()
    ending: Ending | None = None
    stored: bool = False  # the object store holds it, verified
    dropped: bool = False  # given up to make room: a gap records it, or is about to

    def index(self) -> FragmentIndex | None:
        """Return the index of the known fragments; None when none is known, and a reader parses the boxes instead."""
        if not self.fragments:
            return None
        return FragmentIndex(
            start_ms=tuple(item.start_ms for item in self.fragments),
            offset=tuple(item.offset for item in self.fragments),
            size=tuple(item.size for item in self.fragments),
            key=tuple(item.key for item in self.fragments),
        )


def begin_record(metadata: Beginning) -> bytes:
    """Return the first record."""
    body = {
        "site": str(metadata.site_id),
        "camera": str(metadata.camera_id),
        "segment": str(metadata.segment_id),
        "start_ns": metadata.start_ns,
        "codec": [metadata.codec.name, metadata.codec.mime, metadata.codec.width, metadata.codec.height],
        "init_size": metadata.init_size,
        "epoch": metadata.epoch,
        "init_sha256": None if metadata.init_sha256 is None else metadata.init_sha256.hex(),
    }
    return packed(_BEGIN + json.dumps(body).encode())


def fragment_record(fragment: Fragment) -> bytes:
    """Return the record of a fragment."""
    return packed(
        _FRAGMENT.pack(
            _PIECE,
            fragment.start_ms,
            fragment.offset,
            fragment.size,
            fragment.frames,
            fragment.key,
            fragment.end_ns,
        )
    )


def end_record(ending: Ending) -> bytes:
    """Return the record of a finished or recovered segment."""
    body = {
        "end_ns": ending.end_ns,
        "size_bytes": ending.size_bytes,
        "sha256": ending.sha256.hex(),
        "header": ending.header.hex(),
        "recovered": ending.recovered,
        "recorder": str(ending.recorder_id),
        "trailer": None if ending.trailer is None else ending.trailer.hex(),
    }
    return packed(_END + json.dumps(body).encode())


def stored_record() -> bytes:
    """Return the record of an object that the store holds, verified."""
    return packed(_STORED)


def dropped_record() -> bytes:
    """Return the record of a segment that was given up to make room."""
    return packed(_DROPPED)


def recovered_journal(beginning: Beginning, fragments: Sequence[Fragment], ending: Ending) -> bytes:
    """Return the whole file of a finished or recovered segment."""
    return b"".join((begin_record(beginning), *map(fragment_record, fragments), end_record(ending)))


def journal_of(data: bytes, segment_id: SegmentId) -> SegmentMetadata | None:
    """As ``parse_journal()``; None for another segment's journal, which a reused file may hold after a power cut."""
    metadata = parse_journal(data)
    return None if metadata is None or metadata.beginning.segment_id != segment_id else metadata


def parse_journal(data: bytes) -> SegmentMetadata | None:
    """Return the contents up to the first torn record; None when the first record is torn or absent."""
    beginning: Beginning | None = None
    ending: Ending | None = None
    fragments: list[Fragment] = []
    stored = dropped = False
    for payload, _ in unpacked(data):
        kind = payload[:1]
        if kind == _BEGIN:
            beginning = _parse_beginning(payload[1:])
        elif kind == _PIECE:
            fragments.append(_parse_fragment(payload))
        elif kind == _END:
            ending = _parse_ending(payload[1:])
        elif kind == _STORED:
            stored = True
        elif kind == _DROPPED:
            dropped = True
    if beginning is None:
        return None
    return SegmentMetadata(
        beginning=beginning, fragments=tuple(fragments), ending=ending, stored=stored, dropped=dropped
    )


def _parse_beginning(data: bytes) -> Beginning:
    body = json.loads(data)
    name, mime, width, height = body["codec"]
    return Beginning(
        site_id=SiteId(UUID(body["site"])),
        camera_id=CameraId(UUID(body["camera"])),
        segment_id=SegmentId(UUID(body["segment"])),
        start_ns=body["start_ns"],
        codec=Codec(name=name, mime=mime, width=width, height=height),
        init_size=body["init_size"],
        epoch=body["epoch"],
        init_sha256=bytes.fromhex(init) if (init := body.get("init_sha256")) else None,
    )


def _parse_fragment(payload: bytes) -> Fragment:
    _, start_ms, offset, size, frames, key, end_ns = _FRAGMENT.unpack(payload)
    return Fragment(start_ms=start_ms, offset=offset, size=size, frames=frames, key=bool(key), end_ns=end_ns)


def _parse_ending(data: bytes) -> Ending:
    body = json.loads(data)
    return Ending(
        end_ns=body["end_ns"],
        size_bytes=body["size_bytes"],
        sha256=bytes.fromhex(body["sha256"]),
        header=bytes.fromhex(body["header"]),
        recovered=body["recovered"],
        recorder_id=RecorderId(UUID(body["recorder"])),
        trailer=bytes.fromhex(trailer) if (trailer := body.get("trailer")) else None,
    )
