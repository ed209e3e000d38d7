"""PUT and GET: ours, what one would pick instead, and the leanest client call, interleaved on the same store.

The leanest: one kept connection, an address presigned beforehand, the body by sendfile, the answer into one buffer.
Nothing is hashed, verified, retried or kept from being overwritten.
"""

from __future__ import annotations

import hashlib
import http.client
import os
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import obstore
from minio import Minio
from obstore.store import S3Store as ObstoreS3

from benchmarks.frame.statistics import median
from runtime.settings import StoreSettings
from storage.store import ObjectStore, open_store

SIZE = 5_000_000
Call = Callable[[str], Awaitable[None]]


class Leanest:
    """One blocking connection."""

    def __init__(self, settings: StoreSettings, minio: Minio, body: Path) -> None:
        self._settings, self._minio, self._body = settings, minio, body
        self._http = http.client.HTTPConnection(settings.endpoint)
        self._buffer = memoryview(bytearray(SIZE))
        self._addresses: dict[tuple[str, str], str] = {}

    def presign(self, method: str, name: str) -> None:
        """Before the clock runs."""
        url = self._minio.get_presigned_url(method, self._settings.bucket, name, expires=timedelta(hours=1))
        parts = urlsplit(url)
        self._addresses[method, name] = f"{parts.path}?{parts.query}"

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    def put(self, name: str) -> None:
        """PUT the body by sendfile and read the answer."""
        self._http.putrequest("PUT", self._addresses["PUT", name], skip_accept_encoding=True)
        self._http.putheader("content-length", str(SIZE))
        self._http.endheaders()
        with self._body.open("rb", buffering=0) as file:
            assert self._http.sock is not None
            self._http.sock.sendfile(file, count=SIZE)
        self._http.getresponse().read()

    def get(self, name: str) -> None:
        """GET the object into the one buffer."""
        self._http.request("GET", self._addresses["GET", name])
        answer = self._http.getresponse()
        at = 0
        while at < SIZE and (count := answer.readinto(self._buffer[at:])):
            at += count
        answer.read()


async def measure(
    settings: StoreSettings, objects: int, scratch: Path
) -> tuple[dict[str, float], list[dict[str, Any]]]:
    """(headline, cases). Every round calls each client once, in turn; medians are compared."""
    body = scratch / "object"
    body.write_bytes(os.urandom(SIZE))
    async with open_store(settings, connections=2) as store:
        await store.ensure_bucket()
        await store.probe()
        minio = Minio(
            settings.endpoint, settings.access_key, settings.secret_key, secure=settings.secure, region=settings.region
        )
        least = Leanest(settings, minio, body)
        clients = _clients(settings, store, body, minio, least)
        took: dict[tuple[str, str], list[tuple[float, float]]] = {}
        for number in range(objects + 1):
            for verb, calls in clients.items():
                for client, (prepare, call) in calls.items():
                    name = f"bench/{client.replace(' ', '-')}/{number}"
                    prepare(name)
                    cost = await _timed(call, name)
                    if number:
                        took.setdefault((verb, client), []).append(cost)
        least.close()
    costs = {key: (median([wall for wall, _ in each]), median([cpu for _, cpu in each])) for key, each in took.items()}
    headline: dict[str, float] = {}
    for verb in ("put", "get"):
        floor, ours = costs[verb, "floor"], costs[verb, "ours"]
        headline |= {f"{verb}_ratio": floor[0] / ours[0], f"{verb}_cpu_ratio": floor[1] / ours[1]}
    return headline, [_case(verb, client, *each) for (verb, client), each in costs.items()]


def _clients(
    settings: StoreSettings, store: ObjectStore, body: Path, minio: Minio, least: Leanest
) -> dict[str, dict[str, tuple[Callable[[str], None], Call]]]:
    data = body.read_bytes()
    digest = hashlib.sha256(data).digest()
    rust = ObstoreS3(
        settings.bucket,
        endpoint=f"http://{settings.endpoint}",
        access_key_id=settings.access_key,
        secret_access_key=settings.secret_key,
        region=settings.region,
        client_options={"allow_http": True},
    )

    async def put_ours(name: str) -> None:
        await store.put_new(name, body, size_bytes=SIZE, sha256=digest)

    async def get_ours(name: str) -> None:
        await store.get_range(name, 0, SIZE)

    async def put_minio(name: str) -> None:
        with body.open("rb") as file:
            minio.put_object(settings.bucket, name, file, SIZE, part_size=8 << 20)

    async def put_rust(name: str) -> None:
        await obstore.put_async(rust, name, body, use_multipart=False)

    async def get_rust(name: str) -> None:
        await (await obstore.get_async(rust, name)).bytes_async()

    def nothing(name: str) -> None:
        return None

    return {
        "put": {
            "floor": (lambda name: least.presign("PUT", name), _blocking(least.put)),
            "ours": (nothing, put_ours),
            "minio": (nothing, put_minio),
            "obstore": (nothing, put_rust),
        },
        "get": {
            "floor": (lambda name: least.presign("GET", name), _blocking(least.get)),
            "ours": (nothing, get_ours),
            "obstore": (nothing, get_rust),
        },
    }


def _blocking(call: Callable[[str], None]) -> Call:
    async def run(name: str) -> None:
        call(name)

    return run


async def _timed(call: Call, name: str) -> tuple[float, float]:
    """(wall, CPU of this process)."""
    wall, cpu = time.perf_counter(), time.process_time()
    await call(name)
    return time.perf_counter() - wall, time.process_time() - cpu


def _case(verb: str, client: str, wall: float, cpu: float) -> dict[str, Any]:
    return {
        "name": f"{client} {verb.upper()}",
        "ms": wall * 1e3,
        "client_cpu_ms": cpu * 1e3,
        "object_mib_per_s": SIZE / wall / 2**20,
        "peer": client in ("minio", "obstore"),
    }
