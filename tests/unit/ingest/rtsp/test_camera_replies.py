"""Replies as cameras write them, in this project's own words: bases, controls, sessions, parameter sets.

What real cameras were recorded to say, test_recorded_cameras.py reads where it is at hand.
"""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass

import pytest

from ingest.access_unit import AccessUnit, Loss
from ingest.errors import StreamError
from ingest.rtsp.session import Session, State
from ingest.rtsp.signalling import sdp
from ingest.rtsp.signalling.auth import Credentials
from ingest.rtsp.signalling.messages import SessionHeader, TransportHeader, read_message
from ingest.video import h264, h265
from tests.support.cameras.rtp import frame, frames_of
from tests.support.cameras.video import h264_sps, h265_sps

PPS_H264 = b"\x68\xee\x3c\x80"
VPS_H265, PPS_H265 = b"\x40\x01\x0c\x01\xff\xff\x01\x60", b"\x44\x01\xc1\x73\xd1\x89"
SOUND = "m=audio 0 RTP/AVP 97\na=rtpmap:97 MPEG4-GENERIC/{rate}\na=fmtp:{of} streamtype=5;mode=AAC-hbr;config={config}"
SOUND += ";SizeLength=13;IndexLength=3;IndexDeltaLength=3"


def sets_h264(profile: str, size: tuple[int, int], behind: bytes = b"") -> str:
    return ",".join(b64encode(nal + behind).decode() for nal in (h264_sps(profile, size), PPS_H264))


def fmtp_h265(general: str, size: tuple[int, int]) -> str:
    named = (("vps", VPS_H265), ("sps", h265_sps(bytes.fromhex(general), size)), ("pps", PPS_H265))
    return ";".join(f"sprop-{name}={b64encode(nal).decode()}" for name, nal in named)


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """A reply to DESCRIBE, and what it means. ``base``: its Content-Base, if it has one."""

    what: str
    url: str  # asked for
    lines: str
    base: str = ""
    tracks: tuple[tuple[str, str], ...]
    track_url: str
    aggregate_url: str
    payload_type: int = 96
    size: tuple[int, int]
    mime: str

    def reply(self, cseq: int) -> bytes:
        body = ("v=0\n" + self.lines + "\n").replace("\n", "\r\n")
        head = f"RTSP/1.0 200 OK\r\nCSeq: {cseq}\r\nContent-Type: application/sdp\r\nContent-Length: {len(body)}\r\n"
        return (head + (f"Content-Base: {self.base}\r\n" if self.base else "") + "\r\n" + body).encode()


VIDEO = ("video", "H264")
DESCRIPTIONS = [
    Described(
        what="a relative control without a base",
        url="rtsp://192.0.2.2:554/live",
        lines="a=control:*\nm=video 0 RTP/AVP 96\na=control:trackID=1\na=rtpmap:96 H264/90000\n"
        f"a=fmtp:96 packetization-mode=1;sprop-parameter-sets={sets_h264('4d401f', (704, 576))}\n"
        + SOUND.format(rate=16000, of=104, config=1408),
        tracks=(VIDEO, ("audio", "MPEG4-GENERIC")),
        track_url="rtsp://192.0.2.2:554/live/trackID=1",
        aggregate_url="rtsp://192.0.2.2:554/live",
        size=(704, 576),
        mime="avc1.4d401f",
    ),
    Described(
        what="sound first, and a base that ends with a slash",
        url="rtsp://192.0.2.3:554/vod/film.mov",
        base="rtsp://192.0.2.3:554/vod/film.mov/",
        lines=SOUND.format(rate="12000/2", of=97, config=1490)
        + "\na=control:trackID=1\nm=video 0 RTP/AVP 98\na=rtpmap:98 H264/90000\n"
        f"a=fmtp:98 sprop-parameter-sets={sets_h264('42c01e', (240, 160))};packetization-mode=1\na=control:trackID=2",
        tracks=(("audio", "MPEG4-GENERIC"), VIDEO),
        track_url="rtsp://192.0.2.3:554/vod/film.mov/trackID=2",
        aggregate_url="rtsp://192.0.2.3:554/vod/film.mov/",
        payload_type=98,
        size=(240, 160),
        mime="avc1.42c01e",
    ),
    Described(
        what="a question in the base, and metadata",
        url="rtsp://192.0.2.4:554/cam?channel=1&subtype=1",
        base="rtsp://192.0.2.4:554/cam?channel=1&subtype=1/",
        lines="a=control:*\nm=video 0 RTP/AVP 96\na=control:trackID=0\na=rtpmap:96 H264/90000\n"
        f"a=fmtp:96 sprop-parameter-sets={sets_h264('64001e', (704, 480))}\n"
        + SOUND.format(rate=48000, of=97, config=1188)
        + "\nm=application 0 RTP/AVP 107\na=rtpmap:107 vnd.onvif.metadata/90000",
        tracks=(VIDEO, ("audio", "MPEG4-GENERIC"), ("application", "VND.ONVIF.METADATA")),
        track_url="rtsp://192.0.2.4:554/cam?channel=1&subtype=1/trackID=0",
        aggregate_url="rtsp://192.0.2.4:554/cam?channel=1&subtype=1/",
        size=(704, 480),
        mime="avc1.64001e",
    ),
    Described(
        what="H.265, and a base on a host of its own",
        url="rtsp://192.0.2.5:554/cam?channel=1",
        base="rtsp://cam-yard/cam?channel=1/",
        lines="a=control:*\nm=video 0 RTP/AVP 99\na=control:trackID=0\na=rtpmap:99 H265/90000\n"
        f"a=fmtp:99 profile-id=1;{fmtp_h265('0160000000b000000000005a', (704, 480))}\n"
        "m=audio 0 RTP/AVP 8\na=rtpmap:8 PCMA/8000",
        tracks=(("video", "H265"), ("audio", "PCMA")),
        track_url="rtsp://192.0.2.5:554/cam?channel=1/trackID=0",
        aggregate_url="rtsp://192.0.2.5:554/cam?channel=1/",
        payload_type=99,
        size=(704, 480),
        mime="hvc1.1.6.L90.b0",
    ),
    Described(
        what="start codes behind parameter sets, a profile that is none",
        url="rtsp://192.0.2.6:5050/H264?channel=1",
        lines="a=control:*\nm=video 0 RTP/AVP 96\na=rtpmap:96 H264/90000\na=control:video\na=fmtp:96 "
        "profile-level-id=5046314;"
        f"sprop-parameter-sets={sets_h264('4d002a', (1920, 1080), bytes.fromhex('00000001'))}\n"
        "m=audio 0 RTP/AVP 0\na=rtpmap:0 PCMU/8000/1",
        tracks=(VIDEO, ("audio", "PCMU")),
        track_url="rtsp://192.0.2.6:5050/H264?channel=1/video",
        aggregate_url="rtsp://192.0.2.6:5050/H264?channel=1",
        size=(1920, 1080),
        mime="avc1.4d002a",
    ),
    Described(
        what="whole URLs as controls, and a profile that is not that of the pictures",
        url="rtsp://192.0.2.7:554/Channels/101/",
        base="rtsp://192.0.2.7:554/Channels/101/",
        lines="a=control:rtsp://192.0.2.7:554/Channels/101/?mode=unicast\nm=video 0 RTP/AVP 96\n"
        "a=control:rtsp://192.0.2.7:554/Channels/101/trackID=1?mode=unicast\na=rtpmap:96 H264/90000\n"
        f"a=fmtp:96 profile-level-id=420029; sprop-parameter-sets={sets_h264('4d0029', (1280, 960))}",
        tracks=(VIDEO,),
        track_url="rtsp://192.0.2.7:554/Channels/101/trackID=1?mode=unicast",
        aggregate_url="rtsp://192.0.2.7:554/Channels/101/?mode=unicast",
        size=(1280, 960),
        mime="avc1.4d0029",
    ),
    Described(
        what="no control of the whole, and a kind of media of its own",
        url="rtsp://192.0.2.8:554/stream1",
        lines="m=video 0 RTP/AVP 96\na=control:track1\na=rtpmap:96 H265/90000\n"
        f"a=fmtp:96 {fmtp_h265('016000000000000000000096', (2560, 1440))}\n"
        "m=audio 0 RTP/AVP 8\na=rtpmap:8 PCMA/8000\nm=application/ACME 0 RTP/AVP smart/1/90000\na=rtpmap:95 ACME/90000",
        tracks=(("video", "H265"), ("audio", "PCMA"), ("application/acme", "")),
        track_url="rtsp://192.0.2.8:554/stream1/track1",
        aggregate_url="rtsp://192.0.2.8:554/stream1",
        size=(2560, 1440),
        mime="hvc1.1.6.L150",
    ),
]
BY_WHAT = {item.what: item for item in DESCRIPTIONS}
PLAIN = DESCRIPTIONS[5]


def asked(session: Session) -> list[str]:
    return session.outgoing().decode().splitlines()


def described(meant: Described, *, audio: bool = False) -> tuple[Session, list[str]]:
    """A session that got this description, and the SETUP it then asks for."""
    session = Session(meant.url, (), Credentials("", ""), audio=audio)
    session.start()
    assert asked(session)[:2] == [f"DESCRIBE {meant.url} RTSP/1.0", "CSeq: 1"]
    session.feed(meant.reply(1), 0)
    return session, asked(session)


def reply(cseq: int, *headers: str) -> bytes:
    return "\r\n".join(["RTSP/1.0 200 OK", f"CSeq: {cseq}", *headers, "", ""]).encode()


@pytest.mark.parametrize("meant", DESCRIPTIONS, ids=lambda meant: meant.what)
def test_description_is_understood(meant: Described) -> None:
    session, setup = described(meant)
    media = sdp.parse(meant.reply(1).partition(b"\r\n\r\n")[2]).media
    assert tuple((item.kind, item.encoding) for item in media) == meant.tracks
    assert setup[0] == f"SETUP {meant.track_url} RTSP/1.0"
    assert "Transport: RTP/AVP/TCP;unicast;interleaved=0-1" in setup
    assert session.aggregate_url == meant.aggregate_url
    assert session.media is not None
    assert session.media.payload_type == meant.payload_type
    parameters = session.media.parameters()
    assert parameters is not None
    parsed = (h264 if session.media.codec == "h264" else h265).parse_sps(parameters.sps)
    assert ((parsed.width, parsed.height), parsed.mime) == (meant.size, meant.mime)


TCP = "Transport: RTP/AVP/TCP;unicast;"


@pytest.mark.parametrize(
    ("headers", "name"),
    [
        (("Cache-Control: no-cache", TCP + "interleaved=0-1", "Session: 1642;timeout=60"), "1642"),
        ((TCP + "destination=192.0.2.1;source=192.0.2.6;interleaved=0-1", "Session: 9a90; timeout=60"), "9a90"),
        (("Session:        7083;timeout=60", TCP + 'interleaved=0-1;ssrc=4cacc3d1;mode="play"'), "7083"),
        (("Transport: RTP/AVP/TCP;ssrc=22345684;interleaved=0-1", "Session: 12345678"), "12345678"),
        (("session: F8F8", "transport: RTP/AVP/TCP;unicast;interleaved=0-1"), "F8F8"),
    ],
)
def test_setup_is_followed_by_play_in_its_session(headers: tuple[str, ...], name: str) -> None:
    session, _ = described(PLAIN)
    session.feed(reply(2, *headers), 0)
    play = asked(session)
    assert play[0] == f"PLAY {PLAIN.aggregate_url} RTSP/1.0"
    assert f"Session: {name}" in play
    assert (session.channel, session.keep_alive_s) == (0, 30)
    session.feed(b"RTSP/1.0 200 OK\r\nCSeq: 3\r\n\r\n", 0)
    assert session.state is State.PLAYING


def test_setup_names_channels_and_session() -> None:
    data = reply(3, TCP + "destination=192.0.2.1;interleaved=2-3", "Session: 9a90; timeout=61")
    message, _ = read_message(memoryview(data), 0, len(data))
    assert message is not None
    assert TransportHeader.parse(message.header("transport")) == TransportHeader(True, 2)
    assert SessionHeader.parse(message.header("session")) == SessionHeader("9a90", 61)


def test_setup_answered_with_udp_is_refused_where_udp_is_not_spoken() -> None:
    session, _ = described(PLAIN)
    with pytest.raises(StreamError, match="UDP"):
        session.feed(reply(2, "Transport: RTP/AVP;unicast;client_port=18714-18715;server_port=40004-40005"), 0)


@pytest.mark.parametrize(
    ("headers", "name", "keep_alive_s"),
    [
        (("RTP-Info: url=trackID=1;seq=1;rtptime=-1", "Session: 5510;timeout=60"), "5510", 30),
        (
            ("Range: npt=0.000-", "Session: 9a90; timeout=120", "RTP-Info: url=rtsp://192.0.2.6/video;seq=271"),
            "9a90",
            60,
        ),
        (("Session: 2319", "Range: npt=now-"), "2319", 30),
        (("Session:        7083", "RTP-Info: url=x;seq=16852;ssrc=dcc4,url=y;seq=39409"), "7083", 30),
        ((), "1", 30),
    ],
)
def test_play_may_name_another_session_and_what_it_says_of_rtp_does_not_matter(
    headers: tuple[str, ...], name: str, keep_alive_s: float
) -> None:
    session, _ = described(PLAIN)
    session.feed(reply(2, TCP + "interleaved=0-1", "Session: 1"), 0)
    asked(session)
    session.feed(reply(3, *headers), 0)
    assert session.state is State.PLAYING
    assert session.keep_alive_s == keep_alive_s
    session.keep_alive()
    assert f"Session: {name}" in asked(session)


def test_options_and_teardown_are_replies_like_others() -> None:
    session, _ = described(PLAIN)
    session.feed(reply(2, TCP + "interleaved=0-1", "Session: 1") + reply(3, "Session: 1"), 0)
    asked(session)
    session.keep_alive()
    assert asked(session)[0].startswith("OPTIONS ")
    session.feed(reply(4, "Session: 1", "Public: OPTIONS, DESCRIBE, SETUP, PLAY, GET_PARAMETER"), 0)
    session.keep_alive()
    assert asked(session)[0].startswith("GET_PARAMETER ")
    session.feed(b"RTSP/1.0 451 Not understood\r\nCSeq: 5\r\n\r\n", 0)
    session.leave()
    assert asked(session)[0].startswith(f"TEARDOWN {PLAIN.aggregate_url}")
    assert session.state is State.LEAVING
    session.feed(reply(6, "Date: Thu, Dec 30 2021 03:21:51 GMT"), 0)
    assert session.state is State.ENDED


@pytest.mark.parametrize(
    ("what", "rate", "channels"),
    [("sound first, and a base that ends with a slash", 12000, 2), ("a question in the base, and metadata", 48000, 1)],
)
def test_aac_is_understood(what: str, rate: int, channels: int) -> None:
    microphone = sdp.parse(BY_WHAT[what].reply(1).partition(b"\r\n\r\n")[2]).audio()
    assert microphone is not None
    assert (microphone.sound().rate_hz, microphone.sound().channels) == (rate, channels)


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("a relative control without a base", "not sent in mode AAC-hbr"),  # its fmtp is of another payload type
        ("start codes behind parameter sets, a profile that is none", "PCMU"),
        ("no control of the whole, and a kind of media of its own", "PCMA"),
        ("whole URLs as controls, and a profile that is not that of the pictures", "no sound"),
    ],
)
def test_sound_that_cannot_be_kept_is_named_and_not_set_up(what: str, words: str) -> None:
    session, _ = described(BY_WHAT[what], audio=True)
    session.feed(reply(2, TCP + "interleaved=0-1"), 0)
    assert words in session.sound_note
    assert session.outgoing().decode().count("SETUP") == 0


def received(data: bytes, size: int) -> list[AccessUnit | Loss]:
    session, _ = described(PLAIN)
    session.feed(reply(2, TCP + "interleaved=2-3", "Session: 1") + reply(3, "Session: 1"), 0)
    items: list[AccessUnit | Loss] = []
    for at in range(0, len(data), size):
        session.feed(data[at : at + size], 0)
        items += session.take()
    assert session.kept == b""
    return items


@pytest.mark.parametrize("size", [1, 7, 1000, 65_536])
def test_stream_is_the_same_however_it_is_cut(size: int) -> None:
    """Between its frames: those of a channel that was not set up, and replies."""
    key = b"\x65\x88" + bytes(range(1, 256)) * 20
    nals = [
        [h264_sps("4d0029", (1280, 960)), PPS_H264, key],
        *[[b"\x41\x9a" + bytes([n + 1]) * 300] for n in range(30)],
    ]
    pictures = [(b"".join(b"\0\0\0\1" + nal for nal in each), 3600 * n) for n, each in enumerate(nals)]
    frames = frames_of(pictures, channel=2)
    data = bytearray()
    for n, one in enumerate(frames):
        data += one
        if n % 5 == 0:
            data += frame(bytes(80), n, 0, channel=0, kind=107)
    items = received(bytes(data), size)
    assert not [item for item in items if isinstance(item, Loss)]
    assert len(items) >= 30
    assert items == received(bytes(data), len(data))
