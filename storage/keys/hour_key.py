"""Hour keys as published: one X25519 key pair per camera and UTC hour, its public half signed by the custodian.

The signed statement, big-endian (sealed-format.md, "Keys")::

    "tallenne/1 hour key" | site 16 | camera 16 | key 16 | public key 32 | not_before i64 | not_after i64 | serial u64
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from domain.ids import CameraId, HourKeyId, SiteId
from domain.time import HOUR_NS, hour_of
from storage.keys.errors import ForgedStatementError

_LABEL: Final = b"tallenne/1 hour key"
_BODY: Final = struct.Struct(">16s16s16s32sqqQ")


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicHourKey:
    """A key that a recorder seals with. Of two keys of the same camera and hour, the higher ``serial`` counts."""

    hour_key_id: HourKeyId
    site_id: SiteId
    camera_id: CameraId
    hour_ns: int  # start of the UTC hour; valid in [hour_ns, hour_ns + 1 h)
    public_key: bytes  # X25519, 32 bytes
    serial: int
    signature: bytes = b""  # Ed25519 over statement(), 64 bytes

    @property
    def not_after_ns(self) -> int:
        """End of the validity, exclusive."""
        return self.hour_ns + HOUR_NS

    def valid_at(self, time_ns: int) -> bool:
        """Whether footage that starts at ``time_ns`` may be sealed with this key."""
        return self.hour_ns <= time_ns < self.not_after_ns

    def statement(self) -> bytes:
        """Return the bytes that the custodian signs.

        They name site and camera: a key that is published under another camera does not verify.
        """
        return _LABEL + _BODY.pack(
            self.site_id.bytes,
            self.camera_id.bytes,
            self.hour_key_id.bytes,
            self.public_key,
            self.hour_ns,
            self.not_after_ns,
            self.serial,
        )

    def check(self, signer: Ed25519PublicKey) -> None:
        """Verify the custodian's signature (RFC 8032, 5.1.7). ForgedStatementError unless it holds.

        The key must also start at a UTC hour: an hour is the unit of expiry.
        """
        try:
            signer.verify(self.signature, self.statement())
        except InvalidSignature:
            raise ForgedStatementError(
                f"Hour key {self.hour_key_id} of camera {self.camera_id} is not signed by the pinned custodian.",
                "The published keys were changed, or the custodian's signing key was replaced: find out which.",
            ) from None
        # After the signature: before it, the numbers are an attacker's.
        if hour_of(self.hour_ns) != self.hour_ns:
            raise ForgedStatementError(f"Hour key {self.hour_key_id} does not start at a UTC hour.")
