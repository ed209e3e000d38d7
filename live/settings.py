"""Settings of the role `live`, filled in by pipeline/ from the configuration."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from domain.time import NS
from runtime.settings import CustodianPlace

SOCKET: Final = "live.sock"
"""In the run directory: where `serve` asks."""
FEEDS: Final = "feed-*.sock"
"""In the run directory: where the recorders hand out pictures."""

REPLAY_MAX_NS: Final = 20 * NS
"""A viewer begins with no picture that came longer ago: so far back a look's entry reaches."""


def feed_socket(run_directory: Path, recorder_name: str) -> Path:
    """Where this recorder hands out pictures."""
    return run_directory / FEEDS.replace("*", recorder_name)


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveSettings:
    """The settings of the role `live`."""

    run_directory: Path  # status file, its own socket and the recorders'
    custodian_socket: CustodianPlace  # each look is on record before a picture leaves
    viewer_uids: tuple[int, ...]  # who may ask for looks: the user of `serve`
    feeder_uids: tuple[int, ...]  # whose pictures are believed: the users of `ingest`
    addresses: tuple[str, ...] = ("127.0.0.1",)  # at which browsers reach this machine by UDP
    ports: tuple[int, int] | None = None  # first and last UDP port; None: any free one
    looks_max: int = 64
    conversions_max: int = 2  # cameras whose H.265 is made H.264 at once; 0: none, and this role starts no process
