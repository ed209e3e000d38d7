"""The brokers that tests put between doors and indexers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from indexer.settings import BrokerSettings
from pipeline.embedded.broker import Broker, start_broker


class AnyBroker(Protocol):
    def start(self) -> None: ...
    def stop(self) -> None: ...
    def kill(self) -> None: ...
    def settings(self, client_id: str) -> BrokerSettings: ...
    @property
    def passwords(self) -> dict[str, str]: ...


@dataclass(slots=True)
class Nats:
    """The embedded broker."""

    directory: Path
    running: Broker | None = None

    def start(self) -> None:
        self.running = start_broker(self.directory, log=self.directory.with_suffix(".log"))

    def stop(self) -> None:
        assert self.running is not None
        self.running.stop()

    def kill(self) -> None:
        assert self.running is not None
        self.running.process.kill()

    def settings(self, client_id: str) -> BrokerSettings:
        assert self.running is not None
        return BrokerSettings(
            host="127.0.0.1",
            port=self.running.port,
            user_name="tallenne_index",
            password=self.running.passwords["tallenne_index"],
            client_id=client_id,
        )

    @property
    def passwords(self) -> dict[str, str]:
        assert self.running is not None
        return self.running.passwords
