"""Access units through libav's decoder: what a picture shows."""

from __future__ import annotations

from collections.abc import Sequence

import av
import numpy as np
import numpy.typing as npt

from ingest.access_unit import AccessUnit

Images = dict[int, npt.NDArray[np.uint8]]


def annex_b(unit: AccessUnit, *, sets: bool) -> bytes:
    """With start codes, for decoders. ``sets``: its parameter sets in front."""
    parameters = unit.parameters
    nals = [item for item in (parameters.vps, parameters.sps, *parameters.pps) if item and sets]
    at = 0
    while at < len(unit.data):
        size = int.from_bytes(unit.data[at : at + 4], "big")
        nals.append(unit.data[at + 4 : at + 4 + size])
        at += 4 + size
    return b"".join(b"\x00\x00\x00\x01" + nal for nal in nals)


def images(units: Sequence[AccessUnit], codec: str) -> Images:
    """What is shown at which ticks. Errors of the decoder are concealed by it, as in a player."""
    context = av.CodecContext.create("h264" if codec == "h264" else "hevc", "r")
    context.thread_count = 1
    frames = []
    for unit in units:
        packet = av.Packet(annex_b(unit, sets=unit.key))
        packet.pts = unit.pts_ticks
        try:
            frames += context.decode(packet)
        except av.error.InvalidDataError:
            continue
    frames += context.decode(None)
    return {int(frame.pts): frame.to_ndarray() for frame in frames if frame.pts is not None}
