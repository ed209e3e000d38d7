"""Credentials for the TURN server that the configuration names, good for an hour. Pure.

As draft-uberti-behave-turn-rest-00 and coturn's use-auth-secret have them: the user is the time at which they end, the
password an HMAC over it. They name no person.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Final

from pydantic import BaseModel

from api.settings import TurnSettings
from domain.time import NS

LASTS_S: Final = 3600


class IceServer(BaseModel):
    """As RTCPeerConnection takes it."""

    urls: str
    username: str
    credential: str


def ice_servers(turn: TurnSettings | None, now_ns: int) -> list[IceServer]:
    """The configured server with credentials of its own; none without one."""
    if turn is None:
        return []
    user = str(now_ns // NS + LASTS_S)
    code = hmac.digest(turn.secret.encode(), user.encode(), hashlib.sha1)
    return [IceServer(urls=turn.url, username=user, credential=base64.b64encode(code).decode())]
