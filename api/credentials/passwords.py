"""Passwords: Argon2id in threads, a few at a time. Each check costs one hash, even for unknown user names."""

from __future__ import annotations

import asyncio
import unicodedata
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from api.credentials.common_passwords import is_common
from api.errors import StaffRefusedError

MIN_LENGTH: Final = 8
"""NIST SP 800-63B-4: eight characters where a second factor is used, as it is for every account here."""
MAX_LENGTH: Final = 256
_AT_ONCE: Final = 2
"""Each takes 64 MiB and tens of milliseconds of a core."""


class Passwords:
    """RFC 9106's second recommended parameters (the library's defaults)."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._gate = asyncio.Semaphore(_AT_ONCE)
        self._nobody = self._hasher.hash("nobody has this password")

    async def hash(self, password: str) -> str:
        """Return the Argon2id hash of a password, in PHC format."""
        async with self._gate:
            return await asyncio.to_thread(self._hasher.hash, _bytes(password))

    async def matches(self, password: str, stored: str | None) -> bool:
        """Check a password. ``stored`` None: an unknown person; takes as long as a wrong password."""
        async with self._gate:
            matching = await asyncio.to_thread(self._verify, stored or self._nobody, _bytes(password))
        return matching and stored is not None

    def _verify(self, stored: str, password: bytes) -> bool:
        try:
            return self._hasher.verify(stored, password)
        except (VerificationError, InvalidHashError):
            return False


def check_new(password: str, user_name: str) -> None:
    """StaffRefusedError: the password is too short, too long or too easy to guess."""
    if not MIN_LENGTH <= len(_normal(password)) <= MAX_LENGTH:
        raise StaffRefusedError(
            f"A password has {MIN_LENGTH} to {MAX_LENGTH} characters.", "A few unrelated words are easy to remember."
        )
    if user_name.casefold() in password.casefold() or len(set(password)) < 4 or is_common(password):
        raise StaffRefusedError("This password is too easy to guess.", "A few unrelated words are easy to remember.")


def _bytes(password: str) -> bytes:
    """Encode any JSON string, also one with a lone surrogate: that is a wrong password, not a failure."""
    return _normal(password).encode("utf-8", "surrogatepass")


def _normal(password: str) -> str:
    return unicodedata.normalize("NFKC", password)
