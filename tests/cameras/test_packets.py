"""How cameras put pictures into packets: one entry for each report.

Every picture comes out with the NAL units that went in, byte for byte; nothing is lost, nothing is damaged.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import pytest

from ingest.access_unit import AccessUnit
from ingest.video.nal import is_sei, split_annex_b
from ingest.video.parameters import Role, role_of
from tests.support.cameras.rtp import frame, frames_of, h264_payloads, h265_payloads, losses, make_track, units, walked
from tests.support.cameras.video import encoded

Picture = list[bytes]  # its NAL units
Payloads = list[bytes]
CODE = b"\x00\x00\x00\x01"
CODECS = {"h264": "libx264", "h265": "libx265"}


@cache
def film(codec: str, slices: int = 1) -> list[tuple[Picture, int]]:
    more = f":sliced-threads=0:slices={slices}" if codec == "h264" else ""
    stream = encoded(2.0, gop=10, size=(640, 352), codec=CODECS[codec], more=more)
    return [(list(split_annex_b(data)), ticks) for data, ticks, _ in stream]


# -- Ways of sending


def payloads_of(codec: str, nal: bytes, size: int = 300) -> Payloads:
    return h264_payloads(nal, size) if codec == "h264" else h265_payloads(nal, size)


def each(change: Callable[[str, bytes], Payloads]) -> Callable[[str, Picture], Payloads]:
    """For each NAL unit."""
    return lambda codec, nals: [payload for nal in nals for payload in change(codec, nal)]


def fragments(codec: str, nal: bytes, size: int = 300) -> Payloads:
    """FUs, however small the NAL unit is; its header may be any bytes."""
    head = 1 if codec == "h264" else 2
    pieces = [nal[at : at + size] for at in range(head, len(nal), size)] or [b""]
    made = []
    for number, piece in enumerate(pieces):
        marks = (number == 0) << 7 | (number == len(pieces) - 1) << 6
        if codec == "h264":
            made.append(bytes((nal[0] & 0xE0 | 28, marks | nal[0] & 31)) + piece)
        else:
            made.append(bytes((nal[0] & 0x81 | 49 << 1, nal[1], marks | nal[0] >> 1 & 63)) + piece)
    return made


def head_size(codec: str) -> int:
    """Of a fragment: what comes before its data."""
    return 2 if codec == "h264" else 3


def marked(codec: str, payload: bytes, *, start: bool, end: bool) -> bytes:
    at = head_size(codec) - 1
    return payload[:at] + bytes((start << 7 | end << 6 | payload[at] & 0x3F,)) + payload[at + 1 :]


def is_fragment(codec: str, payload: bytes) -> bool:
    return payload[0] & 31 == 28 if codec == "h264" else payload[0] >> 1 & 63 == 49


def with_empty(codec: str, payloads: Payloads, where: str) -> Payloads:
    """A fragment without data at the beginning, the middle or the end of each fragmented NAL unit."""
    made: Payloads = []
    for payload in payloads:
        if not is_fragment(codec, payload):
            made.append(payload)
            continue
        flags = payload[head_size(codec) - 1]
        bare = payload[: head_size(codec)]
        if flags & 0x80 and where == "first":
            made += [bare, marked(codec, payload, start=False, end=bool(flags & 0x40))]
        elif flags & 0x80 and where == "first, beginning twice":
            made += [bare, payload]
        elif flags & 0x40 and where == "last":
            made += [
                marked(codec, payload, start=bool(flags & 0x80), end=False),
                marked(codec, bare, start=False, end=True),
            ]
        elif where == "middle" and not flags & 0xC0:
            made += [bare, payload]
        else:
            made.append(payload)
    return made


def aggregated(codec: str, nals: Picture, code: bytes = b"") -> Payloads:
    """STAP-A or AP with all of them, where they are small enough."""
    if sum(map(len, nals)) > 60_000:
        return [payload for nal in nals for payload in payloads_of(codec, nal)]
    head = b"\x78" if codec == "h264" else bytes((48 << 1, 1))
    return [head + b"".join(len(code + nal).to_bytes(2, "big") + code + nal for nal in nals)]


def stream(nals: Picture, code: bytes = CODE) -> bytes:
    return b"".join(code + nal for nal in nals)


def without_end_marks(codec: str, nals: Picture) -> Payloads:
    return [
        marked(codec, one, start=bool(one[head_size(codec) - 1] & 0x80), end=False) if is_fragment(codec, one) else one
        for nal in nals
        for one in payloads_of(codec, nal)
    ]


def other_kinds(codec: str, nals: Picture) -> Payloads:
    """Later fragments carry another NAL unit type in their headers."""
    at = head_size(codec) - 1
    return [
        one[:at] + bytes((one[at] & 0xC0 | 7,)) + one[at + 1 :]
        if is_fragment(codec, one) and not one[at] & 0x80
        else one
        for nal in nals
        for one in payloads_of(codec, nal)
    ]


def delimited(codec: str, nals: Picture) -> Picture:
    return [b"\x09\xf0" if codec == "h264" else b"\x46\x01\x50", *nals]


def filled(codec: str, nals: Picture) -> Picture:
    return [*nals, b"\x0c" + b"\xff" * 40 + b"\x80" if codec == "h264" else b"\x4c\x01" + b"\xff" * 40 + b"\x80"]


def signed(codec: str, nals: Picture, behind: bytes = b"\x41") -> Picture:
    """A SEI message that holds a start code, before the slices of every picture (ONVIF Media Signing)."""
    body = b"\x5a" * 16 + b"certificate " * 30 + CODE + behind + b"\x42 more of it" * 9
    sizes = b"\xff" * (len(body) // 255) + bytes((len(body) % 255,))
    message = (b"\x06" if codec == "h264" else b"\x4e\x01") + b"\x05" + sizes + body + b"\x80"
    at = next(n for n, nal in enumerate(nals) if role_of(codec, nal) <= Role.KEY)
    return [*nals[:at], message, *nals[at:]]


by_the_rfc = each(payloads_of)
GORTSPLIB = "github.com/bluenviron/gortsplib/issues/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sends:
    """nals: what it puts into a picture; payloads: how it puts that into packets; marks: which of a picture's packets
    have the marker; packet: what becomes of each frame, by its number
    """

    name: str
    source: str = "variant"
    codecs: tuple[str, ...] = ("h264", "h265")
    slices: int = 1
    nals: Callable[[str, Picture], Picture] = lambda codec, nals: nals
    payloads: Callable[[str, Picture], Payloads] = by_the_rfc
    marks: Callable[[int, int, bytes], bool] = lambda n, last, payload: n == last
    packet: Callable[[bytes, int], bytes] = lambda data, number: data
    cut: int = 0  # pictures at the beginning and the end that may be missing


def padded(data: bytes, number: int) -> bytes:
    """With real padding, to a multiple of four bytes."""
    pad = 4 - len(data) % 4
    body = bytes((data[4] | 0x20,)) + data[5:] + bytes(pad - 1) + bytes((pad,))
    return data[:2] + len(body).to_bytes(2, "big") + body


def extended(data: bytes, number: int) -> bytes:
    """With a header extension, as ONVIF replay has it."""
    body = bytes((data[4] | 0x10,)) + data[5:16] + b"\xab\xac\x00\x03" + bytes(12) + data[16:]
    return data[:2] + len(body).to_bytes(2, "big") + body


CAMERAS = [
    Sends(name="as the RFCs say"),
    Sends(name="four slices", codecs=("h264",), slices=4),
    Sends(name="every NAL unit in fragments", payloads=each(fragments)),
    Sends(name="fragments that are first and last", source="retina (CostarHD)",
          payloads=each(lambda c, n: fragments(c, n, 60_000))),
    Sends(name="everything aggregated", payloads=aggregated),
    Sends(name="fragments change their kind", source="moonfire-nvr/issues/344 (Tiandy)", payloads=other_kinds),
    Sends(name="fragments without an end mark", payloads=without_end_marks, cut=1),
    *(
        Sends(name=f"empty fragment: {where}", source="github.com/scottlamb/retina/issues/115",
              payloads=lambda c, nals, where=where: with_empty(c, [p for n in nals for p in payloads_of(c, n)], where))
        for where in ("first", "first, beginning twice", "middle", "last")
    ),
    Sends(name="whole picture with start codes in fragments", source=GORTSPLIB + "989 (Amatek AR-N3222F)",
          payloads=lambda c, nals: fragments(c, stream(nals)[1:] if c == "h264" else stream(nals))),
    Sends(name="the same with short start codes", payloads=lambda c, nals: fragments(c, stream(nals, CODE[1:]))),
    Sends(name="the same with many zeros", payloads=lambda c, nals: fragments(c, stream(nals, bytes(9) + b"\x01"))),
    Sends(name="the same with zeros behind each unit",
          payloads=lambda c, nals: fragments(c, stream([n + b"\x00\x00" for n in nals]))),
    Sends(name="first unit, then start codes", source="V380 (retina/issues/68)",
          payloads=lambda c, nals: fragments(c, stream(nals)[4:])),
    Sends(name="whole picture with start codes in one packet", source=GORTSPLIB + "199",
          payloads=lambda c, nals: [stream(nals)]),
    Sends(name="first unit, then start codes, in one packet", payloads=lambda c, nals: [stream(nals)[4:]]),
    Sends(name="a start code before each unit",
          payloads=each(lambda c, nal: [CODE + nal] if len(nal) < 1400 else fragments(c, CODE + nal))),
    Sends(name="a start code before each aggregated unit", payloads=lambda c, nals: aggregated(c, nals, CODE)),
    Sends(name="slices with start codes between them", codecs=("h264",), slices=4,
          payloads=lambda c, nals: [p for n in (*nals[:-4], stream(nals[-4:])[4:]) for p in payloads_of(c, n)]),
    *(
        Sends(name=f"signed, {behind.hex()} behind the start code", source=GORTSPLIB + "1156, ONVIF Media Signing",
              nals=lambda c, nals, behind=behind: signed(c, nals, behind))
        for behind in (b"\x15", b"\x00", b"\x21", b"\x41", b"\x67", b"\x65\x88", b"\x02\x01")
    ),
    Sends(name="signed, aggregated", nals=signed, payloads=aggregated),
    Sends(name="signed, in a byte stream", nals=signed, payloads=lambda c, nals: fragments(c, stream(nals))),
    Sends(name="delimiters", nals=delimited),
    Sends(name="filler", nals=filled),
    Sends(name="delimiters, in a byte stream", nals=delimited, payloads=lambda c, nals: fragments(c, stream(nals))),
    Sends(name="padding bit without padding", source="github.com/pion/rtp/pull/274, livekit/issues/4689",
          packet=lambda data, _: data[:4] + bytes((data[4] | 0x20,)) + data[5:]),
    Sends(name="padding", packet=padded),
    Sends(name="padding on some packets", packet=lambda data, n: padded(data, n) if n % 3 == 0 else data),
    Sends(name="header extensions", packet=extended),
    Sends(name="no markers", source="FLIR M400 (gortsplib)", marks=lambda n, last, payload: False, cut=1),
    Sends(name="marker on every packet", marks=lambda n, last, payload: True, cut=1),
    Sends(name="marker on SEI and sets too", source="moonfire-nvr/issues/352 (Ivel LV-IP22IR40DVBL)",
          marks=lambda n, last, one: n == last or one[0] & 31 in (6, 7, 8) or one[0] >> 1 & 63 in (32, 33, 34, 39)),
    Sends(name="packets of an unknown type with the same numbers", source="Geovision, payload type 50 (retina)",
          packet=lambda data, n: data + frame(b"?", n, 7, kind=50) if n % 5 == 0 else data),
    Sends(name="numbers of another source astray", source="Reolink RLC-410 (retina)",
          packet=lambda data, n: data + frame(b"\x41\x9a old", 9 + 7 * n, 7, ssrc=99) if n % 5 == 0 else data),
]  # fmt: skip

CASES = [(camera, codec) for camera in CAMERAS for codec in camera.codecs]


@pytest.mark.parametrize(("camera", "codec"), CASES, ids=lambda one: getattr(one, "name", one))
def test_every_picture_comes_out_as_it_went_in(camera: Sends, codec: str) -> None:
    frames, number, sent = [], 0, []
    for nals, ticks in film(codec, camera.slices):
        nals = camera.nals(codec, nals)
        sent.append((ticks, [nal for nal in nals if kept(codec, nal)]))
        payloads = camera.payloads(codec, nals)
        last = len(payloads) - 1
        for place, payload in enumerate(payloads):
            made = frame(payload, number, ticks, marker=camera.marks(place, last, payload))
            frames.append(camera.packet(made, number))
            number += 1
    track = make_track(codec)
    items = walked(track, frames)
    assert losses(items) == []
    got = [(unit.pts_ticks, nals_of(unit)) for unit in units(items)]
    assert got == sent[: len(sent) - camera.cut]
    assert not any(unit.damaged for unit in units(items))
    assert [unit.key for unit in units(items)] == [n % 10 == 0 for n in range(len(got))]


def kept(codec: str, nal: bytes) -> bool:
    """Parameter sets, delimiters and filler are not part of a recorded picture."""
    return is_sei(codec, nal[0]) or role_of(codec, nal) <= Role.KEY


def nals_of(unit: AccessUnit) -> Picture:
    found, at = [], 0
    while at < len(unit.data):
        size = int.from_bytes(unit.data[at : at + 4], "big")
        found.append(unit.data[at + 4 : at + 4 + size])
        at += 4 + size
    return found


@pytest.mark.parametrize("spread_ms", [0.5, 20.0, 38.0])
@pytest.mark.parametrize("codec", ["h264", "h265"])
def test_numbers_shared_with_sound_that_comes_within_pictures(codec: str, spread_ms: float) -> None:
    """Large pictures take a while to be sent, with a packet of sound every 20 ms among theirs."""
    coder = "libx264" if codec == "h264" else "libx265"
    pictures = encoded(12.0, gop=50, size=(640, 352), noise=20, codec=coder)
    cut = h264_payloads if codec == "h264" else h265_payloads
    frames, sounds = [], 0
    for number, (data, ticks, _) in enumerate(pictures):
        payloads = [piece for nal in split_annex_b(data) for piece in cut(nal, 1000)]
        for place, payload in enumerate(payloads):
            sounds = int(number * 2 + spread_ms * place / len(payloads) / 20 + 0.3)
            frames.append(frame(payload, len(frames) + sounds, ticks, marker=place == len(payloads) - 1))
    track = make_track(codec)
    got = units(walked(track, frames))
    assert track.shares_numbers
    assert len(got) >= len(pictures) // 2
    assert not any(unit.damaged for unit in got[-len(pictures) // 2 :])


def test_packets_lost_before_a_relay_are_not_taken_for_a_shared_numbering() -> None:
    """It received them over UDP, and sends on over TCP what came."""
    pictures = [(data, ticks) for data, ticks, _ in encoded(20.0, gop=50, size=(640, 352), noise=20)]
    dice, track = random.Random(3), make_track()
    frames = [one for one in frames_of(pictures, size=1000) if dice.random() > 0.03]
    walked(track, frames)
    assert track.lost_packets > 150
    assert not track.shares_numbers
