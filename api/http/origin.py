"""Decides whether an unsafe request comes from our own pages, by its Origin and the host it was sent to. Pure.

RFC 6454, section 4: scheme, host and port, the host without case, the port that the scheme implies where none is named.
Behind a reverse proxy the Host header may name us; then X-Forwarded-Host counts, which the proxy sends along.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

_PORTS: Final = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What a request was sent to. ``scheme`` None: a proxy in front does not say which one people use."""

    scheme: str | None
    host: str  # as the Host header has it, with a port or without
    port: int | None = None  # where ``host`` names none: the proxy's


def target_of(headers: dict[str, str], scheme: str, *, by_proxy: bool) -> Target:
    """``headers``: lower case. ``by_proxy``: it came from a trusted proxy, whose X-Forwarded-... count."""
    host = headers.get("host", "")
    if not by_proxy:
        return Target(scheme=scheme, host=host)
    forwarded = _first(headers.get("x-forwarded-host", ""))
    port = _first(headers.get("x-forwarded-port", ""))
    return Target(
        scheme=_first(headers.get("x-forwarded-proto", "")).lower() or None,
        host=forwarded or host,
        port=int(port) if port.isdecimal() else None,
    )


def is_same_origin(origin: str, target: Target) -> bool:
    """Whether a page of ``origin`` is one that ``target`` serves."""
    try:
        theirs = urlsplit(origin)
        ours = urlsplit(f"//{target.host}")
        if theirs.scheme not in _PORTS or target.scheme not in (None, theirs.scheme) or not theirs.hostname:
            return False
        implied = _PORTS[theirs.scheme]
        return (theirs.hostname, theirs.port or implied) == (ours.hostname, ours.port or target.port or implied)
    except ValueError:
        return False


def _first(listed: str) -> str:
    """Return the first value of a chain of proxies, which is what the client asked for."""
    return listed.partition(",")[0].strip()
