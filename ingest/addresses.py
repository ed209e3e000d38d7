"""Resolves a camera's address once, and refuses hosts outside the allowed networks."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

from ingest.errors import AddressRefusedError, CameraAwayError

_DEFAULT = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "fc00::/7", "::1/128")
_PORTS = {"rtsp": 554, "rtsps": 322}


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraAddress:
    """host: an address, already resolved and allowed."""

    scheme: str
    name: str  # as configured, for TLS and for messages
    host: str
    port: int
    path: str  # with its query

    @property
    def url(self) -> str:
        """The URL without credentials and with the configured name, as RTSP requests name it."""
        return urlunsplit((self.scheme, f"{bracketed(self.name)}:{self.port}", *urlsplit(self.path)[2:4], ""))


def bracketed(host: str) -> str:
    """Return the host as it stands in a URL: an IPv6 address in brackets, anything else unchanged."""
    return f"[{host}]" if ":" in host else host


def redacted(url: str) -> str:
    """Return ``url`` without credentials and query, fit for logs."""
    parts = urlsplit(url)
    port = f":{parts.port}" if parts.port else ""
    return urlunsplit((parts.scheme, bracketed(parts.hostname or "?") + port, parts.path, "", ""))


def is_allowed(address: str, allowed_networks: Sequence[str]) -> bool:
    """Whether an IP address is in one of the networks; without any, in a private network. ValueError: it is none."""
    parsed = ipaddress.ip_address(address)
    networks = [ipaddress.ip_network(text) for text in allowed_networks or _DEFAULT]
    return any(parsed.version == network.version and parsed in network for network in networks)


async def resolve(url: str, allowed_networks: Sequence[str]) -> CameraAddress:
    """Resolve ``url``. AddressRefusedError: scheme or network not allowed; CameraAwayError: unknown name."""
    parts = urlsplit(url)
    if parts.scheme not in _PORTS or not parts.hostname:
        raise AddressRefusedError(f"{redacted(url)} is not an RTSP address.", "Write rtsp://host[:port]/path.")
    port = parts.port or _PORTS[parts.scheme]
    try:
        found = await asyncio.get_running_loop().getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as exc:
        reason = exc.strerror if isinstance(exc, OSError) else "not a valid name"
        raise CameraAwayError(
            f"The name of camera {redacted(url)} is unknown ({reason}).",
            "Check address and name server.",
        ) from exc
    for *_, sockaddr in found:
        address = str(sockaddr[0]).partition("%")[0]
        if is_allowed(address, allowed_networks):
            path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            return CameraAddress(scheme=parts.scheme, name=parts.hostname, host=address, port=port, path=path)
    raise AddressRefusedError(
        f"Camera {redacted(url)} is outside the networks that cameras may be in.",
        "If it is right, name its network in the camera's `networks`.",
    )
