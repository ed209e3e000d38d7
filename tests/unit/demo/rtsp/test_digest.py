"""Digest authentication: right, wrong, stale, and nonces of others."""

from __future__ import annotations

import hashlib

import pytest

from demo.rtsp.digest import Digest, Verdict
from demo.rtsp.messages import Request


def answer(challenge: str, password: str, *, qop: bool) -> Request:
    """What a client would send."""
    given = dict(part.split("=", 1) for part in challenge.removeprefix("Digest ").split(", "))
    realm, nonce, algorithm = given["realm"].strip('"'), given["nonce"].strip('"'), given["algorithm"]

    def h(text: str) -> str:
        return hashlib.new(algorithm.replace("-", ""), text.encode()).hexdigest()

    who, what = h(f"gym:{realm}:{password}"), h("PLAY:rtsp://h/camera/0")
    reply = h(f"{who}:{nonce}:00000001:c:auth:{what}") if qop else h(f"{who}:{nonce}:{what}")
    extra = ', qop=auth, nc=00000001, cnonce="c"' if qop else ""
    header = (
        f'Digest username="gym", realm="{realm}", nonce="{nonce}", uri="rtsp://h/camera/0", '
        f'response="{reply}", algorithm={algorithm}{extra}'
    )
    return Request("PLAY", "rtsp://h/camera/0", {"authorization": header}, b"")


@pytest.mark.parametrize("which", [0, 1])
@pytest.mark.parametrize("qop", [True, False])
def test_digest_right_wrong_and_stale(which: int, qop: bool) -> None:
    now = [100.0]
    digest = Digest("gym", "open sesame", nonce_s=60, clock=lambda: now[0])
    challenge = digest.challenges()[which][1]
    assert digest.check(answer(challenge, "open sesame", qop=qop)) is Verdict.OK
    assert digest.check(answer(challenge, "wrong", qop=qop)) is Verdict.REFUSED
    now[0] += 61
    assert digest.check(answer(challenge, "open sesame", qop=qop)) is Verdict.STALE
    assert "stale=true" in digest.challenges(stale=True)[which][1]


def test_digest_refuses_a_nonce_it_did_not_make_and_a_request_without() -> None:
    foreign = Digest("gym", "open sesame").challenges()[0][1]
    digest = Digest("gym", "open sesame")
    assert digest.check(answer(foreign, "open sesame", qop=True)) is Verdict.REFUSED
    assert digest.check(Request("PLAY", "*", {}, b"")) is Verdict.REFUSED
