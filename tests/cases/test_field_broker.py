"""Reports about the MQTT broker: two installations on one, topics and names that it takes for something else."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.cases.shared import field_case
from tests.support.mosquitto import Mosquitto, needs_mosquitto
from tests.support.started import started, wait_for

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
