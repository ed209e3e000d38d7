"""Reads the configuration file and reports all mistakes at once, each with its line and remedy."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from domain.text import printable
from pipeline.config.check import mistakes_in
from pipeline.config.lines import Mistake, line_of
from pipeline.config.model import Config, Secret
from pipeline.errors import SetupError

_EXAMPLE: Final = "Correct it; `tallenne config example` shows how."
_PYDANTIC: Final = {
    "missing": ("It is missing.", "Add it."),
    "extra_forbidden": (
        "There is no such option.",
        "Remove it, or correct its spelling; `tallenne config example` lists every option.",
    ),
    "string_pattern_mismatch": ("It is not of the form {pattern}.", "Write it as `tallenne config example` shows."),
    "tuple_type": ("It is not a list.", 'Write it in brackets, as ["one", "two"].'),
    "float_type": ("It is a number, without quotes.", _EXAMPLE),
    "too_short": ("It needs at least {min_length} of them.", _EXAMPLE),
}
"""Explanations of pydantic's error types for people who do not program."""
_SECRET: Final = ("A secret does not belong into the configuration.", 'Write { file = "path" } or { env = "NAME" }.')


class ConfigError(SetupError):
    """The configuration file is wrong. ``mistakes``: "line N: what. remedy" each."""

    def __init__(self, path: Path, mistakes: list[str]) -> None:
        super().__init__(f"{path} has mistakes.", f"Correct them, then run: tallenne config check --config {path}")
        head = f"{path} has {len(mistakes)} mistake{'s' * (len(mistakes) > 1)}:"
        self.what = "\n  ".join(map(printable, [head, *mistakes]))  # a line each
        self.remedy = f"\n{self.remedy}"
        self.mistakes = mistakes


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A correct configuration and where it came from; relative paths in it count from there."""

    config: Config
    path: Path
    stamp: tuple[int, int] = (0, 0)  # of the file that was read: see ``stamp_of()``

    def resolve(self, path: Path) -> Path:
        """Return a path of the configuration; a relative one counts from the file's directory."""
        return path if path.is_absolute() else self.path.parent / path


def stamp_of(path: Path) -> tuple[int, int]:
    """Return a value that changes with the file."""
    try:
        status = path.stat()
    except OSError:
        return (0, 0)
    return (status.st_mtime_ns, status.st_size)


def load(path: Path) -> Loaded:
    """ConfigError with all mistakes; SetupError when the file cannot be read."""
    stamp = stamp_of(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as exc:
        reason = exc.strerror if isinstance(exc, OSError) else "it is not UTF-8"
        raise SetupError(f"{path} cannot be read: {reason}.", "`tallenne config example` prints one.") from exc
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as exc:
        place = re.search(r"line (\d+)", str(exc))
        said = f"line {place[1] if place else 1}: not TOML: {exc}. Quote texts, close brackets."
        raise ConfigError(path, [said]) from None
    except RecursionError:
        raise ConfigError(path, ["line 1: it is nested too deeply. `tallenne config example` prints one."]) from None
    try:
        config = Config.model_validate(raw)
    except ValidationError as exc:
        raise ConfigError(path, [_told(text, error) for error in _causes(exc.errors(include_url=False))]) from None
    loaded = Loaded(config=config, path=path.absolute(), stamp=stamp)
    found = mistakes_in(config, loaded.resolve)
    if found:
        raise ConfigError(path, [_line(text, item) for item in found])
    return loaded


def _causes(errors: list[ErrorDetails]) -> list[ErrorDetails]:
    """Leave out follow-up mistakes, such as a list that counts as empty because its items are wrong."""
    places = [error["loc"] for error in errors]

    def follows(error: ErrorDetails) -> bool:
        loc = error["loc"]
        return error["type"] == "too_short" and any(len(loc) < len(at) and at[: len(loc)] == loc for at in places)

    return [error for error in errors if not follows(error)]


def _line(text: str, mistake: Mistake) -> str:
    return f"line {line_of(text, mistake.path)}: {dotted(mistake.path)}: {mistake.what} {mistake.remedy}"


def _told(text: str, error: ErrorDetails) -> str:
    path = error["loc"]
    what, remedy = _words(error)
    return f"line {line_of(text, path)}: {dotted(path)}: {what} {remedy}"


def _words(error: ErrorDetails) -> tuple[str, str]:
    context = error.get("ctx", {})
    if context.get("class_name") == Secret.__name__:
        return _SECRET
    if error["type"] == "value_error":
        return f"It {context['error']}.", _EXAMPLE
    what, remedy = _PYDANTIC.get(error["type"], (f"{error['msg']}.", _EXAMPLE))
    return what.format_map(context), remedy


def dotted(path: tuple[str | int, ...]) -> str:
    """``site[1].camera[2].url``, counted from 1 as a person does."""
    text = ""
    for part in path:
        text += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if text else part
    return text
