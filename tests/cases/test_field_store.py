"""Reports about S3 servers that refuse a header, send elsewhere, have another clock, or are busy now and then."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from domain.time import HOUR_NS, hour_of, to_iso
from pipeline.embedded.process import free_ports, listens
from tests.cases.shared import field_case
from tests.support.cameras.video import encoded, written
from tests.support.processes.started import Started, started, wait_for

pytestmark = [pytest.mark.services, pytest.mark.slow]


@contextmanager
def gym_at(folder: Path, quirk: str) -> Iterator[Started]:
    """The report's gym beside its server with this quirk."""
    case = field_case("s3-servers")
    (port,) = free_ports(1)
    text = (case / "tallenne.toml").read_text().replace("28941", str(port))
    (folder / "tallenne.toml").write_text(text)
    for name in ("ak", "sk"):
        (folder / name).touch(mode=0o600)
        (folder / name).write_text("any-text-for-it")
    server = subprocess.Popen([sys.executable, case / "fake_s3.py", str(port), quirk], stdout=subprocess.DEVNULL)
    try:
        wait_for(lambda: listens(port))
        with started(folder) as gym:
            yield gym
    finally:
        server.terminate()
        server.wait(10)


@pytest.mark.parametrize(
    "quirk",
    ["no-checksum", "slow", *(pytest.param(one, marks=pytest.mark.long) for one in ("none", "no-checksum-put"))],
)
def test_footage_is_stored_and_whole(tmp_path: Path, quirk: str) -> None:
    film = written(tmp_path / "h264.mp4", encoded(20.0))
    start_ns = hour_of(time.time_ns()) - 3 * HOUR_NS
    with gym_at(tmp_path, quirk) as gym:
        gym.run("import", film, "--camera", "Hall", "--start", to_iso(start_ns))
        report = gym.json("verify", "--start", to_iso(start_ns), "--end", to_iso(start_ns + HOUR_NS))
        assert (report["ok"], report["objects"]) == (True, 2)
        # A passing 503 is not taken for a property of the server.
        assert "If-None-Match" not in gym.run("status", code=None)


@pytest.mark.parametrize(
    ("quirk", "sentence", "remedy"),
    [
        ("region", "other endpoint", "region = 'eu-north-1'"),
        ("skew", "The difference between the request time and the current time is too large", "clock"),
    ],
)
def test_error_names_the_servers_sentence_and_the_remedy(
    tmp_path: Path, quirk: str, sentence: str, remedy: str
) -> None:
    with gym_at(tmp_path, quirk) as gym:
        wait_for(lambda: sentence in gym.problems())
        assert remedy in gym.problems()
        said = gym.run("status", code=None)
        assert sentence in said and remedy in said
