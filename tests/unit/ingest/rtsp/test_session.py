"""The conversation with careless, odd and hostile cameras."""

from __future__ import annotations

import itertools
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.access_unit import AccessUnit, Loss
from ingest.errors import CameraAwayError, CameraRefusedError, IngestError, RedirectedError, StreamError
from ingest.rtsp.session import Session, State
from ingest.rtsp.signalling.auth import Credentials
from ingest.rtsp.source import NativeSource
from ingest.sources import Sources
from tests.support.cameras.native import camera
from tests.support.cameras.rtp import frames_of, losses, units
from tests.support.cameras.streams import description_reply
from tests.support.cameras.video import encoded
from tests.support.rtsp.dialogue import SDP, SETUP_REPLY, URL, first_line, ok, playing, started

# -- Messages


@pytest.mark.parametrize(
    "reply",
    [
        b"RTSP/1.0 200 OK\r\nCSeq: 1  \r\nContent-Length:%d\r\n\r\n%s",
        b"RTSP/1.0 200 OK\ncseq:1\ncontent-length: %d\n\n%s",
        b"\r\n\r\nRTSP/1.0 200\r\nCSEQ: 1\r\nCONTENT-LENGTH: %d \r\n\r\n%s",
        b"RTSP/1.0 200 OK\r\nContent-Length: %d\r\nno colon here\r\n\r\n%s",
    ],
)
def test_careless_replies_are_understood(reply: bytes) -> None:
    session = started()
    session.outgoing()
    session.feed(reply % (len(SDP), SDP), 0)
    assert first_line(session) == "SETUP rtsp://10.0.0.2:554/live?x=1/track1 RTSP/1.0"


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"RTSP/1.0 2000 OK\r\n\r\n",
        b"RTSP/1.0 200 OK\r\nX: " + b"y" * 20000,
        b"RTSP/1.0 200 OK\r\nContent-Length: 64000000\r\n\r\n",
        b"RTSP/1.0 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"RTSP/1.0 200 OK\r\nContent-Length: \xc2\xb2\r\n\r\n",
    ],
)
def test_what_is_no_message_ends_the_session(data: bytes) -> None:
    with pytest.raises(StreamError):
        started().feed(data, 0)


@pytest.mark.parametrize("sdp", [b"v=0\r\n", b"m=video 0 RTP/AVP 96\r\n" * 17, b"", b"v=0\r\nm=\r\n"])
def test_description_without_sense_is_refused(sdp: bytes) -> None:
    with pytest.raises(StreamError):
        started().feed(description_reply(sdp, 1), 0)


def test_reply_without_number_answers_the_only_request() -> None:
    session = started()
    session.feed(description_reply(SDP, 1).replace(b"CSeq: 1\r\n", b""), 0)
    assert "SETUP" in session.outgoing().decode()


def test_reply_to_nothing_is_passed_over() -> None:
    session = started()
    session.feed(ok(77), 0)
    assert session.counts.unasked == 1


def test_request_of_the_camera_is_answered() -> None:
    session = playing()
    session.feed(b"OPTIONS * RTSP/1.0\r\nCSeq: 9\r\n\r\n", 0)
    assert session.outgoing() == b"RTSP/1.0 200 OK\r\nCSeq: 9\r\n\r\n"


# -- Addresses


@pytest.mark.parametrize(
    ("header", "control", "expected"),
    [
        ("", "track1", "rtsp://10.0.0.2:554/live?x=1/track1"),
        ("Content-Base: ", "track1", "rtsp://10.0.0.2:554/live?x=1/track1"),
        ("Content-Base: rtsp://10.0.0.2/a/", "track1", "rtsp://10.0.0.2:554/a/track1"),
        ("Content-Base: rtsp://evil.example/a/", "track1", "rtsp://10.0.0.2:554/a/track1"),
        ("Content-Base: 10.0.0.2/a/", "track1", "rtsp://10.0.0.2:554/a/track1"),
        ("Content-Base: /a/", "track1", "rtsp://10.0.0.2:554/a/track1"),
        ("Content-Location: rtsp://10.0.0.2:554/b", "track1", "rtsp://10.0.0.2:554/b/track1"),
        ("", "rtsp://10.0.0.2:554/abs?t=1", "rtsp://10.0.0.2:554/abs?t=1"),
        ("", "rtsp://evil.example:1/abs", "rtsp://10.0.0.2:554/abs"),
        ("", "*", "rtsp://10.0.0.2:554/live?x=1"),
        ("", "track 1\xe9", "rtsp://10.0.0.2:554/live?x=1/track%201%C3%A9"),
        ("", "t\x00\x0bX: y", "rtsp://10.0.0.2:554/live?x=1/t%00%0BX:%20y"),
    ],
)
def test_track_address_never_names_another_host(header: str, control: str, expected: str) -> None:
    session = started()
    session.outgoing()
    sdp = SDP.replace(b"track1", control.encode())
    session.feed(description_reply(sdp, 1, *([header] if header else [])), 0)
    assert first_line(session) == f"SETUP {expected} RTSP/1.0"


@pytest.mark.parametrize("url", ["rtsp://evil.example/x", "rtsp://10.0.0.3/x", "", "nonsense", "rtsp://[bad/"])
def test_redirect_to_another_host_is_refused(url: str) -> None:
    with pytest.raises(CameraRefusedError, match="another host"):
        started().feed(ok(1, f"Location: {url}\r\n", "302 Moved"), 0)


@pytest.mark.parametrize("url", ["rtsp://10.0.0.2:8554/new", "rtsp://Entrance/new"])
def test_redirect_on_the_same_host_is_told(url: str) -> None:
    with pytest.raises(RedirectedError) as caught:
        started().feed(ok(1, f"Location: {url}\r\n", "301 Moved"), 0)
    assert caught.value.url == url


def test_back_channel_and_metadata_are_not_set_up() -> None:
    back = b"m=audio 0 RTP/AVP 0\r\na=sendonly\r\na=control:back\r\nm=application 0 RTP/AVP 107\r\na=control:meta\r\n"
    session = started()
    session.feed(description_reply(SDP + back, 1) + ok(2, SETUP_REPLY.format("0-1")) + ok(3), 0)
    assert session.outgoing().count(b"SETUP") == 1


def test_description_in_any_order_without_origin() -> None:
    sdp = b"m=video 0 RTP/AVP 96\na=control:t\na=rtpmap:96 h264/90000\nm=audio 0 RTP/AVP 0\nb=AS:1\n"
    session = started()
    session.outgoing()
    session.feed(description_reply(sdp, 1), 0)
    assert "/t RTSP/1.0" in first_line(session)


@pytest.mark.parametrize(
    ("line", "match"),
    [
        (b"a=rtpmap:96 JPEG/90000", "JPEG"),
        (b"a=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=2", "interleaved"),
        (b"a=rtpmap:96 H265/90000\r\na=fmtp:96 sprop-max-don-diff=2", "DONL"),
    ],
)
def test_what_is_not_recorded_is_refused_clearly(line: bytes, match: str) -> None:
    with pytest.raises(StreamError, match=match):
        started().feed(description_reply(b"v=0\r\nm=video 0 RTP/AVP 96\r\n" + line + b"\r\n", 1), 0)


# -- Who asks


@pytest.mark.parametrize(
    ("status", "error"),
    [
        ("403 Forbidden", CameraRefusedError),
        ("404 Not Found", CameraRefusedError),
        ("453 Not Enough Bandwidth", CameraAwayError),
        ("461 Unsupported Transport", StreamError),
        ("503 Busy", CameraAwayError),
        ("400 Bad Request", StreamError),
    ],
)
def test_refusals(status: str, error: type[IngestError]) -> None:
    with pytest.raises(error):
        started().feed(ok(1, "", status), 0)


# -- Setting up and playing


@pytest.mark.parametrize(
    ("transport", "channel"),
    [
        ("RTP/AVP/TCP;unicast;interleaved=0-1;ssrc= 4cacc3d1", 0),
        ("RTP/AVP/TCP;unicast", 0),
        ("", 0),
        ("RTP/AVP/TCP;interleaved=4-5", 4),
        ("RTP/AVP/TCP; Interleaved = 6", 6),
    ],
)
def test_transport_replies(transport: str, channel: int) -> None:
    session = started()
    session.feed(description_reply(SDP, 1) + ok(2, f"Transport: {transport}\r\nSession: 1\r\n"), 0)
    assert session.channel == channel


CODED = [(data, pts) for data, pts, _ in encoded(0.8, gop=6)]


def test_frames_before_the_reply_to_play_count() -> None:
    session = started()
    frames = frames_of(CODED, size=300)
    session.feed(description_reply(SDP, 1) + ok(2, SETUP_REPLY.format("0-1")) + b"".join(frames[:9]), 0)
    assert session.state is State.STARTING
    session.feed(ok(3) + b"".join(frames[9:]), 0)
    assert session.state is State.PLAYING
    assert len(units(session.items)) == len(CODED)


def test_unknown_channels_are_passed_over() -> None:
    session = playing()
    stray = b"$\x07\x00\x04abcd"
    session.feed(b"".join(stray + item for item in frames_of(CODED)), 0)
    assert len(units(session.items)) == len(CODED)
    assert session.counts.unasked == len(frames_of(CODED))


def test_replies_between_frames() -> None:
    session = playing("4-5")
    session.keep_alive()
    frames = frames_of(CODED, channel=4)
    session.feed(frames[0] + ok(4) + b"".join(frames[1:]), 0)
    assert len(units(session.items)) == len(CODED)


def test_sender_report_tells_the_cameras_clock() -> None:
    session = playing()
    ntp = (1_790_000_000 + 2_208_988_800) << 32 | 1 << 31
    report = b"\x80\xc8\x00\x06" + bytes(4) + ntp.to_bytes(8, "big") + bytes(12)
    session.feed(b"$\x01" + len(report).to_bytes(2, "big") + report, 42)
    assert session.clock == (1_790_000_000_500_000_000, 42)
    session.feed(b"$\x01\x00\x02\x80\xc8", 43)
    assert session.clock == (1_790_000_000_500_000_000, 42)


def test_session_name_cannot_add_lines() -> None:
    session = started()
    session.feed(description_reply(SDP, 1), 0)
    session.outgoing()
    session.feed(b"RTSP/1.0 200 OK\nCSeq: 2\nSession: a\rX-Evil: 1\nTransport: RTP/AVP/TCP;interleaved=0-1\n\n", 0)
    assert not re.search(r"[\r\n]X-Evil", session.outgoing().decode())


def test_address_with_odd_characters_makes_one_line() -> None:
    session = started("rtsp://10.0.0.2:554/a b\u00e4?q=\x7f")
    assert first_line(session) == "DESCRIBE rtsp://10.0.0.2:554/a%20b%C3%A4?q=%7F RTSP/1.0"


def test_redirect_in_mid_session_is_told_with_the_cameras_name() -> None:
    session = playing()
    session.keep_alive()
    with pytest.raises(RedirectedError) as caught:
        session.feed(ok(4, "Location: rtsp://10.0.0.2/b\r\n", "302 Moved"), 0)
    source = Sources().make(camera("rtsp://gym:secret@10.0.0.2/live?token=1"))
    assert isinstance(source, NativeSource)
    named = source._named(caught.value)
    assert isinstance(named, CameraAwayError)
    assert "rtsp://10.0.0.2/live " in named.what
    assert "secret" not in str(named)


# -- Any bytes


WHOLE = (
    description_reply(SDP, 1)
    + ok(2, SETUP_REPLY.format("2-3"))
    + b"$\x00\x00\x01x"
    + ok(3)
    + b"".join(frames_of(CODED[:8], size=300, channel=2))
    + b"\r\n"
    + ok(9)
    + b"".join(frames_of(CODED[9:], size=300, channel=2, sequence=5000))
)


def events(pieces: list[bytes]) -> tuple[list[AccessUnit | Loss], bytes, bytes, int]:
    session = started()
    for piece in pieces:
        session.feed(piece, 0)
    return session.items, session.outgoing(), session.kept, session.counts.unasked


@settings(max_examples=60, deadline=None)
@given(st.sets(st.integers(0, len(WHOLE)), max_size=20))
def test_any_split_gives_the_same(cuts: set[int]) -> None:
    places = [0, *sorted(cuts), len(WHOLE)]
    items, *rest = events([WHOLE])
    assert len(units(items)) > 8
    assert len(losses(items)) == 1
    assert events([WHOLE[begin:end] for begin, end in itertools.pairwise(places)]) == (items, *rest)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.one_of(st.binary(max_size=200), st.sampled_from([WHOLE[:300], WHOLE[300:600], ok(2), ok(3)])), max_size=6
    )
)
def test_any_bytes_end_in_our_own_error_at_worst(pieces: list[bytes]) -> None:
    session = started()
    try:
        for piece in pieces:
            session.feed(piece, 0)
    except IngestError:
        return
    assert len(session.kept) < 100_000


# -- Sound

WITH_SOUND = SDP + (
    b"m=audio 0 RTP/AVP 97\r\na=rtpmap:97 mpeg4-generic/48000/1\r\na=control:track2\r\n"
    b"a=fmtp:97 mode=AAC-hbr;sizelength=13;indexlength=3;indexdeltalength=3;config=1188\r\n"
)
SOUND_PACKET = b"\x80\xe1\x00\x01\x00\x00\x04\x00ssrc\x00\x10\x00\x18abc"


def hearing(reply: bytes) -> Session:
    """Asked for sound; the camera answers its SETUP so."""
    session = Session(URL, ("10.0.0.2",), Credentials("", ""), audio=True)
    session.start()
    session.feed(description_reply(WITH_SOUND, 1) + ok(2, SETUP_REPLY.format("0-1")), 0)
    asked = session.outgoing().decode()
    assert "SETUP rtsp://10.0.0.2:554/live?x=1/track2 RTSP/1.0" in asked
    assert "interleaved=2-3" in asked
    session.feed(reply, 0)
    assert first_line(session).startswith("PLAY")
    session.feed(ok(4), 0)
    assert session.state is State.PLAYING
    return session


def test_sound_is_not_asked_for_by_default() -> None:
    session = playing(sdp=WITH_SOUND)
    session.feed(b"$\x02" + len(SOUND_PACKET).to_bytes(2, "big") + SOUND_PACKET, 1)
    assert (session.sound, session.take_sounds(), session.counts.unasked) == (None, [], 1)


def test_sound_comes_on_the_channel_that_the_camera_names() -> None:
    session = hearing(ok(3, SETUP_REPLY.format("6-7")))
    session.feed(b"$\x06" + len(SOUND_PACKET).to_bytes(2, "big") + SOUND_PACKET, 1)
    assert [sound.data for sound in session.take_sounds()] == [b"abc"]
    assert session.sound is not None
    assert session.sound.rate_hz == 48_000


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (ok(3, status="461 Unsupported Transport"), "461"),
        (ok(3, status="500 Internal Server Error"), "500"),
        (ok(3, "Session: abc\r\nTransport: RTP/AVP;unicast;client_port=1-2\r\n"), "UDP"),
    ],
)
def test_sound_that_is_refused_never_stops_the_pictures(reply: bytes, words: str) -> None:
    session = hearing(reply)
    assert session.sound is None
    assert words in session.sound_note


@pytest.mark.parametrize("control", [b"a=control:track1\r\n", b""])
def test_sound_without_an_address_of_its_own_never_stops_the_pictures(control: bytes) -> None:
    session = Session(URL, ("10.0.0.2",), Credentials("", ""), audio=True)
    session.start()
    sdp = WITH_SOUND.replace(b"a=control:track2\r\n", control)
    if not control:
        sdp = sdp.replace(b"a=control:track1\r\n", b"")
    session.feed(description_reply(sdp, 1) + ok(2, SETUP_REPLY.format("0-1")) + ok(3), 0)
    assert session.state is State.PLAYING
    assert "address of its own" in session.sound_note


def test_sender_reports_put_sound_and_pictures_on_one_clock() -> None:
    session = hearing(ok(3, SETUP_REPLY.format("2-3")))

    def report(channel: int, seconds: int, clock: int) -> bytes:
        body = b"\x80\xc8\x00\x06ssrc" + (2_208_988_800 + seconds).to_bytes(4, "big") + bytes(4)
        body += clock.to_bytes(4, "big") + bytes(8)
        return b"$" + bytes((channel,)) + len(body).to_bytes(2, "big") + body

    picture = b"\x80\xe0\x00\x01" + (900_000).to_bytes(4, "big") + b"ssrc\x65abcdef"
    session.feed(b"$\x00" + len(picture).to_bytes(2, "big") + picture, 1)
    framed = b"$\x02" + len(SOUND_PACKET).to_bytes(2, "big") + SOUND_PACKET
    session.feed(framed + report(1, 1000, 900_000) + report(3, 1002, 0x400 + 48_000), 1)
    session.feed(framed.replace(b"\x00\x01\x00\x00", b"\x00\x02\x00\x00"), 1)
    first, second = session.take_sounds()
    assert first.lead_ticks is None
    # Sound of one second after its first packet is two seconds after the picture: its first, one second after it.
    assert second.lead_ticks is not None
    assert second.pts_ticks + second.lead_ticks == 900_000 + 90_000


@pytest.mark.parametrize(
    ("play", "interval_s"), [("Session: abc\r\n", 10), ("", 10), ("Session: abc;timeout=40\r\n", 20)]
)
def test_the_session_timeout_of_setup_holds_where_play_tells_none(play: str, interval_s: int) -> None:
    session = started()
    setup = "Session: abc;timeout=20\r\nTransport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n"
    session.feed(description_reply(SDP, 1) + ok(2, setup) + ok(3, play), 0)
    assert session.state is State.PLAYING
    assert session.keep_alive_s == interval_s
