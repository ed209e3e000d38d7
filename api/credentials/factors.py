"""The tools that check a person's password and codes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends

from api.credentials.passwords import Passwords
from api.credentials.secret_key import SecretKey
from api.credentials.throttle import Throttle
from api.http.provide import provided


@dataclass(frozen=True, slots=True, kw_only=True)
class Factors:
    """The hasher of passwords, the key that seals second factors, and the limit on failed attempts."""

    key: SecretKey
    passwords: Passwords
    throttle: Throttle


FactorsDep = Annotated[Factors, Depends(provided(Factors))]
