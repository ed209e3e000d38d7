"""Reports about lists and files that spreadsheets and editors write."""

from __future__ import annotations

import pytest

from indexer.members.member_file import read_members
from pipeline.config.load import load
from tests.cases.shared import field_case


@pytest.mark.parametrize(
    ("name", "lines", "credentials"),
    [
        ("base", 3, {"04A1B2C3", "ED0BA996", "0012345678"}),
        ("semi_bom_crlf", 1, {"04A1B2C4"}),
        ("sep", 1, {"04A1B2C6"}),
        ("tab", 1, {"04A1B2C9"}),
        ("nbsp", 2, {"04A1B2CF", "04A1B2D0"}),
        ("trailing", 1, {"04A1B2CD"}),
        ("blanklines", 1, {"04A1B2CE"}),
        ("emoji", 2, {"04A1B2D3", "04A1B2D4"}),
    ],
)
def test_list_is_read(name: str, lines: int, credentials: set[str]) -> None:
    text = (field_case("csv-excel") / f"{name}.csv").read_bytes().decode()
    found, errors = read_members(text)
    assert not errors
    assert len(found) == lines
    assert {line.credential for line in found} == credentials


@pytest.mark.parametrize(("name", "wrong"), [("sci", [2]), ("sci_number", [2]), ("sci_two", [2, 3])])
def test_rounded_numbers_are_refused_by_line(name: str, wrong: list[int]) -> None:
    _, errors = read_members((field_case("csv-excel") / f"{name}.csv").read_bytes().decode())
    assert [error.line for error in errors] == wrong
    assert all("rounded" in error.what for error in errors)


def test_configuration_that_notepad_saved_is_read() -> None:
    assert load(field_case("config-bom") / "bom.toml").config.site[0].name == "Gym"
