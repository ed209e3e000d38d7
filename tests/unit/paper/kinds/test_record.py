"""The record of processing: the points (a) to (g) of GDPR 30(1), from the configuration."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from paper.kinds.record import paper
from paper.language import LANGUAGES, Language
from tests.support.papers import facts_in

POINTS = ["controller", "purposes", "categories", "recipients", "transfers", "retention", "measures"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_record_has_each_point_of_article_30(tmp_path: Path, language: Language) -> None:
    sections = paper(facts_in(tmp_path), language).sections
    assert [section.key for section in sections] == POINTS
    assert [section.title.strip("(")[0] for section in sections] == list("abcdefg")


@pytest.mark.parametrize("language", LANGUAGES)
def test_record_holds_references_of_each_camera_and_the_bounds(tmp_path: Path, language: Language) -> None:
    text = str(paper(facts_in(tmp_path), language))
    for word in ("balancing 2026-1, DPIA 2026-2", "balancing 2026-3", "two burglaries in a weekend", "731", "101"):
        assert word in text


def test_measures_are_those_that_the_configuration_has(tmp_path: Path) -> None:
    facts = facts_in(tmp_path)
    with_backup = replace(facts, backups_d=35, replica=True)
    for claim in ("backed up", "second place"):
        assert claim not in str(paper(facts, "en")) and claim in str(paper(with_backup, "en"))
