"""Recording: ours, the peers and the floor on the same simulated cameras, one after another in one run.

To the spool: the recorder as it is, spool on the disk, real PostgreSQL; finished segments are taken from the spool by
a store inside the process that keeps nothing and costs nothing, so that no byte leaves the machine's memory but to
the spool. With upload: the same, each segment PUT over HTTP to a sink that reads it and forgets it.
"""

from __future__ import annotations

import asyncio
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from benchmarks.frame.accounting import Accounts, Usage, between
from benchmarks.frame.cores import Cores, pinned
from benchmarks.frame.process import ChildError, child
from benchmarks.frame.result import document
from benchmarks.frame.stand import Stand, custodian, open_stand, role
from benchmarks.frame.statistics import fit_line
from benchmarks.frame.trust import Doubt, doubts
from benchmarks.load.cameras import Cameras, cameras
from benchmarks.load.film import FPS, film, write_film
from benchmarks.peers import parts, recorders
from benchmarks.peers.parts import Sink
from benchmarks.suites.frames import count_frames
from ingest.settings import IngestSettings
from runtime.settings import StoreSettings

PEER_CAMERAS = 50
"""A process per camera: more of them measure the scheduler."""

_NULL = StoreSettings(endpoint="", secure=False, bucket="", access_key="", secret_key="", null=True)
_SETTLE_S = 60.0
_KEYS_S = 0.2  # more for each camera, whose keys are verified at the start
_KNOWN_KEYS_S = 13 * 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    cameras: int = 50
    seconds: float = 20.0  # of each measurement; best a multiple of a segment's 10 s
    warm_up_s: float = 3.0
    peers: tuple[str, ...] = recorders.PEERS
    scaling: tuple[int, ...] = ()
    scaling_seconds: float = 10.0
    bit_rate: int = 4_000_000
    size: tuple[int, int] = (1920, 1080)
    embedded_store: bool = False
    segment_s: float = 10.0
    baselines: bool = True  # one camera alone, and receiving alone
    seed: int = 5  # of the film's noise


@dataclass(slots=True)
class _Bench:
    given: Parameters
    cores: Cores
    stand: Stand
    film: Path
    shared: dict[str, list[int]]  # roles that run all the time
    cases: list[dict[str, Any]] = field(default_factory=list)
    doubts: list[Doubt] = field(default_factory=list)

    # -- What is measured

    def ours(
        self,
        name: str,
        count: int,
        store: StoreSettings,
        sink: list[int],
        counted: Callable[[], dict[str, int]] = dict,
        **more: Any,
    ) -> dict[str, Any]:
        """The ingest role on ``count`` cameras. ``counted``: what the store was given."""
        place = self.stand.directory / "recorder" / name.replace(" ", "-")
        began_ns = time.time_ns()
        with cameras(count, self.film) as load:
            settings = self._settings(load.urls, place, store)
            with role(self.stand, "ingest", settings, core=self.cores.measured, writes=[place]) as running:
                settle_s = _SETTLE_S + _KEYS_S * count
                self.stand.wait("ingest", lambda said: _recording(said, count), child=running, timeout_s=settle_s)
                seconds = self.given.scaling_seconds if more.get("scaling") else 0.0
                roles: dict[str, Sequence[int]] = {"measured": [running.pid], "sink": sink}
                case = self._measure(name, count, roles, load, seconds=seconds, counted=counted)
                more["sources"] = _sources(self.stand.status("ingest"))
        self._close(case, load)
        if "bytes" in case:
            self._judge_upload(case, load.bit_rate)
        frames = asyncio.run(count_frames(self.stand.owner, began_ns, FPS))
        case |= {**more, **asdict(frames), "frames_lost": frames.frames_lost + load.account.get("slow_readers", 0)}
        shutil.rmtree(place)
        return case

    def peer(self, name: str, count: int) -> dict[str, Any]:
        """One of benchmarks/peers on the same cameras."""
        directory = self.stand.directory / name
        with cameras(count, self.film) as load, self._peer(name, load.urls, directory) as running:
            _wait(lambda: all(any(one.iterdir()) for one in running.cameras), f"{name} on all cameras")
            if name == "parts":  # the first files have gone the whole way: from here on it is at its usual work
                _wait_for_uploads(running)
            case = self._measure(name, count, {"measured": running.pids}, load, counted=running.counted)
            case |= {"peer": True, "version": recorders.version(name)}
            self._judge_peer(case, running.ended(), load.bit_rate)
        self._close(case, load)
        shutil.rmtree(directory)
        return case

    def _judge_peer(self, case: dict[str, Any], ended: int, bit_rate: int) -> None:
        """Whether it did the work: all of its processes, and about as many bytes as the cameras sent meanwhile."""
        name = case["name"]
        written = case.get("written_bytes", case.get("bytes", 0))  # to files, or to the store
        case["written_share"] = share = written * 8 / (bit_rate * case["seconds"] * case["cameras"])
        if ended:
            case["ended"] = ended
            self.doubts.append(Doubt(code="unstable", detail=f"{name}: {ended} of its processes gave up"))
        elif not 0.85 < share < 1.15:
            detail = f"{name}: it kept {share:.0%} of what the cameras sent in that time"
            self.doubts.append(Doubt(code="unstable", detail=detail))

    def _judge_upload(self, case: dict[str, Any], bit_rate: int) -> None:
        """Whether the segments of that time were uploaded in it, as the floor's are: in a short time it may be none."""
        case["uploaded_share"] = share = case["bytes"] * 8 / (bit_rate * case["seconds"] * case["cameras"])
        if not 0.7 < share < 1.3:
            detail = f"{case['name']}: {share:.0%} of what the cameras sent meanwhile was uploaded; measure for longer"
            self.doubts.append(Doubt(code="unstable", detail=detail))

    @contextmanager
    def _peer(self, name: str, urls: Sequence[str], directory: Path) -> Iterator[recorders.Running]:
        segment_s, core = self.given.segment_s, self.cores.measured
        if name == "parts":
            with self.sink() as (sink, _), parts.recording(urls, directory, sink, segment_s, core=core) as running:
                yield running
        else:
            with recorders.recording(name, urls, directory, segment_s, core=core) as running:
                yield running

    def floor(self, name: str, count: int, *, put: bool, keep: bool = True, hashed: bool = False) -> dict[str, Any]:
        """The same bytes with the least that can be done to them."""
        spool = self.stand.directory / "floor-spool"
        spool.mkdir(exist_ok=True)
        with self.sink() as (http, sink), cameras(count, self.film) as load:
            parameters = {
                "urls": load.urls,
                "seal": keep,
                "hash": hashed,
                "spool": str(spool) if keep else None,
                "put": http.endpoint if put else None,
                "segment_s": self.given.segment_s,
            }
            module = "benchmarks.floors.camera_bytes"
            with child(name, module, [], core=self.cores.measured, parameters=parameters) as running:
                running.wait_for("ready", 30)
                case = self._measure(name, count, {"measured": [running.pid], "sink": sink}, load)
                received = running.report()["received_bytes"]
        self._close(case, load)
        shutil.rmtree(spool)
        case |= {"floor": True, "received_bytes": sum(received)}
        return case

    @contextmanager
    def sink(self) -> Iterator[tuple[Sink, list[int]]]:
        with child("null sink", "benchmarks.floors.null_sink", [], core=self.cores.load, parameters={}) as running:
            yield Sink(f"127.0.0.1:{running.wait_for('ready', 20)['port']}", running), [running.pid]

    # -- How

    def _measure(
        self,
        name: str,
        count: int,
        roles: dict[str, Sequence[int]],
        load: Cameras,
        *,
        seconds: float = 0.0,
        counted: Callable[[], dict[str, int]] = dict,
    ) -> dict[str, Any]:
        accounts = Accounts({"load": [load.pid], **self.shared, **roles})
        time.sleep(self.given.warm_up_s)
        done = counted()
        first = accounts.read()
        time.sleep(seconds or self.given.seconds)
        usage = between(first, accounts.read())
        done = _since(done, counted())
        memory = accounts.memory_bytes()["measured"]
        self.doubts += [
            Doubt(code=doubt.code, detail=f"{name}, {count} cameras: {doubt.detail}")
            for doubt in doubts(usage, cores=self.cores.usable, generator="load")
        ]
        return {"name": name, "cameras": count, **_figures(usage, count, memory), **done}

    def _close(self, case: dict[str, Any], load: Cameras) -> None:
        """What the generator says of itself at its end."""
        case["sent_bytes"] = load.account.get("sent_bytes", 0)
        case["generator_late_ms"] = late = load.account.get("late_max_ms", 0.0)
        over = load.account.get("late_over_100_ms", 0) / max(1, load.account.get("packets", 1))
        case["generator_late_share"] = over
        if over > 0.01:
            detail = (
                f"{case['name']}, {case['cameras']} cameras: {over:.0%} of packets left over 100 ms late ({late} ms)"
            )
            self.doubts.append(Doubt(code="generator_late", detail=detail))
        self.cases.append(case)

    def _settings(self, urls: list[str], place: Path, store: StoreSettings) -> IngestSettings:
        """As shipped, but for the cameras' addresses, the store, and a directory for this case alone."""
        place.mkdir(parents=True, mode=0o700)
        settings = self.stand.shipped.ingest()
        return replace(
            settings,
            cameras=tuple(
                replace(camera, url=url, segment_s=self.given.segment_s)
                for camera, url in zip(settings.cameras, urls, strict=False)
            ),
            spool=replace(settings.spool, directory=place / "spool"),
            store=store,
            recorder_directory=place / "identity",
            recorder_name=place.name,
        )


def run(given: Parameters, directory: Path) -> dict[str, Any]:
    """Return the result document. ``directory``: scratch, on the disk whose spool is measured."""
    most = max(given.cameras, *given.scaling, 1)
    missing = {peer: why for peer in given.peers if (why := recorders.why_missing(peer))}
    stored = given.embedded_store and given.cameras <= PEER_CAMERAS
    if given.embedded_store and not stored:
        missing["embedded store"] = f"more than {PEER_CAMERAS} cameras would measure the store"
    write_film(directory / "film.h264", film(given.bit_rate, 4, size=given.size, seed=given.seed))
    with (
        pinned() as cores,
        open_stand(directory / "stand", cameras=most, store=stored) as stand,
        custodian(stand, core=cores.load) as keys,
    ):
        shared = {**stand.service_pids(), "custodian": [keys.pid]}
        bench = _Bench(given, cores, stand, directory / "film.h264", shared)
        headline = _all(bench, [peer for peer in given.peers if peer not in missing], stored=stored)
    return document(
        "ingest",
        parameters=asdict(given),
        headline=headline,
        cases=bench.cases,
        doubts=bench.doubts,
        missing=missing,
    )


def _all(bench: _Bench, peers: Sequence[str], *, stored: bool) -> dict[str, Any]:
    count = bench.given.cameras
    few = min(count, PEER_CAMERAS)
    one = bench.ours("ours, one camera", 1, _NULL, []) if bench.given.baselines else None
    spool = bench.ours("ours", count, _NULL, [])
    if bench.given.baselines:
        bench.floor("floor receive", count, put=False, keep=False)
    bench.floor("floor spool", count, put=False)
    by_peer = {peer: bench.peer(peer, few) for peer in peers}
    with bench.sink() as (http, sink):
        uploaded = bench.ours("ours with upload", count, _over_http(http.endpoint), sink, counted=http.counted)
        uploaded |= {f"sink_{key}": value for key, value in http.counted().items()}
    least = bench.floor("floor upload", count, put=True)
    hashed = bench.floor("floor upload, hashed", count, put=True, hashed=True)
    if stored:
        assert bench.stand.store is not None
        bench.ours("ours to the embedded store", count, bench.stand.store.settings, [])
    key = "cpu_ms_per_camera_s"
    headline: dict[str, Any] = {
        "cpu_ms_per_camera_s": spool[key],
        "cpu_ms_per_camera_s_with_upload": uploaded[key],
        "cpu_ratio_vs_ffmpeg": _ratio(by_peer.get("ffmpeg"), spool),
        "cpu_ratio_vs_floor": uploaded[key] / least[key],
        "cpu_ratio_vs_hashed_floor": uploaded[key] / hashed[key],
        "mib_per_camera": spool["mib_per_camera"],
        "mib_per_further_camera": _further(one, spool),
        "frames_lost": spool["frames_lost"] + uploaded["frames_lost"],
    }
    return headline | _scaled(bench)


def _scaled(bench: _Bench) -> dict[str, Any]:
    """Cost against the number of cameras."""
    points = [bench.ours(f"ours, {count}", count, _NULL, [], scaling=True) for count in bench.given.scaling]
    if len(points) < 2:
        return {}
    line = fit_line([case["cameras"] for case in points], [case["cpu_ms_per_s"] for case in points])
    return {"slope_ms_per_camera_s": line.slope, "intercept_ms_per_s": line.intercept}


def _over_http(endpoint: str) -> StoreSettings:
    return StoreSettings(
        endpoint=endpoint, secure=False, bucket="footage", access_key="bench", secret_key="bench-bench", null=True
    )


def _figures(usage: Usage, count: int, memory: int) -> dict[str, Any]:
    per = 1000 / usage.elapsed_s
    return {
        "seconds": usage.elapsed_s,
        "cpu_ms_per_camera_s": usage.cpu_s["measured"] * per / count,
        "cpu_ms_per_s": usage.cpu_s["measured"] * per,
        "machine_cpu_ms_per_camera_s": usage.machine_cpu_s * per / count,
        "softirq_cpu_ms_per_camera_s": usage.softirq_cpu_s * per / count,
        "mib_per_camera": memory / count / 2**20,
        "mib": memory / 2**20,
        "cores_by_role": {name: cpu_s / usage.elapsed_s for name, cpu_s in usage.cpu_s.items()},
        "cores_of_others": usage.other_cpu_s / usage.elapsed_s,
    }


def _ratio(peer: dict[str, Any] | None, ours: dict[str, Any]) -> float | None:
    """None also for a peer some of whose processes gave up."""
    if peer is None or peer.get("ended"):
        return None
    return float(peer["cpu_ms_per_camera_s"] / ours["cpu_ms_per_camera_s"])


def _sources(said: dict[str, Any]) -> dict[str, int]:
    """How many cameras by which client: "native", "libav"."""
    return dict(Counter(camera["source"] for camera in said.get("cameras", {}).values()))


def _since(before: dict[str, int], now: dict[str, int]) -> dict[str, int]:
    return {key: now[key] - before[key] for key in now}


def _further(one: dict[str, Any] | None, many: dict[str, Any]) -> float | None:
    more = many["cameras"] - one["cameras"] if one else 0
    return (many["mib"] - one["mib"]) / more if one and more else None


def _recording(said: dict[str, Any], count: int) -> bool:
    """All cameras, and what is done once at the start is over: keys for two weeks are known and verified."""
    states = [camera["state"] for camera in said.get("cameras", {}).values()]
    known = said.get("keys_ahead_s", 0) > _KNOWN_KEYS_S
    return known and len(states) == count and all(state == "recording" for state in states)


def _wait_for_uploads(running: recorders.Running) -> None:
    """Until the first round of them is over."""
    _wait(lambda: running.counted()["puts"] > 0, "the first upload")
    puts = -1
    while puts != (puts := running.counted()["puts"]):
        time.sleep(1)


def _wait(holds: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + _SETTLE_S
    while not holds():
        if time.monotonic() > deadline:
            raise ChildError(f"Not within {_SETTLE_S:.0f} s: {what}.")
        time.sleep(0.1)
