"""Which addresses requests name. They never name another host than the one that was asked."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import quote, urlsplit

_SAFE = "%:/?#[]@!$&'()*+,;=~|"


def clean(text: str) -> str:
    """Nothing that would break a request line: spaces, controls and what is not ASCII become %xx."""
    return quote(text.strip(), safe=_SAFE)


def base_url(request_url: str, content_base: str, content_location: str) -> str:
    """What control addresses are relative to (RFC 2326, C.1.1), on the host that was asked."""
    for text in (content_base.strip(), content_location.strip()):
        if text:
            return _on_same_host(request_url, text)
    return request_url


def track_url(base: str, control: str) -> str:
    """A track's address. Appended as text, as cameras and their other clients do it, queries and all."""
    control = control.strip()
    if control in ("", "*"):
        return base
    if re.match(r"rtspu?s?://", control, re.IGNORECASE):
        return _on_same_host(base, control)
    return clean(base + ("" if base.endswith("/") else "/") + control)


def same_host(url: str, names: tuple[str, ...]) -> bool:
    """``names``: how the camera was asked for, and its address."""
    try:
        host = (urlsplit(url).hostname or "").lower()
    except ValueError:  # "[" without an end
        return False
    return host in tuple(name.lower() for name in names)


def _on_same_host(ours: str, theirs: str) -> str:
    """Their path and query behind our scheme, host and port."""
    rest = re.sub(r"^[a-z]+://[^/?]*", "", theirs, flags=re.IGNORECASE)
    if rest == theirs and not theirs.startswith(("/", "?")):
        head, _, tail = theirs.partition("/")
        if not _is_host(head, ours):
            return ours
        rest = "/" + tail
    parts = urlsplit(ours)
    return clean(f"{parts.scheme}://{parts.netloc}{rest if rest.startswith('/') else '/' + rest}")


def _is_host(text: str, ours: str) -> bool:
    """A host without a scheme, rather than the beginning of a relative path."""
    name = text.partition(":")[0]
    if ":" in text or name.lower() == (urlsplit(ours).hostname or ""):
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
