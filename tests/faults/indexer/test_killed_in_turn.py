"""Indexer, broker and database killed in turn while doors publish at QoS 1: each event tagged exactly once.

``TALLENNE_EVENTS=100000 TALLENNE_RATE=400 TALLENNE_SEED=7 TALLENNE_FAULT_LOG=/tmp/turns.log pytest --timeout 1800
tests/faults/indexer/test_killed_in_turn.py`` for a long run.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tests.support.doors.mosquitto import GOOD, Mosquitto, needs_mosquitto
from tests.support.processes.brokers import Nats
from tests.support.processes.in_turn import Stage

pytestmark = [pytest.mark.services, pytest.mark.slow]

EVENTS = int(os.environ.get("TALLENNE_EVENTS", "3000"))
RATE = float(os.environ.get("TALLENNE_RATE", "300"))
SEED = int(os.environ.get("TALLENNE_SEED", "20261122"))
LOG = os.environ.get("TALLENNE_FAULT_LOG")


def stage(directory: Path, **more: Any) -> Stage:
    values: dict[str, Any] = {
        "directory": directory,
        "seed": SEED,
        "events": EVENTS,
        "rate": RATE,
        "log": Path(LOG) if LOG else None,
    }
    return Stage(**(values | more))


async def test_embedded_broker_killed_in_turn_tags_each_event_once(tmp_path: Path) -> None:
    verdict = await stage(tmp_path, broker=Nats(tmp_path / "nats")).run()
    assert verdict.acknowledged == EVENTS
    assert verdict.exactly_once, verdict
    assert min(verdict.kills[part] for part in ("index", "broker", "database")) >= 1, verdict


@needs_mosquitto
async def test_mosquitto_killed_in_turn_tags_each_event_once(tmp_path: Path) -> None:
    """The broker ends in good order: mosquitto acknowledges from memory and saves its state when it ends."""
    broker = Mosquitto(tmp_path / "mosquitto", GOOD)
    verdict = await stage(tmp_path, broker=broker, broker_stops=True).run()
    assert verdict.acknowledged == EVENTS
    assert verdict.exactly_once, verdict


@pytest.mark.long
@needs_mosquitto
async def test_mosquitto_killed_hard_loses_nothing_unnoticed(tmp_path: Path) -> None:
    """What mosquitto acknowledged and had not saved is lost, and the doors' numbers tell exactly which events."""
    broker = Mosquitto(tmp_path / "mosquitto", GOOD)
    verdict = await stage(tmp_path, broker=broker, alone=True).run()
    assert verdict.acknowledged == EVENTS
    assert not verdict.doubled and not verdict.wrong and not verdict.strange, verdict
    assert verdict.lost and verdict.missed_exactly, (verdict, verdict.missing ^ verdict.lost)


async def test_acknowledgement_before_commit_is_found_out(tmp_path: Path) -> None:
    """The control: the same check fails when the indexer acknowledges too early."""
    # It is waited for what the broker sends again, as always: what is still on its way then would be taken for lost.
    environment = {"TALLENNE_PLANT": "early-acknowledgement", "TALLENNE_FAILPOINTS": "receive.committing=kill@10"}
    planted = stage(tmp_path, broker=Nats(tmp_path / "nats"), index_environment=environment, events=800)
    verdict = await planted.run()
    assert verdict.acknowledged == 800
    assert verdict.lost and not verdict.exactly_once, verdict
    assert verdict.missed_exactly, (verdict, verdict.missing ^ verdict.lost)
