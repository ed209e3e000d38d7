"""Writes the init of a segment: ftyp, and a moov whose tracks hold no samples (ISO/IEC 14496-12).

Track 1 holds the pictures, track 2 the sound if there is any. Both use the same timescale, so that a clip can shift
both by the same number of ticks. Section numbers below are those of ISO/IEC 14496-12 unless they name another part.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from storage.mp4.boxes import box, full_box
from storage.mp4.init import edit_list

SOUND_MIME: Final = "mp4a.40.2"
"""AAC-LC, by RFC 6381."""

# The unity matrix of mvhd and tkhd, 16.16 and in the last column 2.30 fixed point (8.2.2.2): no rotation, no scaling.
_MATRIX: Final = b"".join(value.to_bytes(4, "big") for value in (0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000))
_LANGUAGE_UND: Final = (0x55C4).to_bytes(2, "big")  # "und" in three times five bits (8.4.2.3)
_ENABLED_IN_MOVIE: Final = 3  # tkhd flags
_AAC, _AUDIO_STREAM = 0x40, 0x15  # objectTypeIndication; streamType 5, not upstream (ISO/IEC 14496-1, 7.2.6.6)
_FULL_VOLUME: Final = b"\x01\x00"


def write_init(traks: Sequence[bytes], timescale: int) -> bytes:
    """Return ftyp and moov with these tracks, track_ID 1 first. ``timescale``: ticks a second."""
    # iso6 allows what the fragments use: tfdt and default-base-is-moof (Annex E). cmfc (CMAF, ISO/IEC 23000-19) and
    # mp41 are for players that look for these brands.
    ftyp = box(b"ftyp", b"iso6", _u32(0), b"iso6", b"cmfc", b"mp41")
    rate_and_volume = b"\x00\x01\x00\x00" + _FULL_VOLUME
    times = bytes(8) + _u32(timescale) + _u32(0)  # created, modified; timescale; duration, which only mehd knows
    mvhd = full_box(b"mvhd", 0, 0, times, rate_and_volume, bytes(10), _MATRIX, bytes(24), _u32(len(traks) + 1))
    # Each sample states its own defaults: description 1 here, and all else 0.
    trexes = (full_box(b"trex", 0, 0, _u32(number), _u32(1), bytes(12)) for number in range(1, len(traks) + 1))
    return ftyp + box(b"moov", mvhd, *traks, box(b"mvex", *trexes))


def video_trak(
    entry: bytes, configuration: bytes, width: int, height: int, timescale: int, delay_ticks: int = 0
) -> bytes:
    """Return the track of pictures, a trak box.

    entry: kind of the sample entry, avc1 or hvc1; configuration: its avcC or hvcC box
    delay_ticks: added to the composition offsets; an edit list subtracts it again
    """
    size = _u32(width << 16) + _u32(height << 16)  # 16.16 fixed point
    header = _tkhd(1, bytes(8), size)
    # vmhd has flags 1 (12.1.2).
    media = full_box(b"vmhd", 0, 1, bytes(8))
    stsd = _visual_entry(entry, configuration, width, height)
    return _trak(header, edit_list(delay_ticks), b"vide", media, stsd, timescale)


def sound_trak(config: bytes, rate_hz: int, channels: int, timescale: int) -> bytes:
    """Return the track of sound, AAC-LC. ``config``: its AudioSpecificConfig (ISO/IEC 14496-3, 1.6.2.1)."""
    header = _tkhd(2, bytes(4) + _FULL_VOLUME + bytes(2), bytes(8), group=1)
    media = full_box(b"smhd", 0, 0, bytes(4))
    return _trak(header, b"", b"soun", media, _audio_entry(config, rate_hz, channels), timescale)


def _tkhd(number: int, layer_and_volume: bytes, size: bytes, group: int = 0) -> bytes:
    """Return a tkhd (8.3.2). ``group``: the alternate group; tracks of one group are alternatives to one another."""
    times = bytes(8) + _u32(number) + bytes(4) + bytes(4)  # created, modified; track; reserved; duration
    if group:
        layer_and_volume = layer_and_volume[:2] + group.to_bytes(2, "big") + layer_and_volume[4:]
    return full_box(b"tkhd", 0, _ENABLED_IN_MOVIE, times, bytes(8), layer_and_volume, _MATRIX, size)


def _trak(tkhd: bytes, edits: bytes, handler: bytes, media_header: bytes, entry: bytes, timescale: int) -> bytes:
    mdhd = full_box(b"mdhd", 0, 0, bytes(8), _u32(timescale), bytes(4), _LANGUAGE_UND, bytes(2))
    hdlr = full_box(b"hdlr", 0, 0, bytes(4), handler, bytes(12), b"Tallenne\x00")
    # url with flags 1 and no string: the data lies in this file (8.7.2).
    dinf = box(b"dinf", full_box(b"dref", 0, 0, _u32(1), full_box(b"url ", 0, 1)))
    # Empty sample tables: all samples are in fragments (8.8.1).
    tables = (full_box(b"stts", 0, 0, _u32(0)), full_box(b"stsc", 0, 0, _u32(0)))
    sizes = (full_box(b"stsz", 0, 0, bytes(8)), full_box(b"stco", 0, 0, _u32(0)))
    stbl = box(b"stbl", full_box(b"stsd", 0, 0, _u32(1), entry), *tables, *sizes)
    return box(b"trak", tkhd, edits, box(b"mdia", mdhd, hdlr, box(b"minf", media_header, dinf, stbl)))


def _visual_entry(kind: bytes, configuration: bytes, width: int, height: int) -> bytes:
    """VisualSampleEntry (12.1.3): 72 dpi, one picture a sample, no compressor's name, 24 bits deep."""
    size = width.to_bytes(2, "big") + height.to_bytes(2, "big")
    resolution = b"\x00\x48\x00\x00\x00\x48\x00\x00"
    fixed = bytes(6) + b"\x00\x01" + bytes(16) + size + resolution + bytes(4) + b"\x00\x01" + bytes(32)
    return box(kind, fixed, b"\x00\x18\xff\xff", configuration)


def _audio_entry(config: bytes, rate_hz: int, channels: int) -> bytes:
    """AudioSampleEntry (12.2.3), 16 bits a sample, with an esds (ISO/IEC 14496-14, 5.6)."""
    fixed = bytes(6) + b"\x00\x01" + bytes(8) + channels.to_bytes(2, "big") + b"\x00\x10" + bytes(4)
    # 16.16 fixed point has no room for more than 65,535 Hz; the decoder takes the rate from the AudioSpecificConfig
    # anyway.
    rate = _u32(min(rate_hz, 0xFFFF) << 16)
    return box(b"mp4a", fixed, rate, full_box(b"esds", 0, 0, _elementary_stream(config)))


def _elementary_stream(config: bytes) -> bytes:
    """ES_Descriptor with its DecoderConfigDescriptor and SLConfigDescriptor (ISO/IEC 14496-1, 7.2.6)."""
    # Eleven zeros: bufferSizeDB 3, maxBitrate 4, avgBitrate 4; 0 leaves them open. Tag 5 is DecoderSpecificInfo.
    decoder = bytes((_AAC, _AUDIO_STREAM)) + bytes(11) + _descriptor(5, config)
    # ES_ID 0 and no flags: within MP4 the track identifies the stream (14496-14, 3.1.2). Predefined 2 in tag 6 is the
    # SLConfig of MP4 files.
    return _descriptor(3, b"\x00\x00\x00" + _descriptor(4, decoder) + _descriptor(6, b"\x02"))


def _descriptor(tag: int, body: bytes) -> bytes:
    """Return a descriptor whose length takes four bytes, seven bits each, as most writers state it (14496-1, 8.3.3)."""
    return bytes((tag, 0x80, 0x80, 0x80, len(body))) + body


def _u32(value: int) -> bytes:
    return value.to_bytes(4, "big")
