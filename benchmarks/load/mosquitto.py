"""mosquitto, configured as indexer/BROKERS.md says: a broker that acknowledges from memory, beside ours that syncs."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from pipeline.embedded.accounts import DOORS_USER, INDEX_USER
from pipeline.embedded.broker import Broker
from pipeline.embedded.process import ServiceProcess, free_ports, listens

_PLACES = os.pathsep.join(("/usr/sbin", "/usr/bin", "/usr/local/sbin", "/usr/local/bin"))
_LIMITS = "max_queued_messages 0\nmax_inflight_messages 1000\nmessage_size_limit 65536\n"


def why_missing() -> str | None:
    """None when it is installed."""
    found = shutil.which("mosquitto", path=_PLACES) and shutil.which("mosquitto_passwd", path=_PLACES)
    return None if found else "mosquitto is not installed (Debian: apt install mosquitto)"


def start_mosquitto(directory: Path) -> Broker:
    """On loopback, with a password for each user. ServiceError when it does not start."""
    directory.mkdir()
    (port,) = free_ports(1)
    passwords = {INDEX_USER: "bench-index", DOORS_USER: "bench-doors"}
    for n, (user, word) in enumerate(passwords.items()):
        create = [] if n else ["-c"]
        program = str(shutil.which("mosquitto_passwd", path=_PLACES))
        subprocess.run([program, "-b", *create, directory / "passwords", user, word], check=True)
    configuration = directory / "mosquitto.conf"
    as_root = "user root\n" if os.geteuid() == 0 else ""
    configuration.write_text(
        f"{as_root}listener {port} 127.0.0.1\nallow_anonymous false\npassword_file {directory / 'passwords'}\n"
        f"persistence true\npersistence_location {directory}/\n{_LIMITS}"
    )
    command: list[str | Path] = [str(shutil.which("mosquitto", path=_PLACES)), "-c", configuration]
    process = ServiceProcess(
        "mosquitto", command, log=directory / "mosquitto.log", directory=directory, program="mosquitto"
    )
    process.wait_until(lambda: listens(port), timeout_s=10)
    return Broker(process, port, passwords, directory, client_port=0)
