"""Footage: cameras, segments, gaps, clips."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from domain.ids import CameraId, HourKeyId, RecorderId, SegmentId, SiteId
from domain.time import NS, Span

SEGMENT_MAX_NS = 120 * NS
"""No segment is longer: overlap searches look back by this much (a CHECK in the catalogue holds it)."""


LEASE_SHIFT = 32
"""An epoch is the number of the recorder's lease of the camera, and in the lower bits how often its clock was set."""


class SegmentState(StrEnum):
    LIVE = "live"
    SHADOW = "shadow"  # overlaps a live segment of a higher epoch; kept, not shown
    CONTESTED = "contested"  # its time was accounted for when it came: shown once its trailer has been verified
    REFUSED = "refused"  # its row is not what an enrolled recorder signed; never shown
    EXPIRING = "expiring"
    GONE = "gone"


class GapCause(StrEnum):
    """Why a span has no footage. The values are stored; do not rename them."""

    STARTING = "starting"  # waiting for the first key frame after a (re)connect
    UNREACHABLE = "unreachable"  # no connection
    REFUSED = "refused"  # the camera answered, but not with footage: wrong password, no such stream
    STALLED = "stalled"  # connected, nothing comes
    LOSS = "loss"  # packets lost; pictures dropped until the next key frame
    CLOCK = "clock"  # a clock jumped
    SPOOL_FULL = "spool_full"
    NO_KEY = "no_key"  # no valid hour key: footage sealed without one could neither be opened nor expire
    CRASH = "crash"  # the recorder stopped without warning
    STOPPED = "stopped"  # the recorder was stopped in an orderly way
    STORAGE = "storage"  # the spool could not be written
    QUARANTINED = "quarantined"  # footage existed and failed verification
    ERASED = "erased"  # footage existed, and two people decided to erase it
    LOST = "lost"  # neither footage nor a cause is known: the database was lost, and the journal does not say


@dataclass(frozen=True, slots=True, kw_only=True)
class Codec:
    """What a decoder must know. One segment has one."""

    name: str  # "h264" or "h265"
    mime: str  # RFC 6381, e.g. "avc1.64001f"
    width: int
    height: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FragmentIndex:
    """Where a segment's fragments lie in its plaintext; all tuples have one length.

    start_ms: milliseconds since the segment's start_ns, of each fragment's first picture
    offset: byte offset of each fragment's moof in the plaintext (the init segment lies before offset[0])
    size: bytes of each fragment (moof + mdat); between fragments there may be `free` boxes
    key: whether a fragment starts with a key frame
    """

    start_ms: tuple[int, ...]
    offset: tuple[int, ...]
    size: tuple[int, ...]
    key: tuple[bool, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """One sealed object and its row in the catalogue."""

    segment_id: SegmentId
    site_id: SiteId
    camera_id: CameraId
    recorder_id: RecorderId
    hour_key_id: HourKeyId
    span: Span
    size_bytes: int  # of the object
    sha256: bytes  # of the whole object
    header: bytes  # the object's first 210 bytes
    codec: Codec
    init_size: int  # bytes of ftyp + moov at the start of the plaintext
    frames: int
    recovered: bool
    fragments: FragmentIndex | None  # None when a crash took the spool's account of them: read the boxes then
    epoch: int = 1
    state: SegmentState = SegmentState.LIVE
    init_sha256: bytes | None = None  # None: recorded before it was kept
    trailer: bytes | None = None  # the object's last 168 bytes; None: recorded before it was kept


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A span of a camera without footage, with its cause. ``detail`` carries no personal data and no secrets."""

    camera_id: CameraId
    span: Span
    cause: GapCause
    detail: str = ""
