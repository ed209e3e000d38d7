"""A mistake in the configuration, and its line in the TOML file, which tomllib does not report."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

_HEADER = re.compile(r"^\s*(\[\[?)\s*([A-Za-z0-9_.\-\" ]+?)\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(r"^\s*\"?([A-Za-z0-9_\-]+)\"?\s*[.=]")

Path = Sequence[str | int]


@dataclass(frozen=True, slots=True)
class Mistake:
    """``path``: where it stands, as keys and places in lists."""

    path: tuple[str | int, ...]
    what: str
    remedy: str


def line_of(text: str, path: Path) -> int:
    """Return the line of the key, from 1; without the key that of its table's header; else 1. Scans the text."""
    best = 1
    best_length = 0
    here: list[str | int] = []
    counts: dict[tuple[str | int, ...], int] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER.match(line):
            here = _table(header[2].replace('"', ""), header[1] == "[[", counts)
            place = here
        elif key := _KEY.match(line):
            place = [*here, key[1]]
        else:
            continue
        shared = len(place) if list(path[: len(place)]) == place else 0
        if shared > best_length:
            best, best_length = number, shared
    return best


def _table(dotted: str, is_array: bool, counts: dict[tuple[str | int, ...], int]) -> list[str | int]:
    """Return the path of a header, where arrays stand for their last element."""
    parts = [part.strip() for part in dotted.split(".")]
    place: list[str | int] = []
    for position, part in enumerate(parts):
        place.append(part)
        array = tuple(place)
        if position == len(parts) - 1 and is_array:
            counts[array] = counts.get(array, -1) + 1
            for other in [known for known in counts if known[: len(array)] == array and len(known) > len(array)]:
                del counts[other]
        if array in counts:
            place.append(counts[array])
    return place
