"""The record of what was published: a file of the data directory, so that no service has to run to publish or check.

`serve` may read it and not write it; backups hold it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from paper.content import Kind, Paper
from paper.language import LANGUAGES, Language
from paper.make import make
from paper.published import Published, from_text, publish, to_text
from paper.rendering.html import NOTICE_PATH, NOTICE_STYLE, html, notice_file
from paper.stated import Facts
from runtime.private_files import private_directory, write_private

_FILE: Final = "published.json"


def all_papers(facts: Facts) -> list[Paper]:
    """Every paper in every language."""
    return [make(kind, facts, language) for kind in Kind for language in LANGUAGES]


def read_record(folder: Path) -> list[Published]:
    """``folder``: the installation's papers. Nothing was published: []. PaperError: the record is damaged."""
    try:
        text = (folder / _FILE).read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return []
    return from_text(text)


def write_record(folder: Path, papers: list[Paper], at: str, dates: Mapping[Language, str]) -> None:
    """Replaces the record, durably, and the notice that `serve` shows at /privacy. ``dates``: as they stand on it."""
    private_directory(folder)
    for paper in papers:
        if paper.kind == Kind.NOTICE:
            page = html(paper, dates[paper.language], at=(NOTICE_PATH, NOTICE_STYLE))
            write_private(folder / notice_file(paper.language), page.encode())
    write_private(folder / _FILE, to_text(publish(papers, at)).encode())
