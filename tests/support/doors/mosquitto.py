"""mosquitto from Debian, with a password file, as an operator would configure it; or with its default limits."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from indexer.settings import BrokerSettings
from pipeline.embedded.process import ServiceProcess, free_ports, listens

MOSQUITTO = shutil.which("mosquitto", path="/usr/sbin:/usr/bin:/usr/local/sbin")
needs_mosquitto = pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed")

GOOD = "max_queued_messages 0\nmax_inflight_messages 1000\nmessage_size_limit 65536\n"


@dataclass(slots=True)
class Mosquitto:
    """Started again on the same port, with the same state, as often as asked."""

    directory: Path
    limits: str = GOOD
    port: int = 0
    passwords: dict[str, str] = field(default_factory=lambda: {"tallenne_index": "i-secret", "tallenne_doors": "d"})
    process: ServiceProcess | None = None

    def start(self) -> None:
        self.directory.mkdir(exist_ok=True)
        if not self.port:
            (self.port,) = free_ports(1)
            for n, (user, word) in enumerate(self.passwords.items()):
                create = [] if n else ["-c"]
                command = ["mosquitto_passwd", "-b", *create, self.directory / "passwords", user, word]
                subprocess.run(command, check=True)
        configuration = self.directory / "mosquitto.conf"
        configuration.write_text(
            f"user root\nlistener {self.port} 127.0.0.1\nallow_anonymous false\n"
            f"password_file {self.directory / 'passwords'}\npersistence true\n"
            f"persistence_location {self.directory}/\nsys_interval 1\n{self.limits}"
        )
        command = [str(MOSQUITTO), "-c", str(configuration)]
        self.process = ServiceProcess(
            "mosquitto",
            command,
            log=self.directory / "mosquitto.log",
            directory=self.directory,
            program="mosquitto",
        )
        self.process.wait_until(lambda: listens(self.port), timeout_s=10)

    def stop(self) -> None:
        """In good order: it saves its state."""
        assert self.process is not None
        self.process.stop()

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()

    def settings(self, client_id: str) -> BrokerSettings:
        return BrokerSettings(
            host="127.0.0.1",
            port=self.port,
            user_name="tallenne_index",
            password=self.passwords["tallenne_index"],
            client_id=client_id,
        )
