"""Keys: a recorder's identity, the hour keys it seals with, the custodian's keyring and intake key."""

from storage.keys.cache import HourKeyCache, PublishedKey
from storage.keys.errors import (
    ForgedStatementError,
    IntakeRefusedError,
    KeyFileError,
    NoHourKeyError,
    NoKeyringEntryError,
)
from storage.keys.hour_key import PublicHourKey
from storage.keys.identity import RecorderIdentity
from storage.keys.keyring import FileKeyring, Keyring, hold_entry

__all__ = [
    "FileKeyring",
    "ForgedStatementError",
    "HourKeyCache",
    "IntakeRefusedError",
    "KeyFileError",
    "Keyring",
    "NoHourKeyError",
    "NoKeyringEntryError",
    "PublicHourKey",
    "PublishedKey",
    "RecorderIdentity",
    "hold_entry",
]
