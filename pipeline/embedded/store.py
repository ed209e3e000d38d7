"""SeaweedFS as the S3 store: every port on loopback; S3 by access key, all others by mutual TLS of its own authority.

SeaweedFS is several servers in one process (master, volume, filer, S3), each with an HTTP and a gRPC port. Only the
S3 port is meant for us. The others cannot be switched off, so they accept only a certificate that only this
store has.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import secrets
import shutil
import signal
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from domain.errors import StorageError
from pipeline.embedded.accounts import BUCKET, CUSTODIAN, KEEPER, STORE_USER, store_key_files, store_settings
from pipeline.embedded.certificates import make_mutual
from pipeline.embedded.process import ServiceProcess, can_listen, free_ports
from pipeline.secret_files import secret
from runtime.private_files import private_directory, write_private
from runtime.settings import StoreSettings
from storage.store.bucket import ensure_bucket, read_and_write, write_and_read
from storage.store.connection import S3Connection

_DATA = "data"
_VOLUME_MIB = 1024
_PATIENCE_S = 15.0
_LOST_AFTER_S = 2.0
_PROOF_S = 2.0
_FRESH = "probe/fresh"
_LOOKING: Final = ("ListBucket", "GetBucketVersioning", "GetObject")
_RIGHTS: Final[Mapping[str, Mapping[str, Sequence[str]]]] = {
    STORE_USER: {"*": (*_LOOKING, "CreateBucket", "PutObject"), "*/probe/*": ("DeleteObject",)},
    KEEPER: {"*": ("ListBucket", "GetBucketVersioning", "DeleteObject")},
    # It cannot delete, and to write an object again changes no name: custodian/audit/heads.py, storage/journal.
    CUSTODIAN: {"*/heads/*": ("PutObject", "GetObject"), "*/journal/*": ("PutObject", "GetObject")},
}
_LISTS: Final[Mapping[str, Sequence[str]]] = {CUSTODIAN: ("heads/",)}
"""What a user that may not list everything may list."""
_PORTS = ("master", "master.grpc", "volume", "volume.grpc", "filer", "filer.grpc", "s3", "s3.grpc")


@dataclass(frozen=True, slots=True)
class Store:
    """A running store on loopback."""

    process: ServiceProcess
    settings: StoreSettings
    keeper: StoreSettings  # of the user that may delete
    custodian: StoreSettings  # of the user that may add heads of the audit chain
    ports: dict[str, int]

    async def probe(self) -> None:
        """Write a small object and read it. The store's errors, OSError, http.client's.

        Not one of earlier: a power cut may have taken it, and nothing that is written now would bring it back.
        """
        connection = S3Connection(self.settings, None)
        try:
            await asyncio.to_thread(write_and_read, connection)
        finally:
            connection.abort()  # unblock the thread, whose caller is gone
            connection.close()

    def stop(self) -> None:
        """Asked to stop, then ended.

        Its filer would wait 15 s for streams between its own parts that never end. What it has acknowledged is in files
        by then, and survives a kill at any time (tests/integration/pipeline/test_embedded_services.py).
        """
        self.process.stop(grace_s=1)
        for port in self.ports.values():  # sockets between its own servers, which it leaves behind
            for left in Path("/tmp").glob(f"seaweedfs-*-{port}.sock"):
                left.unlink(missing_ok=True)


def start_store(directory: Path, *, log: Path) -> Store:
    """Start it on the ports of last time, or on free ones. ServiceError when it does not start."""
    private_directory(directory)
    private_directory(directory / _DATA)
    write_private(directory / "s3.json", json.dumps(_identities(directory)).encode())
    write_private(directory / "security.toml", _security(directory).encode())
    ports = _remembered_ports(directory)
    command: list[str | Path] = [Path(sys.executable).parent / "weed", "-logtostderr=true", "server"]
    command += _arguments(directory, ports)
    # A SIGTERM without a parent that waits for it leaves it half stopped for ever.
    process = ServiceProcess("store", command, log=log, directory=directory, program="weed", orphaned=signal.SIGKILL)
    process.wait_until(lambda: _answers(ports["s3"]), timeout_s=60)
    settings = store_settings(directory, f"127.0.0.1:{ports['s3']}", BUCKET)
    _await_volumes(process, settings)
    users = {user: store_settings(directory, settings.endpoint, BUCKET, user) for user in _RIGHTS}
    return Store(process, settings, users[KEEPER], users[CUSTODIAN], ports)


def _arguments(directory: Path, ports: dict[str, int]) -> list[str]:
    """Paths count from ``directory``, in which it runs: a comma in a longer one would part it in two."""
    # A volume takes its room as it fills. Their number has to suffice for the disk, and each bucket takes seven.
    volumes = max(1024, shutil.disk_usage(directory).total // (_VOLUME_MIB << 20))
    fixed = [
        f"-dir={_DATA}",
        "-ip=127.0.0.1",
        "-ip.bind=127.0.0.1",
        "-s3.ip.bind=127.0.0.1",
        "-filer",
        "-s3",
        "-s3.config=s3.json",
        "-s3.iam=false",
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
        "-filer.localSocket=filer.sock",
        "-s3.localSocket=s3.sock",
        "-master.telemetry=false",
        "-master.peers=none",  # it votes alone: with default times it would stand still for 10 to 20 s a start
        "-master.electionTimeout=500ms",
        "-master.heartbeatInterval=100ms",
        f"-master.volumeSizeLimitMB={_VOLUME_MIB}",
        f"-volume.max={volumes}",
        "-volume.minFreeSpacePercent=1",
        "-volume.preStopSeconds=0",
    ]
    places = {"master": "-master.port", "volume": "-volume.port", "filer": "-filer.port", "s3": "-s3.port"}
    named = [f"{places[name.partition('.')[0]]}{'.grpc' if '.' in name else ''}={ports[name]}" for name in _PORTS]
    return fixed + named


def _identities(directory: Path) -> dict[str, object]:
    """A policy for each user: only the keeper may delete, and it may not write.

    The action "Write" of SeaweedFS itself would include deleting.
    """
    identities, policies = [], []
    for user in _RIGHTS:
        access_key, secret_key = map(secret, store_key_files(directory, user))
        credentials = [{"accessKey": access_key, "secretKey": secret_key}]
        identities.append({"name": user, "credentials": credentials, "actions": [], "policyNames": [user]})
        policies.append({"name": user, "content": json.dumps(_policy(user))})
    return {"identities": identities, "policies": policies}


def _policy(user: str) -> dict[str, object]:
    allowed: list[dict[str, object]] = [
        {"Effect": "Allow", "Action": [f"s3:{action}" for action in actions], "Resource": [f"arn:aws:s3:::{where}"]}
        for where, actions in _RIGHTS[user].items()
    ]
    if user in _LISTS:
        prefixes = {"StringLike": {"s3:prefix": [f"{prefix}*" for prefix in _LISTS[user]]}}
        allowed.append(
            {"Effect": "Allow", "Action": ["s3:ListBucket"], "Resource": ["arn:aws:s3:::*"], "Condition": prefixes}
        )
    return {"Version": "2012-10-17", "Statement": allowed}


def _security(directory: Path) -> str:
    """SeaweedFS reads security.toml from its working directory, from which the names in it count."""
    authority, certificate, key = (path.name for path in make_mutual(directory, "store"))
    pair = f'cert = "{certificate}"\nkey = "{key}"\n'
    lines = ["[access]", "ui = false", "[filer.expose_directory_metadata]", "enabled = false"]
    for name in ("jwt.signing", "jwt.signing.read", "jwt.filer_signing", "jwt.filer_signing.read"):
        lines += [f"[{name}]", f'key = "{secrets.token_urlsafe(24)}"']
    text = "\n".join(lines) + f'\n[grpc]\nca = "{authority}"\n'
    for part in ("volume", "master", "filer", "s3", "client", "admin", "worker", "msg_broker", "mq"):
        text += f"[grpc.{part}]\n{pair}"
    text += f'[https.client]\nenabled = true\nca = "{authority}"\n{pair}'
    for part in ("volume", "master", "filer"):
        text += f'[https.{part}]\nca = "{authority}"\n{pair}'
    return text


def _answers(port: int) -> bool:
    """An S3 server that refuses a stranger is up."""
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=2).close()
    except urllib.error.HTTPError as refused:
        refused.close()
        return refused.code == 403
    except OSError:
        return False
    return False


def _await_volumes(process: ServiceProcess, settings: StoreSettings) -> None:
    """Its S3 part refuses strangers before the part that holds the data has been found: until then all is error 500.

    Waits until the object of last time can be read, and written. Not for ever: a full disk is no reason not to start,
    since what makes room on it runs only then. And not for long once another object can be written: a power cut has
    taken last time's, whose data was not synced.
    """
    patience = _Patience()
    process.wait_until(lambda: patience.over(settings), timeout_s=2 * _PATIENCE_S)


class _Patience:
    """How long the object of last time is waited for."""

    def __init__(self) -> None:
        self._deadline_s = time.monotonic() + _PATIENCE_S
        self._writable = False

    def over(self, settings: StoreSettings) -> bool:
        """Whether it is there, or is not waited for any more; another one is written then for the next start."""
        if _keeps(settings, read_and_write):
            return True
        if not self._writable and _keeps(settings, partial(write_and_read, name=_FRESH)):
            self._writable = True
            self._deadline_s = min(self._deadline_s, time.monotonic() + _LOST_AFTER_S)
        if time.monotonic() <= self._deadline_s:
            return False
        _keeps(settings, write_and_read)
        return True


def _keeps(settings: StoreSettings, proof: Callable[[S3Connection], None]) -> bool:
    """Whether the proof is given in time: for an object whose data are gone the store looks for half a minute."""
    connection = S3Connection(settings, None)
    limit = threading.Timer(_PROOF_S, connection.abort)
    limit.start()
    try:
        ensure_bucket(connection, settings.region)
        proof(connection)
    except (StorageError, OSError, http.client.HTTPException):
        return False
    finally:
        limit.cancel()
        connection.close()
    return True


def _remembered_ports(directory: Path) -> dict[str, int]:
    """The store keeps its own addresses in its data: it keeps its ports while they are free."""
    file = directory / "ports.json"
    if file.exists():
        ports: dict[str, int] = json.loads(file.read_text())
        if all(map(can_listen, ports.values())):
            return ports
    ports = dict(zip(_PORTS, free_ports(len(_PORTS)), strict=True))
    write_private(file, json.dumps(ports).encode())
    return ports
