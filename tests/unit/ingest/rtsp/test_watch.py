"""What comes instead of pictures is named, before the camera is taken for silent."""

from __future__ import annotations

import pytest

from ingest.errors import IngestError
from ingest.rtsp.session import Session
from tests.cameras.speaker import session_of, talked, usual
from tests.support.cameras.rtp import frame, frames_of
from tests.support.cameras.video import encoded

S = 1_000_000_000
PICTURES = [(data, ticks) for data, ticks, _ in encoded(1.0, gop=5)]


def playing() -> Session:
    session = session_of()
    talked(session, usual)
    return session


def told(session: Session, data: bytes, seconds: int = 12) -> IngestError | None:
    """Some of it comes each second."""
    for second in range(seconds):
        session.feed(data, second * S)
        if (error := session.diagnosis(second * S)) is not None:
            return error
    return None


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"".join(frame(b"\x65\x88", n, 0, kind=97) for n in range(5)), ("payload type 97", "describes 96")),
        (b"".join(frames_of(PICTURES, channel=2)), ("channel 2", "answered 0")),
        (b"$\x00\x00\x04abcd" * 5, ("not what it describes",)),
    ],
    ids=["another payload type", "another channel", "no RTP"],
)
def test_what_comes_instead_of_pictures_is_named(data: bytes, words: tuple[str, ...]) -> None:
    error = told(playing(), data)
    assert error is not None
    assert all(word in error.what for word in words)
    assert "Restart" not in error.remedy


def test_it_is_also_named_when_it_begins_after_hours_of_pictures() -> None:
    session = playing()
    session.feed(b"".join(frames_of(PICTURES)), 7200 * S)
    assert len(session.take()) == len(PICTURES)
    for second in range(12):
        session.feed(frame(b"x", second, 0, kind=97), (7200 + second) * S)
    assert session.diagnosis(7207 * S) is None
    error = session.diagnosis(7210 * S)
    assert error is not None
    assert "payload type 97" in error.what


@pytest.mark.parametrize("stray", [frame(b"x", 1, 0, kind=50), frame(b"x", 1, 0, channel=6)])
def test_nothing_is_named_while_pictures_come(stray: bytes) -> None:
    session, sequence = playing(), 0
    for second in range(30):
        pictures = frames_of([(data, ticks + second * 90_000) for data, ticks in PICTURES], sequence=sequence)
        sequence += len(pictures)
        session.feed(b"".join(pictures) + stray * 20, second * S)
        assert session.diagnosis(second * S) is None
        session.take()


def test_pictures_that_cannot_begin_are_pictures() -> None:
    later = [(data, ticks) for data, ticks, key in encoded(1.0, gop=50) if not key]
    assert told(playing(), b"".join(frames_of(later)), 30) is None


def test_silence_is_not_named_here() -> None:
    assert told(playing(), b"", 30) is None
