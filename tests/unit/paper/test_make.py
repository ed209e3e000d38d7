"""Every kind of paper can be made, in both languages."""

from __future__ import annotations

from pathlib import Path

import pytest

from paper.content import Kind, Table
from paper.language import LANGUAGES, Language
from paper.make import make
from tests.support.papers import facts_in


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", Kind)
def test_paper_is_made_with_distinct_keys_and_even_tables(tmp_path: Path, kind: Kind, language: Language) -> None:
    paper = make(kind, facts_in(tmp_path), language)
    assert (paper.kind, paper.language) == (kind, language)
    keys = [section.key for section in paper.sections]
    assert keys and len(set(keys)) == len(keys)
    for section in paper.sections:
        for table in (block for block in section.blocks if isinstance(block, Table)):
            assert {len(row) for row in table.rows} <= {len(table.head)}


@pytest.mark.parametrize("kind", Kind)
def test_languages_say_the_same_facts_in_other_words(tmp_path: Path, kind: Kind) -> None:
    english, finnish = (make(kind, facts_in(tmp_path), language) for language in LANGUAGES)
    assert [section.key for section in english.sections] == [section.key for section in finnish.sections]
    assert english.title != finnish.title
    for one, other in zip(english.sections, finnish.sections, strict=True):
        assert [type(block) for block in one.blocks] == [type(block) for block in other.blocks]
        assert len(one.lines) == len(other.lines)
