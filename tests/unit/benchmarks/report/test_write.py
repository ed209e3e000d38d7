"""The report: every benchmark's rows, doubts beside them, plots inside one file."""

from __future__ import annotations

import base64
import re
from pathlib import Path
from typing import Any

from benchmarks.report.write import write_report


def test_report_is_one_file_that_fetches_nothing_and_shows_its_doubts(
    results: dict[str, dict[str, Any]], tmp_path: Path
) -> None:
    page = write_report(results, tmp_path).read_text()
    assert "http" not in page
    assert "somebody &lt;else&gt; computes" in page
    assert "without gstreamer (not installed)" in page
    pictures = re.findall(r'src="data:image/png;base64,([^"]+)"', page)
    assert len(pictures) >= 2
    assert all(base64.b64decode(picture).startswith(b"\x89PNG") for picture in pictures)
    assert {path.name for path in tmp_path.iterdir()} == {
        "report.html", "report.md", "ratios.json", "ingest.json", "index.json",
    }  # fmt: skip
