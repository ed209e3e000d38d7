"""When a result must not be believed, and why. A mark does not delete the figure; it stands beside it."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.frame.accounting import Usage

GENERATOR_LIMIT = 0.85
"""A generator above this share of one core may have been what limited the result."""

FOREIGN_LIMIT = 0.20
"""Foreign CPU above this share of the whole machine."""

CLOCK_LIMIT_S = 0.050


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """One reason not to trust a result."""

    code: str  # "machine_loaded", "generator_saturated", "generator_late", "clock_stepped", "too_short"
    detail: str


def doubts(
    usage: Usage, *, cores: int, generator: str | None, generator_late_ms: float = 0.0, shortest_s: float = 2.0
) -> list[Doubt]:
    """All doubts about one measured interval. ``generator`` names the role that made the load, if any did."""
    found: list[Doubt] = []
    foreign = usage.other_cpu_s / usage.elapsed_s / cores
    if foreign > FOREIGN_LIMIT:
        found.append(
            Doubt(code="machine_loaded", detail=f"{foreign:.0%} of the machine was used by what was not measured")
        )
    if generator is not None:
        share = usage.cpu_s.get(generator, 0.0) / usage.elapsed_s
        if share > GENERATOR_LIMIT:
            found.append(Doubt(code="generator_saturated", detail=f"the load generator used {share:.0%} of a core"))
        if generator_late_ms > 200.0:
            found.append(Doubt(code="generator_late", detail=f"pictures left up to {generator_late_ms:.0f} ms late"))
    if usage.clock_step_s > CLOCK_LIMIT_S:
        found.append(Doubt(code="clock_stepped", detail=f"the wall clock moved by {usage.clock_step_s * 1e3:.0f} ms"))
    if usage.elapsed_s < shortest_s:
        found.append(Doubt(code="too_short", detail=f"{usage.elapsed_s:.1f} s measured, {shortest_s:g} s needed"))
    return found
