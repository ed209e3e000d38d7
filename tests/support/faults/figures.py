"""What long rounds of faults came to, in a table: ``python -m tests.support.faults.figures FILE``."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

_HEAD = ("what", "scenes", "deaths", "fewest at", "most at", "handed in", "lost", "s a death", "rows", "seeds")


def summary(lines: Iterable[dict[str, Any]]) -> list[tuple[str, ...]]:
    """A row for each place or fault. "s a death": the most that one camera lost on average of a scene's deaths."""
    found: dict[str, list[dict[str, Any]]] = {}
    for line in lines:
        found.setdefault(line["what"], []).append(line)
    return [_HEAD, *(_row(what, scenes) for what, scenes in sorted(found.items()))]


def _row(what: str, scenes: list[dict[str, Any]]) -> tuple[str, ...]:
    at = [hit for scene in scenes for hit in scene.get("struck_at", ())]
    seeds = sorted({scene["seed"] for scene in scenes if "seed" in scene})
    return (
        what,
        str(len(scenes)),
        str(sum(scene.get("kills", 0) for scene in scenes)),
        str(min(at, default="")),
        str(max(at, default="")),
        str(sum(scene.get("handed_in", scene.get("pictures", 0)) for scene in scenes)),
        str(sum(scene.get("lost", 0) for scene in scenes)),
        f"{max(scene.get('most_lost_a_kill', 0.0) for scene in scenes):.2f}",
        str(sum(scene.get("rows", scene.get("segments", 0)) for scene in scenes)),
        f"{seeds[0]}..{seeds[-1]}" if seeds else "",
    )


def struck(lines: Iterable[dict[str, Any]]) -> dict[str, int]:
    """Deaths by place, where one scene has many places: the ingest role's."""
    found: dict[str, int] = {}
    for line in lines:
        for place, times in line.get("struck", {}).items():
            found[place] = found.get(place, 0) + times
    return found


def main(path: Path) -> None:
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    rows = summary(lines)
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    places = struck(lines)
    if places:
        print("\nthe ingest role, deaths by place")
        for place, times in sorted(places.items()):
            print(f"{times:6}  {place}")
        slowest_s = max(line.get("slowest_back_s", 0.0) for line in lines)
        print(f"slowest from a start to a camera's first picture: {slowest_s:.2f} s")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
