"""AAC out of packets: every frame with its time, whatever is lost or made up never raises."""

from __future__ import annotations

import random
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.access_unit import Sound
from ingest.errors import StreamError
from ingest.rtp.aac import AacTrack, sound_format

FORM = sound_format(bytes.fromhex("1188"))  # LC, 48 kHz, mono


def packet(sequence: int, clock: int, frames: list[bytes], *, size: int | None = None, flags: int = 0x80) -> bytes:
    headers = b"".join((size or len(frame)).to_bytes(2, "big") for frame in frames)
    headers = b"".join(((size or len(frame)) << 3).to_bytes(2, "big") for frame in frames)
    head = struct.pack(">BBHII", flags, 0xE1, sequence & 0xFFFF, clock & 0xFFFFFFFF, 7)
    return head + (len(headers) * 8).to_bytes(2, "big") + headers + b"".join(frames)


def heard(track: AacTrack, *packets: bytes) -> list[Sound]:
    out: list[Sound] = []
    for data in packets:
        track.take(memoryview(data), 0, len(data), 5, None, out)
    return out


def fresh(rate: int = 48_000) -> AacTrack:
    return AacTrack(97, FORM, rate)


def test_frames_of_one_packet_follow_each_other_in_time() -> None:
    frames = [bytes([number]) * (10 + number) for number in range(1, 5)]
    out = heard(fresh(), packet(1, 1000, frames))
    assert [sound.data for sound in out] == frames
    assert [sound.pts_ticks - out[0].pts_ticks for sound in out] == [0, 1920, 3840, 5760]


def test_frame_over_several_packets_is_put_together() -> None:
    whole = bytes(range(256)) * 8
    parts = [whole[:900], whole[900:1800], whole[1800:]]
    packets = [packet(number, 1000, [part], size=len(whole)) for number, part in enumerate(parts)]
    track = fresh()
    assert [sound.data for sound in heard(track, *packets)] == [whole]
    assert (
        heard(track, packet(3, 2024, [whole[:900]], size=len(whole)), packet(5, 2024, [whole[1800:]], size=2048)) == []
    )
    assert track.counts.sound_lost == 1
    assert [sound.data for sound in heard(track, packet(6, 3048, [b"next"]))] == [b"next"]


def test_time_and_numbers_wrap() -> None:
    out = heard(fresh(), packet(0xFFFF, 0xFFFFFFFF - 511, [b"a"]), packet(0, 512, [b"b"]), packet(1, 1536, [b"c"]))
    assert [out[1].pts_ticks - out[0].pts_ticks, out[2].pts_ticks - out[1].pts_ticks] == [1920, 1920]


def test_clock_of_another_rate_than_the_sound_counts() -> None:
    out = heard(AacTrack(97, FORM, 90_000), packet(1, 0, [b"a", b"b"]))
    assert out[1].pts_ticks - out[0].pts_ticks == 1920


def test_repeated_packet_is_passed_over() -> None:
    track = fresh()
    assert (
        len(heard(track, packet(1, 0, [b"a"]), packet(2, 1024, [b"b"]), packet(1, 0, [b"a"]), packet(3, 2048, [b"c"])))
        == 3
    )


@pytest.mark.parametrize("config", ["", "11", "2b09", "f800", "1780", "11b8", "ff" * 65])
def test_other_kinds_of_aac_are_refused(config: str) -> None:
    with pytest.raises(StreamError):
        sound_format(bytes.fromhex(config))


@given(st.binary(max_size=200))
def test_nothing_that_comes_raises(data: bytes) -> None:
    track = fresh()
    head = struct.pack(">BBHII", data[0] | 0x80 if data else 0x80, 0xE1, 1, 2, 3)
    for whole in (data, head + data):
        for sound in heard(track, whole):
            assert 0 < len(sound.data) <= 8191


def test_sounds_that_nobody_takes_are_bounded() -> None:
    track, out = fresh(), list[Sound]()
    dice = random.Random(1)
    for number in range(6000):
        data = packet(number, number * 1024, [dice.randbytes(50)])
        track.take(memoryview(data), 0, len(data), 5, None, out)
    assert len(out) <= 2000
