"""Requests in pieces, between receiver reports, and what is none."""

from __future__ import annotations

import pytest

from demo.errors import BadRequestError
from demo.rtsp.messages import RequestParser


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
