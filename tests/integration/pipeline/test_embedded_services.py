"""The embedded services: private, password-protected, not outliving whoever started them."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import os
import signal
import socket
import socketserver
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import aiomqtt
import psutil
import pytest
from minio import Minio
from minio.error import S3Error

from domain.errors import RetryableError
from pipeline.embedded import store as store_module
from pipeline.embedded.accounts import DOORS_USER, INDEX_USER, PROBE_USER
from pipeline.embedded.broker import Broker, start_broker
from pipeline.embedded.broker_log import BrokerLog
from pipeline.embedded.postgres import start_postgres
from pipeline.embedded.store import Store, start_store
from pipeline.errors import SetupError
from runtime.database import connect
from runtime.errors import DatabaseRefusedError
from runtime.settings import StoreSettings
from storage.store import open_store
from storage.store.bucket import read_and_write
from tests.conftest import Database


async def test_postgres_role_without_its_password_is_refused(database: Database) -> None:
    with pytest.raises(DatabaseRefusedError):
        await connect(replace(database.ingest, password="guess"))
    conn = await connect(database.ingest)
    assert await conn.fetchval("SELECT current_user") == "tallenne_ingest"
    await conn.close()


async def test_postgres_ingest_cannot_read_keys_or_audit(database: Database) -> None:
    conn = await connect(database.ingest)
    for table in ("hour_key", "audit_entry", "staff", "member_identity", "credential"):
        assert not await conn.fetchval("SELECT has_table_privilege(current_user, $1, 'SELECT')", f"tallenne.{table}")
    await conn.close()


def test_postgres_of_another_version_is_refused_with_a_remedy(tmp_path: Path) -> None:
    cluster = tmp_path / "pg" / "cluster"
    cluster.mkdir(parents=True)
    (tmp_path / "pg").chmod(0o700)
    (cluster / "PG_VERSION").write_text("19\n")
    with pytest.raises(SetupError, match="PostgreSQL 19"):
        start_postgres(tmp_path / "pg", log=tmp_path / "log")


@pytest.mark.parametrize("whose", ["a thread's", "an unreaped child's", "a stranger's"])
def test_postgres_starts_after_a_power_cut_whoever_has_its_old_process_id(whose: str, tmp_path: Path) -> None:
    """The kernel gives ids anew after a boot; PostgreSQL takes any process with the old one for itself."""
    postgres = start_postgres(tmp_path / "pg", log=tmp_path / "log", durable=False)
    postgres.process.kill()
    child = subprocess.Popen(["sleep", "600"])
    if whose == "an unreaped child's":
        child.kill()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    leave = threading.Event()
    thread = threading.Thread(target=leave.wait)
    thread.start()
    old = thread.native_id if whose == "a thread's" else child.pid
    lock = tmp_path / "pg" / "cluster" / "postmaster.pid"
    lines = lock.read_text().splitlines()
    lock.write_text("\n".join([str(old), *lines[1:]]) + "\n")
    try:
        start_postgres(tmp_path / "pg", log=tmp_path / "log", durable=False).stop()
    finally:
        leave.set()
        child.kill()
        child.wait()


async def _heard_on(broker: Broker, topic: str) -> str:
    """Which topic arrives; "" while it may not be subscribed to."""
    async with _client(broker, "tallenne_index") as listener, _client(broker, "tallenne_doors") as door:
        codes = await listener.subscribe([("access/#", 1), ("onvif/#", 1)])
        if [code.value for code in codes] != [1, 1]:
            return ""
        await door.publish(topic, b"{}", qos=1)
        async with asyncio.timeout(10):
            return (await anext(aiter(listener.messages))).topic.value


async def test_broker_lets_new_topics_in_while_it_runs_and_a_filter_that_ends_in_all(tmp_path: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        log = BrokerLog(tmp_path / "log")
        broker = start_broker(Path(folder) / "broker", log=tmp_path / "log", topics=("access/#",))
        try:
            async with _client(broker, "tallenne_index") as listener:
                assert [code.value for code in await listener.subscribe([("access/#", 1), ("onvif/#", 1)])] == [1, 128]
            async with _client(broker, "tallenne_doors") as door:
                await door.publish("onvif/door/ä.1", b"{}", qos=1)  # acknowledged, and discarded
            problem = log.discarded()
            assert problem is not None and "'onvif/door/ä.1'" in problem.what
            broker.allow(("access/#", "onvif/#"))
            log.forget_topics()
            assert log.discarded() is None
            assert await _heard_on(broker, "onvif/door/1") == "onvif/door/1"
        finally:
            broker.stop()


async def _takes(stack: contextlib.AsyncExitStack, broker: Broker, user: str, identifier: str) -> None:
    """Connected, and left so. The broker makes whoever comes back at once wait for a second, and hangs up."""
    for attempt in range(5):
        word = broker.passwords[user]
        client = aiomqtt.Client(
            "127.0.0.1", broker.port, username=user, password=word, identifier=identifier, timeout=2
        )
        try:
            await client.__aenter__()
        except aiomqtt.MqttError:
            if attempt == 4:
                raise
            await asyncio.sleep(0.5)
        else:
            stack.push_async_callback(_leave, client)
            return


async def _leave(client: aiomqtt.Client) -> None:
    with contextlib.suppress(aiomqtt.MqttError):  # it was cut off
        await client.__aexit__(None, None, None)


async def test_client_with_the_doors_password_that_takes_our_session_is_named(broker: Broker) -> None:
    """It sees no event, but we get none either: the broker cuts us off without a word."""
    log = BrokerLog(broker.process.log, "ours")
    async with contextlib.AsyncExitStack() as stack:
        for user in ("tallenne_index", "tallenne_doors", "tallenne_index"):
            assert log.taken_over() is None
            await _takes(stack, broker, user, "ours")
        problem = log.taken_over()
    assert problem is not None and "client id 'ours'" in problem.what
    assert problem.what.count("127.0.0.1:") == 2


async def test_broker_refuses_strangers_and_delivers_to_its_users(broker: Broker) -> None:
    with pytest.raises(aiomqtt.MqttError):
        async with aiomqtt.Client("127.0.0.1", broker.port, username="tallenne_index", password="guess"):
            pass
    async with _client(broker, "tallenne_index") as listener, _client(broker, "tallenne_doors") as door:
        await listener.subscribe("access/+/+", qos=1)
        await door.publish("access/helsinki/front", b"{}", qos=1)
        async for message in listener.messages:
            assert message.topic.value == "access/helsinki/front"
            break


DENIED = 0x80
INNER_TOPICS = (
    "$JS/API/STREAM/MSG/GET/$MQTT_msgs",
    "$JS/API/STREAM/DELETE/$MQTT_msgs",
    "$JS/API/CONSUMER/DELETE/$MQTT_msgs/index",
    "$MQTT/msgs/access/other/door",
    "_INBOX/x",
    "other/door",
    "$tallenne/probe",
)


async def test_door_password_neither_reads_nor_administers(broker: Broker) -> None:
    """A door controller's password lies in a cupboard. It publishes door events, and does nothing else."""
    async with _client(broker, DOORS_USER) as door:
        topics = ["#", "access/#", "+/+", "$MQTT/#", "$JS/#", "$JS/API/#", "_INBOX/#", "$SYS/#", *INNER_TOPICS]
        assert {code.value for topic in topics for code in await door.subscribe(topic, qos=1)} == {DENIED}
    async with _client(broker, "tallenne_index") as listener:
        await listener.subscribe("access/#", qos=1)
        for topic in INNER_TOPICS:
            with contextlib.suppress(aiomqtt.MqttError):  # it is cut off, or not heard
                async with _client(broker, DOORS_USER) as door, asyncio.timeout(1):
                    await door.publish(topic, b'{"forged": true}', qos=1)
        async with _client(broker, DOORS_USER) as door:
            await door.publish("access/helsinki/front", b"real", qos=1)
        async with asyncio.timeout(10):
            assert (await anext(aiter(listener.messages))).payload == b"real"


@pytest.mark.parametrize("user", [INDEX_USER, DOORS_USER, PROBE_USER])
def test_no_password_opens_the_brokers_own_protocol(broker: Broker, user: str) -> None:
    with socket.create_connection(("127.0.0.1", broker.client_port), timeout=10) as connection:
        words = {"user": user, "pass": broker.passwords[user], "verbose": True, "protocol": 1}
        connection.sendall(f"CONNECT {json.dumps(words)}\r\nPING\r\n".encode())
        said = b""
        while more := connection.recv(4096):
            said += more
    assert b"Authorization Violation" in said
    assert b"PONG" not in said


async def test_probes_prove_that_the_services_work(broker: Broker, store_server: Store, tmp_path: Path) -> None:
    await broker.probe()
    await store_server.probe()
    postgres = start_postgres(tmp_path / "pg", log=tmp_path / "log", durable=False)
    try:
        await postgres.probe()
    finally:
        postgres.stop()
    with pytest.raises(RetryableError):
        await postgres.probe()


async def test_a_probe_of_the_broker_reaches_no_filter_of_doors(tmp_path: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        broker = start_broker(Path(folder) / "broker", log=tmp_path / "log", topics=("#",))
        try:
            async with _client(broker, INDEX_USER) as listener, _client(broker, DOORS_USER) as door:
                await listener.subscribe("#", qos=1)
                await broker.probe()
                await door.publish("a/door", b"real", qos=1)
                async with asyncio.timeout(10):
                    assert (await anext(aiter(listener.messages))).payload == b"real"
        finally:
            broker.stop()


def _client(broker: Broker, user: str) -> aiomqtt.Client:
    return aiomqtt.Client("127.0.0.1", broker.port, username=user, password=broker.passwords[user])


def test_store_refuses_strangers_and_serves_its_key(store_server: Store) -> None:
    settings = store_server.settings
    stranger = Minio(settings.endpoint, access_key="x", secret_key="y", secure=False, region="us-east-1")
    with pytest.raises(S3Error, match="InvalidAccessKeyId"):
        stranger.list_buckets()
    own = Minio(
        settings.endpoint,
        access_key=settings.access_key,
        secret_key=settings.secret_key,
        secure=False,
        region="us-east-1",
    )
    own.make_bucket("strangers-test")
    assert "strangers-test" in [bucket.name for bucket in own.list_buckets()]


def test_services_end_when_their_parent_is_killed(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    script = (
        "import sys,time,pathlib;from pipeline.embedded.postgres import start_postgres\n"
        "from pipeline.embedded.broker import start_broker\n"
        "from pipeline.embedded.store import start_store\n"
        f"d=pathlib.Path({str(tmp_path)!r})\n"
        "a=start_postgres(d/'pg',log=d/'pg.log',durable=False);b=start_broker(d/'b',log=d/'b.log')\n"
        "c=start_store(d/'s',log=d/'s.log')\n"
        "print(a.process.pid,b.process.pid,c.process.pid,flush=True);time.sleep(600)"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    pids = [int(word) for word in parent.stdout.readline().split()]
    assert len(pids) == 3
    assert all(psutil.pid_exists(pid) for pid in pids)
    os.kill(parent.pid, signal.SIGKILL)
    parent.communicate()
    deadline = time.monotonic() + 60
    while any(map(_runs, pids)):
        assert time.monotonic() < deadline, "a service outlived its parent"
        time.sleep(0.1)


def _runs(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


async def test_store_keeps_what_it_acknowledged_when_it_is_killed(tmp_path: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="tallenne-store-") as folder:
        held = {f"v1/{number}": os.urandom(200_000) for number in range(20)}
        first = start_store(Path(folder) / "store", log=tmp_path / "log")
        async with open_store(first.settings) as store:
            await store.ensure_bucket()
            for name, data in held.items():
                await store.put_new(name, data, size_bytes=len(data), sha256=hashlib.sha256(data).digest())
        first.process.kill()
        again = start_store(Path(folder) / "store", log=tmp_path / "log")
        try:
            async with open_store(again.settings) as store:
                read = {name: await store.get_range(name, 0, len(data)) for name, data in held.items()}
        finally:
            again.stop()
    assert read == held


def test_store_stops_quickly_and_leaves_no_socket(tmp_path: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="tallenne-store-") as folder:
        store = start_store(Path(folder) / "store", log=tmp_path / "log")
        started = time.monotonic()
        store.stop()
        assert time.monotonic() - started < 10
        assert [path for port in store.ports.values() for path in Path("/tmp").glob(f"seaweedfs-*-{port}.sock")] == []


def test_object_whose_data_are_gone_is_not_waited_for_as_long_as_the_store_looks_for_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It did for half a minute, twice, and nothing started meanwhile."""
    monkeypatch.setattr(store_module, "_PROOF_S", 0.2)
    free = threading.Event()
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), socketserver.BaseRequestHandler) as server:
        server.daemon_threads = True
        monkeypatch.setattr(server, "finish_request", lambda *_: free.wait(30))
        threading.Thread(target=server.serve_forever).start()
        settings = StoreSettings(
            endpoint=f"127.0.0.1:{server.server_address[1]}", secure=False, bucket="b", access_key="a", secret_key="s"
        )
        started_s = time.monotonic()
        assert not store_module._keeps(settings, read_and_write)
        assert time.monotonic() - started_s < 5
        free.set()
        server.shutdown()


def test_object_that_a_power_cut_took_is_not_waited_for_once_the_store_takes_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now_s, writable, asked = [0.0], False, []

    def keeps(_: Any, proof: Any) -> bool:
        name = getattr(proof, "__name__", "another")
        asked.append(name)
        return writable and name != "read_and_write"

    monkeypatch.setattr(store_module, "_keeps", keeps)
    monkeypatch.setattr(store_module, "time", SimpleNamespace(monotonic=lambda: now_s[0]))
    patience, settings = store_module._Patience(), cast("Any", None)
    now_s[0] = 4.0
    assert not patience.over(settings)
    writable = True
    assert not patience.over(settings)
    now_s[0] = 6.0
    assert not patience.over(settings)
    now_s[0] = 6.1
    assert patience.over(settings)
    assert asked[-1] == "write_and_read"  # for the next start
    now_s[0], writable = 0.0, False
    full = store_module._Patience()
    now_s[0] = 15.1
    assert full.over(settings)
