"""Any bytes from one camera, in any place of its protocol, keep the others waiting for 100 ms at most.

What one turn of the event loop costs is measured as CPU time of this thread, from the bytes to what is to be recorded,
for cameras that a seed makes. ``test_bounded_work.py`` counts lines of Python in places that we thought of.
"""

from __future__ import annotations

import base64
import random
import re
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Final

import pytest

from ingest.access_unit import AccessUnit, Loss
from ingest.errors import IngestError
from ingest.health import Health
from ingest.media.clock import RecorderClock
from ingest.rtp.frames import DOLLAR, HEAD_BYTES, SLACK
from ingest.rtsp.session import Session, State
from ingest.rtsp.signalling.auth import Credentials
from ingest.rtsp.udp import PIECE_BYTES, UdpReceiver
from ingest.rtsp.wheel import BUFFER_BYTES, KEPT_MAX
from ingest.timeline import CameraTimeline
from ingest.video import nal as nals
from tests.cameras.speaker import HOST, SDP, URL, Asked, requests_of, usual
from tests.support.cameras.rtp import frame, h264_payloads
from tests.support.footage.sealed import START_NS

pytestmark = pytest.mark.usefixtures("both_scans")

TURN_S: Final = 0.1
SEEDS: Final = 72
SIZE: Final = 128 << 10
SPS, PPS = bytes.fromhex("6742c01ed903c56840000003004000000c03c58b92"), bytes.fromhex("68cb8cb2")
SOUND: Final = (
    "m=audio 0 RTP/AVP 97\r\na=rtpmap:97 mpeg4-generic/48000/1\r\na=control:track2\r\n"
    "a=fmtp:97 mode=AAC-hbr;sizelength=13;indexlength=3;indexdeltalength=3;config=1188\r\n"
)


class Hostile:
    """Makes the bytes of one camera, by a seed. size: about as many in one place."""

    def __init__(self, seed: int, size: int) -> None:
        self.dice, self._size = random.Random(seed), size
        self._number = 0

    def junk(self, most: int) -> bytes:
        """Zeros, start codes, runs, repetitions, noise, and mixtures of them."""
        dice, most = self.dice, max(1, most)
        kind = dice.randrange(7)
        if kind == 0:
            return bytes(dice.randint(1, most))
        if kind == 1:
            return b"\x00\x00\x01" * (dice.randint(1, most) // 3 + 1)
        if kind == 2:
            return dice.choice((b"\xff", b"\x80", b"\x01", b"$", b"\r\n", b" ", b"0")) * dice.randint(1, most)
        if kind == 3:
            return dice.randbytes(dice.randint(1, most))
        if kind == 4:
            piece = dice.randbytes(dice.randint(1, 12))
            return piece * (dice.randint(1, most) // len(piece) + 1)
        if kind == 5:
            return bytes(dice.randint(1, most)) + b"\x01" + bytes(dice.randint(0, 9))
        return b"".join(self.junk(most // 3) for _ in range(3))

    def words(self, most: int) -> str:
        """For headers and descriptions: no line ends of their own."""
        text = self.junk(most).decode("latin-1") if self.dice.random() < 0.5 else self.dice.choice('a,;=/" <[(') * most
        return re.sub(r"[\r\n\x00]", "=", text)[:most]

    def headers(self) -> list[str]:
        names = ("WWW-Authenticate", "Session", "Transport", "Content-Base", "Location", "X", "Public", "CSeq")
        count = self.dice.choice((1, 2, 40))
        return [f"{self.dice.choice(names)}: {self.words(14_000 // count)}" for _ in range(count)]

    def description(self) -> str:
        junk = self.junk(min(36_000, 2 * self._size))
        sets = base64.b64encode(self.dice.choice((b"", SPS, b"\x67", b"\x68")) + junk).decode()
        described = f"a=fmtp:96 packetization-mode=1;sprop-parameter-sets={sets[:50_000]}"
        line = self.dice.choice(
            (
                *[described] * 4,
                f"a=fmtp:96 sprop-parameter-sets={','.join([sets[:12]] * 4000)}",
                f"a=control:{self.words(40_000)}",
                self.dice.choice(("a=x\r\n", "m=video 0 RTP/AVP 96\r\n", "\r\n", "c=", ";")) * 9000,
                f"a=rtpmap:{self.words(40_000)}",
            )
        )
        return (SDP.format(session="", track=f"{line}\r\n") + SOUND)[:60_000]

    def payloads(self) -> list[bytes]:
        """Of one packet type of RFC 6184, with sizes and contents that lie."""
        dice, most = self.dice, self._size // 4
        kind = dice.randrange(9)
        header = bytes((dice.choice((0x06, 0x67, 0x68, 0x65, 0x41, 0x61, 0x09, 0x0C)),))
        if kind == 0:
            return h264_payloads(header + self.junk(most), dice.choice((3, 60, 1400)))
        if kind == 1:
            return [b"\x78" + b"".join(dice.choice((b"\0\1", b"\0\2", b"\xff\xff")) + header for _ in range(400))] * 20
        if kind == 2:
            return [bytes((0x7C, dice.choice((0x85, 0x05, 0x45, 0xC5, 0x86))))] * (most // 20)
        if kind == 3:
            return [header + self.junk(4)] * (most // 20)
        if kind == 4:
            return [b"\x78" + self.junk(1400) for _ in range(most // 1400)]
        if kind == 5:
            return [bytes((dice.randrange(256),)) + self.junk(1400) for _ in range(most // 1400)]
        if kind == 6:
            sps = [SPS[:-2] + bytes((1 + n % 255, 1 + n // 255, 0x80)) for n in range(400)]
            return [each for one in sps for each in (one, PPS, b"\x65\x88" + self.junk(20))]
        if kind == 7:
            return h264_payloads(b"\x06\x05" + b"\xff" * dice.randrange(most) + self.junk(most // 2))
        return [b""] * (most // 16)

    def packets(self) -> Iterator[bytes]:
        """Interleaved frames, of every channel."""
        dice = self.dice
        step, channel = dice.choice((0, 1, 3600)), dice.choice((0, 0, 0, 1, 2, 7))
        kind = 97 if channel == 2 else dice.choice((96, 96, 96, 0))
        for payload in self.payloads():
            self._number += dice.choice((1, 1, 1, 1, 0, 7)) if step else 1
            yield frame(
                payload, self._number, step * self._number, marker=dice.random() < 0.3, channel=channel, kind=kind
            )

    def reports(self) -> bytes:
        """RTCP: compound packets, true lengths and others."""
        dice = self.dice
        one = bytes((0x80 | dice.randrange(32), dice.choice((200, 201, 202, 203, 207)))) + dice.choice(
            (b"\0\6", b"\0\0", b"\xff\xff")
        )
        return (one + self.junk(24)[:24].ljust(24, b"\0")) * dice.randint(1, 50)

    def stream(self) -> bytes:
        """What comes behind PLAY over TCP."""
        made, dice = bytearray(), self.dice
        while len(made) < self._size:
            kind = dice.randrange(6)
            if kind < 3:
                made += b"".join(self.packets())
            elif kind == 3:
                report = self.reports()[:60_000]
                made += (b"$\x01" + len(report).to_bytes(2, "big") + report) * dice.randint(1, 400)
            elif kind == 4:
                made += self.junk(self._size // 3)
            else:
                words = dice.choice(
                    (b"OPTIONS * RTSP/1.0\r\n\r\n", b"RTSP/1.0 200 OK\r\nContent-Length: 60000\r\n\r\n")
                )
                made += words * dice.randint(1, 2000)
        return bytes(made[: 2 * self._size])


class Ports:
    """Datagrams that wait in the kernel; stands for ``UdpPorts``."""

    def __init__(self, datagrams: list[bytes], reports: list[bytes]) -> None:
        self._datagrams, self._reports = datagrams[::-1], reports

    @property
    def waiting(self) -> bool:
        return bool(self._datagrams)

    def named(self, port: int) -> None:
        pass

    def report(self, data: bytes) -> None:
        pass

    def read(self, view: memoryview, channel: int) -> tuple[int, bool]:
        at = 0
        while self._datagrams and at < PIECE_BYTES:
            packet = self._datagrams.pop()
            head = bytes((DOLLAR, channel)) + len(packet).to_bytes(2, "big")
            view[at : at + HEAD_BYTES + len(packet)] = head + packet
            at += HEAD_BYTES + len(packet)
        return at, bool(self._datagrams)

    def read_control(self, take: Callable[[memoryview, int], None]) -> None:
        for report in self._reports[:4]:
            take(memoryview(bytearray(report[:2048].ljust(2048))), min(2048, len(report)))


class Loop:
    """The turns that one camera takes, each from its bytes to the actions on its recording."""

    def __init__(self) -> None:
        self.longest_s = 0.0
        self.pictures = 0
        clock = RecorderClock(0, START_NS)
        self._timeline = CameraTimeline(Health("hostile"), clock, 10.0, 30.0)
        self._timeline.connected(None)

    def turn(self, session: Session, work: Callable[[], object]) -> bool:
        """Whether it goes on."""
        began_s = time.thread_time()
        try:
            work()
            items: list[AccessUnit | Loss] = session.take()
            self.pictures += len(items)
            self._timeline.push(items, None)
            self._timeline.hear(session.sound, session.take_sounds())
        except IngestError:
            return False
        finally:
            self.longest_s = max(self.longest_s, time.thread_time() - began_s)
        return True


def _answered(hostile: Hostile, place: str) -> Callable[[Asked], bytes]:
    """A camera that is hostile in its answer to one method."""

    def answer(asked: Asked) -> bytes:
        if asked.method == "DESCRIBE":
            if place == "DESCRIBE":
                body = hostile.description()
                more = hostile.headers() if hostile.dice.random() < 0.4 else []
                status = hostile.dice.choice(("200 OK", "200 OK", "401 X", "302 X"))
                return asked.ok("Content-Type: application/sdp", *more, body=body, status=status)
            return asked.ok(
                "Content-Type: application/sdp", body=SDP.format(session="", track="a=control:1\r\n") + SOUND
            )
        if asked.method == place:
            return asked.ok(*hostile.headers(), "Session: 7", status=hostile.dice.choice(("200 OK", "404 X", "461 X")))
        if asked.method == "SETUP" and place == "UDP":
            return asked.ok("Session: 7", "Transport: RTP/AVP/UDP;unicast;client_port=5000-5001;server_port=6000-6001")
        return usual(asked)

    return answer


PLACES: Final = ("DESCRIBE", "DESCRIBE", "SETUP", "PLAY", "TCP", "TCP", "TCP", "UDP", "UDP")


def longest_turn(seed: int, size: int = SIZE) -> tuple[float, int]:
    """CPU seconds of the camera's longest turn; pictures that came of it."""
    hostile, loop = Hostile(seed, size), Loop()
    place = PLACES[seed % len(PLACES)]
    udp = place == "UDP"
    session = Session(
        URL, (HOST,), Credentials("gym", "secret"), audio=not udp, udp=udp, ports=(lambda: 5000) if udp else None
    )
    session.start()
    answer = _answered(hostile, place)
    for _ in range(12):
        said = b"".join(answer(asked) for asked in requests_of(session.outgoing()))
        if not said or not loop.turn(session, partial(session.feed, said, 0)):
            break
    if session.state is State.PLAYING and session.datagrams is not None:
        _over_udp(session, hostile, loop)
    elif session.state is State.PLAYING:
        _over_tcp(session, hostile, loop)
    return loop.longest_s, loop.pictures


def _over_tcp(session: Session, hostile: Hostile, loop: Loop) -> None:
    data = hostile.stream()
    gulp = hostile.dice.choice((4096, 65_536, BUFFER_BYTES))
    while data or session.behind:
        whole = session.kept + (b"" if session.behind else data[:gulp])
        data = data if session.behind else data[gulp:]
        view = memoryview(whole + bytes(SLACK))
        if not loop.turn(session, partial(session.receive, view, len(whole), 0)):
            return


def _over_udp(session: Session, hostile: Hostile, loop: Loop) -> None:
    made: list[bytes] = []
    while sum(map(len, made)) < hostile._size:
        made += [packet[HEAD_BYTES:][:1400] for packet in hostile.packets()] or [hostile.junk(1400)[:1400]]
    ports = Ports([packet for packet in made if len(packet) >= 12], [hostile.reports() for _ in range(4)])
    receiver = UdpReceiver(ports, session, memoryview(bytearray(KEPT_MAX)))  # type: ignore[arg-type]
    assert session.datagrams is not None
    for number in range(10_000):
        more = ports.waiting or session.datagrams.behind
        if not more or not loop.turn(session, partial(receiver.take, session.datagrams, number * 25_000_000)):
            return


def test_no_camera_takes_a_tenth_of_a_second_at_once(record_property: Callable[[str, object], None]) -> None:
    longest: dict[int, float] = {}
    pictures = 0
    for seed in range(SEEDS):
        longest[seed], came = longest_turn(seed)
        pictures += came
        if longest[seed] > TURN_S:  # the machine may have been slow just then; the camera is the same again
            longest[seed] = min(longest_turn(seed)[0] for _ in range(3))
    worst = max(longest, key=longest.__getitem__)
    record_property("longest_turn_ms", round(longest[worst] * 1000, 1))
    print(f"the longest turn took {longest[worst] * 1000:.0f} ms, seed {worst}")
    assert longest[worst] < TURN_S, f"seed {worst}"
    assert pictures > 1000  # what is hostile gets as far as the recording


def test_quadratic_search_for_start_codes_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The planted fault: what once stood in the readers of descriptions and of NAL units."""
    slow = re.compile(rb"\x00*\x00\x00\x01")

    def units_of(codec: str, data: bytes, most: int) -> list[bytes]:
        return [unit for unit in slow.split(data) if unit][:most]

    monkeypatch.setattr(nals, "units_of", units_of)
    assert any(longest_turn(seed, 8 << 10)[0] > TURN_S for seed in range(SEEDS))
