"""Settings of the simulated gym."""

from __future__ import annotations

from pathlib import Path

from demo.settings import DemoDoor, DemoSettings
from indexer.decoders import native


def test_topic_of_a_door_is_the_native_decoders(tmp_path: Path) -> None:
    door = DemoDoor(external_id="front", site="helsinki", name="Front door")
    payload = b'{"event_id": "1", "occurred_at": "2026-11-22T06:31:04Z", "kind": "granted", "credential": "04A1"}'
    (event,) = native.decode(door.topic, payload)
    assert event.door == "front"


def test_passwords_are_not_in_the_representation(tmp_path: Path) -> None:
    settings = DemoSettings(
        cameras=(),
        doors=(),
        rtsp_user="u",
        rtsp_password="first secret",
        broker_port=1,
        broker_user="u",
        broker_password="second secret",
        run_directory=tmp_path,
        members_csv=tmp_path / "members.csv",
    )
    assert "secret" not in repr(settings)
