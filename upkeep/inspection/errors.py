"""Flaws of objects. For the operator's checks only: readers of footage get one opaque error."""

from __future__ import annotations

from enum import StrEnum

from domain.errors import PeerError, StorageError


class Flaw(StrEnum):
    """Kept in reports and in object_quarantine.reason; do not rename them."""

    MISSING = "missing"  # there is no such object
    SIZE = "size"  # no object can have this size, or it is not the row's
    HEADER = "header"  # not a header, or not the row's
    NAME = "name"  # the object's name is not what its header says
    TRAILER = "trailer"  # truncated, or not a trailer that fits the object
    UNSIGNED = "unsigned"  # the trailer's signature does not hold, or no recorder is enrolled under that id
    HASH = "hash"  # other bytes than were signed, or than the row says
    CHUNK = "chunk"  # the key does not open it
    BOXES = "boxes"  # it opens, and is not an MP4 as our recorder writes it
    ROW = "row"  # the row says something else than the object
    KEY = "key"  # the custodian has no key for it (any more), or its header does not open


class BadObjectError(StorageError, PeerError):
    """An object has a flaw."""

    def __init__(self, flaw: Flaw, detail: str = "") -> None:
        super().__init__(f"The object is bad ({flaw}{': ' + detail if detail else ''}).")
        self.flaw = flaw
        self.detail = detail
