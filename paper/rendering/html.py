"""A paper as one HTML file that needs no other: read on a screen, printed, sent by mail."""

from __future__ import annotations

from functools import cache
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from paper.content import Kind, Paper
from paper.language import teller
from paper.rendering.pictogram import svg

NOTICE_PATH: Final = "/privacy"
NOTICE_STYLE: Final = "/privacy.css"
"""Where `serve` shows the published notice and its style: its pages allow no style within a page."""


def html(paper: Paper, date: str, at: tuple[str, str] | None = None) -> str:
    """``date``: when it was made or published, as the reader sees it; ``at``: its own address and that of its style."""
    name = "sign.html" if paper.kind == Kind.SIGN else "paper.html"
    camera = Markup(svg(str(escape(teller(paper.language)("Camera", "Kamera")))))
    return _environment().get_template(name).render(paper=paper, dated=dated(paper, date), camera=camera, at=at)


def notice_file(language: str) -> str:
    """The name of the published notice."""
    return f"notice-{language}.html"


def style() -> str:
    """The style sheet of papers, for ``NOTICE_STYLE``."""
    return _environment().get_template("paper.css").render()


def dated(paper: Paper, date: str) -> str:
    """As it stands on the paper."""
    return teller(paper.language)(f"As of {date}", f"Päivätty {date}")


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("paper.rendering", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
