"""What `/v1/health` says to everybody: ready only while all parts answer and every role is heard of."""

from __future__ import annotations

import pytest

from api.health.health import state_of

ALL = {"database": True, "store": True, "custodian": True}
READY = {"role": "index", "state": "ready"}


def test_ready_when_all_answer_and_all_roles_are_heard_of() -> None:
    assert state_of(ALL, [READY, {"role": "ingest", "state": "degraded"}]) == "ready"


def test_degraded_when_a_part_does_not_answer() -> None:
    assert state_of({**ALL, "store": False}, [READY]) == "degraded"


@pytest.mark.parametrize("state", ["unknown", "dead", "unreadable"])
def test_degraded_when_a_role_hangs_or_has_died(state: str) -> None:
    assert state_of(ALL, [READY, {"role": "ingest", "state": state}]) == "degraded"


@pytest.mark.parametrize("state", ["starting", "stopping", None])
def test_degraded_while_an_expected_role_is_not_at_work(state: str | None) -> None:
    others = [{"role": "ingest", "state": state}] if state else []
    assert state_of(ALL, [READY, *others], ("index", "ingest")) == "degraded"
    assert state_of(ALL, [READY, {"role": "ingest", "state": "degraded"}], ("index", "ingest")) == "ready"


def test_service_that_does_not_work_is_not_ready_though_its_old_connections_do() -> None:
    up = {"role": "up", "state": "degraded", "services": {"database": {"state": "failing"}}}
    assert state_of(ALL, [READY, up]) == "degraded"
    up["services"] = {"database": {"state": "working"}}
    assert state_of(ALL, [READY, up]) == "ready"


@pytest.mark.parametrize(
    ("camera", "state"), [("waiting", "degraded"), ("recording", "ready"), ("connecting", "ready")]
)
def test_not_ready_while_a_camera_waits_for_this_machine(camera: str, state: str) -> None:
    """It waits while a full disk or spool, or a lack of keys, keeps ingest from recording it."""
    ingest = {"role": "ingest", "state": "degraded", "cameras": {"1": {"state": camera}}}
    others = [{"role": "custodian", "state": "ready", "cameras": 4}, {"role": "demo", "state": "ready", "cameras": []}]
    assert state_of(ALL, [READY, ingest, *others]) == state
