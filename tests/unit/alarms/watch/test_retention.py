"""What custodian and keeper report of overdue footage becomes one condition each."""

from __future__ import annotations

from typing import Any

from alarms.conditions import Kind
from alarms.watch.retention import overdue


def custodian(overdue_s: int = 0, held: dict[str, str] | None = None) -> dict[str, Any]:
    return {"role": "custodian", "state": "ready", "retention": {"overdue_s": overdue_s, "held": held}}


def keeper(overdue_s: int) -> dict[str, Any]:
    return {"role": "keeper", "state": "ready", "overdue_s": overdue_s}


def test_nothing_is_said_before_an_hour() -> None:
    assert list(overdue([custodian(3599), keeper(3599)])) == []
    assert list(overdue([{"role": "custodian", "state": "starting"}])) == []


def test_an_hour_late_is_said_of_keys_and_of_objects() -> None:
    found = list(overdue([custodian(3600), keeper(7200)]))
    assert [(one.kind, one.subject) for one in found] == [(Kind.RETENTION, "keys"), (Kind.RETENTION, "objects")]
    assert "2 h ago" in found[1].what


def test_what_is_held_is_said_at_once_with_its_reason() -> None:
    (one,) = overdue([custodian(5, {"what": "Nothing expires: the clock is ahead.", "remedy": "Look."})])
    assert (one.subject, one.what, one.remedy) == ("held", "Nothing expires: the clock is ahead.", "Look.")


def test_silent_role_says_nothing() -> None:
    assert list(overdue([custodian(9999) | {"state": "unknown"}])) == []
