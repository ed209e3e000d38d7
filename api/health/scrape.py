"""The settings of /metrics."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends

from api.http.provide import provided
from api.metrics.counters import Metrics


@dataclass(frozen=True, slots=True, kw_only=True)
class Scrape:
    """The counters, and the bearer token that /metrics asks for; an empty token turns it off."""

    metrics: Metrics
    token: str


ScrapeDep = Annotated[Scrape, Depends(provided(Scrape))]
