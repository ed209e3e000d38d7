"""NATS as the MQTT broker: JetStream synced at every write, a password per user, topics by permission, a size limit."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import aiomqtt

from domain.errors import PeerError
from pipeline.embedded.accounts import DOORS_USER, ECHO_TOPIC, INDEX_USER, PROBE_USER
from pipeline.embedded.nats import configuration, subjects
from pipeline.embedded.process import ServiceProcess, can_listen, free_ports, listens
from pipeline.errors import ServiceError
from pipeline.secret_files import secret
from runtime.private_files import private_directory, write_private

MAX_PAYLOAD_BYTES = 64 * 1024
ACK_WINDOW, ACK_WINDOWS_TOTAL = 1000, 65_535
"""Unacknowledged messages of a subscription; a session's subscriptions together may have no more than the second."""
_RELOAD_S = 20.0
_RELOADED, _REFUSED = b"Reloaded server configuration", b"Failed to reload server configuration"
"""What NATS logs at the end of a reload."""
_PROGRAM = Path(sys.executable).parent / "nats-server"
_CONFIGURATION = "nats.conf"
_PROBE_TOPIC = "$tallenne/probe"
"""Its ``$`` keeps it from every filter of doors, be it ``#`` (MQTT 3.1.1, 4.7.2)."""


@dataclass(frozen=True, slots=True)
class Broker:
    """A running broker on loopback."""

    process: ServiceProcess
    port: int  # MQTT
    passwords: dict[str, str]
    directory: Path
    client_port: int  # NATS's own protocol

    def allow(self, topics: Sequence[str]) -> None:
        """Replace the filters it was started with. Clients stay connected, or reconnect.

        Returns once they are in force: until then the broker acknowledges a message to a new topic and discards it.
        ServiceError when it does not take them.
        """
        _configure(self.directory, self.passwords, (self.client_port, self.port), topics)
        said = self.process.log.stat().st_size
        self.process.send(signal.SIGHUP)
        self.process.wait_until(lambda: self._reloaded(said), timeout_s=_RELOAD_S, stop=False)

    def _reloaded(self, said: int) -> bool:
        """Whether its log says so beyond ``said`` bytes."""
        with self.process.log.open("rb") as log:
            log.seek(said)
            words = log.read()
        if _REFUSED in words:
            refusal = next(line for line in words.splitlines() if _REFUSED in line).decode("utf-8", "replace")
            raise ServiceError(
                f"The broker does not take its changed configuration: {refusal[:300]}",
                "Look at the topics of [[door_system]].",
            )
        return _RELOADED in words

    def password_file(self, user: str) -> Path:
        """The doors' password, for people who have to enter it at a controller."""
        return self.directory / f"{user}.secret"

    async def probe(self) -> None:
        """Publish a message and receive it, both at QoS 1, as door events are. PeerError, OSError."""
        sent = uuid.uuid4().hex.encode()
        try:
            async with aiomqtt.Client(
                "127.0.0.1",
                self.port,
                username=PROBE_USER,
                password=self.passwords[PROBE_USER],
                identifier=f"tallenneprobe{sent[:8].decode()}",
                protocol=aiomqtt.ProtocolVersion.V311,
            ) as client:
                await client.subscribe(_PROBE_TOPIC, qos=1)
                await client.publish(_PROBE_TOPIC, sent, qos=1)
                async for message in client.messages:
                    if message.payload == sent:
                        return
        except aiomqtt.MqttError as exc:
            raise PeerError(f"The broker refuses a message ({exc}).") from exc
        raise PeerError("The broker ended the connection.")

    def stop(self) -> None:
        """Shut the broker down."""
        self.process.stop()


def start_broker(directory: Path, *, log: Path, topics: Sequence[str] = ("access/#",)) -> Broker:
    """Start it on the ports of last time, or on free ones. ServiceError when it does not start.

    topics: MQTT filters of door events; nothing else can be published or read.
    """
    private_directory(directory)
    passwords = {user: secret(directory / f"{user}.secret") for user in (INDEX_USER, DOORS_USER, PROBE_USER)}
    client_port, mqtt_port = _remembered_ports(directory)
    _configure(directory, passwords, (client_port, mqtt_port), topics)
    command: list[str | Path] = [_PROGRAM, "-c", _CONFIGURATION]
    process = ServiceProcess("broker", command, log=log, directory=directory, program=_PROGRAM.name)
    process.wait_until(lambda: listens(mqtt_port), timeout_s=20)
    return Broker(process, mqtt_port, passwords, directory, client_port)


def _configure(directory: Path, passwords: dict[str, str], ports: tuple[int, int], topics: Sequence[str]) -> None:
    """Written only when NATS itself accepts it: one that it refuses would keep it from starting. ServiceError."""
    path, scratch = directory / _CONFIGURATION, directory / f"{_CONFIGURATION}.new"
    write_private(scratch, configuration(_settings(passwords, ports, topics)).encode(), durable=False)
    command = [str(_PROGRAM), "-t", "-c", scratch.name]
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True, errors="replace", check=False)
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["no message"])[-1][:300]
        raise ServiceError(f"The broker refuses its configuration: {said}", "Look at the topics of [[door_system]].")
    scratch.replace(path)


def _settings(passwords: dict[str, str], ports: tuple[int, int], topics: Sequence[str]) -> dict[str, object]:
    """What NATS reads. Paths count from the directory that it starts in."""
    doors = [subject for topic in topics for subject in subjects(topic)]
    probe, echo = subjects(_PROBE_TOPIC), subjects(ECHO_TOPIC)
    users = [
        _user(passwords, INDEX_USER, publish=echo, subscribe=[*doors, *echo]),
        _user(passwords, DOORS_USER, publish=doors, subscribe=[]),
        _user(passwords, PROBE_USER, publish=probe, subscribe=probe),
    ]
    window = min(ACK_WINDOW, ACK_WINDOWS_TOTAL // max(1, len(doors)))
    return {
        "server_name": "tallenne-broker",
        "host": "127.0.0.1",
        "port": ports[0],
        "max_payload": MAX_PAYLOAD_BYTES,
        "jetstream": {"store_dir": "jetstream", "sync_interval": "always", "max_file_store": 4 << 30},
        "mqtt": {"host": "127.0.0.1", "port": ports[1], "ack_wait": "10s", "max_ack_pending": window},
        "authorization": {"users": users},
        "logtime_utc": True,
    }


def _user(passwords: dict[str, str], name: str, *, publish: list[str], subscribe: list[str]) -> dict[str, object]:
    """Over MQTT alone, and to these subjects alone.

    With NATS's own protocol, or with JetStream's subjects (``$JS``) and those of MQTT's sessions (``$MQTT``), a client
    could read what is stored, delete another's session, or send in its name. A subscriber at QoS 1 gets its messages by
    way of ``$MQTT.sub``; the name there is random (NATS documentation, "MQTT: permissions").
    """
    delivery = ["$MQTT.sub.>", "$MQTT.deliver.pubrel.>"] if subscribe else []
    nothing = {"deny": [">"]}
    return {
        "user": name,
        "password": passwords[name],
        "allowed_connection_types": ["MQTT"],
        "permissions": {
            "publish": {"allow": publish} if publish else nothing,
            "subscribe": {"allow": [*subscribe, *delivery]} if subscribe else nothing,
        },
    }


def _remembered_ports(directory: Path) -> tuple[int, int]:
    """The same ports as last time where they are free: door controllers remember addresses."""
    file = directory / "ports.json"
    if file.exists():
        client_port, mqtt_port = json.loads(file.read_text())
        if can_listen(client_port) and can_listen(mqtt_port):
            return client_port, mqtt_port
    client_port, mqtt_port = free_ports(2)
    write_private(file, json.dumps([client_port, mqtt_port]).encode())
    return client_port, mqtt_port
