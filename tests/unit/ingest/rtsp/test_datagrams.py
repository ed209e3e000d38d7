"""Datagrams to access units: the same as frames of the connection, whatever order they come in."""

from __future__ import annotations

import random
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.access_unit import AccessUnit
from ingest.errors import IngestError
from ingest.rtp.counts import Counts
from ingest.rtp.frames import SLACK
from ingest.rtp.reorder import HELD_MAX, HELD_NS
from ingest.rtsp.datagrams import Datagrams
from ingest.rtsp.signalling import sdp
from ingest.rtsp.streams import Streams
from tests.support.cameras.rtp import frame, frames_of, losses, make_track, units, walked
from tests.support.cameras.video import encoded

SDP = b"v=0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=control:1\r\n"


@cache
def packets(first: int = 65_450) -> tuple[bytes, ...]:
    pictures = [(data, ticks) for data, ticks, _ in encoded(2.0, gop=10)]
    return tuple(frames_of(pictures, sequence=first, size=100))


class Camera:
    """Datagrams of one, in pieces as they are read."""

    def __init__(self) -> None:
        self.streams = Streams(Counts())
        self.streams.set_up_video(sdp.parse(SDP).video(), 0, reliable=False)
        self.datagrams = Datagrams(self.streams)

    def send(self, frames: list[bytes], mono_ns: int = 0) -> None:
        """In a buffer that is used for something else afterwards."""
        buffer = bytearray(b"".join(frames) + bytes(SLACK))
        self.datagrams.receive(memoryview(buffer), len(buffer) - SLACK, mono_ns)
        assert self.streams.track is not None
        self.streams.track.check()
        buffer[:] = b"$" * len(buffer)

    @property
    def units(self) -> list[AccessUnit]:
        return units(self.streams.items)


def expected() -> list[bytes]:
    return [unit.data for unit in units(walked(make_track(), list(packets())))]


@pytest.mark.parametrize("piece", [1, 7, 100_000])
def test_order_gives_what_tcp_gives(piece: int) -> None:
    camera = Camera()
    for at in range(0, len(packets()), piece):
        camera.send(list(packets()[at : at + piece]))
    assert [unit.data for unit in camera.units] == expected()
    assert camera.streams.counts == Counts(work=camera.streams.counts.work)


@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 1 << 30), piece=st.integers(1, 60), window=st.integers(0, 30))
def test_disorder_and_repetition_change_nothing(seed: int, piece: int, window: int) -> None:
    seeded = random.Random(seed)
    sent = [(n + seeded.randrange(window + 1) * (n > 0), n) for n in range(len(packets()))]
    sent += [(n + seeded.randrange(60), n) for n in range(1, len(packets())) if seeded.random() < 0.1]
    order = [packets()[n] for _, n in sorted(sent)]
    camera = Camera()
    for at in range(0, len(order), piece):
        camera.send(order[at : at + piece])
    assert [unit.data for unit in camera.units] == expected()
    assert losses(camera.streams.items) == []


def test_packets_that_wait_go_on_when_nothing_comes() -> None:
    camera = Camera()
    sent = list(packets())
    del sent[-3]
    camera.send(sent)
    assert camera.datagrams.holds
    camera.datagrams.tick(HELD_NS)
    assert not camera.datagrams.holds
    assert camera.streams.counts.lost == 1


def test_other_source_is_taken_from_its_second_packet_on() -> None:
    camera = Camera()
    others = [frame(one[16:], 40_000 + n, 9_000, marker=bool(one[5] & 0x80), ssrc=7) for n, one in enumerate(packets())]
    camera.send([*packets()[:40], others[0], *packets()[40:80]])
    before = len(camera.units)
    assert camera.streams.counts.foreign == 0 or camera.streams.track is not None
    camera.send(others[1:])
    assert camera.streams.track is not None
    assert camera.streams.track.source == 7
    assert len(camera.units) >= before


def test_payload_that_looks_like_a_frame_is_a_payload() -> None:
    """Over TCP a frame that another begins in was cut short; a datagram is whole."""
    head = packets()[0][:1] + b"\x00" + (40).to_bytes(2, "big") + packets()[0][4:16]
    body = b"\x41\x9a" + b"\x55" * 20 + head + b"\x55" * 30
    camera = Camera()
    last = int.from_bytes(packets()[-1][6:8], "big")
    camera.send([*packets(), frame(body, last + 1, 1_000_000, marker=True)])
    assert camera.units[-1].data.endswith(body)


@settings(deadline=None, max_examples=60)
@given(
    changes=st.lists(st.tuples(st.integers(0, 200), st.integers(0, 60), st.integers(0, 255)), max_size=12),
    strange=st.lists(st.tuples(st.integers(0, 200), st.binary(min_size=12, max_size=80)), max_size=6),
)
def test_whatever_a_camera_sends_ends_in_order_or_in_its_own_error(
    changes: list[tuple[int, int, int]], strange: list[tuple[int, bytes]]
) -> None:
    sent = [bytearray(one) for one in packets()]
    for place, at, value in changes:
        one = sent[place % len(sent)]
        one[4 + at % (len(one) - 4)] = value
    for place, data in strange:
        sent.insert(place % len(sent), bytearray(b"$\x00" + len(data).to_bytes(2, "big") + data))
    camera = Camera()
    try:
        for at in range(0, len(sent), 20):
            camera.send([bytes(one) for one in sent[at : at + 20]], at * HELD_NS)
    except IngestError:
        return
    times = [unit.mono_ns for unit in camera.units]
    assert times == sorted(times)
    assert len(camera.datagrams._reorder._held) <= HELD_MAX
