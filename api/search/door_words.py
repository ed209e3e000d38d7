"""Finds the doors that a query names. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from api.sign_in.scope import DoorRow
from storage.access import fold

_DOORS: Final = 16
_BENT: Final = ("n", "an", "a", "ssa", "sta", "lla", "lta", "lle", "aan")
_BENT_DOOR: Final = ("en", "ea", "esta", "ella", "elta", "elle", "een", "essa")


def split_doors(rest: str, doors: Sequence[DoorRow]) -> tuple[list[DoorRow], str]:
    """The doors that most of the words name, and the words left over. A word names a door by how one of its begins.

    Finnish bends names: ``pääovesta``, ``hallissa``.
    """
    words = fold(rest).split()
    best: tuple[int, list[DoorRow], list[str]] = (0, [], words)
    for door in doors:
        own = fold(door.name).split()
        left = [word for word in words if not any(_names(word, part) for part in own)]
        named = len(words) - len(left)
        if named > best[0]:
            best = (named, [door], left)
        elif named == best[0] and named and left == best[2]:
            best[1].append(door)
    # "s" alone names nothing: too many doors begin with it.
    if sum(len(word) for word in words) - sum(len(word) for word in best[2]) < 2:
        return [], " ".join(words)
    return best[1][:_DOORS], " ".join(best[2])


def _names(word: str, part: str) -> bool:
    if part.startswith(word):
        return True
    bent = part[:-1] if part.endswith("ovi") else part
    return len(bent) > 3 and word.startswith(bent) and word[len(bent) :] in (_BENT_DOOR if bent != part else _BENT)
