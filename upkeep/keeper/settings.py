"""What the keeper gets from the configuration."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from runtime.settings import DatabaseSettings, StoreSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Periods:
    """For how many days each kind of record other than footage is kept. Visits are derived from events.

    Tags end with their event or with their footage, whichever is first. What each default rests on: example.toml.
    """

    events_d: int = 90
    quarantine_d: int = 30
    exports_d: int = 365
    lookups_d: int = 730
    member_history_d: int = 730
    requests_d: int = 1095
    sessions_d: int = 30
    logs_d: int = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class KeeperSettings:
    """Everything that the role needs."""

    database: DatabaseSettings
    store: StoreSettings  # of a user that may list and delete
    run_directory: Path
    periods: Periods = Periods()
