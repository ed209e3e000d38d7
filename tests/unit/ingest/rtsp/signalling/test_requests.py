"""Requests: numbered, matched with their replies, and repeated with an answer to a challenge."""

from __future__ import annotations

import pytest

from ingest.errors import CameraAwayError, CameraRefusedError, IngestError, StreamError
from ingest.rtsp.signalling.auth import Credentials
from ingest.rtsp.signalling.messages import Message
from ingest.rtsp.signalling.requests import Request, Requests, refusal

URL = "rtsp://camera.example/stream"


def requests(user_name: str = "", password: str = "") -> Requests:
    return Requests(Credentials(user_name, password, lambda: "c"))


def reply(status: int, number: int | None = None, **headers: str) -> Message:
    named = {name.replace("_", "-"): [value] for name, value in headers.items()}
    return Message(status=status, headers={**named, **({} if number is None else {"cseq": [str(number)]})})


def test_requests_are_numbered_and_carry_the_session() -> None:
    asked = requests()
    asked.ask(Request("OPTIONS", URL))
    asked.session_name = "abc"
    asked.ask(Request("PLAY", URL, (("Range", "npt=0-"),)))
    first, second = asked.outgoing().decode().split("\r\n\r\n")[:2]
    assert first.split("\r\n")[:2] == [f"OPTIONS {URL} RTSP/1.0", "CSeq: 1"]
    assert {"CSeq: 2", "Session: abc", "Range: npt=0-"} <= set(second.split("\r\n"))
    assert not asked.has_outgoing


def test_replies_in_another_order_find_their_requests() -> None:
    asked = requests()
    for method in ("OPTIONS", "SETUP"):
        asked.ask(Request(method, URL))
    second, first = asked.answered_by(reply(200, 2)), asked.answered_by(reply(200, 1))
    assert second is not None
    assert first is not None
    assert (second.method, first.method) == ("SETUP", "OPTIONS")
    assert asked.answered_by(reply(200, 1)) is None


@pytest.mark.parametrize(
    ("status", "number", "matches"),
    [(200, None, True), (501, 77, True), (200, 77, False), (100, 1, False)],
)
def test_reply_with_a_wrong_number_counts_only_as_an_error_to_the_only_request(
    status: int, number: int | None, matches: bool
) -> None:
    asked = requests()
    asked.ask(Request("OPTIONS", URL))
    assert (asked.answered_by(reply(status, number)) is not None) is matches


def test_reply_without_a_number_is_ambiguous_among_several() -> None:
    asked = requests()
    asked.ask(Request("OPTIONS", URL))
    asked.ask(Request("PLAY", URL))
    assert asked.answered_by(reply(200)) is None
    asked.forget(("OPTIONS",))
    assert [each.method for each in asked.waiting] == ["PLAY"]
    assert asked.answered_by(reply(200)) is not None


def test_challenge_is_answered_once_and_a_second_one_ends_it() -> None:
    asked = requests("gym", "secret")
    challenge = reply(401, 1, www_authenticate='Digest realm="r", nonce="n"')
    asked.challenged(Request("DESCRIBE", URL), challenge)
    assert 'Authorization: Digest username="gym"' in asked.outgoing().decode()
    with pytest.raises(CameraRefusedError, match="refuses user name and password"):
        asked.challenged(Request("DESCRIBE", URL, attempts=1), challenge)


def test_challenge_without_credentials_or_by_an_unknown_method_is_refused() -> None:
    with pytest.raises(CameraRefusedError, match="asks for user name"):
        requests().challenged(Request("PLAY", URL), reply(401, 1, www_authenticate='Digest realm="r", nonce="n"'))
    with pytest.raises(CameraRefusedError, match="unknown method"):
        requests("gym", "x").challenged(Request("PLAY", URL), reply(401, 1, www_authenticate="Negotiate"))


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        *((403, CameraRefusedError), (404, CameraRefusedError), (410, CameraRefusedError)),
        *((453, CameraAwayError), (503, CameraAwayError), (454, StreamError), (400, StreamError)),
    ],
)
def test_status_says_whether_waiting_helps(status: int, kind: type[IngestError]) -> None:
    assert type(refusal("PLAY", status)) is kind
