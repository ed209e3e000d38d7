"""The table that answers "what does this machine carry, and how does that compare"."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
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
    """Only of the benchmarks that ran; those of a result with doubts are marked."""
    makers = {"ingest": _ingest, "storage": _storage, "index": _index, "clip": _clip}
    found: list[Row] = []
    for name, make in makers.items():
        if result := results.get(name):
            mark = "" if result["trusted"] else " (doubtful)"
            found += [replace(row, what=row.what + mark) for row in make(result)]
    return found


def _case(result: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    return next((case for case in result["cases"] if case["name"] == name), {})


def _peers(result: Mapping[str, Any], key: str, unit: str, *, uploads: bool | None = None) -> str:
    """``uploads``: those alone that bring what they record to a store, or those that do not."""
    named = [
        f"{case['name']} {figure(case[key])}{unit}"
        for case in result["cases"]
        if case.get("peer") and key in case and uploads in (None, case["name"] == "parts")
    ]
    return "; ".join(named) or "–"


def _ingest(result: Mapping[str, Any]) -> list[Row]:
    floor = _case(result, "floor spool")
    key = "cpu_ms_per_camera_s"
    least, hashed = (_case(result, name).get(key) for name in ("floor upload", "floor upload, hashed"))
    spool = result.get("cpu_ms_per_camera_s")
    return [
        Row(
            what="CPU per camera-second, to the sealed spool",
            ours=figure(spool, " ms"),
            peers=_peers(result, "cpu_ms_per_camera_s", " ms", uploads=False),
            floor=figure(floor.get("cpu_ms_per_camera_s"), " ms"),
            ratio=f"ffmpeg / ours {figure(result.get('cpu_ratio_vs_ffmpeg'))}",
        ),
        Row(
            what="CPU per camera-second, with upload",
            ours=figure(result.get("cpu_ms_per_camera_s_with_upload"), " ms"),
            peers=_peers(result, "cpu_ms_per_camera_s", " ms", uploads=True),
            floor=f"{figure(least, ' ms')}; with hash {figure(hashed, ' ms')}",
            ratio=f"ours / floor {figure(result.get('cpu_ratio_vs_floor'))};"
            f" with hash {figure(result.get('cpu_ratio_vs_hashed_floor'))}",
        ),
        Row(
            what="Memory per camera",
            ours=figure(result.get("mib_per_camera"), " MiB"),
            peers=_peers(result, "mib_per_camera", " MiB"),
            floor=figure(floor.get("mib_per_camera"), " MiB"),
            ratio=_further(result),
        ),
        Row(
            what="Cameras per core, to the sealed spool",
            ours=figure(1000 / spool if spool else None),
            peers="; ".join(
                f"{case['name']} {figure(1000 / case['cpu_ms_per_camera_s'])}"
                for case in result["cases"]
                if case.get("peer") and case["name"] != "parts" and case.get("cpu_ms_per_camera_s")
            )
            or "–",
            floor=figure(1000 / floor["cpu_ms_per_camera_s"] if floor.get("cpu_ms_per_camera_s") else None),
            ratio="–",
        ),
        Row(what="Frames lost", ours=figure(result.get("frames_lost")), peers="–", floor="–", ratio="–"),
    ]


def _storage(result: Mapping[str, Any]) -> list[Row]:
    rows = {
        "seal_ratio": ("Sealing, hash apart", "sealing, hash apart", "bare AES sealing", "mib_per_s", " MiB/s"),
        "open_ratio": ("Ranged opening", "opening by ranges", "bare AES opening", "mib_per_s", " MiB/s"),
        "put_ratio": ("PUT of 5 MB to the embedded store", "ours PUT", "floor PUT", "ms", " ms"),
        "get_ratio": ("GET of 5 MB from the embedded store", "ours GET", "floor GET", "ms", " ms"),
    }
    found = [
        Row(
            what=what,
            ours=figure(_case(result, ours).get(key), unit),
            peers=_peers_of(result, ours.rpartition(" ")[2], key, unit),
            floor=figure(_case(result, floor).get(key), unit),
            ratio=f"speed of ours / floor {figure(result[name])}",
        )
        for name, (what, ours, floor, key, unit) in rows.items()
        if name in result
    ]
    if "recovery_s" in result:
        what = f"Recovery of {figure(result['recovery_files'])} spool files"
        found.append(Row(what=what, ours=figure(result["recovery_s"], " s"), peers="–", floor="–", ratio="–"))
    for case in result["cases"]:
        if case["name"].startswith("clip of 30 s"):
            what = f"Catalogue: {case['name']}, p99"
            ours = figure(case["query_p99_ms"], " ms")
            found.append(Row(what=what, ours=ours, peers="–", floor="–", ratio="–"))
    return found


def _further(result: Mapping[str, Any]) -> str:
    more = result.get("mib_per_further_camera")
    return "–" if more is None else f"each further one {figure(more)} MiB"


def _peers_of(result: Mapping[str, Any], verb: str, key: str, unit: str) -> str:
    cases = [case for case in result["cases"] if case.get("peer") and case["name"].endswith(verb) and key in case]
    return "; ".join(f"{case['name'].partition(' ')[0]} {figure(case[key])}{unit}" for case in cases) or "–"


def _index(result: Mapping[str, Any]) -> list[Row]:
    rate = result["parameters"].get("rate")
    found = [_events("Door events a second, embedded broker to committed tags", result, "")]
    if "mosquitto_events_per_s" in result:
        found.append(_events("The same with mosquitto, which syncs nothing", result, "mosquitto_"))
    return [
        *found,
        Row(
            what=f"Tag latency p99 at {figure(rate)} events a second",
            ours=figure(result.get("tag_latency_p99_ms"), " ms"),
            peers="–",
            floor="–",
            ratio="–",
        ),
    ]


def _events(what: str, result: Mapping[str, Any], broker: str) -> Row:
    def of(key: str) -> str:
        return figure(result.get(f"{broker}{key}"))

    return Row(
        what=what,
        ours=f"{of('events_per_s')} ({of('events_per_core_s')} by its own CPU)",
        peers="–",
        floor=of("floor_events_per_s"),
        ratio=f"ours / floor {of('events_ratio')}",
    )


def _clip(result: Mapping[str, Any]) -> list[Row]:
    rows = [
        Row(
            what="A 30 s clip, one at a time: first byte / whole, median",
            ours=f"{figure(result.get('ttfb_p50_ms'))} / {figure(result.get('whole_p50_ms'), ' ms')}",
            peers="–",
            floor=f"– / {figure(result.get('get_whole_p50_ms'), ' ms')}",
            ratio="–",
        ),
        *_clips_at_once(result, "", result.get("staff_at_once")),
    ]
    if "crowd_staff" in result:
        rows += _clips_at_once(result, "crowd_", result["crowd_staff"])
    return rows


def _clips_at_once(result: Mapping[str, Any], which: str, staff: int | None) -> list[Row]:
    def of(key: str, unit: str = "") -> str:
        return figure(result.get(which + key), unit)

    return [
        Row(
            what=f"First byte of a 30 s clip, p99, {staff} at once",
            ours=of("ttfb_p99_ms", " ms"),
            peers="–",
            floor=of("get_ttfb_p99_ms", " ms"),
            ratio=f"ours / bare GETs {of('ttfb_ratio')}",
        ),
        Row(
            what=f"Clip throughput, {staff} at once",
            ours=of("clip_mib_per_s", " MiB/s"),
            peers="–",
            floor=of("get_clip_mib_per_s", " MiB/s"),
            ratio=f"ours / bare GETs {of('throughput_ratio')}",
        ),
        Row(
            what=f"Memory per clip being sent, {staff} at once",
            ours=of("mib_per_stream", " MiB"),
            peers="–",
            floor="–",
            ratio="–",
        ),
    ]


def table(result: Mapping[str, Any]) -> str:
    """One result for a terminal: its rows, then what makes it doubtful."""
    lines = []
    for row in rows({result["benchmark"]: result}):
        cells = (("ours", row.ours), ("peers", row.peers), ("floor", row.floor), ("", row.ratio))
        lines.append(f"{row.what}\n    " + "   ".join(f"{name} {cell}".strip() for name, cell in cells if cell != "–"))
    if "runs" in result:
        lines.append(f"medians of {result['runs']} runs; lowest and highest:")
        lines += [f"    {key} {figure(low)} to {figure(high)}" for key, (low, high) in result["spread"].items()]
    lines += [f"doubtful: {doubt['detail']}" for doubt in result["doubts"]]
    lines += [f"missing: {what} ({why})" for what, why in result["missing"].items()]
    return "\n".join(lines)


def figure(value: float | None, unit: str = "") -> str:
    """Three significant digits, thousands apart; a dash for what was not measured."""
    if value is None:
        return "–"
    text = f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    return f"{text}{unit}"
