"""The banner's facts: grouped by kind, urgent first, names for those who administer everything."""

from __future__ import annotations

from typing import Any

from api.health.alarms import by_kind
from domain.time import NS


def raised(kind: str, since_s: int, *, urgent: bool = False) -> dict[str, Any]:
    what = f"{kind} {since_s}"
    return {"kind": kind, "what": what, "remedy": "Look.", "since_ns": since_s * NS, "urgent": urgent}


def test_kinds_are_counted_urgent_and_oldest_first() -> None:
    found = list(by_kind([raised("camera", 9), raised("store", 20, urgent=True), raised("camera", 5)], named=False))
    assert [(one.kind, one.count, one.urgent) for one in found] == [("store", 1, True), ("camera", 2, False)]
    assert found[1].since == "1970-01-01T00:00:05.000Z"
    assert found[1].conditions == []


def test_names_only_for_administrators() -> None:
    (found,) = by_kind([raised("camera", 9)], named=True)
    assert [one.what for one in found.conditions] == ["camera 9"]


def test_nothing_raised_is_nothing_shown() -> None:
    assert list(by_kind([], named=True)) == []
