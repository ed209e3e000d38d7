"""Reports about operation: what shells and service managers do to a program, proxies, certificates, databases."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest

from tests.cases.shared import field_case
from tests.support.processes.started import started, wait_for

pytestmark = [pytest.mark.services, pytest.mark.slow]
GYM = '[[site]]\nname = "Gym"\n[serve]\nport = 0\n'


def prepared(folder: Path, text: str = GYM) -> Path:
    """A folder with this configuration."""
    folder.mkdir(mode=0o700, exist_ok=True)
    (folder / "tallenne.toml").write_text(text)
    return folder


def test_under_nohup_it_goes_on_when_the_terminal_goes(tmp_path: Path) -> None:
    field_case("nohup")
    with started(prepared(tmp_path / "gym"), prefix=("nohup",)) as gym:
        gym.process.send_signal(signal.SIGHUP)
        time.sleep(3)
        assert gym.process.poll() is None
        assert "Stopping" not in gym.output
        wait_for(lambda: gym.statuses()["serve"]["state"] in ("ready", "degraded"))
