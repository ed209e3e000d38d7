"""Finnish and English: a text in both, and how counts and spans are written in each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Language = Literal["en", "fi"]
LANGUAGES: tuple[Language, ...] = ("en", "fi")
Tell = Callable[[str, str], str]
"""Of (English, Finnish) the text in the language of the paper."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Both:
    """What the operator says, in both languages. An operator who writes one text has it in both."""

    en: str
    fi: str

    def of(self, language: Language) -> str:
        """The text in that language."""
        return self.fi if language == "fi" else self.en


def teller(language: Language) -> Tell:
    """A function that picks the text of that language."""
    return lambda en, fi: fi if language == "fi" else en


def hours(count: int, language: Language) -> str:
    """``1 hour``, ``73 tuntia``."""
    return _counted(count, language, ("hour", "hours"), ("tunti", "tuntia"))


def days(count: int, language: Language) -> str:
    """``1 day``, ``90 päivää``."""
    return _counted(count, language, ("day", "days"), ("päivä", "päivää"))


def within(count: int, unit: Literal["h", "d"], language: Language) -> str:
    """``within 73 hours``, ``73 tunnin kuluessa``: the longest that something is kept."""
    if language == "fi":
        return f"{count} {'tunnin' if unit == 'h' else 'päivän'} kuluessa"
    return f"within {hours(count, language) if unit == 'h' else days(count, language)}"


def _counted(count: int, language: Language, en: tuple[str, str], fi: tuple[str, str]) -> str:
    one, many = fi if language == "fi" else en
    return f"{count} {one if count == 1 else many}"
