"""The search for footage in clear (invariant 7): it finds what is there, wherever its pieces end."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.smoke import clear_bytes
from pipeline.smoke.clear_bytes import files_holding

NEEDLE = b"in clear"


@pytest.mark.parametrize("offset", [*range(16), 24, 56])
def test_needle_is_found_across_the_end_of_a_piece(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, offset: int
) -> None:
    monkeypatch.setattr(clear_bytes, "_PIECE", 16)
    (tmp_path / "deep").mkdir()
    planted = tmp_path / "deep" / "planted"
    planted.write_bytes(bytes(offset) + NEEDLE + bytes(64 - offset))
    (tmp_path / "clean").write_bytes(bytes(offset) + NEEDLE[:-1] + bytes(65 - offset))
    assert files_holding(NEEDLE, [tmp_path])[0] == [planted]


def test_all_bytes_of_clean_files_are_searched(tmp_path: Path) -> None:
    for number in range(3):
        (tmp_path / str(number)).write_bytes(bytes(1000))
    assert files_holding(NEEDLE, [tmp_path]) == ([], 3000)
