"""Runs of lines that stand in more than one place."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from tests.house.tree import Tree

SHORTEST = 6
_NO_CODE = ("#", "import ", "from ", "@", '"""')


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeat:
    """``lines`` lines from ``first`` stand again from ``second``; each is path:line."""

    first: str
    second: str
    lines: int


def repeats(tree: Tree) -> list[Repeat]:
    """Each run of at least six equal lines of code, indentation, blank lines, comments and imports left out."""
    texts = {path: list(_code(text)) for path, text in tree.items()}
    places: dict[tuple[str, ...], list[tuple[str, int]]] = defaultdict(list)
    for path, lines in texts.items():
        for at in range(len(lines) - SHORTEST + 1):
            places[tuple(line for _, line in lines[at : at + SHORTEST])].append((path, at))
    pairs = {(found[0], other) for found in places.values() for other in found[1:]}
    return sorted(_runs(pairs, texts), key=lambda run: (-run.lines, run.first, run.second))


def _runs(
    pairs: set[tuple[tuple[str, int], tuple[str, int]]], texts: dict[str, list[tuple[int, str]]]
) -> Iterator[Repeat]:
    """Windows that overlap become one run."""
    for (path, at), (other, there) in pairs:
        if ((path, at - 1), (other, there - 1)) in pairs:
            continue
        length = SHORTEST
        while ((path, at + length - SHORTEST + 1), (other, there + length - SHORTEST + 1)) in pairs:
            length += 1
        yield Repeat(first=f"{path}:{texts[path][at][0]}", second=f"{other}:{texts[other][there][0]}", lines=length)


def _code(text: str) -> Iterator[tuple[int, str]]:
    """Lines that say something: a closing bracket alone does not."""
    for number, line in enumerate(text.splitlines(), 1):
        bare = line.strip()
        if not bare.startswith(_NO_CODE) and any(letter.isalnum() for letter in bare):
            yield number, bare
