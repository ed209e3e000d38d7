"""The init of a segment: ftyp and moov for a video track, numbered 1, in 90 kHz; with sound, for a second one."""

from __future__ import annotations

from dataclasses import replace

from domain.footage import Codec
from ingest.access_unit import TICKS_PER_S, SoundFormat, VideoParameters
from ingest.media.sound_init import MIME, sound_trak, sound_trex
from ingest.video import h264, h265
from storage.mp4 import box, edit_list, full_box

_MATRIX = b"".join(value.to_bytes(4, "big") for value in (0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000))
_LANGUAGE_UND = (0x55C4).to_bytes(2, "big")


def make_init(
    parameters: VideoParameters, delay_ticks: int = 0, sound: SoundFormat | None = None
) -> tuple[Codec, bytes]:
    """What a decoder must know, and the init that tells it. StreamError for parameter sets that make no sense.

    delay_ticks: taken back by an edit list.
    """
    if parameters.codec == "h264":
        sps = h264.parse_sps(parameters.sps)
        codec = Codec(name="h264", mime=sps.mime, width=sps.width, height=sps.height)
        entry = _visual_entry(b"avc1", codec, box(b"avcC", _avcc(parameters, sps)))
    else:
        sps5 = h265.parse_sps(parameters.sps)
        codec = Codec(name="h265", mime=sps5.mime, width=sps5.width, height=sps5.height)
        entry = _visual_entry(b"hvc1", codec, box(b"hvcC", _hvcc(parameters, sps5)))
    if sound is not None:
        codec = replace(codec, mime=f"{codec.mime},{MIME}")
    return codec, _ftyp() + _moov(codec, entry, delay_ticks, sound)


def _ftyp() -> bytes:
    return box(b"ftyp", b"iso6", (0).to_bytes(4, "big"), b"iso6", b"cmfc", b"mp41")


def _moov(codec: Codec, entry: bytes, delay_ticks: int, sound: SoundFormat | None) -> bytes:
    rate = TICKS_PER_S.to_bytes(4, "big")
    following = _u32(2 if sound is None else 3)
    mvhd = full_box(
        b"mvhd", 0, 0, bytes(8), rate, bytes(4), b"\x00\x01\x00\x00\x01\x00", bytes(10), _MATRIX, bytes(24), following
    )
    size = (codec.width << 16).to_bytes(4, "big") + (codec.height << 16).to_bytes(4, "big")
    tkhd = full_box(b"tkhd", 0, 3, bytes(8), _u32(1), bytes(8), bytes(8), bytes(8), _MATRIX, size)
    mdhd = full_box(b"mdhd", 0, 0, bytes(8), rate, bytes(4), _LANGUAGE_UND, bytes(2))
    hdlr = full_box(b"hdlr", 0, 0, bytes(4), b"vide", bytes(12), b"Tallenne\x00")
    dinf = box(b"dinf", full_box(b"dref", 0, 0, _u32(1), full_box(b"url ", 0, 1)))
    tables = (full_box(kind, 0, 0, _u32(0)) for kind in (b"stts", b"stsc"))
    stsz, stco = full_box(b"stsz", 0, 0, bytes(8)), full_box(b"stco", 0, 0, _u32(0))
    stbl = box(b"stbl", full_box(b"stsd", 0, 0, _u32(1), entry), *tables, stsz, stco)
    minf = box(b"minf", full_box(b"vmhd", 0, 1, bytes(8)), dinf, stbl)
    trak = box(b"trak", tkhd, edit_list(delay_ticks), box(b"mdia", mdhd, hdlr, minf))
    trex = full_box(b"trex", 0, 0, _u32(1), _u32(1), bytes(12))
    if sound is not None:
        return box(b"moov", mvhd, trak, sound_trak(sound), box(b"mvex", trex, sound_trex()))
    return box(b"moov", mvhd, trak, box(b"mvex", trex))


def _visual_entry(kind: bytes, codec: Codec, configuration: bytes) -> bytes:
    size = codec.width.to_bytes(2, "big") + codec.height.to_bytes(2, "big")
    resolution = b"\x00\x48\x00\x00\x00\x48\x00\x00"
    fixed = bytes(6) + b"\x00\x01" + bytes(16) + size + resolution + bytes(4) + b"\x00\x01" + bytes(32)
    return box(kind, fixed, b"\x00\x18\xff\xff", configuration)


def _avcc(parameters: VideoParameters, sps: h264.SpsH264) -> bytes:
    """ISO/IEC 14496-15, 5.3.3.1."""
    sets = (parameters.sps, *parameters.more_sps)
    body = bytes((1, sps.profile, sps.constraints, sps.level, 0xFF, 0xE0 | len(sets)))
    body += b"".join(_u16(len(item)) + item for item in sets) + bytes((len(parameters.pps),))
    body += b"".join(_u16(len(pps)) + pps for pps in parameters.pps)
    if sps.profile in (100, 110, 122, 144):
        body += bytes((0xFC | sps.chroma, 0xF8 | sps.luma_bits - 8, 0xF8 | sps.chroma_bits - 8, 0))
    return body


def _hvcc(parameters: VideoParameters, sps: h265.SpsH265) -> bytes:
    """ISO/IEC 14496-15, 8.3.3.1."""
    head = b"\x01" + sps.profile_tier_level + b"\xf0\x00\xfc"
    head += bytes((0xFC | sps.chroma, 0xF8 | sps.luma_bits - 8, 0xF8 | sps.chroma_bits - 8, 0, 0))
    head += bytes((sps.sub_layers << 3 | sps.nested << 2 | 3, 3))
    arrays = b"".join(
        bytes((0x80 | kind,)) + _u16(len(nals)) + b"".join(_u16(len(nal)) + nal for nal in nals)
        for kind, nals in (
            (32, (parameters.vps, *parameters.more_vps)),
            (33, (parameters.sps, *parameters.more_sps)),
            (34, parameters.pps),
        )
    )
    return head + arrays


def _u16(value: int) -> bytes:
    return value.to_bytes(2, "big")


def _u32(value: int) -> bytes:
    return value.to_bytes(4, "big")
