"""Plots as PNG bytes. matplotlib is an optional dependency: without it a report has tables only."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.report.headline import Results

INK, OURS, PEER, FLOOR = "#1d2733", "#0b7a75", "#b6c2cc", "#e0a458"


def draw(results: Results) -> dict[str, bytes]:
    """Title to PNG; empty when matplotlib is not installed."""
    try:
        import matplotlib
    except ImportError:
        return {}
    matplotlib.use("Agg")
    drawn: dict[str, bytes] = {}
    if ingest := results.get("ingest"):
        drawn["CPU per camera-second"] = _bars(ingest["cases"], "cpu_ms_per_camera_s", "ms of CPU per camera-second")
        if any(case.get("scaling") for case in ingest["cases"]):
            drawn["CPU against the number of cameras"] = _scaling(ingest)
        drawn["Memory per camera"] = _bars(_alike(ingest), "mib_per_camera", "MiB per camera")
    if storage := results.get("storage"):
        drawn["Sealing and opening"] = _bars(storage["cases"], "mib_per_s", "MiB a second")
        drawn["PUT and GET of 5 MB"] = _bars(storage["cases"], "client_cpu_ms", "ms of the client's CPU")
        drawn["The catalogue's questions"] = _bars(storage["cases"], "query_p99_ms", "ms, p99")
    if index := results.get("index"):
        drawn["Door events a second"] = _bars(index["cases"], "events_per_s", "events a second")
    if clip := results.get("clip"):
        drawn["First byte of a clip"] = _bars(clip["cases"], "ttfb_p99_ms", "ms to the first byte, p99")
        drawn["A whole clip of 30 s"] = _bars(clip["cases"], "whole_p50_ms", "ms, median")
    return {title: png for title, png in drawn.items() if png}


def _colour(case: Mapping[str, Any]) -> str:
    if case.get("peer"):
        return PEER
    return FLOOR if case["name"].startswith(("floor", "bare")) else OURS


def _alike(ingest: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Without the recorder of one camera: a process's own memory would dwarf the rest."""
    return [case for case in ingest["cases"] if case.get("cameras") != 1]


def _bars(cases: Sequence[Mapping[str, Any]], key: str, label: str) -> bytes:
    shown = [case for case in cases if isinstance(case.get(key), int | float) and not case.get("scaling")]
    if not shown:
        return b""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 0.6 + 0.42 * len(shown)), layout="constrained")
    axes = figure.subplots()
    bars = axes.barh([case["name"] for case in shown], [case[key] for case in shown], color=list(map(_colour, shown)))
    axes.bar_label(bars, fmt=lambda value: f"{value:,.3g}" if value < 1000 else f"{value:,.0f}", padding=4, color=INK)
    axes.invert_yaxis()
    axes.margins(x=0.15)
    axes.set_xlabel(label)
    axes.spines[["top", "right"]].set_visible(False)
    return _png(figure)


def _scaling(ingest: Mapping[str, Any]) -> bytes:
    from matplotlib.figure import Figure

    points = [case for case in ingest["cases"] if case.get("scaling")]
    cameras = [case["cameras"] for case in points]
    figure = Figure(figsize=(8, 3.6), layout="constrained")
    axes = figure.subplots()
    axes.plot(cameras, [case["cpu_ms_per_s"] for case in points], "o", color=OURS, label="measured")
    ends = [0, max(cameras)]
    line = [ingest["intercept_ms_per_s"] + ingest["slope_ms_per_camera_s"] * x for x in ends]
    slope = f"{ingest['slope_ms_per_camera_s']:.3g} ms a camera, {ingest['intercept_ms_per_s']:.3g} ms at none"
    axes.plot(ends, line, color=INK, linewidth=1, label=slope)
    axes.set_xlabel("cameras")
    axes.set_ylabel("ms of CPU a second")
    axes.set_ylim(bottom=0)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    return _png(figure)


def _png(figure: Any) -> bytes:
    out = io.BytesIO()
    figure.savefig(out, format="png", dpi=140)
    return out.getvalue()
