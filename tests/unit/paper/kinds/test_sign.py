"""The sign at the door: a page for each site, with what a person must know before going in."""

from __future__ import annotations

from pathlib import Path

import pytest

from paper.kinds.sign import paper
from paper.language import LANGUAGES, Language
from tests.support.papers import FULL, facts_in

SECOND = """
[[site]]
name = "Turku"

[[site.camera]]
name = "Stairs"
url = "rtsp://192.168.2.1/one"
zone = "stairs"
purpose = "accidents"
assessment = "2026-9"
retention_h = 24

[retention]"""


@pytest.mark.parametrize(
    ("language", "purpose", "bound"),
    [("en", "safety", "within 101 hours"), ("fi", "turvallisuus", "101 tunnin kuluessa")],
)
def test_sign_says_who_why_how_long_and_where_to_read_on(
    tmp_path: Path, language: Language, purpose: str, bound: str
) -> None:
    (said,) = [lines for key, lines in paper(facts_in(tmp_path), language).lines.items() if key == "Helsinki"]
    text = "\n".join(said)
    for word in ("Mäkelän Sali Oy", "7654321-0", "tietosuoja@sali.example", "https://sali.example/privacy", bound):
        assert word in text
    assert purpose in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_site_has_its_own_sign_with_its_own_bound(tmp_path: Path, language: Language) -> None:
    signs = paper(facts_in(tmp_path, FULL.replace("\n[retention]", SECOND)), language).sections
    assert [sign.key for sign in signs] == ["Helsinki", "Turku"]
    assert ["101" in str(sign) for sign in signs] == [True, False]
    assert ["25" in str(sign) for sign in signs] == [False, True]


def test_sound_is_on_the_sign_exactly_where_it_is_recorded(tmp_path: Path) -> None:
    quiet = FULL.replace('audio = true\naudio_reason = "calls for help"\n', "")
    assert "Kuva ja ääni tallennetaan" in str(paper(facts_in(tmp_path), "fi"))
    assert "ääntä ei" in str(paper(facts_in(tmp_path, quiet), "fi"))


def test_site_without_cameras_has_no_sign(tmp_path: Path) -> None:
    text = FULL.replace(
        "\n[retention]", '\n[[site]]\nname = "Oulu"\n\n[[site.door]]\nname = "D"\nexternal_id = "d"\n\n[retention]'
    )
    assert [sign.key for sign in paper(facts_in(tmp_path, text), "en").sections] == ["Helsinki"]
