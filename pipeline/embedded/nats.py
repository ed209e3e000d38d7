"""Translates to NATS's notation: strings in its configuration, subjects for topics. Pure.

Subjects: NATS documentation, "MQTT: topics and subjects". A point parts their levels, so that one within a level is
written ``//``, and no level may be empty.
"""

from __future__ import annotations

import re
from typing import Any, Final

_BLANK: Final = re.compile(r"[\s\x00-\x1f\x7f-\x9f]")
_SIGNS: Final = {".": "//", "+": "*", "#": ">"}
_ESCAPED: Final = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def configuration(value: Any) -> str:
    """JSON as far as NATS reads it: its texts know no ``\\u``, and what is not ASCII stands there as it is."""
    if isinstance(value, dict):
        return "{" + ",\n".join(f"{quoted(key)}: {configuration(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(configuration, value)) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int) else quoted(str(value))


def quoted(text: str) -> str:
    """A text in NATS's configuration. ValueError for other control characters than line ends and tabs."""
    if any(sign < " " and sign not in _ESCAPED for sign in text):
        raise ValueError("a control character")
    return '"' + "".join(_ESCAPED.get(sign, sign) for sign in text) + '"'


def subjects(topic: str) -> list[str]:
    """The subjects that an MQTT topic or filter stands for; ValueError where topic_fault() says why there is none.

    Two for ``a/#``, which in MQTT is also ``a`` itself; NATS subscribes to that apart.
    """
    if fault := topic_fault(topic):
        raise ValueError(fault)
    subject = _subject(topic)
    return [subject, subject.removesuffix(".>")] if subject.endswith(".>") else [subject]


def topic_of(subject: str) -> str:
    """The MQTT topic of a subject: what subjects() makes of one, taken back."""
    return "/".join("" if token == "/" else token.replace("//", ".") for token in subject.split("."))


def topic_fault(topic: str) -> str | None:
    """What NATS cannot carry in a topic or filter, for a sentence; None when it can."""
    if _BLANK.search(topic):
        return "a blank or a control character, at which the embedded broker closes the connection"
    if {"*", ">"} & set(topic.split("/")):
        return "a level that is just * or >, which the embedded broker takes for any level"
    return None


def _subject(topic: str) -> str:
    """Sign by sign. An empty level is a ``/`` in a token's text, beside the point that parts it from its neighbour."""
    subject = ""
    for place, sign in enumerate(topic):
        if sign == "/":
            at_end = topic[place + 1 : place + 2] in ("", "/")
            subject += "/." if subject.endswith(".") or not subject else "./" if at_end else "."
        else:
            subject += _SIGNS.get(sign, sign)
    return subject + "/" if subject.endswith(".") else subject
