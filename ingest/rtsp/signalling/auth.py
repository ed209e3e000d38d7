"""Basic and Digest authentication (RFC 7617, RFC 2617, RFC 7616), as cameras implement them."""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

_MD5, _SHA_256, _SHA_512_256 = "MD5", "SHA-256", "SHA-512-256"
_HASHES: Final = {_MD5: "md5", _SHA_256: "sha256", _SHA_512_256: "sha512_256"}
_MISSPELT: Final = {"SHA256": _SHA_256, "SHA512-256": _SHA_512_256, "SHA-512/256": _SHA_512_256}
_ORDER: Final = (_SHA_512_256, _SHA_256, _MD5)
# One of these matches at every position, so that each byte is examined once.
_TOKEN: Final = re.compile(r"""[\s,;]*(?:(?P<name>[^\s,;="]+)(?P<is>[ \t]*=[ \t]*)?|(?P<junk>["=]))""")
_QUOTED: Final = re.compile(r'"((?:[^"\\]|\\.)*)("?)')
_PLAIN: Final = re.compile(r"[^\s,]*")
_SCHEMES: Final = ("basic", "digest")
_TOKENS_MAX: Final = 256  # of one header


def _hashed(name: str, data: bytes) -> str:
    return hashlib.new(_HASHES[name], data, usedforsecurity=False).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Challenge:
    """A challenge that can be answered. ``algorithm``: of Digest, as the camera wrote it, or empty; empty for Basic."""

    basic: bool
    realm: str = ""
    nonce: str = ""
    opaque: str | None = None
    algorithm: str = ""
    qop: bool = False
    stale: bool = False

    @property
    def hash_name(self) -> str:
        """The hash function's name, without the "-sess" variant (RFC 7616, 3.4.2)."""
        name = self.algorithm.upper().removesuffix("-SESS") or _MD5
        return _MISSPELT.get(name, name)


def challenges(headers: Iterable[str]) -> list[Challenge]:
    """Return the challenges that can be answered, strongest first. A header may hold several (RFC 7235, 4.1)."""
    found = [
        made
        for header in headers
        for scheme, parameters in _schemes(header)
        if (made := _challenge(scheme, parameters)) is not None
    ]
    return sorted(found, key=lambda item: len(_ORDER) if item.basic else _ORDER.index(item.hash_name))


def _schemes(header: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield each known scheme, in lower case, with its parameters. Quoted text never counts as a scheme."""
    scheme, parameters = "", dict[str, str]()
    at = 0
    for _ in range(_TOKENS_MAX):
        if (token := _TOKEN.match(header, at)) is None:
            break
        at = token.end()
        name = (token["name"] or "").lower()
        if token["is"] is not None:
            value, at = _value(header, at)
            parameters.setdefault(name, value)
        elif name:
            if scheme:
                yield scheme, parameters
            scheme, parameters = name if name in _SCHEMES else "", {}
    if scheme:
        yield scheme, parameters


def _value(header: str, at: int) -> tuple[str, int]:
    """Return a parameter's value and its end. An unclosed quote extends to the end of the header."""
    quoted = _QUOTED.match(header, at)
    if quoted is not None:
        return quoted[1], quoted.end()
    plain = _PLAIN.match(header, at)
    assert plain is not None
    return plain[0], plain.end()


def _challenge(scheme: str, given: dict[str, str]) -> Challenge | None:
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
    """Answers challenges for one user; counts the answers per nonce."""

    def __init__(
        self,
        user_name: str,
        password: str,
        make_cnonce: Callable[[], str] | None = None,
        *,
        secure: bool = False,
        basic: bool = False,
    ) -> None:
        """secure: the connection is protected (TLS); basic: the configuration allows the password in the clear"""
        self._user, self._password = user_name, password
        self._secure, self._basic = secure, basic
        self._digested = False  # whether a Digest challenge was answered
        self._challenge: Challenge | None = None
        self._count = 0
        self._make_cnonce = make_cnonce or (lambda: secrets.token_hex(8))

    @property
    def given(self) -> bool:
        """Whether the configuration names a user or a password."""
        return bool(self._user or self._password)

    @property
    def nonce(self) -> str:
        """The nonce in use; empty for Basic and before a challenge."""
        return self._challenge.nonce if self._challenge else ""

    @property
    def challenged(self) -> bool:
        """Whether the camera has sent a challenge."""
        return self._challenge is not None

    def allow(self, challenge: Challenge) -> bool:
        """Whether the challenge may be answered.

        Basic discloses the password to eavesdroppers, and to an impostor if the camera used Digest before.
        """
        return not challenge.basic or self._basic or (self._secure and not self._digested)

    def use(self, challenge: Challenge) -> None:
        """Use the challenge from the next answer on."""
        self._challenge, self._count = challenge, 0
        self._digested = self._digested or not challenge.basic

    def answer(self, method: str, uri: str) -> str:
        """Return the value of the Authorization header; empty before a challenge."""
        challenge = self._challenge
        if challenge is None:
            return ""
        if challenge.basic:
            return "Basic " + base64.b64encode(f"{self._user}:{self._password}".encode()).decode()
        self._count += 1
        return "Digest " + ", ".join(self._digest(challenge, method, uri))

    def _digest(self, challenge: Challenge, method: str, uri: str) -> list[str]:
        """Return a Digest response (RFC 7616, 3.4); without qop as in RFC 2069."""

        def h(*parts: str) -> str:
            return _hashed(challenge.hash_name, ":".join(parts).encode())

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
