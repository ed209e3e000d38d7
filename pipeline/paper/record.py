"""The record of what was published: a file of the data directory, so that no service has to run to publish or check.

`serve` may read it and not write it; backups hold it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from paper.content import Kind, Paper
from paper.language import LANGUAGES
from paper.make import make
from paper.published import Published, from_text, publish, to_text
from paper.stated import Facts
from runtime.private_files import write_private

FOLDER: Final = "papers"  # of the data directory
_FILE: Final = "published.json"


def all_papers(facts: Facts) -> list[Paper]:
    """Every paper in every language."""
    return [make(kind, facts, language) for kind in Kind for language in LANGUAGES]


def read_record(root: Path) -> list[Published]:
    """``root``: the data directory. Nothing was published: []. PaperError: the record is damaged."""
    try:
        text = (root / FOLDER / _FILE).read_text(encoding="utf-8")
    except FileNotFoundError:
        return []
    return from_text(text)


def write_record(root: Path, papers: list[Paper], at: str) -> None:
    """Replaces the record, durably."""
    folder = root / FOLDER
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_private(folder / _FILE, to_text(publish(papers, at)).encode())
