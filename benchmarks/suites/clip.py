"""A 30 s clip through the staff API: TLS, session, audit entry, custodian, ranged GETs, opening; real store, real rows.

Every clip is another span, so that nothing is answered from memory. Beside it the floor: the same sealed bytes by
bare ranged GETs from the same store, one after another on a kept connection without TLS. The serve role has a core for
itself; store, database, custodian and the reading client share the other one.
"""

from __future__ import annotations

import asyncio
import random
import secrets
import ssl
import threading
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx
import pyotp
import uvloop
from minio import Minio

from api.credentials.accounts import create_staff
from api.footage.plan import cut_segment, plan_clip
from api.settings import ServeSettings
from benchmarks.frame.accounting import Accounts, between
from benchmarks.frame.cores import pinned
from benchmarks.frame.process import Child
from benchmarks.frame.result import document
from benchmarks.frame.stand import Stand, custodian, open_stand, role
from benchmarks.frame.statistics import percentile
from benchmarks.frame.trust import Doubt, doubts
from benchmarks.load.film import film
from benchmarks.load.footage import record_footage
from benchmarks.load.reader import Got, Reader
from domain.footage import Segment
from domain.ids import CameraId, SegmentId
from domain.time import NS, Span, to_iso
from runtime.database import connect, open_pool
from storage.catalogue import Catalogue
from storage.sealed import object_name_of
from storage.sealed.format import layout_of, parse_header

_CLIP_NS = 30 * NS
_USUAL = 5  # members of staff at once that the headline is about


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    staff: tuple[int, ...] = (1, 5, 50)  # at once: alone, what the headline is about, a crowd
    rounds: int = 20  # clips of each, up to five of them; more share as many among them
    cameras: int = 10
    footage_s: int = 60
    bit_rate: int = 4_000_000
    size: tuple[int, int] = (1920, 1080)
    seed: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seat:
    """One member of staff, signed in, with a stated purpose and a connection."""

    reader: Reader
    headers: str
    purpose: str

    async def clip(self, camera: CameraId, span: Span) -> Got:
        """The whole of a short clip, by the byte range that a player asks for."""
        query = {"start": to_iso(span.start_ns), "end": to_iso(span.end_ns), "purpose": self.purpose}
        headers = f"{self.headers}Range: bytes=0-\r\n"
        return await self.reader.get(f"/v1/cameras/{camera}/clip.mp4?{urlencode(query)}", headers)


def run(given: Parameters, directory: Path) -> dict[str, Any]:
    """The whole document."""
    units = film(given.bit_rate, 4, size=given.size)
    with (
        pinned() as cores,
        open_stand(directory / "stand", cameras=given.cameras, store=True) as stand,
        custodian(stand, core=cores.load) as keys,
    ):
        span = asyncio.run(record_footage(stand, units, given.footage_s))
        settings = stand.shipped.serve()
        with role(stand, "serve", settings, core=cores.measured, ready=lambda said: "address" in said) as serve:
            roles = {**stand.service_pids(), "custodian": [keys.pid], "measured": [serve.pid]}
            bench = _Bench(given, stand, settings, span, Accounts(roles), serve, cores.usable)
            headline = uvloop.run(bench.run())
    cases, raised = bench.cases, bench.doubts
    return document("clip", parameters=asdict(given), headline=headline, cases=cases, doubts=raised, missing={})


class _Bench:
    def __init__(
        self,
        given: Parameters,
        stand: Stand,
        settings: ServeSettings,
        span: Span,
        accounts: Accounts,
        serve: Child,
        cores: int,
    ) -> None:
        self._given, self._stand, self._settings, self._span = given, stand, settings, span
        self._accounts, self._serve, self._cores = accounts, serve, cores
        self._dice = random.Random(given.seed)
        self._bare_readers: list[Reader] = []
        self.cases: list[dict[str, Any]] = []
        self.doubts: list[Doubt] = []

    async def run(self) -> dict[str, Any]:
        """All numbers of staff, floor first."""
        most = max(self._given.staff)
        seats = [await self._sign_in(number) for number in range(most)]
        bare = [await self._bare() for _ in range(most)]
        floors, ours = {}, {}
        for count in self._given.staff:
            floors[count] = await self._measure(f"floor bare GETs, {count} at once", bare[:count], measured=False)
            ours[count] = await self._measure(
                f"ours, {count} at once", [self._through(seat) for seat in seats[:count]], measured=True
            )
        for reader in (*(seat.reader for seat in seats), *self._bare_readers):
            await reader.close()
        few, usual, crowd = min(ours), min(ours, key=lambda count: abs(count - _USUAL)), max(ours)
        headline = {
            "ttfb_p50_ms": ours[few]["ttfb_p50_ms"],
            "whole_p50_ms": ours[few]["whole_p50_ms"],
            "get_whole_p50_ms": floors[few]["whole_p50_ms"],
            **_beside(ours[usual], floors[usual]),
            "staff_at_once": usual,
        }
        if crowd > usual:
            beside = _beside(ours[crowd], floors[crowd])
            headline |= {f"crowd_{name}": value for name, value in beside.items()} | {"crowd_staff": crowd}
        return headline

    async def _measure(
        self, name: str, readers: Sequence[Callable[[], Awaitable[Got]]], *, measured: bool
    ) -> dict[str, Any]:
        for reader in readers:
            await reader()  # warm
        first = self._accounts.read()
        with _peak(self._accounts, watch=measured) as memory:
            rounds = max(1, self._given.rounds * min(_USUAL, len(readers)) // len(readers))
            got = await asyncio.gather(*(self._repeat(reader, rounds) for reader in readers))
        usage = between(first, self._accounts.read())
        clips = [one for each in got for one in each]
        size = sum(one.size_bytes for one in clips)
        case: dict[str, Any] = {
            "name": name,
            "floor": not measured,
            "clips": len(clips),
            "ttfb_p50_ms": percentile([one.first_s * 1e3 for one in clips], 50),
            "ttfb_p99_ms": percentile([one.first_s * 1e3 for one in clips], 99),
            "whole_p50_ms": percentile([one.whole_s * 1e3 for one in clips], 50),
            "whole_p99_ms": percentile([one.whole_s * 1e3 for one in clips], 99),
            "clip_mib": size / len(clips) / 2**20,
            "clip_mib_per_s": size / usage.elapsed_s / 2**20,
            "cores_by_role": {who: used / usage.elapsed_s for who, used in usage.cpu_s.items()},
            "cores_of_others": usage.other_cpu_s / usage.elapsed_s,
        }
        if measured:
            case["cpu_ms_per_clip"] = usage.cpu_s["measured"] * 1e3 / len(clips)
            case["store_cpu_ms_per_clip"] = usage.cpu_s["store"] * 1e3 / len(clips)
            case["mib_per_stream"] = memory[1] / len(readers) / 2**20
        self.cases.append(case)
        found = doubts(usage, cores=self._cores, generator=None, shortest_s=0.5)
        self.doubts += [Doubt(code=doubt.code, detail=f"{name}: {doubt.detail}") for doubt in found]
        return case

    async def _repeat(self, reader: Callable[[], Awaitable[Got]], rounds: int) -> list[Got]:
        return [await reader() for _ in range(rounds)]

    # -- Ours

    def _through(self, seat: _Seat) -> Callable[[], Awaitable[Got]]:
        async def read() -> Got:
            """Fetch a random clip of a random camera through the API."""
            # Another span every time: neither a kept clip nor a look that is on record already.
            start = self._dice.randrange(self._span.start_ns, self._span.end_ns - _CLIP_NS, 1_000_000)
            return await seat.clip(self._dice.choice(self._stand.cameras), Span(start, start + _CLIP_NS))

        return read

    async def _sign_in(self, number: int) -> _Seat:
        name, password = f"staff-{number}", secrets.token_urlsafe(16)
        conn = await connect(self._stand.owner)
        try:
            made = await create_staff(
                conn,
                user_name=name,
                display_name=name,
                password=password,
                grants=("viewer",),
                secret_directory=self._settings.secret_directory,
            )
        finally:
            await conn.close()
        address = self._stand.status("serve")["address"]
        tls = ssl.create_default_context(cafile=str(self._settings.secret_directory / "tls-cert.pem"))
        code = pyotp.TOTP(made.totp_secret).now()
        async with httpx.AsyncClient(base_url=address, verify=tls, trust_env=False, timeout=30) as http:
            signed = await http.post("/v1/sign-in", json={"user_name": name, "password": password, "code": code})
            http.headers["X-CSRF-Token"] = signed.raise_for_status().json()["csrf_token"]
            stated = await http.post("/v1/purposes", json={"category": "maintenance", "reason": "a benchmark"})
            purpose = stated.raise_for_status().json()["purpose_id"]
            cookies = "; ".join(f"{key}={value}" for key, value in http.cookies.items())
        parts = urlsplit(address)
        assert parts.hostname is not None and parts.port is not None
        reader = await Reader.connect(parts.hostname, parts.port, tls)
        return _Seat(reader=reader, headers=f"Cookie: {cookies}\r\n", purpose=purpose)

    # -- The floor

    async def _bare(self) -> Callable[[], Awaitable[Got]]:
        """The sealed bytes under a clip's span; objects are presigned beforehand."""
        assert self._stand.store is not None
        store = self._stand.store.settings
        minio = Minio(store.endpoint, store.access_key, store.secret_key, secure=False, region=store.region)
        host, _, port = store.endpoint.partition(":")
        reader = await Reader.connect(host, int(port), None)
        self._bare_readers.append(reader)
        async with open_pool(self._stand.database("serve"), application_name="bench", max_size=1) as pool:
            spans: dict[CameraId, dict[SegmentId, str]] = {}
            segments: dict[CameraId, list[Segment]] = {}
            for camera in self._stand.cameras:
                found = await Catalogue(pool).segments([camera], Span(self._span.start_ns, self._span.end_ns))
                spans[camera] = {segment.segment_id: _address(minio, store.bucket, segment) for segment in found}
                segments[camera] = found

        async def read() -> Got:
            """Fetch the byte ranges of a random clip straight from the store."""
            start = self._dice.randrange(self._span.start_ns, self._span.end_ns - _CLIP_NS)
            camera = self._dice.choice(self._stand.cameras)
            targets = _ranges(segments[camera], Span(start, start + _CLIP_NS))
            parts = [await reader.get(spans[camera][of], f"Range: bytes={at}-{to - 1}\r\n") for of, at, to in targets]
            size = sum(part.size_bytes for part in parts)
            return Got(first_s=parts[0].first_s, whole_s=sum(part.whole_s for part in parts), size_bytes=size)

        return read


def _beside(ours: dict[str, Any], floor: dict[str, Any]) -> dict[str, float]:
    """Ours over bare GETs by as many at once."""
    return {
        "ttfb_p99_ms": ours["ttfb_p99_ms"],
        "get_ttfb_p99_ms": floor["ttfb_p99_ms"],
        "ttfb_ratio": ours["ttfb_p99_ms"] / floor["ttfb_p99_ms"],
        "throughput_ratio": ours["clip_mib_per_s"] / floor["clip_mib_per_s"],
        "clip_mib_per_s": ours["clip_mib_per_s"],
        "get_clip_mib_per_s": floor["clip_mib_per_s"],
        "mib_per_stream": ours["mib_per_stream"],
    }


def _ranges(segments: Sequence[Segment], wanted: Span) -> list[tuple[SegmentId, int, int]]:
    """The byte ranges of the sealed segments that make up a clip."""
    found = []
    plan = plan_clip([segment for segment in segments if segment.span.overlaps(wanted)], wanted)
    for segment in plan.segments:
        cut = cut_segment(segment, segment.fragments, plan.span) if segment.fragments is not None else None
        if cut is not None:
            layout = layout_of(segment.size_bytes, parse_header(segment.header).core.chunk_log2)
            index, last = cut.index, cut.last
            at, to = layout.sealed_range(index.offset[cut.first], index.offset[last] + index.size[last], last=True)
            found.append((segment.segment_id, at, to))
    return found


def _address(minio: Minio, bucket: str, segment: Segment) -> str:
    name = object_name_of(segment)
    parts = urlsplit(minio.get_presigned_url("GET", bucket, name, expires=timedelta(hours=1)))
    return f"{parts.path}?{parts.query}"


@contextmanager
def _peak(accounts: Accounts, *, watch: bool) -> Iterator[list[int]]:
    """[before, the most above it] of the measured role's memory, in bytes; zeros unless watched."""
    found = [accounts.memory_bytes()["measured"], 0] if watch else [0, 0]
    over = threading.Event()

    def look() -> None:
        while not over.wait(0.1):
            found[1] = max(found[1], accounts.memory_bytes()["measured"] - found[0])

    watcher = threading.Thread(target=look, daemon=True)
    if watch:
        watcher.start()
    try:
        yield found
    finally:
        over.set()
        if watch:
            watcher.join()
