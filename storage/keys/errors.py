"""Errors of keys. No message contains key material."""

from __future__ import annotations

from domain.errors import MisuseError, PeerError, RetryableError, StorageError
from runtime.errors import PrivateFileError


class KeyFileError(PrivateFileError):
    """A key file is damaged, missing, or exists where a new one is to be created."""


class NoHourKeyError(StorageError, RetryableError):
    """The recorder knows no valid hour key for this camera and time.

    It then records nothing: footage sealed under another key could neither be opened nor expire.
    """


class ForgedStatementError(StorageError, PeerError):
    """A published hour key lacks the signature of the custodian that this recorder was enrolled with."""


class NoKeyringEntryError(StorageError, MisuseError):
    """The keyring has no entry for this hour or hold. All that was sealed under a dropped entry stays closed."""


class IntakeRefusedError(StorageError, PeerError):
    """A payload does not open with the intake key."""
