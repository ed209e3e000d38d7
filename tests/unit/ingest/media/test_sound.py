"""Sound goes with the pictures of its time, and into a second track that libav reads."""

from __future__ import annotations

import io

import av
import pytest

from domain.time import NS
from ingest.access_unit import SoundFormat
from ingest.media.segmenter import Begin, Segmenter
from ingest.media.sound import SoundMixer
from ingest.rtp.aac import sound_format
from storage.mp4 import Walker, describe_init
from tests.support.cameras.sound import FRAME_NS, RATE, START_NS, aac, fragments_of, with_tone


@pytest.fixture(scope="module")
def tone() -> tuple[SoundFormat, list[bytes]]:
    config, frames = aac(12.0)
    return sound_format(config), frames


@pytest.mark.parametrize("b_frames", [0, 2])
@pytest.mark.parametrize("late_ns", [-200_000_000, 0, 300_000_000])
def test_every_frame_is_there_at_its_time(tone: tuple[SoundFormat, list[bytes]], b_frames: int, late_ns: int) -> None:
    segments = with_tone(fragments_of(10.0, b_frames), tone, late_ns=late_ns, jitter=20_000_000)
    assert [mime.partition(",")[2] for mime, _ in segments] == ["mp4a.40.2"] * len(segments)
    assert len(segments) == 3
    at_s = 0.0
    heard = []
    for mime, mp4 in segments:
        walker = Walker()
        walker.push(mp4)
        walked = walker.finish(torn=False)
        assert describe_init(walked.init).mime == mime
        with av.open(io.BytesIO(mp4), format="mp4") as container:
            seen, sound = container.streams.video[0], container.streams.audio[0]
            assert (sound.codec_context.name, sound.codec_context.sample_rate) == ("aac", RATE)
            pictures = 0
            for packet in container.demux(seen, sound):
                if packet.size and packet.stream is sound:
                    heard.append((at_s + float(packet.pts * packet.time_base), bytes(packet)))
                elif packet.size:
                    pictures += 1
            assert pictures == walked.frames
        with av.open(io.BytesIO(mp4), format="mp4") as container:
            assert sum(1 for _ in container.decode(audio=0)) > 50
        at_s += walked.end_ms / 1000
    wanted = tone[1][: len(heard)]
    assert [data for _, data in heard] == wanted
    assert len(wanted) >= 10.0 * RATE / 1024 - 1
    assert all(abs(time_s - number * 1024 / RATE) < 0.025 for number, (time_s, _) in enumerate(heard))


def test_sound_that_stops_holds_up_nothing(tone: tuple[SoundFormat, list[bytes]]) -> None:
    form, frames = tone
    mixer = SoundMixer(form)
    mixer.heard(START_NS, frames[0])
    out = []
    for number, piece in enumerate(fragments_of(4.0)):
        mixer.hold(piece, START_NS + number * NS // 2, START_NS + (number + 1) * NS // 2)
        out += list(mixer.ready())
        assert len(out) == number  # one is held at most
    assert [run is not None for _, run in out] == [True] + [False] * (len(out) - 1)


def test_hole_and_repetition_in_sound(tone: tuple[SoundFormat, list[bytes]]) -> None:
    form, frames = tone
    mixer = SoundMixer(form)
    for begin_ns in (0, FRAME_NS, 5 * FRAME_NS, FRAME_NS, 6 * FRAME_NS):
        mixer.heard(START_NS + begin_ns, frames[0])
    assert mixer.dropped == 1
    mixer.hold(fragments_of(1.0)[0], START_NS, START_NS + NS // 2)
    ((_, run),) = mixer.ready(all_of_them=True)
    assert run is not None
    assert [time_ns - START_NS for time_ns in run.times_ns] == [
        0, FRAME_NS, 5 * FRAME_NS, 6 * FRAME_NS, 7 * FRAME_NS,
    ]  # fmt: skip


def test_sound_that_begins_or_ends_begins_a_segment(tone: tuple[SoundFormat, list[bytes]]) -> None:
    segmenter = Segmenter(60, 90)
    begun = []
    for number, piece in enumerate(fragments_of(6.0)):
        if number == 4:
            segmenter.hear(tone[0])
        if number == 8:
            segmenter.hear(None)
        actions = segmenter.push(piece, START_NS + number * NS // 2, START_NS + (number + 1) * NS // 2)
        begun += [action.codec.mime for action in actions if isinstance(action, Begin)]
    assert ["mp4a" in mime for mime in begun] == [False, True, False]
