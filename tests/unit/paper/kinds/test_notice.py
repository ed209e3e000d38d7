"""The privacy notice: what GDPR 13 and 14 want is in it, in both languages, and only what the configuration does."""

from __future__ import annotations

from pathlib import Path

import pytest

from paper.kinds.notice import paper
from paper.language import LANGUAGES, Language
from storage.register.fields import OFFERS, Field
from tests.support.papers import FULL, facts_in


def words(folder: Path, language: Language, text: str = FULL) -> str:
    return "\n".join(line for lines in paper(facts_in(folder, text), language).lines.values() for line in lines)


@pytest.mark.parametrize("language", LANGUAGES)
def test_notice_has_each_part_that_the_law_asks_for(tmp_path: Path, language: Language) -> None:
    sections = set(paper(facts_in(tmp_path), language).lines)
    # 13(1)(a-b), (c-d), 14(1)(d), (e), (f), 13(2)(a), (b-c), (d), 14(2)(f)
    assert {"controller", "purposes", "register", "recipients", "transfers", "footage", "records", "rights"} <= sections
    assert {"complaint", "cameras", "linked", "access"} <= sections


@pytest.mark.parametrize("language", LANGUAGES)
def test_notice_says_what_the_operator_said(tmp_path: Path, language: Language) -> None:
    said = words(tmp_path, language)
    for everywhere in ("Mäkelän Sali Oy", "7654321-0", "tietosuoja@sali.example", "+358 9 1234", "Öystein Åberg"):
        assert everywhere in said
    english = ("Authority A", "The data is required.", "Pay Ltd", "Switzerland", "adequacy", "watching the door")
    finnish = ("Viranomainen A", "Tiedot ovat edellytys.", "Maksu Ab", "Sveitsi", "päätös", "valvonta")
    own, other = (finnish, english) if language == "fi" else (english, finnish)
    assert [word for word in own if word not in said] == []
    assert [word for word in other if word in said and word != "valvonta"] == []


@pytest.mark.parametrize(
    ("language", "credential"), [("en", "a credential opened a door"), ("fi", "tunniste avasi oven")]
)
def test_notice_links_credentials_and_never_persons_with_pictures(
    tmp_path: Path, language: Language, credential: str
) -> None:
    said = words(tmp_path, language)
    assert credential in said
    assert "person identified" not in said and "henkilö tunnistet" not in said


def test_every_field_of_the_register_is_in_the_notice(tmp_path: Path) -> None:
    said = words(tmp_path, "en")
    known = {
        Field.NAME: "name",
        Field.BIRTH_DATE: "birth date",
        Field.EMAIL: "e-mail",
        Field.PHONE: "phone",
        Field.ADDRESS: "address",
        Field.OTHER: "other information",
        Field.MEMBERSHIP: "membership",
        Field.MEMBER_FROM: "membership",
        Field.MEMBER_TO: "membership",
        **dict.fromkeys(OFFERS, "opt-outs from offers"),
    }
    assert set(known) == set(Field)  # a new field needs its word here and in the notice
    (members,) = [line for line in said.splitlines() if line.startswith("Members, as far as given")]
    assert [word for word in known.values() if word not in members] == []


SOUND = 'audio = true\naudio_reason = "calls for help"\n'
OFFICER = 'data_protection_officer = "Öystein Åberg, dpo@sali.example"'


@pytest.mark.parametrize(
    ("old", "new", "there", "instead"),
    [
        (SOUND, "", "sound too: calls for help", None),
        (OFFICER, 'data_protection_officer = ""', "Data protection officer: Öystein", "no data protection officer"),
        ('basis = "contract"', 'basis = "legal obligation"', "Portability", None),
        ('cameras = [{ name = "Entrance" }]', "cameras = []", "watching the door | no sound | Main", None),
        ('phone = "+358 9 1234"', 'phone = ""', "Telephone", None),
        (FULL[FULL.index("[[site.door]]") : FULL.index("[retention]")], "", "The access log: which", None),
        (
            FULL[FULL.index("transfer =") : FULL.index("\n\n[[controller.g")],
            "transfer = []",
            "Switz",
            "not transferred",
        ),
        (
            FULL[FULL.index("recipient =") : FULL.index("\ntransfer")],
            "recipient = []",
            "Pay Ltd",
            "not given to others",
        ),
    ],
)
def test_claim_appears_exactly_when_the_configuration_does_it(
    tmp_path: Path, old: str, new: str, there: str, instead: str | None
) -> None:
    before, after = words(tmp_path, "en"), words(tmp_path, "en", FULL.replace(old, new))
    assert there in before and there not in after
    if instead is not None:
        assert instead not in before and instead in after
