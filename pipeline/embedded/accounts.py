"""The embedded services' users and names, and where their secrets lie: what a role needs to reach them.

Apart from what starts them, so that a role does not load every service's client at its start.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from pipeline.secret_files import read_secret
from runtime.settings import StoreSettings

OWNER: Final = "tallenne_owner"
ROLES: Final = ("tallenne_ingest", "tallenne_index", "tallenne_custodian", "tallenne_serve", "tallenne_keeper")
DATABASE: Final = "tallenne"

INDEX_USER: Final = "tallenne_index"
DOORS_USER: Final = "tallenne_doors"
PROBE_USER: Final = "tallenne_probe"
ECHO_TOPIC: Final = "$tallenne/index"
"""On which the indexer hears itself. Its ``$`` keeps it from every filter of doors, be it ``#`` (MQTT 3.1.1, 4.7.2)."""

BUCKET: Final = "footage"
STORE_USER: Final = "tallenne"
KEEPER: Final = "keeper"
CUSTODIAN: Final = "custodian"


def store_settings(directory: Path, endpoint: str, bucket: str, user: str = STORE_USER) -> StoreSettings:
    """How a user reaches the store of this directory. SetupError when its keys are not there."""
    access_key, secret_key = map(read_secret, store_key_files(directory, user))
    return StoreSettings(endpoint=endpoint, secure=False, bucket=bucket, access_key=access_key, secret_key=secret_key)


def store_key_files(directory: Path, user: str) -> tuple[Path, Path]:
    """(access key, secret key)"""
    before = "" if user == STORE_USER else f"{user}-"
    return directory / f"{before}access-key.secret", directory / f"{before}secret-key.secret"
