"""Messages out of bytes, as cameras write them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ingest.errors import StreamError
from ingest.rtsp.signalling.messages import Message, MessageReader, read_message


def read(data: bytes) -> Message:
    message, ends = read_message(memoryview(data), 0, len(data))
    assert message is not None
    assert ends == len(data)
    return message


@pytest.mark.parametrize("fold", [" ", "\t", "   \t"])
def test_folded_header_lines_are_one(fold: str) -> None:
    head = "RTSP/1.0 401 No\r\nCSeq: 1\r\nWWW-Authenticate: Digest\r\n"
    message = read(f'{head}{fold}realm="x",\r\n\tnonce="n"\r\n\r\n'.encode())
    assert message.header("www-authenticate") == 'Digest realm="x", nonce="n"'
    assert message.cseq == 1


def test_blank_before_the_first_header_folds_nothing() -> None:
    assert read(b"RTSP/1.0 200 OK\r\n odd\r\nCSeq: 5\r\n\r\n").cseq == 5


def test_folds_cannot_add_headers() -> None:
    message = read(b"RTSP/1.0 200 OK\r\nSession: a\r\n X-Evil: 1\r\n\r\n")
    assert message.headers == {"session": ["a X-Evil: 1"]}


@pytest.mark.parametrize("piece", [1, 3, 50])
def test_message_that_comes_in_pieces_is_read_once_it_is_whole(piece: int) -> None:
    data = b"RTSP/1.0 200 OK\r\nCSeq: 2\r\nContent-Length: 30\r\n\r\n" + bytes(range(30)) + b"$next"
    reader, view = MessageReader(), memoryview(data)
    for end in [*range(piece, len(data), piece), len(data)]:
        message, ends = reader.read(view, 0, end)
        if message is not None:
            break
        assert ends == 0
    assert message is not None
    assert (message.body, ends) == (bytes(range(30)), len(data) - 5)


def test_head_is_parsed_once_however_slowly_its_body_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    parsed = []
    parse = MessageReader._read_head
    monkeypatch.setattr(
        MessageReader, "_read_head", lambda self, *given: parsed.append(given[2]) or parse(self, *given)
    )
    data = b"RTSP/1.0 200 OK\r\nContent-Length: 5000\r\n" + b"X: y\r\n" * 2000 + b"\r\n" + bytes(5000)
    reader = MessageReader()
    for end in range(len(data) - 4900, len(data)):
        assert reader.read(memoryview(data), 0, end)[0] is None
    assert len(parsed) == 1


@pytest.mark.parametrize("cseq", ["\u0661", "1e3", "-1", "", "9" * 20])
def test_number_that_is_none_is_none(cseq: str) -> None:
    assert read(f"RTSP/1.0 200 OK\r\nCSeq: {cseq}\r\n\r\n".encode()).cseq == -1


@pytest.mark.parametrize("head", [b"\x80\x00", b"rtsp/1.0", b"RTSP\x00", b"<html>"])
def test_what_cannot_become_a_message_is_not_waited_for(head: bytes) -> None:
    with pytest.raises(StreamError):
        read_message(memoryview(head), 0, len(head))


def test_announced_body_that_is_not_there_swallows_no_frame() -> None:
    head = b"RTSP/1.0 200 OK\r\nCSeq: 4\r\nContent-Length: 400\r\n\r\n"
    data = head + b"$\x00\x00\x10\x80\x60" + bytes(14)
    message, end = read_message(memoryview(data), 0, len(data))
    assert message is not None
    assert (message.cseq, message.body, end) == (4, b"", len(head))
    text = head + b"$ is no frame" + b"x" * 387
    assert read_message(memoryview(text), 0, len(text)) == (replace(message, body=text[len(head) :]), len(text))
    assert read_message(memoryview(text), 0, len(text) - 1) == (None, 0)
