"""Requests, digests, packets, without a connection."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo.errors import BadRequestError
from demo.rtsp.digest import Digest, Verdict
from demo.rtsp.messages import Request, RequestParser
from demo.rtsp.packets import MAX_PAYLOAD, packetize, packetize_in_bursts
from demo.video.marker import sei_nal

SETS = [b"\x67" + bytes(range(1, 20)), b"\x68\xee\x3c\x80"]


def unpacked(buffer: bytes) -> list[bytes]:
    """RTP packets of an interleaved stretch."""
    found = []
    while buffer:
        length = int.from_bytes(buffer[2:4], "big")
        found.append(bytes(buffer[4 : 4 + length]))
        buffer = buffer[4 + length :]
    return found


def reassembled(packets: list[bytes]) -> list[bytes]:
    """NAL units, as RFC 6184 says."""
    nals: list[bytes] = []
    for packet in packets:
        payload = packet[12:]
        if payload[0] & 31 == 24:
            rest = payload[1:]
            while rest:
                length = int.from_bytes(rest[:2], "big")
                nals.append(rest[2 : 2 + length])
                rest = rest[2 + length :]
        elif payload[0] & 31 == 28:
            if payload[1] & 0x80:
                nals.append(bytes((payload[0] & 0x60 | payload[1] & 31,)))
            nals[-1] += payload[2:]
        else:
            nals.append(payload)
    return nals


@given(st.integers(1, 3 * MAX_PAYLOAD), st.integers(1, 5))
def test_packets_give_back_the_nal_units(length: int, burst: int) -> None:
    nals = [*SETS, sei_nal(1_795_000_000_000, 3), b"\x65" + bytes(at % 251 + 1 for at in range(length))]
    whole = packetize(nals, key=True)
    packets = unpacked(bytes(whole.buffer))
    assert reassembled(packets) == nals
    assert [packet[1] >> 7 for packet in packets] == [0] * (len(packets) - 1) + [1]
    assert max(map(len, packets)) <= 12 + MAX_PAYLOAD
    assert whole.buffer[whole.stamp_at :].startswith(b"1795000000000" + b"0003")
    parts = packetize_in_bursts(nals, key=True, packets=burst)
    assert b"".join(bytes(part.buffer) for part in parts) == bytes(whole.buffer)
    assert [part.first for part in parts] == [True] + [False] * (len(parts) - 1)


@pytest.mark.parametrize(
    "length", [MAX_PAYLOAD - 1, MAX_PAYLOAD, MAX_PAYLOAD + 1, 2 * MAX_PAYLOAD - 3, 2 * MAX_PAYLOAD]
)
def test_nal_units_around_the_limit_are_cut_where_they_must_be(length: int) -> None:
    nal = b"\x41" + b"\x55" * (length - 1)
    packets = unpacked(bytes(packetize([nal], key=False).buffer))
    assert reassembled(packets) == [nal]
    assert (len(packets) == 1) == (length <= MAX_PAYLOAD)


def test_parser_takes_requests_in_pieces_between_receiver_reports() -> None:
    parser = RequestParser()
    data = (
        b"$\x01\x00\x02ab"
        + b"OPTIONS rtsp://h/camera/0/ RTSP/1.0\r\nCSEQ: 3 \r\nContent-Length: 2\r\n\r\nxy"
        + b"$\x01\x00\x01c"
    )
    found = [request for at in range(len(data)) for request in parser.push(data[at : at + 1])]
    assert [(r.method, r.path, r.headers["cseq"], r.body) for r in found] == [("OPTIONS", "/camera/0", "3", b"xy")]


@pytest.mark.parametrize(
    "data", [b"GET / HTTP/1.1\r\n\r\n", b"x" * 20_000, b"PLAY * RTSP/1.0\r\nContent-Length: -1\r\n\r\n"]
)
def test_parser_refuses_what_is_no_request(data: bytes) -> None:
    with pytest.raises(BadRequestError):
        RequestParser().push(data)


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
