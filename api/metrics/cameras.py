"""Cameras' health from ingest for Prometheus, read at each request."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import asyncpg
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from domain.ids import CameraId
from domain.time import NS
from runtime import sql
from runtime.database import wrapped_errors
from storage.catalogue.camera_health import Known, known_now

_LABELS: Final = ("camera_id", "camera")
_GAUGES: Final = {
    "bits_per_s": ("bits_per_second", "What comes from the camera now."),
    "frames_per_s": ("frames_per_second", "Pictures that come from the camera now."),
    "lag_s": ("lag_seconds", "How far what is recorded lies behind now."),
    "skew_s": ("skew_seconds", "The camera's clock against the recorder's."),
}
_COUNTERS: Final = {
    "frames": "Pictures since the recorder's start.",
    "segments": "Segments since the recorder's start.",
    "gaps": "Gaps since the recorder's start.",
    "lost_packets": "Packets that never came.",
    "losses": "Times at which pictures were lost.",
    "damaged_frames": "Pictures recorded with errors, since packets were lost.",
    "unnumbered_packets": "Packet numbers left out although nothing was missing.",
    "late_packets": "Packets that came twice, or too late.",
    "malformed_packets": "Packets that could not be parsed.",
    "foreign_packets": "Packets of another payload type or source.",
    "unasked_packets": "Packets and replies without a request.",
    "overlong_pictures": "Pictures too large to be kept.",
    "same_time_pictures": "Pictures with the timestamp of the one before.",
    "stray_bytes": "Bytes that were neither packets nor messages.",
    "sound_lost_packets": "Packets of sound that never came.",
    "sound_malformed_packets": "Packets of sound that could not be parsed.",
    "clock_jumps": "Jumps of the camera's clock.",
    "connections": "Connections that gave pictures.",
    "forced_cuts": "Segments ended without a key frame.",
}


async def camera_registry(pool: asyncpg.Pool, statuses: Sequence[Mapping[str, Any]], now_ns: int) -> CollectorRegistry:
    """A registry with the cameras' health as far as it is known now. Raises the database errors of runtime.errors.

    ``statuses``: of the roles on this machine
    """
    with wrapped_errors():
        rows = await pool.fetch(sql.load("api.metrics", "camera_metrics"))
    registry = CollectorRegistry()
    registry.register(CameraCollector(rows, known_now(rows, statuses, now_ns), now_ns))
    return registry


class CameraCollector(Collector):
    """Of a camera of which nothing is known now: its state "unknown", and since when."""

    def __init__(self, rows: Iterable[Mapping[str, Any]], known: Mapping[CameraId, Known], now_ns: int) -> None:
        """``rows``: with ``camera_id`` and ``name``."""
        self._rows: list[tuple[tuple[str, str], int | None, Mapping[str, Any]]] = []
        for row in rows:
            one = known[row["camera_id"]]
            self._rows.append(((str(row["camera_id"]), row["name"]), one.updated_ns, one.report or {}))
        self._now_ns = now_ns

    def collect(self) -> Iterable[Metric]:
        """Yield the cameras' health as Prometheus metrics."""
        for key, (name, text) in _GAUGES.items():
            yield self._filled(GaugeMetricFamily(f"tallenne_camera_{name}", text, labels=_LABELS), key)
        for key, text in _COUNTERS.items():
            yield self._filled(CounterMetricFamily(f"tallenne_camera_{key}", text, labels=_LABELS), key)
        state = GaugeMetricFamily("tallenne_camera_state", "1 for the state it is in.", labels=(*_LABELS, "state"))
        error = GaugeMetricFamily("tallenne_camera_error", "1 for what is wrong now.", labels=(*_LABELS, "error"))
        age = GaugeMetricFamily("tallenne_camera_health_age_seconds", "Since ingest last said this.", labels=_LABELS)
        for labels, updated_ns, health in self._rows:
            state.add_metric((*labels, str(health.get("state", "unknown"))), 1)
            if health.get("last_error"):
                error.add_metric((*labels, str(health["last_error"])[:200]), 1)
            if updated_ns is not None:
                age.add_metric(labels, round((self._now_ns - updated_ns) / NS, 1))
        yield from (state, error, age)

    def _filled(self, family: Any, key: str) -> Metric:
        for labels, _, health in self._rows:
            if health.get(key) is not None:
                family.add_metric(labels, health[key])
        found: Metric = family
        return found
