"""Byte ranges: the header's forms, and the ends of the file."""

from __future__ import annotations

import pytest

from api.http.ranges import ByteRange, UnsatisfiableRangeError, parse_range

SIZE = 1000


@pytest.mark.parametrize(
    ("header", "start", "end"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=0-999", 0, 1000),
        ("bytes=0-5000", 0, 1000),
        ("bytes=999-", 999, 1000),
        ("bytes=-1", 999, 1000),
        ("bytes=-5000", 0, 1000),
        ("Bytes= 5-9 ", 5, 10),
    ],
)
def test_range_within_the_file_is_given(header: str, start: int, end: int) -> None:
    assert parse_range(header, SIZE) == ByteRange(start, end)


@pytest.mark.parametrize("header", [None, "", "items=0-5"])
def test_no_byte_range_means_all(header: str | None) -> None:
    assert parse_range(header, SIZE) is None


@pytest.mark.parametrize(
    "header",
    [
        "bytes=1000-",
        "bytes=0-1,5-6",
        "bytes=-0",
        "bytes=-",
        "bytes=5-4",
        "bytes=a-b",
        "bytes",
        "bytes=" + "9" * 30 + "-",
    ],
)
def test_range_that_cannot_be_given_is_refused(header: str) -> None:
    with pytest.raises(UnsatisfiableRangeError):
        parse_range(header, SIZE)
