"""The counters of this role. Labels are route templates only: no ids, no names."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from starlette.types import Scope

from api.metrics.roles import RoleCollector

_BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)


class Metrics:
    """One per application: tests run several. run_directory: where the roles' status files lie."""

    def __init__(self, run_directory: Path) -> None:
        self.registry = CollectorRegistry()
        self.registry.register(RoleCollector(run_directory))
        self._answers = Counter(
            "tallenne_http_answers", "Answers.", ("method", "route", "status"), registry=self.registry
        )
        self._seconds = Histogram(
            "tallenne_http_first_byte_seconds",
            "From the request to the first byte of the answer.",
            ("route",),
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self.bytes_sent = Counter("tallenne_http_sent_bytes", "Bytes of answers' bodies.", registry=self.registry)
        self.at_work = Gauge("tallenne_http_at_work", "Requests being answered.", registry=self.registry)

    def answered(self, scope: Scope, status: int, seconds: float) -> None:
        """Count an answer. ``scope``: as the router left it; requests without a route are counted together."""
        route = getattr(scope.get("route"), "path", "none")
        method = scope["method"] if scope["method"] in ("GET", "HEAD", "POST", "PUT", "DELETE") else "other"
        self._answers.labels(method, route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)
