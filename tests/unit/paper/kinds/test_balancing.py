"""The balancing test's skeleton: what is known of each camera, and blanks for what only the operator can say."""

from __future__ import annotations

from pathlib import Path

import pytest

from paper.content import Blank, Labelled, Section
from paper.kinds.balancing import paper
from paper.language import LANGUAGES, Language
from tests.support.papers import facts_in


def sections(folder: Path, language: Language) -> tuple[Section, ...]:
    return paper(facts_in(folder), language).sections


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_camera_has_its_reference_and_its_facts(tmp_path: Path, language: Language) -> None:
    entrance, weights = sections(tmp_path, language)
    known = [block.text for block in entrance.blocks if isinstance(block, Labelled)]
    assert "balancing 2026-1, DPIA 2026-2" in known and "Main" in known
    assert "balancing 2026-3" in str(weights) and "two burglaries" in str(weights) and "calls for help" in str(weights)
    assert ("omaisuuden suoja" if language == "fi" else "protecting property") in known


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_only_the_operator_knows_is_left_blank(tmp_path: Path, language: Language) -> None:
    entrance, weights = sections(tmp_path, language)
    blanks = [block for block in entrance.blocks if isinstance(block, Blank)]
    assert len(blanks) == 6
    assert len([block for block in weights.blocks if isinstance(block, Blank)]) == 7  # sound has a question of its own
