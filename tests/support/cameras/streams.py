"""Replies recorded from real cameras: not part of the project, read where they are (../shared/cameras)."""

from __future__ import annotations

from pathlib import Path

import pytest

DIRECTORY = Path(__file__).resolve().parents[4] / "shared" / "cameras"


def recorded(name: str) -> bytes:
    """The file, or the test is skipped."""
    path = DIRECTORY / name
    if not path.is_file():
        pytest.skip(f"recorded camera replies are not here: {name}")
    return path.read_bytes()


def reply_to(name: str, cseq: int) -> bytes:
    """A recorded reply as an answer to our request."""
    lines = recorded(name).split(b"\n")
    end = lines.index(b"\r") if b"\r" in lines else lines.index(b"")
    head = [line for line in lines[:end] if not line.lower().startswith(b"cseq:")]
    return b"\n".join([head[0], b"CSeq: %d\r" % cseq, *head[1:], *lines[end:]])


def description_reply(body: bytes, cseq: int, *headers: str) -> bytes:
    """A bare session description as a reply to DESCRIBE."""
    lines = ["RTSP/1.0 200 OK", f"CSeq: {cseq}", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body
