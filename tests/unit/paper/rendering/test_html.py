"""HTML of papers: one file, every line in it, and what the operator wrote is text and never markup."""

from __future__ import annotations

import html as markup
import re
from pathlib import Path

import pytest

from paper.content import Kind
from paper.language import LANGUAGES, Language
from paper.make import make
from paper.rendering.html import html
from tests.support.papers import FULL, facts_in


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", Kind)
def test_every_line_is_shown_and_nothing_is_fetched(tmp_path: Path, kind: Kind, language: Language) -> None:
    paper = make(kind, facts_in(tmp_path), language)
    page = html(paper, "1.12.2026")
    shown = " ".join(markup.unescape(re.sub(r"<[^>]+>", " ", page)).split())
    for line in (line for lines in paper.lines.values() for line in lines):
        for piece in re.split(r" \| | ____$|: ", line):
            assert " ".join(piece.split()) in shown
    assert f'<html lang="{language}">' in page and "1.12.2026" in page
    assert re.findall(r"""(?:src|href)=|url\(|@import""", page) == []


def test_what_the_operator_wrote_is_never_markup(tmp_path: Path) -> None:
    text = FULL.replace('zone = "hall"', "zone = '<script>alert(1)</script>'")
    page = html(make(Kind.NOTICE, facts_in(tmp_path, text), "fi"), "")
    assert "<script" not in page and "&lt;script&gt;" in page
