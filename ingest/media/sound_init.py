"""The second track of an init: AAC-LC, numbered 2, in 90 kHz as the pictures are, so that both move alike in a clip."""

from __future__ import annotations

from ingest.access_unit import TICKS_PER_S, SoundFormat
from storage.mp4 import box, full_box

MIME = "mp4a.40.2"
_MATRIX = b"".join(value.to_bytes(4, "big") for value in (0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000))
_LANGUAGE_UND = (0x55C4).to_bytes(2, "big")
_AAC, _AUDIO_STREAM = 0x40, 0x15  # objectTypeIndication; streamType 5, not upstream


def sound_trak(form: SoundFormat) -> bytes:
    """ISO/IEC 14496-12, 8.3.1; 14496-14, 5.6."""
    rate = TICKS_PER_S.to_bytes(4, "big")
    tkhd = full_box(
        b"tkhd", 0, 3, bytes(8), _u32(2), bytes(8), bytes(8), b"\x00\x00\x00\x01\x01\x00\x00\x00", _MATRIX, bytes(8)
    )
    mdhd = full_box(b"mdhd", 0, 0, bytes(8), rate, bytes(4), _LANGUAGE_UND, bytes(2))
    hdlr = full_box(b"hdlr", 0, 0, bytes(4), b"soun", bytes(12), b"Tallenne\x00")
    dinf = box(b"dinf", full_box(b"dref", 0, 0, _u32(1), full_box(b"url ", 0, 1)))
    tables = (full_box(kind, 0, 0, _u32(0)) for kind in (b"stts", b"stsc"))
    stsz, stco = full_box(b"stsz", 0, 0, bytes(8)), full_box(b"stco", 0, 0, _u32(0))
    stbl = box(b"stbl", full_box(b"stsd", 0, 0, _u32(1), _entry(form)), *tables, stsz, stco)
    minf = box(b"minf", full_box(b"smhd", 0, 0, bytes(4)), dinf, stbl)
    return box(b"trak", tkhd, box(b"mdia", mdhd, hdlr, minf))


def sound_trex() -> bytes:
    return full_box(b"trex", 0, 0, _u32(2), _u32(1), bytes(12))


def _entry(form: SoundFormat) -> bytes:
    fixed = bytes(6) + b"\x00\x01" + bytes(8) + form.channels.to_bytes(2, "big") + b"\x00\x10" + bytes(4)
    rate = (min(form.rate_hz, 0xFFFF) << 16).to_bytes(4, "big")
    return box(b"mp4a", fixed, rate, full_box(b"esds", 0, 0, _stream(form.config)))


def _stream(config: bytes) -> bytes:
    """ISO/IEC 14496-1, 7.2.6: ES_Descriptor with its DecoderConfig and SLConfig."""
    decoder = bytes((_AAC, _AUDIO_STREAM)) + bytes(11) + _descriptor(5, config)
    return _descriptor(3, b"\x00\x00\x00" + _descriptor(4, decoder) + _descriptor(6, b"\x02"))


def _descriptor(tag: int, body: bytes) -> bytes:
    return bytes((tag, 0x80, 0x80, 0x80, len(body))) + body


def _u32(value: int) -> bytes:
    return value.to_bytes(4, "big")
