"""Words that name doors."""

from __future__ import annotations

import uuid

import pytest

from api.search.door_words import split_doors
from api.sign_in.scope import DoorRow
from domain.ids import DoorId, SiteId


@pytest.mark.parametrize(
    ("typed", "named", "left"),
    [
        ("front door", ["Front door"], ""),
        ("door", ["Front door", "Side door"], ""),
        ("virtanen side", ["Side door"], "virtanen"),
        ("pääovi", ["Pääovi"], ""),
        ("paaovi matti", ["Pääovi"], "matti"),
        ("s", [], "s"),
        ("matti", [], "matti"),
    ],
)
def test_words_name_doors(typed: str, named: list[str], left: str) -> None:
    doors = [
        DoorRow(door_id=DoorId(uuid.uuid4()), site_id=SiteId(uuid.UUID(int=1)), name=name, removed=False, cameras=())
        for name in ("Front door", "Side door", "Pääovi")
    ]
    found, rest = split_doors(typed, doors)
    assert ([door.name for door in found], rest) == (named, left)
