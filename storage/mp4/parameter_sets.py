"""Reads from an init its parameter sets, as NAL units for the stream, and the delay that its edit list subtracts."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from storage.mp4.boxes import boxes, find
from storage.mp4.errors import Mp4Error
from storage.mp4.init import picture_entries

VISUAL_ENTRY_SIZE = 78
"""Bytes of a VisualSampleEntry (ISO/IEC 14496-12, 12.1.3) between its box header and its first inner box."""

_ELST_V0 = struct.Struct(">IIIi")  # version and flags, entries, segment duration, media time


def parameter_sets(init: bytes) -> bytes:
    """Return VPS, SPS and PPS of the first sample entry, each after its length in 4 bytes, as in a sample.

    Mp4Error: the entry is neither avc1 nor hvc1, or is cut off.
    """
    entries = picture_entries(init)
    entry = next(boxes(entries), None)
    if entry is None or entry.end - entry.body < VISUAL_ENTRY_SIZE:
        raise Mp4Error("The init has no sample description.")
    inner = entries[entry.body + VISUAL_ENTRY_SIZE : entry.end]
    if entry.kind == b"avc1":
        found = find(inner, b"avcC")
        nals = _avc(inner[found.body : found.end])
    elif entry.kind == b"hvc1":
        found = find(inner, b"hvcC")
        nals = _hevc(inner[found.body : found.end])
    else:
        raise Mp4Error(f"The init describes {entry.kind!r}, not avc1 or hvc1.")
    try:
        return b"".join(len(nal).to_bytes(4, "big") + nal for nal in nals)
    except IndexError as exc:
        raise Mp4Error("The init's parameter sets are cut off.") from exc


def delay_of(init: bytes) -> int:
    """Return the ticks that the init's edit list subtracts from its pictures' presentation times. Mp4Error."""
    # Only the first track, the pictures, has composition offsets.
    moov = find(init, b"moov", b"trak")
    edts = next((item for item in boxes(init, moov.body, moov.end) if item.kind == b"edts"), None)
    if edts is None:
        return 0
    elst = find(init[edts.body : edts.end], b"elst")
    body = init[edts.body + elst.body : edts.body + elst.end]
    if len(body) < _ELST_V0.size or body[0] != 0:
        raise Mp4Error("The init's edit list is not of version 0.")
    delay: int = _ELST_V0.unpack_from(body)[3]
    if delay < 0:
        raise Mp4Error("The init's edit list has a negative media time.")
    return delay


def _avc(record: bytes) -> Iterator[bytes]:
    """Yield SPSs, then PPSs of an AVCDecoderConfigurationRecord (ISO/IEC 14496-15, 5.3.3.1)."""
    # Behind version, profile, compatibility, level and lengthSizeMinusOne. The upper three bits of the SPS count are
    # reserved.
    at = 5
    for mask in (0x1F, 0xFF):
        count = record[at] & mask
        at += 1
        for _ in range(count):
            nal, at = _sized(record, at)
            yield nal


def _hevc(record: bytes) -> Iterator[bytes]:
    """Yield the NAL units in an HEVCDecoderConfigurationRecord: VPSs, SPSs, PPSs (ISO/IEC 14496-15, 8.3.3.1)."""
    # Byte 22 is numOfArrays; each array has a head of 3 bytes: NAL unit type, and the count.
    at = 23
    for _ in range(record[22]):
        count = int.from_bytes(record[at + 1 : at + 3], "big")
        at += 3
        for _ in range(count):
            nal, at = _sized(record, at)
            yield nal


def _sized(record: bytes, at: int) -> tuple[bytes, int]:
    """Return the NAL unit after its length in 2 bytes, and where the next one begins. IndexError: it is cut off."""
    end = at + 2 + int.from_bytes(record[at : at + 2], "big")
    if end > len(record) or end <= at + 2:
        raise IndexError
    return record[at + 2 : end], end
