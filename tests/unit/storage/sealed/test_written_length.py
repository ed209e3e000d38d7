"""Pages that a power cut kept from the disk read as zeros: nothing is signed from the first of them on."""

from __future__ import annotations

import io
import random

import pytest

from storage.sealed import HEADER_SIZE, written_length

PAGE = 4096
GULP = 1 << 20


def torn(length: int, *holes: tuple[int, int]) -> io.BytesIO:
    data = bytearray(random.Random(length).randbytes(length))
    data[:HEADER_SIZE] = bytes(HEADER_SIZE)  # zeros in the header are no hole
    for start, end in holes:
        data[start - 1] |= 1
        data[start:end] = bytes(end - start)
    return io.BytesIO(bytes(data))


@pytest.mark.parametrize("length", [HEADER_SIZE, PAGE, PAGE + 5, GULP + HEADER_SIZE, 3 * GULP + 17])
def test_whole_file_is_written_to_its_end(length: int) -> None:
    assert written_length(torn(length), length) == length


@pytest.mark.parametrize("start", [PAGE, 2 * PAGE, GULP, GULP + PAGE, 2 * GULP])
def test_first_page_that_is_missing_ends_what_was_written(start: int) -> None:
    length = 3 * GULP
    file = torn(length, (start, start + PAGE), (length - PAGE, length))
    assert written_length(file, length) == start


@pytest.mark.parametrize("offset", range(-11, 12, 2))
def test_hole_across_the_edge_of_a_gulp_is_found(offset: int) -> None:
    start, length = HEADER_SIZE + GULP + offset, 2 * GULP
    assert written_length(torn(length, (start, start + 12)), length) == start


@pytest.mark.parametrize("over", [1, 5, 11, 12, 100])
def test_hole_at_the_very_end_may_be_short(over: int) -> None:
    length = 3 * PAGE + over
    assert written_length(torn(length, (3 * PAGE, length)), length) == 3 * PAGE
