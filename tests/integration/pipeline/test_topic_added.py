"""A topic that is added while everything runs: from the word that it is in force, what a door sends there is kept."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import paho.mqtt.publish
import pytest

from domain.time import to_iso
from tests.support.processes.started import Started, started, wait_for

pytestmark = [pytest.mark.services, pytest.mark.slow]
GYM = """
[[site]]
name = "Gym"
[[site.door]]
name = "Main"
external_id = "main"
[[door_system]]
site = "Gym"
topic = "access/+"
"""
ROUNDS = 5


def publish(gym: Started, n: int) -> None:
    """As a controller that was waiting for it; back once the broker has acknowledged."""
    port, password = gym.broker()
    auth: Any = {"username": "tallenne_doors", "password": password}
    said = {"event_id": f"e{n}", "occurred_at": to_iso(1_780_000_000_000_000_000 + n), "kind": "held_open"}
    paho.mqtt.publish.single(f"more{n}/main", json.dumps(said), qos=1, hostname="127.0.0.1", port=port, auth=auth)


def test_event_sent_at_the_word_that_its_topic_is_in_force_is_committed(tmp_path: Path) -> None:
    text = GYM
    (tmp_path / "tallenne.toml").write_text(text)
    with started(tmp_path) as gym:
        for n in range(ROUNDS):
            text += f'[[door_system]]\nsite = "Gym"\ntopic = "more{n}/+"\n'
            (tmp_path / "tallenne.toml").write_text(text)
            wait_for(lambda n=n: gym.output.count("The changed configuration is in force.") == n + 1)  # type: ignore[misc]
            publish(gym, n)
        wait_for(lambda: len(gym.json("events", "list", "--limit", "100")) == ROUNDS)
        assert gym.problems() == ""
