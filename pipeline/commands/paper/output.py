"""Where a paper is written to, and in which form."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from pathlib import Path

from paper.content import Paper
from paper.language import LANGUAGES, Language
from paper.rendering.html import html
from paper.rendering.pdf import pdf
from pipeline.errors import SetupError
from pipeline.output import say
from runtime.private_files import replace_file, write_private


def add_output(parser: argparse.ArgumentParser) -> None:
    """--language, --output, --pdf."""
    parser.add_argument("--language", choices=LANGUAGES, default="fi", help="default: fi")
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="default: PAPER-LANGUAGE.html or .pdf, here")
    parser.add_argument("--pdf", action="store_true", help="PDF, A4, in place of HTML")


def write(paper: Paper, arguments: argparse.Namespace, *, private: bool = False) -> None:
    """Write the file that the arguments name; ``private``: for this user alone. SetupError."""
    ending = "pdf" if arguments.pdf else "html"
    path: Path = arguments.output or Path(f"{paper.kind}-{paper.language}.{ending}")
    date = date_in(paper.language)
    made = pdf(paper, date) if arguments.pdf else html(paper, date).encode()
    try:
        if private:
            write_private(path, made)
        else:
            replace_file(path, made, mode=0o644, durable=True)
    except OSError as exc:
        raise SetupError(f"{path} cannot be written ({exc.strerror}).", "Name a file of yours with -o.") from exc
    say(f"{path}: {paper.title}")


def date_in(language: Language, at: str | None = None) -> str:
    """Of an ISO time, by default of now: ``1.12.2026`` or ``1 December 2026``, in this machine's time zone."""
    local = (datetime.now(UTC) if at is None else datetime.fromisoformat(at)).astimezone()
    return f"{local.day}.{local.month}.{local.year}" if language == "fi" else f"{local:%d %B %Y}".lstrip("0")
