"""Roles that do not get ready, or start again and again, from made-up status files."""

from __future__ import annotations

from typing import Any

from alarms.conditions import Kind
from alarms.watch.roles import START_S, WINDOW_S, RestartWatch, StartWatch


def role(state: str = "ready", pid: int = 1, **more: Any) -> dict[str, Any]:
    return {"role": "ingest", "instance": "recorder", "state": state, "pid": pid, **more}


def test_role_that_does_not_get_ready_is_reported_until_it_does() -> None:
    watch = StartWatch()
    assert list(watch.look(0, [role("starting")])) == []
    assert list(watch.look(START_S - 1, [role("starting")])) == []
    (found,) = watch.look(START_S, [role("starting")])
    assert found.kind is Kind.ROLE
    assert list(watch.look(START_S + 1, [role()])) == []
    assert list(watch.look(START_S + 2, [role("starting")])) == []  # a new start has its own time


def test_restarts_are_counted_by_process_ids_without_a_supervisor() -> None:
    watch = RestartWatch(3)
    seen = [[one.kind for one in watch.look(second, [role(pid=pid)])] for second, pid in enumerate((1, 1, 2, 3, 4, 4))]
    assert seen == [[], [], [], [], [Kind.RESTARTS], [Kind.RESTARTS]]
    assert list(watch.look(WINDOW_S + 10, [role(pid=4)])) == []


def test_the_supervisors_counts_go_before_process_ids() -> None:
    watch = RestartWatch(2)

    def up(restarts: int) -> dict[str, Any]:
        return {"role": "up", "instance": "up", "state": "ready", "services": {"store": {"restarts": restarts}}}

    assert list(watch.look(0, [up(5), role(pid=1)])) == []
    assert list(watch.look(1, [up(6), role(pid=2)])) == []
    (found,) = watch.look(2, [up(7), role(pid=3)])
    assert (found.kind, found.subject) == (Kind.RESTARTS, "store")
