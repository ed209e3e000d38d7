"""Session descriptions: the first track that can be recorded, sound from the microphone, and what is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.errors import StreamError
from ingest.rtsp.signalling.sdp import MEDIA_MAX, SIZE_MAX, parse

H264 = "m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1;profile-level-id=64001f\r\n"
AAC = (
    "m=audio 0 RTP/AVP 97\r\na=rtpmap:97 MPEG4-GENERIC/16000/1\r\n"
    "a=fmtp:97 mode=AAC-hbr;config=1408;SizeLength=13;IndexLength=3;IndexDeltaLength=3\r\n"
)


def test_track_has_its_codec_rate_formats_and_control() -> None:
    described = parse(f"v=0\r\na=control:*\r\n{H264}a=control:trackID=0\r\n".encode())
    video = described.video()
    assert (described.control, video.control) == ("*", "trackID=0")
    assert (video.codec, video.payload_type, video.clock_rate) == ("h264", 96, 90_000)
    assert video.formats["profile-level-id"] == "64001f"


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n", "\r\n\r\n"])
def test_lines_may_end_as_they_like(end: str) -> None:
    assert parse(H264.replace("\r\n", end).encode()).video().codec == "h264"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("v=0\r\n", "no tracks"),
        ("m=audio 0 RTP/AVP 0\r\n", "no video"),
        ("m=video 0 RTP/AVP 26\r\n", "JPEG"),
        ("m=video 0 RTP/AVP 96\r\na=rtpmap:96 VP9/90000\r\n", "VP9"),
        (H264.replace("mode=1", "mode=2"), "interleaved"),
        ("m=video 0 RTP/AVP 96\r\na=rtpmap:96 H265/90000\r\na=fmtp:96 sprop-max-don-diff=1\r\n", "DONL"),
        ("m=video 0 RTP/AVP\r\n", "something unknown"),
    ],
)
def test_stream_that_is_not_recorded_is_refused_with_its_name(body: str, words: str) -> None:
    with pytest.raises(StreamError, match=words):
        parse(body.encode()).video()


def test_first_of_several_formats_counts_and_another_s_attributes_do_not() -> None:
    body = "m=video 0 RTP/AVP 96 97\r\na=rtpmap:97 JPEG/90000\r\na=rtpmap:96 H265/90000\r\na=fmtp:97 x=1\r\n"
    video = parse(body.encode()).video()
    assert (video.codec, video.formats) == ("h265", {})


def test_sound_comes_from_the_microphone_and_is_aac_if_there_is_any() -> None:
    speaker = AAC + "a=sendonly\r\n"
    microphone = "m=audio 0 RTP/AVP 0\r\n"
    assert parse((H264 + speaker).encode()).audio() is None
    found = parse((H264 + speaker + microphone + AAC).encode()).audio()
    assert found is not None
    assert (found.sound().rate_hz, found.sound().channels) == (16_000, 1)
    other = parse((H264 + microphone).encode()).audio()
    assert other is not None
    with pytest.raises(StreamError, match="PCMU"):
        other.sound()


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [("AAC-hbr", "AAC-lbr", "AAC-hbr"), ("SizeLength=13", "SizeLength=6", "AAC-hbr"), ("1408", "zz", "not described")],
)
def test_aac_in_another_mode_is_refused(old: str, new: str, words: str) -> None:
    found = parse((H264 + AAC.replace(old, new)).encode()).audio()
    assert found is not None
    with pytest.raises(StreamError, match=words):
        found.sound()


def test_size_and_tracks_are_bounded() -> None:
    parse(H264.encode().ljust(SIZE_MAX, b"\n"))
    with pytest.raises(StreamError, match=f"{SIZE_MAX + 1} bytes"):
        parse(H264.encode().ljust(SIZE_MAX + 1, b"\n"))
    assert len(parse((H264 * MEDIA_MAX).encode()).media) == MEDIA_MAX
    with pytest.raises(StreamError, match="more than"):
        parse((H264 * (MEDIA_MAX + 1)).encode())


@given(st.binary(max_size=300))
def test_any_bytes_are_a_description_or_an_error_of_the_stream(body: bytes) -> None:
    try:
        media = parse(b"m=video 0 RTP/AVP 96\na=rtpmap:96 H264/90000\n" + body).media
    except StreamError:
        return
    assert media[0].parameters() is None or media[0].codec
