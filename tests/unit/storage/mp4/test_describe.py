"""Segments with and without sound, joined and cut as a clip is: libav reads both tracks."""

from __future__ import annotations

import io

import av
import pytest

from ingest.media.init import make_init
from ingest.media.segmenter import Append, Begin, Segmenter
from ingest.rtp.aac import sound_format
from storage.mp4 import GroupPart, GroupPlace, Mp4Error, Walker, join_fragments, merge_inits, parse_moof
from tests.support.cameras.sound import RATE, START_NS, aac, fragments_of, with_tone


def walked(mp4: bytes) -> tuple[bytes, list[bytearray], list[int]]:
    walker = Walker()
    walker.push(mp4)
    found = walker.finish(torn=False)
    index = found.index
    pieces = [bytearray(mp4[at : at + size]) for at, size in zip(index.offset, index.size, strict=True)]
    return found.init, pieces, [*index.start_ms, found.end_ms]


def silent(seconds: float) -> bytes:
    segmenter = Segmenter(60, 90)
    parts = []
    for number, piece in enumerate(fragments_of(seconds)):
        start_ns = START_NS + number * 500_000_000
        for action in segmenter.push(piece, start_ns, start_ns + 500_000_000):
            if isinstance(action, Begin):
                parts.append(action.init)
            elif isinstance(action, Append):
                parts.append(b"".join(action.pieces))
    return b"".join(parts)


@pytest.mark.parametrize("first_fragment", [0, 1, 2])
@pytest.mark.parametrize("silent_first", [False, True])
def test_clip_over_sound_and_silence_has_both_tracks(first_fragment: int, silent_first: bool) -> None:
    config, frames = aac(10.0)
    sounding = with_tone(fragments_of(8.0), (sound_format(config), frames))
    segments = [mp4 for _, mp4 in sounding]
    segments.insert(0 if silent_first else 1, silent(4.0))
    parts = [walked(mp4) for mp4 in segments]
    inits = [init for init, _, _ in parts]
    clip = [merge_inits(inits, 12.0)]
    at_ms = -parts[0][2][first_fragment]
    sequence = 0
    for number, (_, pieces, times) in enumerate(parts):
        skipped = first_fragment if number == 0 else 0
        for count in range(skipped, len(pieces), 3):  # three of them are one fragment of the clip
            sequence += 1
            last = min(count + 3, len(pieces))
            place = GroupPlace(
                sequence=sequence,
                description_index=number + 1,
                start_ticks=(at_ms + times[count]) * 90,
                end_ticks=(at_ms + times[last]) * 90,
                delay_ticks=0,
                parameter_sets=b"",
                size_bytes=sum(map(len, pieces[count:last])),
            )
            fragments = [memoryview(piece) for piece in pieces[count:last]]
            clip.append(join_fragments([GroupPart(fragments=fragments, shift_ticks=at_ms * 90, delay_ticks=0)], place))
        at_ms += times[-1]
    data = b"".join(clip)
    with av.open(io.BytesIO(data), format="mp4") as container:
        assert [stream.type for stream in container.streams] == ["video", "audio"]
        shown = sorted(float(frame.time) for frame in container.decode(video=0))
        assert shown[-1] == pytest.approx(at_ms / 1000 - 0.04, abs=0.05)
    with av.open(io.BytesIO(data), format="mp4") as container:
        times = [float(frame.time) for frame in container.decode(audio=0)]
    heard_s = 8.0 if silent_first else 8.0 - first_fragment * 0.5
    assert len(times) * 1024 / RATE == pytest.approx(heard_s, abs=0.3)
    assert times == sorted(times)


def test_damaged_second_track_is_refused() -> None:
    config, frames = aac(3.0)
    ((_, mp4), *_) = with_tone(fragments_of(2.0), (sound_format(config), frames))
    _, pieces, _ = walked(mp4)
    moof = pieces[0][: int.from_bytes(pieces[0][:4], "big")]
    parse_moof(bytes(moof))
    at = moof.rindex(b"trun")
    for change in ((at + 4, 1), (at + 11, 3), (at - 1, 4)):
        broken = bytearray(moof)
        broken[change[0]] ^= change[1]
        with pytest.raises(Mp4Error):
            parse_moof(bytes(broken))


def test_init_without_sound_is_as_before() -> None:
    parameters = fragments_of(1.0)[0].parameters
    codec, init = make_init(parameters)
    assert "," not in codec.mime
    assert b"soun" not in init
    assert init.count(b"trak") == 1
