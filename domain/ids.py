"""Identifiers. All are UUIDs; NewTypes keep one from being passed for another."""

from __future__ import annotations

import os
import uuid
from typing import NewType
from uuid import UUID

SiteId = NewType("SiteId", UUID)
CameraId = NewType("CameraId", UUID)
DoorId = NewType("DoorId", UUID)
RecorderId = NewType("RecorderId", UUID)
SegmentId = NewType("SegmentId", UUID)
HourKeyId = NewType("HourKeyId", UUID)
EventId = NewType("EventId", UUID)
MemberId = NewType("MemberId", UUID)
StaffId = NewType("StaffId", UUID)
SessionId = NewType("SessionId", UUID)

_NAMESPACE = UUID("5f2b7a0e-0c1d-5d0a-9a5e-7a11e22e0001")
"""Names in the configuration become ids under this namespace, so that a rebuilt machine finds its footage again."""


def site_id_of(site_name: str) -> SiteId:
    """The id of a site that the configuration names without giving a uuid."""
    return SiteId(uuid.uuid5(_NAMESPACE, f"site:{site_name}"))


def camera_id_of(site: SiteId, camera_name: str) -> CameraId:
    """The id of a camera that the configuration names without giving a uuid."""
    return CameraId(uuid.uuid5(site, f"camera:{camera_name}"))


def door_id_of(site: SiteId, door_name: str) -> DoorId:
    """The id of a door that the configuration names without giving a uuid."""
    return DoorId(uuid.uuid5(site, f"door:{door_name}"))


def new_event_id(now_ns: int) -> EventId:
    """A fresh UUID that begins with the time (version 7, RFC 9562): events, and the tags that are keyed by them, arrive
    by the thousand, and an index that grows at its end stays in memory. 74 random bits make an id unguessable."""
    milliseconds = now_ns // 1_000_000 & (1 << 48) - 1
    chance = int.from_bytes(os.urandom(10), "big")
    high, low = chance >> 62 & 0xFFF, chance & (1 << 62) - 1
    return EventId(UUID(int=milliseconds << 80 | 7 << 76 | high << 64 | 2 << 62 | low))


def new_id() -> UUID:
    """A fresh random (version 4) UUID: ids of footage and events must not be guessable."""
    return uuid.uuid4()
