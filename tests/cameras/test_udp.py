"""Cameras that send over UDP, and what networks do to their packets: one entry for each.

Judged by libav's decoder beside one that gets every packet that came.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pytest

from ingest.access_unit import AccessUnit, Loss, Source
from ingest.errors import CameraAwayError, CameraStalledError, StreamError
from ingest.rtsp import connection, udp
from ingest.rtsp.signalling.habits import Habits
from ingest.rtsp.source import NativeSource
from ingest.rtsp.wheel import Wheel
from ingest.settings import Transport
from ingest.sources import Sources
from tests.cameras.speaker import Asked, session_of, talked, usual
from tests.support.cameras.decode import images
from tests.support.cameras.native import camera
from tests.support.cameras.rtp import frames_of, losses, make_track, units, walked
from tests.support.cameras.udp_camera import Packets, UdpCamera, number_of, numbered
from tests.support.cameras.video import encoded

Film = tuple[tuple[bytes, int], ...]
CODERS = {"h264": "libx264", "h265": "libx265"}


@cache
def film(codec: str, seconds: float = 8.0, slices: int = 1, b_frames: int = 0, noise: int = 0) -> Film:
    more = f":sliced-threads=0:slices={slices}:b-adapt=0" if codec == "h264" else ":slices={slices}:b-adapt=0"
    more = more.format(slices=slices)
    coded = encoded(seconds, gop=50, size=(640, 352), codec=CODERS[codec], b_frames=b_frames, more=more, noise=noise)
    return tuple((data, ticks) for data, ticks, _ in coded)


async def everything(source: Source) -> list[AccessUnit | Loss]:
    """Until the camera ends it."""
    got: list[AccessUnit | Loss] = []
    with pytest.raises(CameraAwayError, match="closed"):
        async with aclosing(source.batches()) as batches:
            async for batch in batches:
                got += batch
    return got


def lossy(share: float, seed: int = 4, keep: int = 60) -> Callable[[Packets], Packets]:
    """Without some of the packets, none of the first ``keep``, nor the last."""

    def thinned(packets: Packets) -> Packets:
        seeded = random.Random(seed)
        last = len(packets) - 1
        return [p for n, p in enumerate(packets) if n < keep or n == last or seeded.random() >= share]

    return thinned


def packets_of_first(packets: Packets) -> int:
    """Of the first picture."""
    return sum(packet[4:8] == packets[0][4:8] for packet in packets)


def mixed(window: int, seed: int = 4) -> Callable[[Packets], Packets]:
    """Each packet up to so many places later."""

    def shuffled(packets: Packets) -> Packets:
        seeded = random.Random(seed)
        places = [(n + seeded.uniform(0, window) * (n > 0), n) for n in range(len(packets))]
        return [packets[n] for _, n in sorted(places)]

    return shuffled


def doubled(packets: Packets) -> Packets:
    """Each twice, the second time a little later."""
    places = sorted([(n, n) for n in range(len(packets))] + [(n + 3.5, n) for n in range(len(packets))])
    return [packets[n] for _, n in places]


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    name: str
    more: dict[str, Any]
    first: int = 0  # sequence number


WHOLE = [
    Network(name="as it should be", more={}),
    Network(name="numbers begin anew", more={}, first=65_300),
    Network(name="packets overtake each other", more={"on_the_way": mixed(8)}, first=65_300),
    Network(name="packets come twice", more={"on_the_way": doubled}, first=65_300),
    Network(name="SETUP names no port", more={"names_port": False}),
    Network(name="it sends from another port than it named", more={"from_other": True}),
    Network(name="it answers with UDP though asked for TCP", more={"tcp": 0}),
    Network(name="another host sends the same packets first", more={"forged": lambda packet: packet}),
    Network(name="another host sends packets that come next",
            more={"forged": lambda p: p[:2] + (number_of(p) + 1 & 0xFFFF).to_bytes(2, "big") + p[4:12] + b"\x41\x9a"}),
    Network(name="a key frame comes at once", more={"per_s": 50_000}),
]  # fmt: skip


@pytest.mark.parametrize("codec", ["h264", "h265"])
@pytest.mark.parametrize("network", WHOLE, ids=lambda network: network.name)
async def test_every_picture_comes_as_it_was_sent(network: Network, codec: str) -> None:
    pictures = film(codec, 3.0)
    sender = UdpCamera(numbered(pictures, codec=codec, first=network.first), codec=codec, **network.more)
    async with sender.listening() as url:
        got = await everything(Sources().make(camera(url)))
    late = 8 if network.more.get("from_other") else 0  # so many show that it is the camera's port
    assert sum(loss.packets for loss in losses(got)) == 0
    wanted = [ticks - pictures[0][1] for _, ticks in pictures]
    found = [unit.pts_ticks - pictures[0][1] for unit in units(got)]
    assert found == wanted[-len(found) :]
    assert len(found) == len(wanted) if not late else len(found) >= len(wanted) // 3
    assert not any(unit.damaged for unit in units(got))


async def test_tcp_is_asked_for_first_and_what_was_learned_is_remembered() -> None:
    sources, sender = Sources(), UdpCamera(numbered(film("h264", 1.0)))
    async with sender.listening() as url:
        for _ in range(2):
            source = sources.make(camera(url))
            assert units(await everything(source))
            assert source.note == "it sends over UDP"
    kinds = ["TCP" if "TCP" in transport else "UDP" for method, transport in sender.asked if method == "SETUP"]
    assert kinds == ["TCP", "UDP", "UDP"]


async def test_small_kernel_buffer_is_read_as_packets_come_and_is_named_when_packets_get_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(udp, "SMALL_BYTES", 1 << 40)
    pictures = film("h264", 3.0)
    for way, said in ((list, "it sends over UDP"), (lossy(0.05), "net.core.rmem_max")):
        sender = UdpCamera(numbered(pictures, size=100), on_the_way=way)
        async with sender.listening() as url:
            source = Sources().make(camera(url))
            got = await everything(source)
        assert said in source.note
        assert (len(units(got)) == len(pictures)) == (way is list)


async def test_camera_that_stops_sending_is_stalled_though_its_connection_stands(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connection, "STALLED_NS", 1_000_000_000)
    sender = UdpCamera(numbered(film("h264", 1.0)), lasts_s=30)
    async with sender.listening() as url:
        with pytest.raises(CameraStalledError, match="sends nothing"):
            async with aclosing(Sources().make(camera(url)).batches()) as batches:
                async for _ in batches:
                    pass


async def test_tls_never_turns_to_udp() -> None:
    """There is no TLS here; what counts is that a session without ports says why."""

    def refusing(asked: Asked) -> bytes:
        if asked.method == "SETUP":
            return asked.ok(status="461 Unsupported Transport")
        return usual(asked)

    with pytest.raises(StreamError, match="does not send over TCP"):
        talked(session_of(), refusing)


async def test_receiver_reports_tell_what_was_lost() -> None:
    packets = numbered(film("h264", 7.0), first=65_000)
    way = lossy(0.02)
    sender = UdpCamera(packets, on_the_way=way, per_s=len(packets) / 6, lasts_s=5.2, session_s=10)
    async with sender.listening() as url:
        await everything(Sources().make(camera(url, transport=Transport.UDP)))
    assert "OPTIONS" in [method for method, _ in sender.asked]  # the session is kept alive meanwhile
    reports = [one for one in sender.reports if one[1] == 201 and one[0] & 31]
    assert all(one[32:34] == b"\x81\xca" for one in reports)  # each with a name (RFC 3550, 6.1)
    last = reports[-1]
    assert last[8:12] == packets[0][8:12]
    assert int.from_bytes(last[13:16], "big") == len(packets) - len(way(packets))
    assert int.from_bytes(last[16:20], "big") == 65_000 + len(packets) - 1


@pytest.mark.parametrize("share", [0.01, 0.05])
@pytest.mark.parametrize("codec", ["h264", "h265"])
async def test_lost_packets_are_counted_exactly(codec: str, share: float) -> None:
    packets = numbered(film(codec, 4.0), codec=codec, first=65_300, size=60)
    way = lossy(share, keep=packets_of_first(packets))
    sender = UdpCamera(packets, codec=codec, on_the_way=way)
    habits = Habits()
    async with sender.listening() as url:
        got = await everything(NativeSource(camera(url), Wheel(), habits))
    lost = len(packets) - len(way(packets))
    assert habits.counts.lost == sum(loss.packets for loss in losses(got)) == lost > 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Coded:
    """A stream as a camera codes it."""

    name: str
    codec: str = "h264"
    slices: int = 1
    b_frames: int = 0


STREAMS = [
    Coded(name="one slice"),
    Coded(name="four slices", slices=4),
    Coded(name="two of three not referred to", b_frames=2),
    Coded(name="H.265, one slice", codec="h265"),
    Coded(name="H.265, four slices", codec="h265", slices=4),
]


def decodable(codec: str, packets: Packets, came: Packets) -> int:
    """Pictures of which at least one slice came whole: what a decoder could show that keeps everything."""
    arrived = {number_of(packet) for packet in came}
    whole: dict[bytes, bool] = {}
    nal_whole = True
    for packet in packets:
        here = number_of(packet) in arrived
        first, last, is_slice = _piece(codec, packet[12:])
        nal_whole = here if first else nal_whole and here
        stamp = packet[4:8]
        whole[stamp] = whole.get(stamp, False) or (last and is_slice and nal_whole)
    return sum(whole.values())


def _piece(codec: str, payload: bytes) -> tuple[bool, bool, bool]:
    """Of a NAL unit: whether its first, its last, and of a slice."""
    kind = payload[0] & 31 if codec == "h264" else payload[0] >> 1 & 63
    if kind != (28 if codec == "h264" else 49):
        return True, True, kind in (1, 5) if codec == "h264" else kind < 32
    flags = payload[1 if codec == "h264" else 2]
    kind = flags & (31 if codec == "h264" else 63)
    return bool(flags & 0x80), bool(flags & 0x40), kind in (1, 5) if codec == "h264" else kind < 32


@pytest.mark.parametrize("codec", ["h264", "h265"])
async def test_recording_begins_though_no_key_picture_comes_whole(codec: str) -> None:
    """Of every key picture the last slice is lost: the second begins the footage."""
    pictures = film(codec, 5.0, 4, 0, 24)
    packets = numbered(pictures, codec=codec, size=1200)
    keys = {ticks for n, (_, ticks) in enumerate(pictures) if n % 50 == 0}
    last = {int.from_bytes(packet[4:8], "big"): number_of(packet) for packet in packets}
    lost = {last[ticks] for ticks in keys}
    sender = UdpCamera(packets, codec=codec, on_the_way=lambda all: [p for p in all if number_of(p) not in lost])
    async with sender.listening() as url:
        got = await everything(Sources().make(camera(url)))
    kept = units(got)
    assert [unit.pts_ticks - pictures[0][1] for unit in kept if unit.key] == [180_000]
    assert len(kept) == len(pictures) - 50
    assert all(unit.damaged for unit in kept)
    assert len(images(kept, codec)) >= 0.9 * len(kept) if codec == "h264" else True


@pytest.mark.parametrize("stream", STREAMS, ids=lambda stream: stream.name)
async def test_one_packet_in_a_hundred_lost_costs_what_it_must(stream: Coded) -> None:
    """Beside what could be decoded at all. Damaged pictures are marked; the others are exactly those sent."""
    pictures = film(stream.codec, 6.0, stream.slices, stream.b_frames, 24)
    packets = numbered(pictures, codec=stream.codec, size=1200)
    way = lossy(0.01, keep=packets_of_first(packets))
    came = way(packets)
    sender = UdpCamera(packets, codec=stream.codec, on_the_way=lambda _: came, per_s=1500)
    async with sender.listening() as url:
        got = await everything(Sources().make(camera(url)))
    kept = units(got)
    ideal = decodable(stream.codec, packets, came)
    shown = images(kept, stream.codec)
    clean = images(
        units(walked(make_track(stream.codec), frames_of(pictures, codec=stream.codec))),
        stream.codec,
    )
    right = sum(
        np.array_equal(shown[unit.pts_ticks], clean[unit.pts_ticks])
        for unit in kept
        if not unit.damaged and unit.pts_ticks in shown
    )
    print(
        f"{stream.name}: {len(packets)} packets, {len(packets) - len(came)} lost; of {len(pictures)} pictures "
        f"{ideal} decodable, {len(kept)} kept ({len(kept) / len(pictures):.1%}), {len(shown)} shown by libav, "
        f"{sum(not unit.damaged for unit in kept)} undamaged, {right} of them exact; gaps: "
        f"{sum(loss.gap for loss in losses(got))}"
    )
    assert not any(loss.gap for loss in losses(got))
    assert len(kept) == ideal
    assert right == sum(not unit.damaged for unit in kept)
