"""Fragments as the recorder gets them, of any size, without a camera or an encoder."""

from __future__ import annotations

import hashlib
import random
import struct
from dataclasses import dataclass, replace

from domain.footage import Codec
from domain.time import NS
from ingest.access_unit import TICKS_PER_S, AccessUnit, VideoParameters
from ingest.media.fragments import FragmentWriter
from ingest.media.init import make_init
from storage.mp4 import mdat_head, write_moof

H264 = VideoParameters(
    codec="h264",
    sps=bytes.fromhex("6742c00cda05066840000003004000000c83c50aa8"),
    pps=(bytes.fromhex("68ce0fc8"),),
)
H265 = VideoParameters(
    codec="h265",
    vps=bytes.fromhex("40010c01ffff01600000030090000003000003003cba0240"),
    sps=bytes.fromhex("42010101600000030090000003000003003ca00a080c165ba4a4c2e68080000003008000000c84"),
    pps=(bytes.fromhex("4401c073c189"),),
)
FRAGMENT_NS = NS // 2


class _Patient(FragmentWriter):
    """Cuts when told to: three pictures of half a second are one fragment here."""

    def _long_enough(self, ticks: int, next_ticks: int) -> bool:
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """One fragment, placed in time and in its segment."""

    data: bytes
    start_ns: int
    end_ns: int
    key: bool
    frames: int

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.data).hexdigest()


def init_of(parameters: VideoParameters = H264) -> tuple[Codec, bytes]:
    return make_init(parameters)


def piece(
    dice: random.Random, segment_start_ns: int, start_ns: int, *, key: bool, size: int = 20_000, frames: int = 3
) -> Piece:
    """Half a second of ``frames`` random pictures, about ``size`` bytes in all."""
    writer = _Patient()
    step = TICKS_PER_S // 2 // frames
    for number in range(frames):
        data = dice.randbytes(max(8, size // frames + dice.randrange(-200, 200)))
        unit = AccessUnit(
            data=struct.pack(">I", len(data)) + data,
            pts_ticks=number * step,
            key=key and number == 0,
            mono_ns=0,
            parameters=H264,
        )
        assert writer.push(unit) is None
    fragment = writer.flush()
    assert fragment is not None
    run = replace(fragment.run, decode_ticks=(start_ns - segment_start_ns) * TICKS_PER_S // NS)
    data = b"".join((write_moof(run), mdat_head(sum(map(len, fragment.pictures))), *fragment.pictures))
    return Piece(data=data, start_ns=start_ns, end_ns=start_ns + FRAGMENT_NS, key=key, frames=frames)
