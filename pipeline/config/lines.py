"""The line of an option in a TOML file. tomllib does not report it; headers and keys are found by reading along."""

from __future__ import annotations

import re
from collections.abc import Sequence

_HEADER = re.compile(r"^\s*(\[\[?)\s*([A-Za-z0-9_.\-\" ]+?)\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(r"^\s*\"?([A-Za-z0-9_\-]+)\"?\s*[.=]")

Path = Sequence[str | int]


def line_of(text: str, path: Path) -> int:
    """1-based. The key's line; its table's header's when the key is missing; 1 when nothing is found."""
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
    """The path of a header: arrays along the way are at their latest element."""
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
