"""Digest access authentication (RFC 2617, RFC 7616) as cameras do it: MD5 and SHA-256, with and without qop."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import time
from collections.abc import Callable
from enum import Enum
from typing import Final

from demo.rtsp.messages import Request

_PARAMETER: Final = re.compile(r'(\w+)\s*=\s*(?:"([^"]*)"|([^,\s]*))')
_HASHES: Final[dict[str, Callable[[bytes], hashlib._Hash]]] = {
    "MD5": lambda data: hashlib.md5(data, usedforsecurity=False),
    "SHA-256": hashlib.sha256,
}


class Verdict(Enum):
    OK = "ok"
    STALE = "stale"  # right password, a nonce too old
    REFUSED = "refused"


class Digest:
    """Checks one user. Nonces carry their own age, signed, so that nothing is remembered per client."""

    def __init__(
        self,
        user: str,
        password: str,
        *,
        realm: str = "Tallenne demo",
        algorithms: tuple[str, ...] = ("SHA-256", "MD5"),
        nonce_s: float = 300.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._user = user
        self._password = password
        self._realm = realm
        self._algorithms = algorithms
        self._nonce_s = nonce_s
        self._clock = clock
        self._secret = secrets.token_bytes(32)

    def challenges(self, *, stale: bool = False) -> list[tuple[str, str]]:
        """One header per algorithm; MD5 last, since simple clients take the last one they see."""
        tail = ", stale=true" if stale else ""
        form = 'Digest realm="{}", nonce="{}", algorithm={}, qop="auth"{}'
        nonce = self._nonce(self._clock())
        return [("WWW-Authenticate", form.format(self._realm, nonce, name, tail)) for name in self._algorithms]

    def check(self, request: Request) -> Verdict:
        """Return whether a request's Authorization is right, stale or to be refused (RFC 7616)."""
        scheme, _, rest = request.headers.get("authorization", "").partition(" ")
        given = {name.lower(): quoted or plain for name, quoted, plain in _PARAMETER.findall(rest)}
        algorithm = given.get("algorithm", "MD5").upper()
        if scheme.lower() != "digest" or algorithm not in self._algorithms or given.get("username") != self._user:
            return Verdict.REFUSED
        if given.get("realm") != self._realm or not self._ours(given.get("nonce", "")):
            return Verdict.REFUSED
        expected = self._expected(_HASHES[algorithm], request.method, given)
        if not hmac.compare_digest(expected.encode(), given.get("response", "").lower().encode()):
            return Verdict.REFUSED
        issued_ms = int(given["nonce"].partition(".")[0], 16)
        return Verdict.STALE if self._clock() - issued_ms / 1000 > self._nonce_s else Verdict.OK

    def _expected(self, function: Callable[[bytes], hashlib._Hash], method: str, given: dict[str, str]) -> str:
        def h(*parts: str) -> str:
            return function(":".join(parts).encode()).hexdigest()

        who = h(self._user, self._realm, self._password)
        what = h(method, given.get("uri", ""))
        if "qop" not in given:
            return h(who, given["nonce"], what)
        return h(who, given["nonce"], given.get("nc", ""), given.get("cnonce", ""), given["qop"], what)

    def _nonce(self, at: float) -> str:
        issued = f"{int(at * 1000):x}"
        return f"{issued}.{hmac.digest(self._secret, issued.encode(), 'sha256').hex()[:32]}"

    def _ours(self, nonce: str) -> bool:
        issued, _, tag = nonce.partition(".")
        expected = hmac.digest(self._secret, issued.encode(), "sha256").hex()[:32]
        return hmac.compare_digest(expected.encode(), tag.encode())
