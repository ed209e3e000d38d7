"""What a check of the smoke test needs: an error that names it, and patience."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from domain.errors import TallenneError

_T = TypeVar("_T")
_DEADLINE_S: Final = 150.0


class SmokeError(TallenneError):
    """A check that did not hold."""


def hold(condition: bool, otherwise: str) -> None:
    """SmokeError with the words ``otherwise`` unless the condition holds."""
    if not condition:
        raise SmokeError(otherwise, "Look into the logs in the data directory (--data keeps it).")


async def until(look: Callable[[], Awaitable[_T | None]], what: str) -> _T:
    """Ask until there is an answer. SmokeError after the deadline."""
    deadline = time.monotonic() + _DEADLINE_S
    while True:
        if (answer := await look()) is not None:
            return answer
        hold(time.monotonic() < deadline, f"There is no {what} after {_DEADLINE_S:.0f} s.")
        await asyncio.sleep(0.5)
