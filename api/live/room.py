"""What the routes of live pictures work with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Annotated, Final

from fastapi import Depends

from api.http.provide import provided
from api.settings import TurnSettings
from domain.ids import StaffId
from live.client import LiveClient

CAMERAS_MAX: Final = 16
"""Of one request, and of a wall."""
PERSON_LOOKS_MAX: Final = 32
"""Of one person at once, in all sessions together: two pages full of cameras. The role shows 64."""


class Places:
    """How many cameras each person watches now. One person leaves room for others."""

    def __init__(self) -> None:
        self._taken: Counter[StaffId] = Counter()

    @property
    def people(self) -> int:
        """How many watch now."""
        return len(self._taken)

    @contextmanager
    def take(self, staff_id: StaffId) -> Iterator[bool]:
        """Take a place within the block, if there is one: False where the person watches too much already."""
        if self._taken[staff_id] >= PERSON_LOOKS_MAX:
            yield False
            return
        self._taken[staff_id] += 1
        try:
            yield True
        finally:
            self._taken[staff_id] -= 1
            if not self._taken[staff_id]:
                del self._taken[staff_id]


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveRoom:
    """The way to the role `live`, the TURN server, if there is one, and who watches how much."""

    client: LiveClient
    turn: TurnSettings | None
    places: Places = field(default_factory=Places)


LiveDep = Annotated[LiveRoom, Depends(provided(LiveRoom))]
