"""The answer to a breach in both languages: counts, people, members, cameras and each entry."""

from __future__ import annotations

from dataclasses import replace

import pytest

from paper.content import Blank, Table
from paper.exposed import ExposedLook, ExposedMember, Exposure, How
from paper.kinds.breach import ROWS_MAX, paper
from paper.language import LANGUAGES, Language
from paper.rendering.html import html
from paper.rendering.pdf import pdf

LOOK = ExposedLook(
    at="2026-12-01 10:00:00",
    person="Anna (anna)",
    how=How.FOOTAGE,
    action="look",
    purpose="incident",
    cameras=("North: Lobby",),
    footage="2026-12-01 06:30:00 – 2026-12-01 06:33:00",
    members=0,
)
SEARCH = replace(LOOK, how=How.SEARCH, action="find", person="Berit (berit)", cameras=(), footage="", members=1)
EXPOSURE = Exposure(
    controller="Sali Oy",
    start="2026-12-01 00:00:00",
    end="2026-12-02 00:00:00",
    person="",
    looks=(
        LOOK,
        replace(LOOK, how=How.SEARCH, action="find", person="Berit (berit)", cameras=(), footage="", members=1),
    ),
    members=(ExposedMember(number="1042", name="Aino Äijö", named=1, cameras=("North: Lobby",)),),
    events_since="2026-09-01 00:00:00",
    entries_since="2026-01-01 00:00:00",
    whole_register=False,
)


@pytest.mark.parametrize("language", LANGUAGES)
def test_counts_people_members_cameras_and_entries(language: Language) -> None:
    made = paper(EXPOSURE, language)
    tables = {section.key: block for section in made.sections for block in section.blocks if isinstance(block, Table)}
    assert [row[1] for row in tables["summary"].rows] == ["1", "0", "1", "0", "2", "1", "1"]
    assert [row[:5] for row in tables["people"].rows] == [
        ("Anna (anna)", "1", "0", "0", "0"),
        ("Berit (berit)", "0", "0", "1", "0"),
    ]
    assert tables["members"].rows == (("1042", "Aino Äijö", "1", "North: Lobby"),)
    assert tables["cameras"].rows == (("North: Lobby", "1", "0"),)
    assert len(tables["list"].rows) == 2
    assert len([block for block in made.sections[-1].blocks if isinstance(block, Blank)]) == 4
    assert "Aino Äijö" in html(made, "1.12.2026") and pdf(made, "1.12.2026").startswith(b"%PDF")


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_is_said_as_nothing(language: Language) -> None:
    made = paper(replace(EXPOSURE, looks=(), members=()), language)
    assert str(made).count("Ei yhtään" if language == "fi" else "None in this time") == 4


def test_whole_register_and_a_cut_list_are_said() -> None:
    many = replace(EXPOSURE, looks=(LOOK,) * (ROWS_MAX + 7), whole_register=True)
    text = str(paper(many, "en"))
    assert "7 more entries" in text and "every member is concerned" in text
    assert "every member is concerned" not in str(paper(EXPOSURE, "en"))


def test_it_never_says_who_is_in_the_picture() -> None:
    assert "does not say who is in the picture" in str(paper(EXPOSURE, "en"))
