"""Reads codec and picture size from an init, for rows that are rebuilt from the bucket alone."""

from __future__ import annotations

from domain.footage import Codec
from storage.mp4.boxes import boxes, find
from storage.mp4.errors import Mp4Error
from storage.mp4.init import picture_entries, sound_entries
from storage.mp4.parameter_sets import VISUAL_ENTRY_SIZE


def describe_init(init: bytes) -> Codec:
    """Return the codec of the pictures; ``mime`` (RFC 6381) names the sound's too. Mp4Error: not H.264 or H.265."""
    entries = picture_entries(init)
    entry = next(boxes(entries), None)
    if entry is None or entry.end - entry.body < VISUAL_ENTRY_SIZE:
        raise Mp4Error("The init has no sample description.")
    # VisualSampleEntry (ISO/IEC 14496-12, 12.1.3): 8 bytes of SampleEntry, 16 predefined or reserved, then width and
    # height.
    size = entries[entry.body + 24 : entry.body + 28]
    width, height = int.from_bytes(size[:2], "big"), int.from_bytes(size[2:], "big")
    inner = entries[entry.body + VISUAL_ENTRY_SIZE : entry.end]
    sound = ",mp4a.40.2" if sound_entries(init) else ""
    if entry.kind == b"avc1":
        return Codec(name="h264", mime=_avc(_body(inner, b"avcC", 4)) + sound, width=width, height=height)
    if entry.kind == b"hvc1":
        return Codec(name="h265", mime=_hevc(_body(inner, b"hvcC", 13)) + sound, width=width, height=height)
    raise Mp4Error(f"The init describes {entry.kind!r}, not avc1 or hvc1.")


def _body(data: bytes, kind: bytes, least: int) -> bytes:
    found = find(data, kind)
    if found.end - found.body < least:
        raise Mp4Error(f"Box {kind!r} is too short.")
    return data[found.body : found.end]


def _avc(configuration: bytes) -> str:
    # RFC 6381, 3.3: profile, constraint flags and level of the AVCDecoderConfigurationRecord, in hexadecimal.
    return "avc1." + configuration[1:4].hex()


def _hevc(configuration: bytes) -> str:
    """Return the codecs parameter of ISO/IEC 14496-15, E.3, from the 12 bytes of profile, tier and level."""
    # Byte 0 is the configurationVersion (8.3.3.1.2).
    head = configuration[1:13]
    # general_profile_space, two bits, is written as a letter, and 0 as nothing.
    space = ("", "A", "B", "C")[head[0] >> 6]
    tier = "H" if head[0] & 0x20 else "L"
    # The compatibility flags are written with the lowest bit first.
    compatible = int(f"{int.from_bytes(head[1:5], 'big'):032b}"[::-1], 2)
    # Constraint bytes; trailing zero bytes are left out.
    tail = "".join(f".{byte:x}" for byte in head[5:11].rstrip(b"\x00"))
    return f"hvc1.{space}{head[0] & 0x1F}.{compatible:x}.{tier}{head[11]}{tail}"
