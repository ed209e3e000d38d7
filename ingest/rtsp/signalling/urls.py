"""Chooses the addresses for requests: what a camera may have meant, in order, and never another host.

Cameras write Content-Base and control attributes carelessly: a scheme twice or none, another host, slashes twice or
missing, queries before or behind. RFC 2326, C.1.1 wants a control attribute resolved against the base like any
relative address; live555, ffmpeg and the cameras that were tried with them append it as text instead.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final
from urllib.parse import quote, urljoin, urlsplit

CANDIDATES_MAX: Final = 12
_SAFE: Final = "%:/?#[]@!$&'()*+,;=~|"
_TEXT_MAX: Final = 2048
_SCHEME: Final = re.compile(r"(?:rtspu?s?|https?)\s*:", re.IGNORECASE)
_AUTHORITY: Final = re.compile(r"(?:[^/?#@]*@)?(\[[^\]/]*\]|[^/?#:]*)((?::\d*)*)")
_WRAPPED: Final = " \t\"'<>,;"


def clean(text: str) -> str:
    """Quote what would break a request line: spaces, controls and non-ASCII become %xx."""
    return quote(text.strip(), safe=_SAFE)


def bases(request_url: str, content_base: str, content_location: str) -> tuple[str, ...]:
    """Return candidate bases for control attributes, likeliest first; the requested address is the last."""
    given = (text for text in (content_base, content_location) if text.strip(_WRAPPED))
    meant = [url for text in given for url in on_host(request_url, text)]
    return _different([*meant, request_url])


def track_urls(bases: Iterable[str], control: str) -> tuple[str, ...]:
    """Return the possible meanings of a control attribute, likeliest first; 1 to CANDIDATES_MAX."""
    bases = tuple(bases)
    control = control.strip(_WRAPPED)[:_TEXT_MAX]
    meanings = [_meanings(base, control) for base in bases]
    alone = [*bases] if control not in ("", "*") else []
    in_order = [*(each[0] for each in meanings), *(url for each in meanings for url in each)]
    return _different([*in_order, *alone])


def same_host(url: str, names: tuple[str, ...]) -> bool:
    """``names``: the camera's name as configured, and its address."""
    try:
        host = (urlsplit(url).hostname or "").lower()
    except ValueError:  # "[" without an end
        return False
    return host in tuple(name.lower() for name in names)


def on_host(ours: str, theirs: str) -> tuple[str, ...]:
    """Return the possible readings of their path and query, after our scheme, host and port. At least one."""
    parts = urlsplit(ours)
    paths = list(_paths(theirs.strip(_WRAPPED)[:_TEXT_MAX], (parts.hostname or "").lower()))
    paths += [re.sub(r"/{2,}", "/", path) for path in paths]
    return _different(f"{parts.scheme}://{parts.netloc}{path}" for path in paths)


def _paths(text: str, our_host: str) -> Iterator[str]:
    """Yield the possible readings of ``text`` as path and query."""
    slashes, schemes = 0, 0
    while found := _SCHEME.match(text):
        rest = text[found.end() :]
        text = rest.lstrip("/")
        slashes, schemes = len(rest) - len(text), schemes + 1
    if schemes and slashes >= 3:  # rtsp:///path
        yield "/" + text
    rest = _behind_host(text)
    first = re.match(r"[^/?#]*", text)
    head = first[0] if first is not None else ""
    if (schemes and slashes == 2) or _is_host(head, our_host):
        yield rest
        return
    if text.startswith(("/", "?")):
        yield text
        return
    yield "/" + text
    if schemes:
        yield rest


def _behind_host(text: str) -> str:
    """Return what follows host and port: empty, or a path or query, with a missing slash added."""
    head = re.match(r"[^/?#]*", text)
    assert head is not None
    if _is_address(head[0].rpartition("@")[2]):  # an IPv6 address without brackets
        rest = text[head.end() :]
    else:
        found = _AUTHORITY.match(text)
        assert found is not None
        rest = text[found.end() :]
    return rest if not rest or rest[0] in "/?" else "/" + rest


def _is_host(text: str, our_host: str) -> bool:
    """Whether the text is a host without a scheme and not the start of a relative path."""
    name = text.rpartition("@")[2]
    found = _AUTHORITY.match(name)
    assert found is not None
    host = found[1].strip("[]").lower()
    with_port = bool(found[2]) and found.end() == len(name)
    return _is_address(name) or _is_address(host) or (bool(host) and (host == our_host or with_port))


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text.strip("[]"))
    except ValueError:
        return False
    return True


def _meanings(base: str, control: str) -> list[str]:
    """Return the candidates for one control attribute and one base."""
    if control in ("", "*"):
        return [base]
    first = re.match(r"[^/?#]*", control)
    host = (urlsplit(base).hostname or "").lower()
    if _SCHEME.match(control) or (first is not None and _is_host(first[0], host) and not control.startswith("/")):
        return list(on_host(base, control))
    path, _, query = base.partition("?")
    parts = urlsplit(base)
    root = f"{parts.scheme}://{parts.netloc}"
    if control.startswith("?"):
        found = [base + control, path.rstrip("/") + control, *([f"{path}?{query}&{control[1:]}"] if query else [])]
    elif control.startswith("/"):
        found = [base.rstrip("/") + control, root + control, base + ("" if base.endswith("/") else "/") + control]
    else:
        slash = "" if base.endswith("/") else "/"
        relative = urljoin(base, f"./{control}")  # with the dot, since "a:b" would be an address of scheme "a"
        found = [base + slash + control, _behind_overlap(path, control), relative]
        found += [f"{path.rstrip('/')}/{control}?{query}"] if query else []
        found += [f"{path.rstrip('/')}/{control}", f"{root}/{control}", base + control]
    return [url for url in found if url]


def _behind_overlap(path: str, control: str) -> str:
    """A control attribute that repeats the end of the base's path; nothing when it does not."""
    segments = urlsplit(path).path.strip("/").split("/")
    head = control.split("/")
    for count in range(min(len(segments), len(head) - 1), 0, -1):
        if segments[-count:] == head[:count]:
            return path.rstrip("/") + "/" + "/".join(head[count:])
    return ""


def _different(urls: Iterable[str]) -> tuple[str, ...]:
    return tuple(islice(dict.fromkeys(map(clean, urls)), CANDIDATES_MAX))
