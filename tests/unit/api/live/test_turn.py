"""Credentials of a TURN server: valid for an hour, derived from the secret, without any name in them."""

from __future__ import annotations

import base64
import hashlib
import hmac

from api.live.turn import ice_servers
from api.settings import TurnSettings
from domain.time import NS


def test_credentials_end_after_an_hour_and_verify_with_the_secret() -> None:
    turn = TurnSettings(url="turn:turn.example:3478", secret="north")
    (server,) = ice_servers(turn, 1_700_000_000 * NS)
    assert (server.urls, server.username) == ("turn:turn.example:3478", "1700003600")
    code = hmac.new(b"north", server.username.encode(), hashlib.sha1).digest()
    assert base64.b64decode(server.credential) == code
    assert "north" not in repr(turn)
    assert ice_servers(None, 0) == []
