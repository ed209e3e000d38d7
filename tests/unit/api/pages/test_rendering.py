"""Pages without a browser: both dictionaries whole, no inline script or style, nothing from elsewhere."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from api.pages.language import dictionary, preferred
from api.pages.rendering import DIRECTORY
from api.sign_in.purposes import Category
from domain.access import EventKind
from domain.footage import GapCause
from storage.catalogue.audit import ACTIONS

ROOT = Path(__file__).resolve().parents[4]
TEMPLATES = sorted((DIRECTORY / "templates").rglob("*.html"))
STATIC_FOLDER = DIRECTORY / "static"
SCRIPTS = sorted((DIRECTORY / "static").rglob("*.js"))
STATIC = [*SCRIPTS, *sorted((DIRECTORY / "static").glob("*.css")), *sorted((DIRECTORY / "static").glob("*.svg"))]


def test_both_languages_have_the_same_keys_and_blanks() -> None:
    english, finnish = dictionary("en"), dictionary("fi")
    assert set(english) == set(finnish)
    for key, text in english.items():
        assert set(re.findall(r"\{\w+\}", text)) == set(re.findall(r"\{\w+\}", finnish[key])), key
        assert text.strip()
        assert finnish[key].strip()


def test_every_key_that_is_used_is_there() -> None:
    text = "".join(path.read_text() for path in [*TEMPLATES, *SCRIPTS])
    used = set(re.findall(r"""\bt\(["']([a-z_]+(?:[.-][\w.-]*\w)?)["'][,)]""", text))
    assert len(used) > 100
    assert used - set(dictionary("en")) == set()


def test_every_value_that_is_stored_has_its_word() -> None:
    words = dictionary("fi")
    wanted = [f"kind.{each}" for each in EventKind] + [f"gap.{each}" for each in GapCause]
    wanted += [f"purpose.{each}" for each in Category] + [f"purpose.{each}_help" for each in Category]
    assert [key for key in wanted if key not in words] == []


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_templates_have_nothing_inline(path: Path) -> None:
    text = path.read_text()
    assert not re.search(r"\sstyle=|\son[a-z]+=|<style|javascript:", text)
    assert all("src=" in tag for tag in re.findall(r"<script[^>]*>", text))
    assert "safe" not in re.findall(r"\|\s*(\w+)", text)


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_no_form_puts_what_was_typed_into_an_address(path: Path) -> None:
    forms = re.findall(r"<form[^>]*>", path.read_text())
    assert all('method="post"' in form or 'method="dialog"' in form for form in forms)


@pytest.mark.parametrize("path", [*TEMPLATES, *STATIC], ids=lambda path: path.name)
def test_nothing_comes_from_elsewhere(path: Path) -> None:
    text = path.read_text().replace("http://www.w3.org/2000/svg", "")
    assert not elsewhere(text)


def elsewhere(text: str) -> list[str]:
    """What a template, script or sheet would load from another place than the folder it lies in."""
    named = [name for name in re.findall(r"url\(\s*[\"']?([^\"')]*)", text) if not (STATIC_FOLDER / name).is_file()]
    return named + re.findall(r"https?://|(?:src|href)=[\"']//|@import", text)


@pytest.mark.parametrize(
    "text",
    [
        'src: url("//fonts.example/inter.woff2")',
        "background: url(data:image/png;base64,AA)",
        "background: url( '/elsewhere.png' )",
        '@import "other.css"',
        '<script src="//x/">',
        "fetch('https://x')",
    ],
)
def test_what_comes_from_elsewhere_is_found(text: str) -> None:
    assert elsewhere(text)


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_scripts_make_no_markup_from_text(path: Path) -> None:
    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function", path.read_text()
    )


def test_every_action_on_record_is_offered_and_has_words() -> None:
    """Whatever a role appends can be asked for on the audit page, in both languages."""
    said = set()
    for package in ("api", "custodian", "indexer", "ingest", "pipeline", "storage", "upkeep"):
        for path in (ROOT / package).rglob("*.py"):
            text = path.read_text()
            said |= set(re.findall(r'Entry\((?:[^()]|\([^()]*\))*action="([a-z_]+)"', text))
            said |= set(re.findall(r'_record\(conn, "([a-z_]+)"', text))
    assert {"sign_in", "export_made", "make_past_keys", "members_imported", "event_withdrawn"} <= said
    assert said - set(ACTIONS) == set()
    for path in (DIRECTORY / "static" / "i18n").glob("*.json"):
        words = json.loads(path.read_text())
        assert [action for action in ACTIONS if f"action.{action}" not in words] == [], path.name


def test_dictionaries_are_in_plain_json() -> None:
    for path in (DIRECTORY / "static" / "i18n").glob("*.json"):
        assert isinstance(json.loads(path.read_text()), dict)


@pytest.mark.parametrize(
    ("accept", "language"),
    [
        ("fi", "fi"),
        ("fi-FI,fi;q=0.9,en;q=0.8", "fi"),
        ("sv-SE,en;q=0.5,fi;q=0.7", "fi"),
        ("en-US", "en"),
        ("de", None),
        ("fi;q=0", None),
        ("", None),
        (";;q=x,=", None),
    ],
)
def test_language_from_the_browser(accept: str, language: str | None) -> None:
    assert preferred(accept) == language
