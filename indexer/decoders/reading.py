"""Reading untrusted JSON with bounds. DecodeError names the field, never its value."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from domain.time import LATEST_NS, from_iso
from indexer.decoders.event import normalised_credential
from indexer.errors import DecodeError

PAYLOAD_MAX_BYTES: Final = 64 * 1024
PARTS_MAX: Final = 64
"""Objects and arrays in one payload, and so the depth at which they can nest. Real messages have five."""
TEXT_MAX: Final = 200


def _refuse_constant(name: str) -> Any:
    raise ValueError(name)  # NaN and Infinity are not JSON


_DECODER: Final = json.JSONDecoder(parse_constant=_refuse_constant)


def read_object(payload: bytes) -> dict[str, Any]:
    """The JSON object in ``payload``."""
    if len(payload) > PAYLOAD_MAX_BYTES:
        raise DecodeError(f"payload larger than {PAYLOAD_MAX_BYTES} bytes")
    if payload.count(b"{") + payload.count(b"[") > PARTS_MAX:
        raise DecodeError("payload nested too deeply or of too many parts")
    try:
        text = payload.decode("utf-8", "strict")
    except UnicodeDecodeError:
        raise DecodeError("payload is not UTF-8") from None
    try:
        body = _DECODER.decode(text)
    except (ValueError, RecursionError):
        raise DecodeError("payload is not JSON") from None
    if not isinstance(body, dict):
        raise DecodeError("payload is not a JSON object")
    return body


def text(body: Mapping[str, Any], name: str) -> str:
    """A text that must be there: printable, not blank, at most TEXT_MAX characters; without surrounding blanks."""
    found = optional_text(body, name)
    if found is None:
        raise DecodeError(f"{name} is missing")
    return found


def optional_text(body: Mapping[str, Any], name: str) -> str | None:
    """None when missing, null or blank. Whole numbers count as text: door systems write ids either way."""
    value = body.get(name)
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 1 << 64:
        value = str(value)
    if value is None:
        return None
    if not isinstance(value, str):
        raise DecodeError(f"{name} is not text")
    return checked_text(value, name)


def texts(body: Mapping[str, Any], name: str, most: int) -> list[str | None]:
    """A text, or a list of them, blank ones as None; empty when missing or null."""
    value = body.get(name)
    values = value if isinstance(value, list) else [] if value is None else [value]
    if len(values) > most:
        raise DecodeError(f"{name} has more than {most} entries")
    return [optional_text({name: one}, name) for one in values]


def checked_text(value: str, name: str) -> str | None:
    """``value`` without surrounding blanks; None when nothing is left."""
    # isprintable() refuses control characters, lone surrogates and the marks that turn text around.
    if len(value) > TEXT_MAX or not value.isprintable():
        raise DecodeError(f"{name} is too long or not printable")
    return value.strip() or None


def optional_credential(body: Mapping[str, Any], name: str) -> str | None:
    """A credential, normalised; None when missing, null or nothing but separators."""
    found = optional_text(body, name)
    return (normalised_credential(found) or None) if found is not None else None


def part(body: Mapping[str, Any], name: str) -> dict[str, Any]:
    """An object inside; empty when missing or null."""
    value = body.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise DecodeError(f"{name} is not an object")
    return value


def whole_number(body: Mapping[str, Any], name: str) -> int:
    """An integer that must be there."""
    value = body.get(name)
    if isinstance(value, bool) or not isinstance(value, int):
        raise DecodeError(f"{name} is not a whole number")
    return value


def iso_time(body: Mapping[str, Any], name: str) -> int | None:
    """RFC 3339 with an offset, in nanoseconds; None as of representable()."""
    try:
        return representable(from_iso(text(body, name)))
    except OverflowError:  # the first or last day of the calendar, with an offset that leads beyond it
        return None
    except ValueError:
        raise DecodeError(f"{name} is not an RFC 3339 time with an offset") from None


def representable(time_ns: int) -> int | None:
    """``time_ns`` from 1970 to 2200; None beyond: what an unset clock says, and no time at which something occurred."""
    return time_ns if 0 <= time_ns < LATEST_NS else None


def last_level(topic: str) -> str:
    """A topic's last level, as a door's name."""
    found = checked_text(topic.rpartition("/")[2], "topic")
    if found is None:
        raise DecodeError("topic ends with an empty level")
    return found
