"""What the routes of live pictures work with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends

from api.http.provide import provided
from api.settings import TurnSettings
from live.client import LiveClient


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveRoom:
    """The way to the role `live`, and the TURN server, if there is one."""

    client: LiveClient
    turn: TurnSettings | None


LiveDep = Annotated[LiveRoom, Depends(provided(LiveRoom))]
