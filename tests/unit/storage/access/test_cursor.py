"""Cursors pass through a URL unchanged; whatever else comes from there is refused."""

from __future__ import annotations

import base64
import uuid
from uuid import UUID

import pytest

from storage.access import Cursor


@pytest.mark.parametrize("time_ns", [0, 1, 1_790_000_000 * 10**9, (1 << 63) - 1])
@pytest.mark.parametrize("row_id", [UUID(int=0), UUID(int=(1 << 128) - 1), uuid.uuid4()])
def test_cursor_packed_and_unpacked_is_the_same(time_ns: int, row_id: UUID) -> None:
    text = Cursor(time_ns=time_ns, row_id=row_id).pack()
    assert len(text) == 32
    assert set(text) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
    assert Cursor.unpack(text) == Cursor(time_ns=time_ns, row_id=row_id)


def packed(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


@pytest.mark.parametrize(
    "text",
    ["", "A", "AAAA", "é" * 32, "!" * 32, packed(bytes(23)), packed(bytes(25)), packed(b"\x80" + bytes(23)), "A" * 33],
)
def test_text_that_is_no_cursor_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a cursor"):
        Cursor.unpack(text)
