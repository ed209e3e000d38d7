"""Basic and Digest authentication (RFC 7617, RFC 2617, RFC 7616) as cameras ask for them."""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

_PARAMETER = re.compile(r'([\w-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^",\s]*))')
_SCHEME = re.compile(r"(?:^|,)\s*(Basic|Digest)\b", re.IGNORECASE)


def _md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


_HASHES: Final[dict[str, Callable[[bytes], str]]] = {"MD5": _md5, "SHA-256": _sha256}
_ORDER: Final = ("SHA-256", "MD5")


@dataclass(frozen=True, slots=True, kw_only=True)
class Challenge:
    """One that can be answered. ``algorithm``: empty for Basic; as the camera wrote it for Digest, or empty there."""

    basic: bool
    realm: str = ""
    nonce: str = ""
    opaque: str | None = None
    algorithm: str = ""
    qop: bool = False
    stale: bool = False

    @property
    def hash_name(self) -> str:
        return self.algorithm.upper().removesuffix("-SESS") or "MD5"


def challenges(headers: Iterable[str]) -> list[Challenge]:
    """Those that we can answer, the strongest first. A header may hold several."""
    found: list[Challenge] = []
    for header in headers:
        starts = list(_SCHEME.finditer(header))
        for place, start in enumerate(starts):
            stop = starts[place + 1].start() if place + 1 < len(starts) else len(header)
            made = _challenge(start[1].lower(), header[start.end() : stop])
            if made is not None:
                found.append(made)
    return sorted(found, key=lambda item: len(_ORDER) if item.basic else _ORDER.index(item.hash_name))


def _challenge(scheme: str, rest: str) -> Challenge | None:
    given = {name.lower(): quoted or plain for name, quoted, plain in _PARAMETER.findall(rest)}
    realm = given.get("realm", "")
    if scheme == "basic":
        return Challenge(basic=True, realm=realm)
    offered = [item.strip().lower() for item in given.get("qop", "").split(",") if item.strip()]
    made = Challenge(
        basic=False,
        realm=realm,
        nonce=given.get("nonce", ""),
        opaque=given.get("opaque"),
        algorithm=given.get("algorithm", ""),
        qop="auth" in offered,
        stale=given.get("stale", "").lower() == "true",
    )
    unknown = made.hash_name not in _HASHES or (offered and not made.qop)
    return None if unknown else made


class Credentials:
    """A user's answers; counts them per nonce."""

    def __init__(self, user_name: str, password: str, make_cnonce: Callable[[], str] | None = None) -> None:
        self._user, self._password = user_name, password
        self._challenge: Challenge | None = None
        self._count = 0
        self._make_cnonce = make_cnonce or (lambda: secrets.token_hex(8))

    @property
    def given(self) -> bool:
        return bool(self._user or self._password)

    @property
    def nonce(self) -> str:
        """In use; empty for Basic and before a challenge."""
        return self._challenge.nonce if self._challenge else ""

    @property
    def challenged(self) -> bool:
        return self._challenge is not None

    def use(self, challenge: Challenge) -> None:
        """From the next answer on."""
        self._challenge, self._count = challenge, 0

    def answer(self, method: str, uri: str) -> str:
        """The value of Authorization; empty before a challenge."""
        challenge = self._challenge
        if challenge is None:
            return ""
        if challenge.basic:
            return "Basic " + base64.b64encode(f"{self._user}:{self._password}".encode()).decode()
        self._count += 1
        return "Digest " + ", ".join(self._digest(challenge, method, uri))

    def _digest(self, challenge: Challenge, method: str, uri: str) -> list[str]:
        hashed = _HASHES[challenge.hash_name]

        def h(*parts: str) -> str:
            return hashed(":".join(parts).encode())

        count, cnonce = f"{self._count:08x}", self._make_cnonce()
        who = h(self._user, challenge.realm, self._password)
        if challenge.algorithm.upper().endswith("-SESS"):
            who = h(who, challenge.nonce, cnonce)
        what = h(method, uri)
        if challenge.qop:
            response = h(who, challenge.nonce, count, cnonce, "auth", what)
        else:
            response = h(who, challenge.nonce, what)
        user = self._user.replace("\\", "\\\\").replace('"', '\\"')
        said = [f'username="{user}"', f'realm="{challenge.realm}"', f'nonce="{challenge.nonce}"', f'uri="{uri}"']
        said.append(f'response="{response}"')
        if challenge.algorithm:
            said.append(f"algorithm={challenge.algorithm}")
        if challenge.opaque is not None:
            said.append(f'opaque="{challenge.opaque}"')
        if challenge.qop or challenge.algorithm.upper().endswith("-SESS"):
            said.append(f'cnonce="{cnonce}"')
        if challenge.qop:
            said += ["qop=auth", f"nc={count}"]
        return said
