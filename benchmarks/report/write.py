"""The report: one HTML file that needs nothing else, the same as Markdown, and the JSON documents beside them."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from html import escape
from pathlib import Path

from benchmarks.frame.result import rounded
from benchmarks.report.headline import Results, Row, rows
from benchmarks.report.plots import draw

_STYLE = """
body{font:16px/1.5 system-ui,sans-serif;color:#1d2733;max-width:62rem;margin:2rem auto;padding:0 1rem}
table{border-collapse:collapse;width:100%;margin:1rem 0}th,td{text-align:left;padding:.4rem .6rem;
border-bottom:1px solid #dde3e8;vertical-align:top}th{font-weight:600}img{max-width:100%}
.doubt{border-left:4px solid #c2410c;padding:.3rem .8rem;background:#fff4ed}code{font-size:.9em}
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
    told = [f"{name}: {doubt['detail']}" for name, result in results.items() for doubt in result["doubts"]]
    told += [f"{name}: without {what} ({why})" for name, one in results.items() for what, why in one["missing"].items()]
    return told


def _cells(row: Row) -> tuple[str, ...]:
    return row.what, row.ours, row.peers, row.floor, row.ratio


def markdown(results: Results) -> str:
    """For a repository or an issue."""
    lines = ["# Benchmarks", "", _machine_line(results), ""]
    lines += [f"> doubtful: {line}" for line in _doubt_lines(results)] + [""]
    lines += ["| " + " | ".join(_HEAD) + " |", "|" + "---|" * len(_HEAD)]
    lines += ["| " + " | ".join(_cells(row)) + " |" for row in rows(results)]
    for name, result in results.items():
        lines += ["", f"## {name}", "", "```json", json.dumps(rounded(result["parameters"])), "```", ""]
        lines += [f"- `{json.dumps(rounded(case))}`" for case in result["cases"]]
    return "\n".join([*lines, "", _HOW_TO_READ, ""])


def html(results: Results) -> str:
    """One self-contained page; plots are inside it."""
    body = [f"<h1>Benchmarks</h1><p>{escape(_machine_line(results))}</p>"]
    body += [f'<p class="doubt">{escape(line)}</p>' for line in _doubt_lines(results)]
    body.append(_table(_HEAD, [_cells(row) for row in rows(results)]))
    for title, png in draw(results).items():
        data = base64.b64encode(png).decode()
        body.append(f'<h2>{escape(title)}</h2><img alt="{escape(title)}" src="data:image/png;base64,{data}">')
    for name, result in results.items():
        cases = [
            (case["name"], json.dumps(rounded({k: v for k, v in case.items() if k != "name"})))
            for case in result["cases"]
        ]
        body.append(f"<h2>{escape(name)}</h2><p><code>{escape(json.dumps(rounded(result['parameters'])))}</code></p>")
        body.append(_table(("Case", "Figures"), cases))
    body.append(f"<p>{escape(_HOW_TO_READ)}</p>")
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><style>{_STYLE}</style>'
    head += "<title>Benchmarks</title>"
    return f'<!doctype html><html lang="en"><head>{head}</head><body>{"".join(body)}</body></html>'


def _table(head: tuple[str, ...], cells: Sequence[tuple[str, ...]]) -> str:
    top = "".join(f"<th>{escape(cell)}</th>" for cell in head)
    rows_html = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in cells)
    return f"<table><tr>{top}</tr>{rows_html}</table>"
