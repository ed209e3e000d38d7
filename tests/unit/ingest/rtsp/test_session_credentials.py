"""The session's answers to a camera that asks for a password: Digest, Basic, and what is refused."""

from __future__ import annotations

import base64
import hashlib
import itertools

import pytest

from ingest.errors import CameraRefusedError
from ingest.rtsp.session import Session
from ingest.rtsp.signalling.auth import Credentials
from tests.support.cameras.streams import description_reply
from tests.support.rtsp.dialogue import SDP, URL, authorization, challenge, started


def hashed(name: str, *parts: str) -> str:
    return hashlib.new({"MD5": "md5", "SHA-256": "sha256"}[name], ":".join(parts).encode()).hexdigest()


@pytest.mark.parametrize("name", ["MD5", "SHA-256"])
@pytest.mark.parametrize("qop", ["", ', qop="auth"', ', qop="auth-int,auth"'])
@pytest.mark.parametrize("written", ["", ", algorithm={}", ', algorithm="{}"'])
def test_digest(name: str, qop: str, written: str) -> None:
    if name == "SHA-256" and not written:
        return
    session = started(user="gym", password="secret")
    session.outgoing()
    session.feed(challenge(f'Digest realm="a, b", nonce="n1"{qop}{written.format(name)}'), 0)
    said = authorization(session)
    who, what = hashed(name, "gym", "a, b", "secret"), hashed(name, "DESCRIBE", URL)
    response = hashed(name, who, "n1", *(("00000001", "c0", "auth") if qop else ()), what)
    assert f'response="{response}"' in said
    assert "secret" not in said
    session.feed(description_reply(SDP, 2), 0)
    if qop:
        assert "nc=00000002" in authorization(session)


def test_strongest_offer_is_taken() -> None:
    session = started(user="gym", password="secret")
    session.outgoing()
    session.feed(
        challenge('Basic realm="x", Digest realm="x", nonce="m"', 'Digest realm="x",nonce="s",algorithm=SHA-256'), 0
    )
    assert "algorithm=SHA-256" in authorization(session)


@pytest.mark.parametrize("allowed", ["secure", "basic"])
def test_basic_where_it_is_allowed(allowed: str) -> None:
    session = Session(URL, ("10.0.0.2",), Credentials("gym", "se:cret", **{allowed: True}))
    session.start()
    session.outgoing()
    session.feed(challenge('Basic realm="x"'), 0)
    assert authorization(session) == "Basic " + base64.b64encode(b"gym:se:cret").decode()


DIGEST = 'Digest realm="x", nonce="1"'


@pytest.mark.parametrize(
    ("more", "asked"),
    [
        ({}, ['Basic realm="x"']),
        ({}, [DIGEST, 'Basic realm="x"']),
        ({"secure": True}, [DIGEST, 'Basic realm="x"']),
        ({}, ['Digest realm="x", nonce="1", algorithm=SHA-512, Basic realm="x"']),
    ],
)
def test_password_is_never_sent_in_clear(more: dict[str, bool], asked: list[str]) -> None:
    """Nor by a camera, or one that poses as it, that asks with Basic after Digest."""
    session = Session(URL, ("10.0.0.2",), Credentials("gym", "se:cret", **more))
    session.start()
    session.outgoing()
    for number, words in enumerate(asked[:-1], 1):
        session.feed(challenge(words, cseq=number), 0)
        assert authorization(session).startswith("Digest ")
    with pytest.raises(CameraRefusedError, match="in the clear") as caught:
        session.feed(challenge(asked[-1], cseq=len(asked)), 0)
    assert "basic_auth = true" in caught.value.remedy
    assert session.outgoing() == b""


@pytest.mark.parametrize("asked", [[DIGEST, DIGEST.replace("1", "2") + ', stale=true, Basic realm="x"']])
def test_digest_beside_basic_is_taken(asked: list[str]) -> None:
    session = started(user="gym", password="secret")
    session.outgoing()
    for number, words in enumerate(asked, 1):
        session.feed(challenge(words, cseq=number), 0)
        assert authorization(session).startswith("Digest ")


def test_wrong_password_is_refused_once() -> None:
    session = started(user="gym", password="wrong-word")
    session.feed(challenge('Digest realm="x", nonce="1"'), 0)
    with pytest.raises(CameraRefusedError) as caught:
        session.feed(challenge('Digest realm="x", nonce="2"', cseq=2), 0)
    assert "wrong-word" not in str(caught.value)


def test_stale_nonce_is_renewed_but_not_for_ever() -> None:
    session = started(user="gym", password="secret")
    with pytest.raises(CameraRefusedError):
        for number in itertools.count(1):
            session.outgoing()
            session.feed(challenge(f'Digest realm="x", nonce="{number}", stale=true', cseq=number), 0)
            assert number < 10


def test_nonce_that_changed_in_mid_session_is_taken() -> None:
    session = started(user="gym", password="secret")
    session.feed(challenge('Digest realm="x", nonce="1"') + description_reply(SDP, 2), 0)
    session.outgoing()
    session.feed(challenge('Digest realm="x", nonce="2"', cseq=3), 0)
    assert 'nonce="2"' in authorization(session)


@pytest.mark.parametrize(
    "header", ['Digest realm="x", nonce="1", algorithm=SHA-512', "Negotiate", 'Digest qop="auth-int"']
)
def test_unknown_ways_are_refused(header: str) -> None:
    with pytest.raises(CameraRefusedError, match="by an unknown method"):
        started(user="gym", password="secret").feed(challenge(header), 0)


def test_password_asked_for_but_not_configured() -> None:
    with pytest.raises(CameraRefusedError, match="asks for user name"):
        started().feed(challenge('Basic realm="x"'), 0)
