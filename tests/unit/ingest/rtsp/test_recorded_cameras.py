"""What each recorded reply means: tracks, URLs, codec parameters, transport."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import av
import pytest

from ingest.access_unit import AccessUnit, Loss
from ingest.errors import StreamError
from ingest.rtp.track import Track
from ingest.rtsp.session import Session, State
from ingest.rtsp.signalling import sdp
from ingest.rtsp.signalling.auth import Credentials
from ingest.rtsp.signalling.messages import SessionHeader, TransportHeader, read_message
from ingest.video import h264, h265
from tests.support.cameras.streams import description_reply, recorded, reply_to

pytestmark = pytest.mark.usefixtures("both_scans")


@dataclass(frozen=True)
class Meant:
    file: str
    url: str  # asked for
    tracks: tuple[tuple[str, str], ...]  # kind, encoding
    track_url: str
    aggregate_url: str
    payload_type: int
    size: tuple[int, int]
    mime: str


HIK = "rtsp://192.168.5.106:554/Streaming/Channels/101/"
CAMERAS = [
    Meant(
        "anpviz_sdp.txt",
        "rtsp://10.0.0.2:554/live",
        (("video", "H264"), ("audio", "MPEG4-GENERIC")),
        "rtsp://10.0.0.2:554/live/trackID=1",
        "rtsp://10.0.0.2:554/live",
        96,
        (704, 576),
        "avc1.4d401f",
    ),
    Meant(
        "bunny_describe.txt",
        "rtsp://wowzaec2demo.streamlock.net:554/vod/mp4:BigBuckBunny_115k.mov",
        (("audio", "MPEG4-GENERIC"), ("video", "H264")),
        "rtsp://wowzaec2demo.streamlock.net:554/vod/mp4:BigBuckBunny_115k.mov/trackID=2",
        "rtsp://wowzaec2demo.streamlock.net:554/vod/mp4:BigBuckBunny_115k.mov/",
        97,
        (240, 160),
        "avc1.42c01e",
    ),
    Meant(
        "dahua_describe_h264_aac_onvif.txt",
        "rtsp://192.168.5.111:554/cam/realmonitor?channel=1&subtype=1&unicast=true&proto=Onvif",
        (("video", "H264"), ("audio", "MPEG4-GENERIC"), ("application", "VND.ONVIF.METADATA")),
        "rtsp://192.168.5.111:554/cam/realmonitor?channel=1&subtype=1&unicast=true&proto=Onvif/trackID=0",
        "rtsp://192.168.5.111:554/cam/realmonitor?channel=1&subtype=1&unicast=true&proto=Onvif/",
        96,
        (704, 480),
        "avc1.64001e",
    ),
    Meant(
        "dahua_describe_h265_pcma.txt",
        "rtsp://10.0.0.3:554/cam/realmonitor?channel=1&subtype=2",
        (("video", "H265"), ("audio", "PCMA")),
        "rtsp://10.0.0.3:554/cam/realmonitor?channel=1&subtype=2/trackID=0",  # not on the host "cam-driveway"
        "rtsp://10.0.0.3:554/cam/realmonitor?channel=1&subtype=2/",
        98,
        (704, 480),
        "hvc1.1.6.L90.b0",
    ),
    Meant(
        "foscam_describe.txt",
        "rtsp://192.168.5.107:65534/videoMain",
        (("video", "H264"), ("audio", "PCMU")),
        "rtsp://192.168.5.107:65534/videoMain/track1",
        "rtsp://192.168.5.107:65534/videoMain/",
        96,
        (1280, 720),
        "avc1.4d001f",
    ),
    Meant(
        "gw_main_describe.txt",  # start codes behind its parameter sets, a wrong profile-level-id
        "rtsp://192.168.1.110:5050/H264?channel=1&subtype=0&unicast=true&proto=Onvif",
        (("video", "H264"), ("audio", "PCMU")),
        "rtsp://192.168.1.110:5050/H264?channel=1&subtype=0&unicast=true&proto=Onvif/video",
        "rtsp://192.168.1.110:5050/H264?channel=1&subtype=0&unicast=true&proto=Onvif",
        96,
        (1920, 1080),
        "avc1.4d002a",
    ),
    Meant(
        "h264dvr_describe.txt",
        "rtsp://10.0.0.4:554/camera",
        (("video", "H264"), ("audio", "PCMA")),
        "rtsp://10.0.0.4:554/camera/trackID=3",
        "rtsp://10.0.0.4:554/camera",
        96,
        (1920, 1080),
        "avc1.420029",
    ),
    Meant(
        "hikvision_describe.txt",
        HIK,
        (("video", "H264"), ("application", "VND.ONVIF.METADATA")),
        HIK + "trackID=1?transportmode=unicast&profile=Profile_1",
        HIK + "?transportmode=unicast&profile=Profile_1",
        96,
        (1920, 1080),
        "avc1.4d0029",  # its profile-level-id says otherwise
    ),
    Meant(
        "ipcam_describe.txt",
        "rtsp://10.0.0.5:554/",
        (("video", "H264"),),
        "rtsp://10.0.0.5:554/trackID=1",
        "rtsp://10.0.0.5:554/",
        96,
        (1280, 960),
        "avc1.4d0020",
    ),
    Meant(
        "reolink_describe.txt",
        "rtsp://192.168.5.206:554/h264Preview_01_main",
        (("video", "H264"), ("audio", "MPEG4-GENERIC")),
        "rtsp://192.168.5.206:554/h264Preview_01_main/trackID=1",
        "rtsp://192.168.5.206:554/h264Preview_01_main/",
        96,
        (2560, 1440),
        "avc1.640033",
    ),
    Meant(
        "tplink_sdp.txt",  # no session-level control, a media line of its own kind
        "rtsp://192.168.2.29:554/stream1",
        (("video", "H265"), ("audio", "PCMA"), ("application/tp-link", "")),
        "rtsp://192.168.2.29:554/stream1/track1",
        "rtsp://192.168.2.29:554/stream1",
        96,
        (2560, 1440),
        "hvc1.1.6.L150",
    ),
]


def asked(session: Session) -> list[str]:
    return session.outgoing().decode().splitlines()


def described(meant: Meant) -> tuple[Session, list[str]]:
    """A session that got this description, and the SETUP it then asks for."""
    session = Session(meant.url, (), Credentials("", ""))
    session.start()
    assert asked(session)[:2] == [f"DESCRIBE {meant.url} RTSP/1.0", "CSeq: 1"]
    bare = meant.file.endswith("_sdp.txt")
    session.feed(description_reply(recorded(meant.file), 1) if bare else reply_to(meant.file, 1), 0)
    return session, asked(session)


@pytest.mark.parametrize("meant", CAMERAS, ids=lambda meant: meant.file)
def test_description(meant: Meant) -> None:
    session, setup = described(meant)
    body = recorded(meant.file).partition(b"\r\n\r\n")[2] or recorded(meant.file)
    assert tuple((item.kind, item.encoding) for item in sdp.parse(body).media) == meant.tracks
    assert setup[0] == f"SETUP {meant.track_url} RTSP/1.0"
    assert "Transport: RTP/AVP/TCP;unicast;interleaved=0-1" in setup
    assert session.aggregate_url == meant.aggregate_url
    assert session.media is not None
    assert session.media.payload_type == meant.payload_type
    parameters = session.media.parameters()
    assert parameters is not None
    parsed = (h264 if session.media.codec == "h264" else h265).parse_sps(parameters.sps)
    assert (parsed.width, parsed.height) == meant.size
    assert parsed.mime == meant.mime


@pytest.mark.parametrize(
    ("file", "name", "timeout_s", "keep_alive_s"),
    [
        ("bunny_setup.txt", "1642021126", 60, 30),
        ("gw_main_setup_video.txt", "9a90de54", 60, 30),
        ("hikvision_setup.txt", "708345999", 60, 30),
        ("luckfox_rkipc_setup_tcp.txt", "12345678", 60, 30),
        ("reolink_setup.txt", "F8F8E425", 60, 30),
    ],
)
def test_setup_and_play(file: str, name: str, timeout_s: int, keep_alive_s: float) -> None:
    session, _ = described(CAMERAS[5])
    session.feed(reply_to(file, 2), 0)
    play = asked(session)
    assert play[0] == f"PLAY {CAMERAS[5].aggregate_url} RTSP/1.0"
    assert f"Session: {name}" in play
    assert session.channel == 0
    assert session.keep_alive_s == keep_alive_s
    session.feed(b"RTSP/1.0 200 OK\r\nCSeq: 3\r\n\r\n", 0)
    assert session.state is State.PLAYING


def test_setup_of_audio_names_its_channels_and_session() -> None:
    message, _ = read_message(memoryview(recorded("gw_main_setup_audio.txt")), 0, 154)
    assert message is not None
    assert TransportHeader.parse(message.header("transport")) == TransportHeader(True, 2)
    assert SessionHeader.parse(message.header("session")) == SessionHeader("9a90de54", 60)


def test_setup_answered_with_udp_is_refused_where_udp_is_not_spoken() -> None:
    session, _ = described(CAMERAS[6])
    with pytest.raises(StreamError, match="UDP"):
        session.feed(reply_to("h264dvr_setup_video.txt", 2), 0)


@pytest.mark.parametrize(
    ("file", "session_name", "keep_alive_s"),
    [
        ("bad_rtptime.txt", "551045787", 30),
        ("bunny_play.txt", "551045787", 30),
        ("dahua_play.txt", "634214684047", 30),
        ("gw_main_play.txt", "9a90de54", 60),
        ("h264dvr_play.txt", "231970", 30),
        ("hikvision_play.txt", "708345999", 30),
        ("reolink_play.txt", "F8F8E425", 30),
    ],
)
def test_play(file: str, session_name: str, keep_alive_s: float) -> None:
    """RTP-Info does not matter, be it absent, or nonsense; the session's name may change."""
    session, _ = described(CAMERAS[7])
    session.feed(reply_to("luckfox_rkipc_setup_tcp.txt", 2), 0)
    asked(session)
    session.feed(reply_to(file, 3), 0)
    assert session.state is State.PLAYING
    assert session.keep_alive_s == keep_alive_s
    session.keep_alive()
    assert f"Session: {session_name}" in asked(session)


def test_options_and_teardown_are_replies_like_others() -> None:
    session, _ = described(CAMERAS[9])
    session.feed(reply_to("reolink_setup.txt", 2) + reply_to("reolink_play.txt", 3), 0)
    asked(session)
    session.keep_alive()
    assert asked(session)[0].startswith("OPTIONS ")
    session.feed(reply_to("dahua_options.txt", 4), 0)
    session.keep_alive()
    assert asked(session)[0].startswith("GET_PARAMETER ")
    session.feed(b"RTSP/1.0 451 Not understood\r\nCSeq: 5\r\n\r\n", 0)
    session.leave()
    assert asked(session)[0].startswith(f"TEARDOWN {CAMERAS[9].aggregate_url}")
    assert session.state is State.LEAVING
    session.feed(reply_to("reolink_teardown.txt", 6), 0)
    assert session.state is State.ENDED


def bunny(pieces: list[bytes]) -> list[AccessUnit | Loss]:
    session, _ = described(CAMERAS[1])
    session.feed(reply_to("bunny_setup.txt", 2).replace(b"0-1", b"2-3") + reply_to("bunny_play.txt", 3), 0)
    items: list[AccessUnit | Loss] = []
    for piece in pieces:
        session.feed(piece, 0)
        items += session.take()
    assert session.kept == b""
    return items


def test_recorded_stream_is_whole() -> None:
    data = recorded("bunny.rtsp")
    items = bunny([data])
    assert not [item for item in items if isinstance(item, Loss)]
    assert len(items) > 50
    sizes = [len(item.data) for item in items if isinstance(item, AccessUnit)]
    assert all(sizes)
    for size in (1, 7, 1000, 65536):
        assert bunny([data[at : at + size] for at in range(0, len(data), size)]) == items


def test_recorded_stream_in_the_track_alone() -> None:
    """Every frame of the channel is taken, none of the other."""
    data = recorded("bunny.rtsp") + bytes(32)
    track, out, at = Track(2, 97, "h264"), [], 0
    channels = []
    while at < len(data) - 32:
        after = track.walk(memoryview(data), at, len(data) - 32, 0, out)
        if after == at:
            channels.append(data[at + 1])
            after = at + 4 + int.from_bytes(data[at + 2 : at + 4], "big")
        at = after
    assert set(channels) <= {0, 1, 3}
    times = [item.pts_ticks for item in out if isinstance(item, AccessUnit)]
    assert all(later > earlier for earlier, later in itertools.pairwise(times))


def test_no_video_is_said() -> None:
    session = Session("rtsp://10.0.0.2:554/x", (), Credentials("", ""))
    session.start()
    with pytest.raises(StreamError, match="no video"):
        session.feed(description_reply(b"v=0\r\nm=audio 0 RTP/AVP 0\r\n", 1), 0)


@pytest.mark.parametrize(
    ("file", "rate", "channels"),
    [
        ("bunny_describe.txt", 12000, 2),
        ("dahua_describe_h264_aac_onvif.txt", 48000, 1),
        ("reolink_describe.txt", 16000, 1),
    ],
)
def test_aac_is_understood(file: str, rate: int, channels: int) -> None:
    microphone = sdp.parse(recorded(file).partition(b"\r\n\r\n")[2]).audio()
    assert microphone is not None
    assert (microphone.sound().rate_hz, microphone.sound().channels) == (rate, channels)


@pytest.mark.parametrize(
    ("file", "words"),
    [
        ("anpviz_sdp.txt", "not sent in mode AAC-hbr"),  # its fmtp is of another payload type
        ("foscam_describe.txt", "PCMU"),
        ("tplink_sdp.txt", "PCMA"),
        ("ipcam_describe.txt", "no sound"),
    ],
)
def test_sound_that_cannot_be_kept_is_named_and_not_set_up(file: str, words: str) -> None:
    meant = next(item for item in CAMERAS if item.file == file)
    session = Session(meant.url, (), Credentials("", ""), audio=True)
    session.start()
    bare = file.endswith("_sdp.txt")
    session.feed(description_reply(recorded(file), 1) if bare else reply_to(file, 1), 0)
    session.feed(b"RTSP/1.0 200 OK\r\nCSeq: 2\r\nTransport: RTP/AVP/TCP;interleaved=0-1\r\n\r\n", 0)
    assert words in session.sound_note
    assert session.outgoing().decode().count("SETUP") == 1


def test_recorded_sound_is_whole_and_decodes() -> None:
    """The recorded stream carries AAC on channels 0 and 1: frames that follow each other, which libav decodes."""
    session = Session(CAMERAS[1].url, (), Credentials("", ""), audio=True)
    session.start()
    session.feed(reply_to("bunny_describe.txt", 1) + reply_to("bunny_setup.txt", 2).replace(b"0-1", b"2-3"), 0)
    session.feed(reply_to("bunny_setup.txt", 3) + reply_to("bunny_play.txt", 4), 0)
    session.feed(recorded("bunny.rtsp"), 0)
    form, sounds = session.sound, session.take_sounds()
    assert form is not None
    assert (form.rate_hz, form.channels) == (12_000, 2)
    steps = [after.pts_ticks - before.pts_ticks for before, after in itertools.pairwise(sounds)]
    assert len(sounds) > 20
    assert all(abs(step - 1024 * 90_000 // 12_000) <= 8 for step in steps)
    decoder = av.CodecContext.create("aac", "r")
    decoder.extradata = form.config
    decoded = [frame for sound in sounds for frame in decoder.decode(av.Packet(sound.data))]
    assert sum(frame.samples for frame in decoded) >= (len(sounds) - 1) * 1024
    assert session.sound_note == ""
