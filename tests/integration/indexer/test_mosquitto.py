"""The other broker people have: mosquitto, over TLS with a password. Skipped where it is not installed."""

from __future__ import annotations

import datetime
import ipaddress
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import aiomqtt
import asyncpg
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from indexer.settings import BrokerSettings, IndexSettings
from pipeline.embedded.process import free_ports, listens
from tests.conftest import Database
from tests.support.doors.door_log import Gym, indexer, message, status_of
from tests.support.footage.custodian import until

MOSQUITTO = shutil.which("mosquitto", path="/usr/sbin:/usr/bin:/usr/local/sbin")
pytestmark = [pytest.mark.services, pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mosquitto:
    port: int
    certificate: Path


def make_certificate(directory: Path) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test broker")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate, key_file = directory / "broker.pem", directory / "broker.key"
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    key_file.write_bytes(key.private_bytes(encoding, form, serialization.NoEncryption()))
    return certificate, key_file


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    certificate, key_file = make_certificate(tmp_path)
    (port,) = free_ports(1)
    passwords = tmp_path / "passwords"
    subprocess.run(["mosquitto_passwd", "-b", "-c", passwords, "tallenne_index", "secret"], check=True)
    configuration = tmp_path / "mosquitto.conf"
    configuration.write_text(
        f"user root\nlistener {port} 127.0.0.1\ncertfile {certificate}\nkeyfile {key_file}\n"
        f"allow_anonymous false\npassword_file {passwords}\nmessage_size_limit 65536\nmax_queued_messages 0\n"
    )
    process = subprocess.Popen([str(MOSQUITTO), "-c", configuration], stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 10
    while not listens(port) and time.monotonic() < deadline:
        time.sleep(0.05)
    yield Mosquitto(port=port, certificate=certificate)
    process.terminate()
    process.wait(10)


@pytest.fixture
def settings(gym: Gym, database: Database, mosquitto: Mosquitto, tmp_path: Path) -> IndexSettings:
    own = BrokerSettings(
        host="127.0.0.1",
        port=mosquitto.port,
        user_name="tallenne_index",
        password="secret",
        client_id="index",
        tls=True,
        tls_ca=mosquitto.certificate,
    )
    run_directory = tmp_path / "run"
    run_directory.mkdir()
    return IndexSettings(
        database=database.index,
        broker=own,
        topics=gym.rules,
        doors=(),
        custodian_socket=run_directory / "custodian.sock",
        run_directory=run_directory,
    )


async def publish(settings: IndexSettings, gym: Gym, first: int, last: int) -> None:
    tls = aiomqtt.TLSParameters(ca_certs=str(settings.broker.tls_ca))
    broker = settings.broker
    async with aiomqtt.Client(
        broker.host, broker.port, username=broker.user_name, password=broker.password, tls_params=tls
    ) as door:
        for n in range(first, last):
            await door.publish(gym.topic("front"), message(str(n), time.time_ns(), kind="held_open"), qos=1)


async def test_events_come_over_tls_and_wait_while_we_are_away(
    owner: asyncpg.Connection, gym: Gym, settings: IndexSettings
) -> None:
    async def arrived(count: int) -> bool:
        return bool(await owner.fetchval("SELECT count(*) FROM access_event") == count)

    async with indexer(settings):
        await publish(settings, gym, 0, 200)
        await until(lambda: arrived(200))
    await publish(settings, gym, 200, 400)
    async with indexer(settings):
        await until(lambda: arrived(400))
        assert status_of(settings)["sessions_lost"] == 0


# paho leaves a socket whose handshake failed to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_broker_with_another_certificate_is_not_talked_to(settings: IndexSettings, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    stranger, _ = make_certificate(other)
    wrong = replace(settings, broker=replace(settings.broker, tls_ca=stranger))

    async def told() -> bool:
        return any("does not answer" in problem["what"] for problem in status_of(wrong).get("problems", []))

    async with indexer(wrong, ready=False):
        await until(told)
        assert not status_of(wrong)["subscribed"]
