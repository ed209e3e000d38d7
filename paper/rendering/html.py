"""A paper as one HTML file that needs no other: read on a screen, printed, sent by mail."""

from __future__ import annotations

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined

from paper.content import Paper
from paper.language import teller


def html(paper: Paper, date: str) -> str:
    """``date``: when it was made or published, as the reader sees it."""
    t = teller(paper.language)
    return _environment().get_template("paper.html").render(paper=paper, dated=t(f"As of {date}", f"Päivätty {date}"))


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("paper.rendering", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
