"""The kinds of conditions: how long each may last before a message, and which one explains which."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Kind(StrEnum):
    """The kinds of conditions."""

    CAMERA = "camera"  # away, or connected without pictures
    DOOR = "door"  # silent for longer than its usual pauses explain
    ROLE = "role"  # silent, dead, or not there
    RESTARTS = "restarts"  # a role or an embedded service starts again and again
    DATABASE = "database"
    STORE = "store"
    BROKER = "broker"
    SPOOL = "spool"  # filling: full within hours
    SPOOL_FULL = "spool_full"
    DISK = "disk"  # filling: full within hours
    DISK_FULL = "disk_full"
    READ_ONLY = "read_only"
    CLOCK = "clock"
    QUARANTINE = "quarantine"
    KEYS = "keys"
    RETENTION = "retention"  # footage that should have expired
    BACKUP = "backup"  # late, not tried for long, or tried in vain
    AUDIT = "audit"  # the audit trail, or a place that keeps its signed heads, was changed
    ACCOUNT = "account"  # an administrator has set up an account: others should know
    REQUEST = "request"  # a member's request is due within a week, or late
    PROBLEM = "problem"  # any other problem that a role reports


DELAYS_S: Final[Mapping[Kind, float]] = MappingProxyType(
    {
        Kind.CAMERA: 60.0,
        Kind.DOOR: 0.0,
        Kind.ROLE: 20.0,  # `tallenne up` starts a dead or stuck role again within ten seconds
        Kind.RESTARTS: 0.0,
        Kind.DATABASE: 30.0,
        Kind.STORE: 30.0,
        Kind.BROKER: 30.0,
        Kind.SPOOL: 60.0,
        Kind.SPOOL_FULL: 5.0,
        Kind.DISK: 60.0,
        Kind.DISK_FULL: 5.0,
        Kind.READ_ONLY: 5.0,
        Kind.CLOCK: 60.0,
        Kind.QUARANTINE: 0.0,
        Kind.KEYS: 300.0,
        Kind.RETENTION: 0.0,
        Kind.BACKUP: 0.0,
        Kind.AUDIT: 0.0,
        Kind.ACCOUNT: 0.0,
        Kind.REQUEST: 0.0,
        Kind.PROBLEM: 300.0,
    }
)
"""How long a condition of each kind may last before a message is sent."""

ESSENTIAL: Final = frozenset(
    {Kind.ROLE, Kind.RESTARTS, Kind.DATABASE, Kind.STORE, Kind.BROKER, Kind.SPOOL_FULL, Kind.DISK_FULL, Kind.READ_ONLY}
)
"""While one of these lasts the dead-man's URL is not called: recording or linking has stopped, or soon will."""

Key = tuple[Kind, str]
"""A condition's identity: its kind, and which camera, door, role or disk; "" where there is only one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """Something that is wrong now."""

    kind: Kind
    subject: str = ""  # identifies it among its kind: an id, or a name that is unique
    what: str  # one sentence for people, with the thing's name
    remedy: str = ""
    explained_by: frozenset[Key | Kind] = field(
        default=frozenset()
    )  # while one of these lasts, no message is sent about this one

    @property
    def key(self) -> Key:
        """Its identity."""
        return (self.kind, self.subject)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """The result of one look: present conditions, and kinds that are unknown because their reporter is silent."""

    conditions: tuple[Condition, ...]
    unknown: frozenset[Kind] = frozenset()
