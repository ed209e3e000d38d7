"""Errors of keys. None of them ever carries key material."""

from __future__ import annotations

from domain.errors import MisuseError, PeerError, RetryableError
from runtime.errors import PrivateFileError, StorageError


class KeyFileError(PrivateFileError):
    """A key file is damaged, missing, or in the way."""


class NoHourKeyError(StorageError, RetryableError):
    """No valid hour key is known for this camera and time: nothing may be written that nobody could open or expire."""


class ForgedStatementError(StorageError, PeerError):
    """A published hour key is not signed by the custodian that this recorder was enrolled with."""


class NoKeyringEntryError(StorageError, MisuseError):
    """The keyring holds no key for this hour of expiry: it was dropped, or never made. Nothing under it opens."""


class IntakeRefusedError(StorageError, PeerError):
    """What should be sealed to the intake key does not open."""
