"""Parses H.265 sequence parameter sets (ITU-T H.265, 7.3.2.2) as far as a recording's init needs."""

from __future__ import annotations

from dataclasses import dataclass

from ingest.errors import StreamError
from ingest.video.bits import SAMPLE_BITS_MAX, Bits, unescaped

_SIZE_MAX = 8192


@dataclass(frozen=True, slots=True, kw_only=True)
class SpsH265:
    ident: int  # sps_seq_parameter_set_id
    profile_tier_level: bytes  # the 12 general bytes, as in hvcC
    sub_layers: int
    nested: int
    width: int
    height: int
    chroma: int
    luma_bits: int
    chroma_bits: int

    @property
    def mime(self) -> str:
        """The codecs parameter (RFC 6381), in the form of ISO/IEC 14496-15, E.3."""
        head = self.profile_tier_level
        space = ("", "A", "B", "C")[head[0] >> 6]
        tier = "H" if head[0] & 0x20 else "L"
        compatible = int(f"{int.from_bytes(head[1:5], 'big'):032b}"[::-1], 2)
        constraints = head[5:11].rstrip(b"\x00")
        tail = "".join(f".{byte:x}" for byte in constraints)
        return f"hvc1.{space}{head[0] & 0x1F}.{compatible:x}.{tier}{head[11]}{tail}"


def parse_sps(nal: bytes) -> SpsH265:
    """Parse an SPS. StreamError: damaged, larger than 8192 in a direction, or more than 16 bits a sample."""
    data = unescaped(nal[2:512])
    bits = Bits(data)
    bits.u(4)
    sub_layers_less_1, nested = bits.u(3), bits.u(1)
    if sub_layers_less_1 > 6:
        raise StreamError("A parameter set is damaged.", "Restart the camera; update its firmware.")
    profile = bytes(bits.u(8) for _ in range(12))
    _skip_sub_layers(bits, sub_layers_less_1)
    ident = bits.ue()
    chroma = bits.ue()
    if chroma == 3:
        bits.u(1)
    width, height = bits.ue(), bits.ue()
    if bits.u(1):
        left, right, top, bottom = (bits.ue() for _ in range(4))
        across, down = (2 if chroma in (1, 2) else 1), (2 if chroma == 1 else 1)
        width -= across * (left + right)
        height -= down * (top + bottom)
    luma_bits, chroma_bits = 8 + bits.ue(), 8 + bits.ue()
    if not (0 < width <= _SIZE_MAX and 0 < height <= _SIZE_MAX) or chroma > 3:
        raise StreamError(f"The camera says its pictures are {width}x{height}.", "Choose at most 8192x8192 there.")
    if max(luma_bits, chroma_bits) > SAMPLE_BITS_MAX:
        raise StreamError(f"The camera says its samples have {max(luma_bits, chroma_bits)} bits.", "Choose 8 there.")
    return SpsH265(
        ident=ident,
        profile_tier_level=profile,
        sub_layers=sub_layers_less_1 + 1,
        nested=nested,
        width=width,
        height=height,
        chroma=chroma,
        luma_bits=luma_bits,
        chroma_bits=chroma_bits,
    )


def _skip_sub_layers(bits: Bits, count: int) -> None:
    present = [(bits.u(1), bits.u(1)) for _ in range(count)]
    if count:
        for _ in range(count, 8):
            bits.u(2)
    for profile, level in present:
        if profile:
            bits.u(88)
        if level:
            bits.u(8)
