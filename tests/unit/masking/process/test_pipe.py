"""Messages between a role and its masking process."""

from __future__ import annotations

import io

import pytest

from masking.process.pipe import HEAD, Kind, packed, packed_json, read


def test_messages_come_as_they_were_sent() -> None:
    source = io.BytesIO(packed(Kind.CLIP, b"abc") + packed_json(Kind.PROGRESS, 5) + packed(Kind.END, b""))
    assert [read(source) for _ in range(4)] == [(Kind.CLIP, b"abc"), (Kind.PROGRESS, b"5"), (Kind.END, b""), None]


def test_message_that_is_cut_off_is_none() -> None:
    assert read(io.BytesIO(packed(Kind.CLIP, b"abc")[:-1])) is None


@pytest.mark.parametrize("head", [HEAD.pack(99, 0), HEAD.pack(Kind.CLIP, 0xFFFFFFFF)])
def test_message_that_is_none_of_ours_is_refused(head: bytes) -> None:
    with pytest.raises(ValueError, match=r"message|Kind"):
        read(io.BytesIO(head))
