"""AAC to feed the recorder's parts with, coded by libav."""

from __future__ import annotations

from collections.abc import Iterator

import av
import numpy as np

from domain.time import NS
from ingest.access_unit import SoundFormat
from ingest.media.clock import ticks_to_ns
from ingest.media.fragments import Fragment, FragmentWriter
from ingest.media.segmenter import Action, Append, Begin, Segmenter
from ingest.media.sound import SoundMixer
from ingest.rtp.aac import sound_format
from tests.support.cameras.video import encoded, units

RATE = 48_000
START_NS = 1_790_000_000 * NS
FRAME_NS = 1024 * NS // RATE


def aac(seconds: float, *, rate: int = RATE) -> tuple[bytes, list[bytes]]:
    """(AudioSpecificConfig, frames) of a tone."""
    context = av.CodecContext.create("aac", "w")
    context.sample_rate, context.layout, context.format = rate, "mono", "fltp"
    context.bit_rate = 64_000
    context.open()
    frames = []
    for start in range(0, int(seconds * rate), 1024):
        tone = np.sin(np.arange(start, start + 1024, dtype=np.float32) * 0.05).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(tone.astype(np.float32), format="fltp", layout="mono")
        frame.sample_rate, frame.pts = rate, start
        frames += [bytes(packet) for packet in context.encode(frame)]
    config = bytes(context.extradata or b"")[:2]
    assert sound_format(config).rate_hz == rate
    return config, frames


def fragments_of(seconds: float, b_frames: int = 0) -> list[Fragment]:
    writer = FragmentWriter()
    made = [fragment for unit in units(encoded(seconds, b_frames=b_frames)) if (fragment := writer.push(unit))]
    return [*made, *iter(writer.flush, None)]


def with_tone(
    pieces: list[Fragment],
    tone: tuple[SoundFormat, list[bytes]],
    *,
    late_ns: int = 0,
    segment_s: float = 4,
    jitter: int = 0,
) -> list[tuple[str, bytes]]:
    """(mime, MP4) of each segment; sound arrives ``late_ns`` behind the pictures."""
    made: list[tuple[str, list[bytes]]] = []
    for action in sounded(pieces, tone, Segmenter(segment_s, 2 * segment_s), late_ns=late_ns, jitter=jitter):
        if isinstance(action, Begin):
            made.append((action.codec.mime, [action.init]))
        elif isinstance(action, Append):
            made[-1][1].append(b"".join(action.pieces))
    return [(mime, b"".join(parts)) for mime, parts in made]


def sounded(
    pieces: list[Fragment],
    tone: tuple[SoundFormat, list[bytes]],
    segmenter: Segmenter,
    *,
    start_ns: int = START_NS,
    late_ns: int = 0,
    jitter: int = 0,
) -> Iterator[Action]:
    """What the segmenter says to do with pictures and sound that begin at ``start_ns``."""
    form, frames = tone
    mixer = SoundMixer(form)
    segmenter.hear(form)
    first = pieces[0].start_ticks
    coming = [
        (start_ns + number * FRAME_NS + (number * 7919 % 3 - 1) * jitter, data) for number, data in enumerate(frames)
    ]

    def done(*, all_of_them: bool = False) -> Iterator[Action]:
        for held, run in mixer.ready(all_of_them=all_of_them):
            yield from segmenter.push(held.fragment, held.start_ns, held.end_ns, run)

    for piece in pieces:
        begin, end = (start_ns + ticks_to_ns(ticks - first) for ticks in (piece.start_ticks, piece.end_ticks))
        while coming and coming[0][0] + FRAME_NS <= end - late_ns:
            mixer.heard(*coming.pop(0))
            yield from done()
        mixer.hold(piece, begin, end)
        yield from done()
    for item in coming:
        mixer.heard(*item)
    yield from done(all_of_them=True)
    assert mixer.dropped == 0
