"""The session's keep-alives: which requests, how often, and what their replies change."""

from __future__ import annotations

import pytest

from ingest.errors import CameraAwayError
from ingest.rtsp.session import State
from ingest.rtsp.signalling.habits import Habits
from tests.support.cameras.streams import description_reply
from tests.support.rtsp.dialogue import (
    SDP,
    SETUP_REPLY,
    authorization,
    challenge,
    first_line,
    ok,
    playing,
    started,
)


def test_keep_alives_are_options_and_what_that_announces_in_turn() -> None:
    session = playing()
    assert session.keep_alive_s == 30
    session.keep_alive()
    assert first_line(session).startswith("OPTIONS ")
    session.feed(ok(4, "Public: OPTIONS, DESCRIBE, GET_PARAMETER\r\n"), 0)
    assert session.keep_alive_s == 20
    asked = []
    for number in range(5, 9):
        session.keep_alive()
        asked.append(first_line(session).split()[0])
        session.feed(ok(number), 0)
    assert asked == ["GET_PARAMETER", "OPTIONS"] * 2


def test_keep_alive_that_is_never_answered_is_not_asked_again_on_any_connection() -> None:
    habits = Habits()
    for expected in (["OPTIONS", "GET_PARAMETER", "OPTIONS", "OPTIONS"], ["OPTIONS"] * 4):
        session = playing(habits=habits)
        asked = []
        for number in range(4, 8):
            session.keep_alive()
            asked.append(first_line(session).split()[0])
            if asked[-1] == "OPTIONS":
                session.feed(ok(number, "Public: OPTIONS, GET_PARAMETER\r\n"), 0)
        assert asked == expected


@pytest.mark.parametrize("status", ["400 Bad Request", "405 Not Allowed", "454 Session Not Found", "501 Not", "551 No"])
@pytest.mark.parametrize("number", [5, 4, 77])  # also with the number of another request
def test_keep_alive_that_is_refused_never_ends_the_session(status: str, number: int) -> None:
    session = playing()
    session.keep_alive()
    session.feed(ok(4, "Public: OPTIONS, GET_PARAMETER\r\n"), 0)
    session.keep_alive()
    session.outgoing()
    session.feed(ok(number, status=status), 0)
    session.outgoing()
    session.keep_alive()
    assert first_line(session).startswith("OPTIONS ")
    assert session.state is State.PLAYING


def test_keep_alive_that_wants_a_password_again_gets_it_and_never_ends_the_session() -> None:
    session = started(user="gym", password="secret")
    session.feed(challenge('Digest realm="x", nonce="1"') + description_reply(SDP, 2), 0)
    session.feed(ok(3, SETUP_REPLY.format("0-1")) + ok(4), 0)
    session.outgoing()
    session.keep_alive()
    session.outgoing()
    session.feed(challenge('Digest realm="x", nonce="2"', cseq=5), 0)
    assert 'nonce="2"' in authorization(session)
    session.feed(challenge('Digest realm="x", nonce="2"', cseq=6), 0)
    assert session.state is State.PLAYING


def test_session_that_no_method_finds_is_begun_anew() -> None:
    session = playing()
    session.keep_alive()
    session.feed(ok(4, "Public: OPTIONS, GET_PARAMETER\r\n"), 0)
    session.keep_alive()
    session.outgoing()
    session.feed(ok(5, status="454 Session Not Found"), 0)
    assert first_line(session).startswith("OPTIONS ")  # another one is asked at once
    session.feed(ok(6, status="454 Session Not Found"), 0)
    assert first_line(session).startswith("SET_PARAMETER ")
    with pytest.raises(CameraAwayError):
        session.feed(ok(7, status="454 Session Not Found"), 0)
