"""What is counted of answers: by route template, never by address."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from api.metrics.counters import Metrics


@pytest.mark.parametrize(
    ("method", "route", "labels"),
    [
        ("GET", SimpleNamespace(path="/v1/events/{event_id}"), {"method": "GET", "route": "/v1/events/{event_id}"}),
        ("GET", None, {"method": "GET", "route": "none"}),
        ("BREW", SimpleNamespace(path="/x"), {"method": "other", "route": "/x"}),
    ],
)
def test_answer_is_counted_by_template_and_known_method(
    tmp_path: Path, method: str, route: object, labels: dict[str, str]
) -> None:
    metrics = Metrics(tmp_path)
    scope = {"method": method, "path": "/v1/events/42"} | ({} if route is None else {"route": route})
    metrics.answered(scope, 404, 0.3)
    count = metrics.registry.get_sample_value("tallenne_http_answers_total", {**labels, "status": "404"})
    below = metrics.registry.get_sample_value(
        "tallenne_http_first_byte_seconds_bucket", {"route": labels["route"], "le": "0.25"}
    )
    within = metrics.registry.get_sample_value(
        "tallenne_http_first_byte_seconds_bucket", {"route": labels["route"], "le": "0.5"}
    )
    assert (count, below, within) == (1.0, 0.0, 1.0)


def test_two_applications_count_apart(tmp_path: Path) -> None:
    one, other = Metrics(tmp_path), Metrics(tmp_path)
    one.bytes_sent.inc(5)
    assert one.registry.get_sample_value("tallenne_http_sent_bytes_total") == 5
    assert other.registry.get_sample_value("tallenne_http_sent_bytes_total") == 0
