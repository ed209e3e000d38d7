"""Private halves from their sealed rows: of hour keys and of holds' keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from custodian.keys.hour_keys import private_key_context
from storage.keys import KeyFileError, Keyring, NoKeyringEntryError, PublicHourKey, hold_entry


def hold_key_context(hold_id: UUID, public_key: bytes) -> bytes:
    """Associated data of a hold's sealed private half: it opens only for the hold that it was made for."""
    return b"tallenne/1 hold private" + hold_id.bytes + public_key


async def hour_private(keyring: Keyring, row: Mapping[str, Any]) -> X25519PrivateKey | None:
    """An hour key's private half; None when its keyring entry is gone or the row was changed."""
    public = PublicHourKey(
        hour_key_id=row["hour_key_id"],
        site_id=row["site_id"],
        camera_id=row["camera_id"],
        hour_ns=row["hour_ns"],
        public_key=row["public_key"],
        serial=row["serial"],
    )
    # The associated data names key, camera, hour and expiry: a private half copied into another row does not open.
    context = private_key_context(public, row["expires_hour_ns"])
    return await _opened(keyring, row["expires_hour_ns"], row["sealed_private"], context)


async def hold_private(keyring: Keyring, row: Mapping[str, Any]) -> X25519PrivateKey | None:
    """A hold's private half, from its id, public_key and sealed_private; None as of ``hour_private()``."""
    context = hold_key_context(row["hold_id"], row["public_key"])
    return await _opened(keyring, hold_entry(row["hold_id"]), row["sealed_private"], context)


async def _opened(keyring: Keyring, name: int, sealed: bytes, context: bytes) -> X25519PrivateKey | None:
    try:
        return X25519PrivateKey.from_private_bytes(await keyring.open(name, sealed, context))
    except (NoKeyringEntryError, KeyFileError):
        return None
