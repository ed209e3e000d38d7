"""Reports about the MQTT broker: two installations on one, topics and names that it takes for something else."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import paho.mqtt.publish
import pytest

from tests.cases.shared import field_case
from tests.support.doors.mosquitto import Mosquitto, needs_mosquitto
from tests.support.processes.started import Started, started, tallenne, wait_for

pytestmark = [pytest.mark.services, pytest.mark.slow]


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    running = Mosquitto(tmp_path / "mosquitto")
    running.start()
    yield running
    running.stop()


def _gym(folder: Path, case: Path, name: str, mosquitto: Mosquitto) -> Path:
    folder.mkdir(mode=0o700)
    text = (case / name).read_text().replace("28931", str(mosquitto.port))
    (folder / "tallenne.toml").write_text(text)
    secret = folder / "mq"
    secret.touch(mode=0o600)
    secret.write_text(mosquitto.passwords["tallenne_index"])
    return folder


@needs_mosquitto
@pytest.mark.long
@pytest.mark.timeout(600)
def test_two_gyms_at_one_broker_each_keep_their_own_events(tmp_path: Path, mosquitto: Mosquitto) -> None:
    case = field_case("two-gyms-one-broker")
    send = (case / "send.py").read_text().replace("28931", str(mosquitto.port)).replace("sleep(0.5)", "sleep(0.1)")
    with ExitStack() as stack:
        gyms = [
            stack.enter_context(started(_gym(tmp_path / word, case, f"tallenne-{word}.toml", mosquitto)))
            for word in ("b", "c")
        ]
        for gym in gyms:
            gym.run("members", "import", case / "m.csv")
        subprocess.run([sys.executable, "-c", send, "x"], check=True, timeout=120)
        for gym in gyms:
            wait_for(lambda gym=gym: gym.statuses()["index"]["committed"] == 40)  # type: ignore[misc]
            assert gym.json("quarantine", "list") == []
            assert "client id" not in gym.problems()


def _prepared(folder: Path, text: str) -> Path:
    """A folder with this configuration."""
    folder.mkdir(mode=0o700, exist_ok=True)
    (folder / "tallenne.toml").write_text(text)
    return folder


def _publish(gym: Started, topic: str, payload: dict[str, object]) -> None:
    """As a door controller does; back once the broker has acknowledged."""
    port, password = gym.broker()
    auth: Any = {"username": "tallenne_doors", "password": password}
    paho.mqtt.publish.single(topic, json.dumps(payload), qos=1, hostname="127.0.0.1", port=port, auth=auth)


def _esp(**more: object) -> dict[str, object]:
    said = {"type": "access", "time": int(time.time()), "isKnown": "true", "access": "Always", "uid": "04a1b2c3"}
    return {**said, "username": "x", "hostname": "esp-front", **more}


def _import_member(gym: Started) -> None:
    (gym.directory / "members.csv").write_text("number,name,credential\n1,Nobody,04A1B2C3\n")
    gym.run("members", "import", "members.csv")


def test_topics_that_mqtt_allows_carry_events(tmp_path: Path) -> None:
    case = field_case("broker-topic-translation")
    texts = [(case / f"{name}.toml").read_text() for name in ("plain", "leading-slash", "empty-level", "letters")]
    topics = [tomllib.loads(text)["door_system"][0]["topic"] for text in texts]
    more = "".join(f'[[door_system]]\nsite = "Gym"\ntopic = "{topic}"\ndecoder = "esp-rfid"\n' for topic in topics[1:])
    with started(_prepared(tmp_path / "gym", texts[0] + more)) as gym:
        _import_member(gym)
        now = int(time.time())  # a card twice in a second at a board's door is one event
        for n, topic in enumerate(topics):
            _publish(gym, topic, _esp(time=now - n))
        wait_for(lambda: gym.statuses().get("index", {}).get("committed") == len(topics))


def test_topic_added_while_it_runs_carries_events_and_it_starts_again(tmp_path: Path) -> None:
    case = field_case("broker-topic-translation")
    folder = _prepared(tmp_path / "gym", (case / "plain.toml").read_text())
    with started(folder) as gym:
        _import_member(gym)
        (folder / "tallenne.toml").write_text((case / "letters.toml").read_text())
        wait_for(lambda: "The changed configuration is in force." in gym.output)
        _publish(gym, "ovet/töölö/send", _esp())
        wait_for(lambda: gym.statuses().get("index", {}).get("committed") == 1)
    with started(folder):
        pass


def test_door_with_a_blank_at_the_embedded_broker_is_refused_by_line(tmp_path: Path) -> None:
    field_case("broker-topic-space")
    text = (
        '[[site]]\nname = "Helsinki"\n[[site.door]]\nname = "Side"\nexternal_id = "side door"\n'
        '[[door_system]]\nsite = "Helsinki"\ntopic = "access/helsinki/+"\n'
    )
    said = tallenne(_prepared(tmp_path / "gym", text), "config", "check", code=2)
    assert "line 5: site[1].door[1].external_id" in said
    assert "blank" in said and "[broker]" in said


def test_data_directory_beyond_ascii(tmp_path: Path) -> None:
    field_case("path-not-ascii")
    folder = tmp_path / "Työpöytä"
    folder.mkdir()
    with started(folder, None, "--cameras", "2") as gym:
        wait_for(lambda: gym.statuses()["ingest"]["spool"]["uploaded"] > 0)
