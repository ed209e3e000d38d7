"""PDF of papers, as Poppler reads it: every line, Finnish letters, embedded typefaces, A4."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from paper.content import Kind
from paper.errors import PaperError
from paper.language import LANGUAGES, Language
from paper.make import make
from paper.rendering.pdf import pdf
from tests.support.papers import FULL, facts_in
from tests.unit.paper.kinds.test_sign import SECOND

needs_poppler = pytest.mark.skipif(shutil.which("pdftotext") is None, reason="needs pdftotext of poppler-utils")


def read(folder: Path, kind: Kind, language: Language, text: str = FULL) -> Path:
    path = folder / "paper.pdf"
    path.write_bytes(pdf(make(kind, facts_in(folder, text), language), "1.12.2026"))
    return path


def said(*command: str | Path) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def letters(text: str) -> str:
    return re.sub(r"\s+", "", text)


@needs_poppler
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", Kind)
def test_every_line_is_in_the_pdf_with_its_letters(tmp_path: Path, kind: Kind, language: Language) -> None:
    path = read(tmp_path, kind, language)
    shown = letters(said("pdftotext", "-raw", path, "-"))
    if kind not in (Kind.BALANCING, Kind.RETENTION):
        assert letters("MäkelänSaliOy") in shown
    paper = make(kind, facts_in(tmp_path), language)
    words = {word for lines in paper.lines.values() for line in lines for word in re.findall(r"[^\W_]{3,}", line)}
    missing = {word for word in words if word not in shown}
    assert len(words) > 15 and missing == set()
    assert "1.12.2026" in shown
    assert "Page size:       595.276 x 841.89 pts (A4)" in said("pdfinfo", path)


@needs_poppler
def test_typefaces_that_draw_text_are_embedded(tmp_path: Path) -> None:
    lines = said("pdffonts", read(tmp_path, Kind.NOTICE, "fi")).splitlines()[2:]
    used = [line for line in lines if "Vera" in line]
    assert len(used) == 2 and all(line.split()[-5:-2] == ["yes", "yes", "yes"] for line in used)


@needs_poppler
@pytest.mark.parametrize(
    ("kind", "text", "pages"),
    [
        (Kind.SIGN, FULL, 1),
        (Kind.SIGN, FULL.replace("\n[retention]", SECOND), 2),
        (Kind.SIGN, FULL.replace("turvallisuus", "turvallisuus ja " + "rikosten selvittäminen, " * 14), 1),
        (Kind.BALANCING, FULL, 3),  # each camera's begins a page; the second one's asks about sound, too
    ],
)
def test_pages(tmp_path: Path, kind: Kind, text: str, pages: int) -> None:
    path = read(tmp_path, kind, "fi", text)
    assert f"Pages:           {pages}\n" in said("pdfinfo", path)
    assert "https://sali.example/privacy" in letters(said("pdftotext", path, "-")) or kind is Kind.BALANCING


def test_letter_that_the_typeface_lacks_is_refused_by_name_and_never_a_box(tmp_path: Path) -> None:
    with pytest.raises(PaperError, match=r"no 'Ж', which stands in the section .* Make the HTML"):
        read(tmp_path, Kind.NOTICE, "fi", FULL.replace("Mäkelän Sali", "Жук"))
    read(tmp_path, Kind.NOTICE, "fi", FULL.replace("Mäkelän Sali", "Šåžö Łüß"))


def test_markup_of_the_operator_is_text(tmp_path: Path) -> None:
    for kind in Kind:
        read(tmp_path, kind, "en", FULL.replace('zone = "hall"', 'zone = "<b>hall & <font size=99>"'))
