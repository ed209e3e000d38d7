"""A paper as one HTML file that needs no other: read on a screen, printed, sent by mail."""

from __future__ import annotations

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from paper.content import Kind, Paper
from paper.language import teller
from paper.rendering.pictogram import svg


def html(paper: Paper, date: str) -> str:
    """``date``: when it was made or published, as the reader sees it."""
    name = "sign.html" if paper.kind == Kind.SIGN else "paper.html"
    camera = Markup(svg(str(escape(teller(paper.language)("Camera", "Kamera")))))
    return _environment().get_template(name).render(paper=paper, dated=dated(paper, date), camera=camera)


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
