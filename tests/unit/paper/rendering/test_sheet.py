"""The sign at the door: readable from a distance, and nothing that the operator wrote leaves the sheet."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from paper.content import Kind
from paper.make import make
from paper.rendering.pdf import pdf
from tests.support.papers import FULL, facts_in

LONG = "turvallisuus ja " + "rikosten selvittäminen, " * 14


@pytest.mark.skipif(shutil.which("pdftotext") is None, reason="needs pdftotext of poppler-utils")
@pytest.mark.parametrize("purpose", ["turvallisuus", LONG])
def test_words_stay_on_the_sheet_and_the_title_is_large(tmp_path: Path, purpose: str) -> None:
    text = FULL.replace('fi = "turvallisuus"', f'fi = "{purpose}"')
    path = tmp_path / "sign.pdf"
    path.write_bytes(pdf(make(Kind.SIGN, facts_in(tmp_path, text), "fi"), "1.12.2026"))
    boxes = subprocess.run(["pdftotext", "-bbox", path, "-"], check=True, capture_output=True, text=True).stdout
    found = re.findall(r'xMin="([\d.]+)" yMin="([\d.]+)" xMax="([\d.]+)" yMax="([\d.]+)">([^<]+)<', boxes)
    words = [(float(a), float(b), float(c), float(d), word) for a, b, c, d, word in found]
    assert all(a > 20 and b > 20 and c < 595 - 20 and d < 842 - 15 for a, b, c, d, _ in words)
    height = {word: d - b for _, b, _, d, word in words}
    assert height["Kameravalvonta"] > 40  # 14 mm
    assert height["Rekisterinpitäjä"] > (18 if purpose != LONG else 8)
