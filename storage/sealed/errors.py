"""Errors of the sealed format. A caller learns that an object is refused, and nothing about why."""

from __future__ import annotations

from domain.errors import MisuseError, PeerError, StorageError


class RefusedError(StorageError, PeerError):
    """The object differs from what the recorder sealed, or the key belongs to another object.

    Every failure raises this same error, without detail, cause or context, so that an attacker cannot use the
    opener as an oracle (sealed-format.md, "Refuse"). Raise it outside ``except`` blocks: inside one, Python would
    attach the original error as context.
    """

    def __init__(self) -> None:
        super().__init__("The sealed segment is refused.")


class WrongKeyError(StorageError, MisuseError):
    """The caller passes an hour key of another camera or another hour: a defect in this program."""


class SegmentFullError(StorageError, MisuseError):
    """The plaintext exceeds 2^16 chunks. The segmenter has to start a new segment earlier."""
