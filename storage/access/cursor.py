"""The position of a page in a list that is sorted by time and id, newest first (keyset pagination).

A cursor names the last row of a page, not an offset: rows that arrive meanwhile shift nothing.
"""

from __future__ import annotations

import base64
import binascii
import uuid
from dataclasses import dataclass
from typing import Final
from uuid import UUID

_PACKED_BYTES: Final = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """The last row of a page; the next page begins with the row that sorts right after it."""

    time_ns: int
    row_id: UUID

    def pack(self) -> str:
        """Return the cursor as text for a URL: 32 characters of base64url, opaque to clients."""
        return base64.urlsafe_b64encode(self.time_ns.to_bytes(8, "big") + self.row_id.bytes).decode().rstrip("=")

    @classmethod
    def unpack(cls, text: str) -> Cursor:
        """Return the cursor that ``pack()`` wrote. ValueError for any other text."""
        try:
            data = base64.urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
        except (ValueError, binascii.Error):
            raise ValueError("not a cursor") from None
        # The sign bit: PostgreSQL's bigint holds no larger number.
        if len(data) != _PACKED_BYTES or data[0] & 0x80:
            raise ValueError("not a cursor")
        return cls(time_ns=int.from_bytes(data[:8], "big"), row_id=uuid.UUID(bytes=data[8:]))
