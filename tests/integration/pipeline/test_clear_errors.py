"""One clear error with a remedy for each thing that goes wrong at a stranger's: what is wrong, and what to do."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
import sys
from contextlib import aclosing
from pathlib import Path
from uuid import uuid4

import pytest

from demo.live import LiveCamera, Studio, live_settings
from demo.rtsp.digest import Digest
from demo.rtsp.server import RtspServer
from domain.errors import TallenneError
from domain.ids import CameraId, SiteId
from ingest.errors import AddressRefusedError, CameraAwayError, CameraRefusedError
from ingest.settings import CameraSettings, SourceKind
from ingest.sources import Sources
from ingest.spool import Spool, SpoolFullError
from pipeline.embedded.process import free_ports
from runtime.settings import SpoolSettings

ROOT = Path(__file__).resolve().parents[3]


def tallenne(*arguments: str, timeout: float = 90) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pipeline.cli", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=timeout, check=False)


def camera(url: str, source: str, **more: str) -> CameraSettings:
    return CameraSettings(
        camera_id=CameraId(uuid4()),
        site_id=SiteId(uuid4()),
        name="Entrance",
        url=url,
        source=SourceKind(source),
        **more,  # type: ignore[arg-type]
    )


async def first_error(settings: CameraSettings) -> TallenneError:
    async with asyncio.timeout(30), aclosing(Sources().make(settings).batches()) as frames:
        with pytest.raises(TallenneError) as caught:
            async for _ in frames:
                raise AssertionError("it sends pictures")
    return caught.value


@pytest.mark.parametrize("source", ["libav", "native"])
async def test_camera_unreachable(source: str) -> None:
    (port,) = free_ports(1)
    error = await first_error(camera(f"rtsp://127.0.0.1:{port}/one", source))
    assert isinstance(error, CameraAwayError)
    assert f"127.0.0.1:{port}" in error.what
    assert "Check its address" in error.remedy


@pytest.mark.parametrize("source", ["libav", "native"])
async def test_camera_refuses_the_password(source: str) -> None:
    live = LiveCamera(
        path="/camera/1", number=1, name="one", settings=live_settings((320, 192), 10, 200_000, 1), seed=1
    )
    async with RtspServer([live], digest=Digest("recorder", "right")).listening() as server, Studio([live]).open():
        error = await first_error(camera(server.url(live), source, user_name="recorder", password="wrong-word"))
    assert isinstance(error, CameraRefusedError)
    assert "password" in error.what
    assert "password" in error.remedy
    assert "wrong-word" not in str(error)


async def test_camera_outside_the_allowed_networks() -> None:
    error = await first_error(camera("rtsp://169.254.169.254/latest", "native"))
    assert isinstance(error, AddressRefusedError)
    assert "networks" in error.remedy


def test_service_address_taken(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        config = tmp_path / "tallenne.toml"
        config.write_text(f'[[site]]\nname = "Gym"\n\n[serve]\nport = {port}\n')
        done = tallenne("up", "--config", str(config), "--data", str(tmp_path / "data"))
    assert done.returncode == 2, done.stdout + done.stderr
    said = done.stderr.strip().splitlines()[-1]
    assert f"127.0.0.1:{port}" in said
    assert "Check address, port" in said


def test_data_directory_of_a_newer_version(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    (data / "version").write_text("99\n")
    done = tallenne("up", "--data", str(data))
    assert done.returncode == 2
    assert "newer Tallenne (format 99" in done.stderr
    assert "Install that version" in done.stderr
    assert sorted(path.name for path in data.iterdir()) == ["version"]


def test_data_directory_open_to_others(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir(mode=0o755)
    done = tallenne("up", "--data", str(data))
    assert done.returncode == 2
    assert f"chmod 700 {data}" in done.stderr


def test_data_directory_in_use(tmp_path: Path) -> None:
    from pipeline.installation import Installation

    installation = Installation(tmp_path / "data")
    installation.prepare()
    held = installation.lock()
    done = tallenne("up", "--data", str(tmp_path / "data"))
    held.release()
    assert done.returncode == 2
    assert f"already runs on {installation.root} (process {os.getpid()})" in done.stderr


def test_keyring_readable_by_others(tmp_path: Path) -> None:
    config = tmp_path / "tallenne.toml"
    config.write_text('[[site]]\nname = "Gym"\n')
    data = tmp_path / "data"
    keyring = data / "custodian" / "keyring"
    keyring.parent.mkdir(mode=0o700, parents=True)
    data.chmod(0o700)
    from custodian.keys.custody import open_custody

    with open_custody(keyring.parent):
        pass
    assert keyring.exists()
    keyring.chmod(0o644)
    done = tallenne("up", "--config", str(config), "--data", str(data))
    assert done.returncode == 2, done.stdout + done.stderr
    said = done.stderr.strip().splitlines()[-1]
    assert "keyring can be read by others" in said
    assert "chmod 600" in said


def test_disk_full(tmp_path: Path) -> None:
    free = shutil.disk_usage(tmp_path).free
    spool = Spool(SpoolSettings(directory=tmp_path / "spool", max_bytes=1 << 40, reserve_bytes=free + (1 << 30)))
    with pytest.raises(SpoolFullError) as caught:
        spool.check_room(1)
    spool.close()
    assert "less than" in caught.value.what
    assert "Make room" in caught.value.remedy


def test_venv_module_missing(tmp_path: Path) -> None:
    """A Python that has no venv module, as Debian's without python3-venv."""
    (tmp_path / ".ci").mkdir()
    for name in ("run", ".ci/environment.sh", "requirements.lock", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path / name)
    fake = tmp_path / "python-without-venv"
    fake.write_text(f'#!/bin/sh\ncase "$2" in *venv*) exit 1;; esac\nexec {sys.executable} "$@"\n')
    fake.chmod(0o755)
    done = subprocess.run(
        ["sh", str(tmp_path / "run")],
        env={**os.environ, "PYTHON": str(fake)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert "venv module is missing" in done.stderr
    assert "apt install python3-venv" in done.stderr
    assert not (tmp_path / ".venv").exists()
