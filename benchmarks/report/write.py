"""The report: one HTML file that needs nothing else, the same as Markdown, and the JSON documents beside them."""

from __future__ import annotations

import base64
import importlib
import json
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from benchmarks.frame.result import rounded
from benchmarks.report.baseline import RATIO_HEAD, against_baseline, ratios
from benchmarks.report.headline import Results, Row, rows
from benchmarks.report.plots import draw

_STYLE = """
body{font:16px/1.5 system-ui,sans-serif;color:#1d2733;max-width:62rem;margin:2rem auto;padding:0 1rem}
table{border-collapse:collapse;width:100%;margin:1rem 0}th,td{text-align:left;padding:.4rem .6rem;
border-bottom:1px solid #dde3e8;vertical-align:top}th{font-weight:600}img{max-width:100%}
.doubt{border-left:4px solid #c2410c;padding:.3rem .8rem;background:#fff4ed}
td:first-child{min-width:14rem}code{font-size:.9em}
"""

_HEAD = ("What", "Ours", "Peers", "Floor", "Ratio")

_HOW_TO_READ = (
    "Every ratio was taken in one run, peer or floor beside ours, on different cores from the load. Absolute figures "
    "move from machine to machine; ratios move less. The floor is a small script that does only the unavoidable."
)


def write_report(results: Results, directory: Path) -> Path:
    """Write ``report.html``, ``report.md`` and one JSON document per benchmark; returns the HTML file."""
    directory.mkdir(parents=True, exist_ok=True)
    for name, result in results.items():
        (directory / f"{name}.json").write_text(json.dumps(rounded(result), indent=1) + "\n")
    (directory / "ratios.json").write_text(json.dumps(ratios(results), indent=1) + "\n")
    (directory / "report.md").write_text(markdown(results))
    page = directory / "report.html"
    page.write_text(html(results))
    return page


def _machine_line(results: Results) -> str:
    any_result = next(iter(results.values()))
    machine = any_result["machine"]
    return (
        f"{machine['cpu']}, {machine['cores']} cores, {machine['memory_mib'] // 1024} GiB, Linux {machine['kernel']}, "
        f"Python {machine['python']}; revision {any_result['revision']}"
    )


def _doubt_lines(results: Results) -> list[str]:
    texts = [f"{name}: {doubt['detail']}" for name, result in results.items() for doubt in result["doubts"]]
    texts += [
        f"{name}: without {what} ({why})" for name, one in results.items() for what, why in one["missing"].items()
    ]
    return texts


def _cells(row: Row) -> tuple[str, ...]:
    return row.what, row.ours, row.peers, row.floor, row.ratio


def markdown(results: Results) -> str:
    """For a repository or an issue."""
    lines = ["# Benchmarks", "", _machine_line(results), ""]
    lines += [f"> doubtful: {line}" for line in _doubt_lines(results)] + [""]
    lines += _markdown_table(_HEAD, [_cells(row) for row in rows(results)])
    lines += ["", "## Against the committed baseline", "", *_markdown_table(RATIO_HEAD, against_baseline(results))]
    for name, result in results.items():
        lines += ["", f"## {name}", "", about(name), "", f"Parameters: {plain(result['parameters'])}", ""]
        lines += [f"- **{case['name']}**: {plain(case)}" for case in result["cases"]]
    return "\n".join([*lines, "", _HOW_TO_READ, ""])


def html(results: Results) -> str:
    """One self-contained page; plots are inside it."""
    body = [f"<h1>Benchmarks</h1><p>{escape(_machine_line(results))}</p>"]
    if doubts := _doubt_lines(results):
        texts = "".join(f"<li>{escape(line)}</li>" for line in doubts)
        body.append(f'<div class="doubt">Not to be relied upon as they stand:<ul>{texts}</ul></div>')
    body.append(_table(_HEAD, [_cells(row) for row in rows(results)]))
    body.append("<h2>Against the committed baseline</h2>" + _table(RATIO_HEAD, against_baseline(results)))
    for title, png in draw(results).items():
        data = base64.b64encode(png).decode()
        body.append(f'<h2>{escape(title)}</h2><img alt="{escape(title)}" src="data:image/png;base64,{data}">')
    for name, result in results.items():
        cases = [(case["name"], plain(case)) for case in result["cases"]]
        body.append(f"<h2>{escape(name)}</h2><p>{escape(about(name))}</p>")
        body.append(f"<p><small>Parameters: {escape(plain(result['parameters']))}</small></p>")
        body.append(_table(("Case", "Figures"), cases))
    body.append(f"<p>{escape(_HOW_TO_READ)}</p>")
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><style>{_STYLE}</style>'
    head += "<title>Benchmarks</title>"
    return f'<!doctype html><html lang="en"><head>{head}</head><body>{"".join(body)}</body></html>'


def about(name: str) -> str:
    """What a benchmark measures, in its own words."""
    text = importlib.import_module(f"benchmarks.suites.{name}").__doc__ or ""
    return " ".join(text.split())


def plain(figures: Mapping[str, Any]) -> str:
    """For people: ``name value``, the name of the case left out."""
    texts = []
    for key, value in rounded(figures, 3).items():
        if key == "name" or value is None or value is False:
            continue
        if isinstance(value, Mapping):
            value = "(" + ", ".join(f"{inner} {one}" for inner, one in value.items()) + ")"
        elif isinstance(value, list):
            value = " ".join(map(str, value)) or "none"
        texts.append(f"{key} {value}")
    return ", ".join(texts)


def _markdown_table(head: Sequence[str], cells: Sequence[Sequence[str]]) -> list[str]:
    return ["| " + " | ".join(line) + " |" for line in (head, ["---"] * len(head), *cells)]


def _table(head: tuple[str, ...], cells: Sequence[tuple[str, ...]]) -> str:
    top = "".join(f"<th>{escape(cell)}</th>" for cell in head)
    rows_html = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in cells)
    return f"<table><tr>{top}</tr>{rows_html}</table>"
