"""No page is forgotten by the test that has axe look at each; without a browser."""

from __future__ import annotations

from api.pages.rendering import DIRECTORY
from tests.browser.fit.pages import PAGES


def test_no_page_is_without_axe() -> None:
    """What extends the frame of all pages is a page. Control: one more template is missed."""
    templates = {path.stem: path.read_text() for path in (DIRECTORY / "templates").glob("*.html")}
    assert without_axe(templates) == []
    assert without_axe({**templates, "lost": '{% extends "base.html" %}'}) == ["lost"]


def without_axe(templates: dict[str, str]) -> list[str]:
    looked_at = {name for name, _, _ in PAGES}
    return [name for name, text in templates.items() if "{% extends" in text and name not in looked_at]
