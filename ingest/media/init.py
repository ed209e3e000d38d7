"""Builds a segment's init from the stream's parameter sets."""

from __future__ import annotations

from dataclasses import replace

from domain.footage import Codec
from ingest.access_unit import TICKS_PER_S, SoundFormat, VideoParameters
from ingest.video import h264, h265
from storage.mp4 import SOUND_MIME, box, sound_trak, video_trak, write_init


def make_init(
    parameters: VideoParameters, delay_ticks: int = 0, sound: SoundFormat | None = None
) -> tuple[Codec, bytes]:
    """Return the codec and the bytes of ftyp and moov. StreamError: the parameter sets are invalid.

    delay_ticks: added to the pictures' composition offsets, 90 kHz; an edit list subtracts it again
    """
    if parameters.codec == "h264":
        sps = h264.parse_sps(parameters.sps)
        codec = Codec(name="h264", mime=sps.mime, width=sps.width, height=sps.height)
        entry, configuration = b"avc1", box(b"avcC", _avcc(parameters, sps))
    else:
        sps5 = h265.parse_sps(parameters.sps)
        codec = Codec(name="h265", mime=sps5.mime, width=sps5.width, height=sps5.height)
        entry, configuration = b"hvc1", box(b"hvcC", _hvcc(parameters, sps5))
    traks = [video_trak(entry, configuration, codec.width, codec.height, TICKS_PER_S, delay_ticks)]
    if sound is not None:
        codec = replace(codec, mime=f"{codec.mime},{SOUND_MIME}")
        traks.append(sound_trak(sound.config, sound.rate_hz, sound.channels, TICKS_PER_S))
    return codec, write_init(traks, TICKS_PER_S)


def _avcc(parameters: VideoParameters, sps: h264.SpsH264) -> bytes:
    """Return an avcC box: AVCDecoderConfigurationRecord (ISO/IEC 14496-15, 5.3.3.1)."""
    sets = (parameters.sps, *parameters.more_sps)
    body = bytes((1, sps.profile, sps.constraints, sps.level, 0xFF, 0xE0 | len(sets)))
    body += b"".join(_u16(len(item)) + item for item in sets) + bytes((len(parameters.pps),))
    body += b"".join(_u16(len(pps)) + pps for pps in parameters.pps)
    if sps.profile in (100, 110, 122, 144):
        body += bytes((0xFC | sps.chroma, 0xF8 | sps.luma_bits - 8, 0xF8 | sps.chroma_bits - 8, 0))
    return body


def _hvcc(parameters: VideoParameters, sps: h265.SpsH265) -> bytes:
    """Return an hvcC box: HEVCDecoderConfigurationRecord (ISO/IEC 14496-15, 8.3.3.1)."""
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
