"""Parses H.264 sequence parameter sets (ITU-T H.264, 7.3.2.1.1) as far as an init needs, and slice headers."""

from __future__ import annotations

from dataclasses import dataclass

from ingest.errors import StreamError
from ingest.video.bits import SAMPLE_BITS_MAX, Bits, unescaped

_HIGH_PROFILES = {100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135}
_SIZE_MAX = 8192
_IDENT_MAX = 31  # 7.4.2.1.1
_IDR, _REF_IDC = 5, 0x60
_FRAME_NUM_BITS_MAX = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class SpsH264:
    ident: int  # seq_parameter_set_id
    profile: int
    constraints: int
    level: int
    width: int
    height: int
    chroma: int  # chroma_format_idc
    luma_bits: int
    chroma_bits: int
    separate_planes: int  # separate_colour_plane_flag
    frame_num_bits: int  # of frame_num in slice headers

    @property
    def mime(self) -> str:
        """RFC 6381."""
        return f"avc1.{self.profile:02x}{self.constraints:02x}{self.level:02x}"


def parse_sps(nal: bytes) -> SpsH264:
    """Parse an SPS. StreamError: damaged, larger than 8192 in a direction, or more than 16 bits a sample."""
    bits = Bits(unescaped(nal[1:512]))
    profile, constraints, level = bits.u(8), bits.u(8), bits.u(8)
    ident = bits.ue()
    if ident > _IDENT_MAX:
        raise StreamError("A parameter set is damaged.", "Restart the camera; update its firmware.")
    chroma, luma_bits, chroma_bits, separate = 1, 8, 8, 0
    if profile in _HIGH_PROFILES:
        chroma = bits.ue()
        separate = bits.u(1) if chroma == 3 else 0
        luma_bits, chroma_bits = 8 + bits.ue(), 8 + bits.ue()
        bits.u(1)
        if bits.u(1):
            _skip_scaling(bits, 12 if chroma == 3 else 8)
    frame_num_bits = min(_FRAME_NUM_BITS_MAX, bits.ue() + 4)
    _skip_order(bits)
    bits.ue()
    bits.u(1)
    width, height = (bits.ue() + 1) * 16, bits.ue() + 1
    frames_only = bits.u(1)
    height *= 16 * (2 - frames_only)
    if not frames_only:
        bits.u(1)
    bits.u(1)
    if bits.u(1):
        left, right, top, bottom = (bits.ue() for _ in range(4))
        across = 1 if separate or chroma in (0, 3) else 2
        down = (2 if chroma == 1 and not separate else 1) * (2 - frames_only)
        width -= across * (left + right)
        height -= down * (top + bottom)
    if not (0 < width <= _SIZE_MAX and 0 < height <= _SIZE_MAX) or chroma > 3:
        raise StreamError(f"The camera says its pictures are {width}x{height}.", "Choose at most 8192x8192 there.")
    if max(luma_bits, chroma_bits) > SAMPLE_BITS_MAX:
        raise StreamError(f"The camera says its samples have {max(luma_bits, chroma_bits)} bits.", "Choose 8 there.")
    return SpsH264(
        ident=ident,
        profile=profile,
        constraints=constraints,
        level=level,
        width=width,
        height=height,
        chroma=chroma,
        luma_bits=luma_bits,
        chroma_bits=chroma_bits,
        separate_planes=separate,
        frame_num_bits=frame_num_bits,
    )


def is_idr(nal: bytes) -> bool:
    """Whether the slice is of an IDR picture: no later picture refers to an earlier one."""
    return nal[0] & 0x1F == _IDR


def follows(sps: SpsH264, before: bytes, after: bytes) -> bool | None:
    """Whether no reference picture is missing between two pictures, by frame_num (7.4.3); None: unknown.

    before, after: a slice of each, header byte first; two dozen bytes are enough
    """
    if is_idr(after):
        return True
    earlier, later = _frame_num(sps, before), _frame_num(sps, after)
    if earlier is None or later is None:
        return None
    if earlier == later:
        return True  # the earlier one is not a reference, or both are fields of one frame
    return before[0] & _REF_IDC != 0 and later == (earlier + 1) % (1 << sps.frame_num_bits)


def _frame_num(sps: SpsH264, slice_nal: bytes) -> int | None:
    """Read frame_num of a slice header (7.3.3), after first_mb_in_slice, slice_type, PPS id and colour_plane_id."""
    bits = Bits(unescaped(slice_nal[1:24]))
    try:
        bits.ue()
        bits.ue()
        bits.ue()
        if sps.separate_planes:
            bits.u(2)
        return bits.u(sps.frame_num_bits)
    except StreamError:
        return None


def _skip_scaling(bits: Bits, lists: int) -> None:
    for number in range(lists):
        if not bits.u(1):
            continue
        last = following = 8
        for _ in range(16 if number < 6 else 64):
            if following:
                following = (last + bits.se()) % 256
            last = following or last


def _skip_order(bits: Bits) -> None:
    kind = bits.ue()
    if kind == 0:
        bits.ue()
    elif kind == 1:
        bits.u(1)
        bits.se()
        bits.se()
        count = bits.ue()
        if count > 255:
            raise StreamError("A parameter set is damaged.", "Restart the camera; update its firmware.")
        for _ in range(count):
            bits.se()
