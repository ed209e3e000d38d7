"""Reports about door controllers: strangers' cards, clocks, ways to write a time, boards with several relays."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import paho.mqtt.publish
import pytest

from domain.time import NS, from_iso, to_iso
from tests.cases.shared import field_case
from tests.support.processes.started import Started, open_to_others, started, wait_for

pytestmark = [pytest.mark.services, pytest.mark.slow]
TOPIC = "access/demo/main"
TWO_HOURS_NS = 2 * 3600 * NS


@pytest.fixture(scope="module")
def gym(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Started]:
    """The demo with a camera at its main door, filming."""
    field_case("denied-unknown-card")
    with started(tmp_path_factory.mktemp("gym"), None, "--cameras", "1") as running:
        wait_for(lambda: running.statuses()["ingest"]["spool"]["uploaded"] > 0)
        yield running


def test_nothing_in_a_running_gyms_data_directory_is_open_to_other_users(gym: Started) -> None:
    data = gym.directory / "data"
    assert {"run", "logs", "spool"} <= {path.name for path in data.iterdir()}
    assert open_to_others(data) == []
    log = next((data / "logs").iterdir())
    log.chmod(0o604)
    assert open_to_others(data) == [f"logs/{log.name} 604"]
    log.chmod(0o600)


def publish(gym: Started, topic: str, payload: str, qos: int = 1) -> None:
    """As a door controller does; at QoS 1 back once the broker has acknowledged."""
    port, password = gym.broker()
    auth: Any = {"username": "tallenne_doors", "password": password}
    paho.mqtt.publish.single(topic, payload, qos=qos, hostname="127.0.0.1", port=port, auth=auth)


def native(event_id: str, occurred_at: str, kind: str, **more: str) -> str:
    return json.dumps({"event_id": event_id, "occurred_at": occurred_at, "kind": kind, **more})


def listed(gym: Started, kind: str) -> list[dict[str, Any]]:
    """What `tallenne events list` shows of a kind by default."""
    return [event for event in gym.json("events", "list", "--limit", "1000") if event["kind"] == kind]


def test_a_card_that_nobody_has_is_a_denied_event_and_tagged(gym: Started) -> None:
    field_case("denied-unknown-card")
    occurred = to_iso(time.time_ns() - 2 * NS)
    publish(gym, TOPIC, native("d1", occurred, "denied", credential="5A5A5A5A"))

    def found() -> Any:
        return [
            event for event in listed(gym, "denied") if event["occurred"] == occurred and all(event["tags"].values())
        ]

    (event,) = wait_for(found)
    assert event["member"] is None and event["door"] == "Main door"
    assert event["tags"]
    assert all(row["topic"] != TOPIC for row in gym.json("quarantine", "list"))


def test_times_in_lower_case_and_leap_seconds_are_times(gym: Started) -> None:
    field_case("rfc3339-lower-case")
    now = to_iso(time.time_ns())
    publish(gym, TOPIC, native("low", now.lower(), "held_open"))
    minute = now[:17]
    publish(gym, TOPIC, native("leap", f"{minute}60Z", "held_open"))
    wanted = {now, to_iso(from_iso(f"{minute}59Z") + NS)}
    # The second may lie up to a minute ahead: it is then placed by when it arrived, and says what it said.
    wait_for(lambda: wanted <= {event["reported"] or event["occurred"] for event in listed(gym, "held_open")})


MAIN_DOOR = """
[[site.door]]
name = "Main"
external_id = "main"
[[door_system]]
site = "Gym"
topic = "access/helsinki/+"
"""


@pytest.fixture(scope="module")
def boards(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Started]:
    """The configuration of the report about boards with relays, with a door for native messages."""
    folder = tmp_path_factory.mktemp("boards")
    text = (field_case("esp-rfid-relays") / "tallenne.toml").read_text()
    (folder / "tallenne.toml").write_text(text + MAIN_DOOR)
    (folder / "members.csv").write_text("number,name,credential\n1,Nobody,04A1B2C3\n")
    with started(folder) as running:
        running.run("members", "import", "members.csv")
        yield running


def test_every_message_of_a_board_with_relays_is_understood(boards: Started) -> None:
    text = (field_case("esp-rfid-relays") / "messages.jsonl").read_text().replace("NOW", str(int(time.time())))
    before = boards.statuses()["index"]["received"]
    messages = [json.loads(line) for line in text.splitlines()]
    for said in messages:
        publish(boards, said["topic"], json.dumps(said["payload"]))
    wait_for(lambda: boards.statuses()["index"]["received"] == before + len(messages))
    events = [event for event in boards.json("events", "list") if event["door"] == "Esp"]
    assert sorted(event["kind"] for event in events) == ["denied", "granted", "granted"]
    assert all(event["member"] for event in events)
    assert boards.json("quarantine", "list") == []


def test_a_controller_that_sends_local_time_as_utc_is_a_problem_and_its_events_are_found(boards: Started) -> None:
    field_case("controller-clock-ahead")
    sent = [to_iso(time.time_ns() + TWO_HOURS_NS + n * NS) for n in range(6)]
    for n, occurred in enumerate(sent):
        publish(boards, "access/helsinki/main", native(f"ahead{n}", occurred, "exit"))

    def found() -> Any:
        events = [event for event in listed(boards, "exit") if event["reported"] in sent]
        return events if len(events) == 6 else None

    for event in wait_for(found):
        assert event["uncertain"]
        assert abs(from_iso(event["occurred"]) - from_iso(event["received"])) < 5 * NS
    wait_for(lambda: "'Main' is 2.0 h ahead" in boards.run("status", code=None))
