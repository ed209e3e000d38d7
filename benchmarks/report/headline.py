"""The table that answers "what does this machine carry, and how does that compare"."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Results = Mapping[str, Mapping[str, Any]]
"""By benchmark name: the documents of frame/result.py."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the headline table; cells are ready to print, "–" where nothing was measured."""

    what: str
    ours: str
    peers: str
    floor: str
    ratio: str


def rows(results: Results) -> list[Row]:
    """Only of the benchmarks that ran."""
    found: list[Row] = []
    if ingest := results.get("ingest"):
        found += _ingest(ingest)
    if storage := results.get("storage"):
        found += _storage(storage)
    if index := results.get("index"):
        found += _index(index)
    if clip := results.get("clip"):
        found += _clip(clip)
    return found


def _case(result: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    return next((case for case in result["cases"] if case["name"] == name), {})


def _peers(result: Mapping[str, Any], key: str, unit: str) -> str:
    told = [f"{case['name']} {figure(case[key])}{unit}" for case in result["cases"] if case.get("peer") and key in case]
    return "; ".join(told) or "–"


def _ingest(result: Mapping[str, Any]) -> list[Row]:
    floor, upload_floor = _case(result, "floor spool"), _case(result, "floor upload")
    spool = result.get("cpu_ms_per_camera_s")
    return [
        Row(
            what="CPU per camera-second, to the sealed spool",
            ours=figure(spool, " ms"),
            peers=_peers(result, "cpu_ms_per_camera_s", " ms"),
            floor=figure(floor.get("cpu_ms_per_camera_s"), " ms"),
            ratio=f"ffmpeg / ours {figure(result.get('cpu_ratio_vs_ffmpeg'))}",
        ),
        Row(
            what="CPU per camera-second, with upload",
            ours=figure(result.get("cpu_ms_per_camera_s_with_upload"), " ms"),
            peers="–",
            floor=figure(upload_floor.get("cpu_ms_per_camera_s"), " ms"),
            ratio=f"ours / floor {figure(result.get('cpu_ratio_vs_floor'))}",
        ),
        Row(
            what="Memory per camera",
            ours=figure(result.get("mib_per_camera"), " MiB"),
            peers=_peers(result, "mib_per_camera", " MiB"),
            floor="–",
            ratio="–",
        ),
        Row(
            what="Cameras per core, to the sealed spool",
            ours=figure(1000 / spool if spool else None),
            peers="; ".join(
                f"{case['name']} {figure(1000 / case['cpu_ms_per_camera_s'])}"
                for case in result["cases"]
                if case.get("peer") and case.get("cpu_ms_per_camera_s")
            )
            or "–",
            floor=figure(1000 / floor["cpu_ms_per_camera_s"] if floor.get("cpu_ms_per_camera_s") else None),
            ratio="–",
        ),
    ]


def _storage(result: Mapping[str, Any]) -> list[Row]:
    names = {
        "seal_ratio": "Sealing, against bare AES-256-GCM",
        "open_ratio": "Ranged opening, against bare AES-256-GCM",
        "put_ratio": "PUT, against the leanest client call",
        "get_ratio": "GET, against the leanest client call",
    }
    return [
        Row(what=what, ours="–", peers="–", floor="–", ratio=f"ours / floor {figure(result[key])}")
        for key, what in names.items()
        if key in result
    ]


def _index(result: Mapping[str, Any]) -> list[Row]:
    ours, floor = result.get("events_per_s"), result.get("floor_events_per_s")
    return [
        Row(
            what="Door events a second, broker to committed tags",
            ours=figure(ours),
            peers="–",
            floor=figure(floor),
            ratio=f"ours / floor {figure(ours / floor)}" if ours and floor else "–",
        ),
        Row(
            what="Tag latency p99 at 1,000 events a second",
            ours=figure(result.get("tag_latency_p99_ms"), " ms"),
            peers="–",
            floor="–",
            ratio="–",
        ),
    ]


def _clip(result: Mapping[str, Any]) -> list[Row]:
    return [
        Row(
            what="First byte of a 30 s clip, p99, 5 at once",
            ours=figure(result.get("ttfb_p99_ms"), " ms"),
            peers="–",
            floor=figure(result.get("get_ttfb_p99_ms"), " ms"),
            ratio=f"ours / bare GETs {figure(result.get('ttfb_ratio'))}",
        ),
        Row(
            what="Clip throughput",
            ours="–",
            peers="–",
            floor="–",
            ratio=f"ours / bare GETs {figure(result.get('throughput_ratio'))}",
        ),
        Row(
            what="Memory per clip being sent",
            ours=figure(result.get("mib_per_stream"), " MiB"),
            peers="–",
            floor="–",
            ratio="–",
        ),
    ]


def figure(value: float | None, unit: str = "") -> str:
    """Three significant digits, thousands apart; a dash for what was not measured."""
    if value is None:
        return "–"
    text = f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    return f"{text}{unit}"
