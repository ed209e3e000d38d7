"""Opens segments: loads core and wrap itself, decides by what the opened core says, records the look, then answers."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import asyncpg
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from custodian.errors import LookRefusedError
from custodian.keys.custody import Custody
from custodian.keys.hour_keys import private_key_context
from domain.footage import SEGMENT_MAX_NS
from domain.ids import CameraId, HourKeyId, RecorderId, SegmentId, SessionId
from domain.time import MINUTE_NS, Span
from runtime import sql
from runtime.database import wrapped_errors
from storage.catalogue import audit
from storage.keys import KeyFileError, NoKeyringEntryError, PublicHourKey
from storage.keys.intake import open_sealed
from storage.sealed import PayloadKey, RefusedError
from storage.sealed.format import Header, parse_header
from storage.sealed.unwrap import open_header

_PACKAGE: Final = "custodian"
_LOOKS_KEPT: Final = 4096
_LOOK_FOR_NS: Final = 15 * MINUTE_NS


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """A request to see footage: who, why, which camera and span. Each one becomes one entry of the audit chain."""

    session_id: SessionId
    purpose_id: UUID
    action: str  # "look" or "export"
    camera_id: CameraId
    span: Span


class Opener:
    """Stateless but for the looks already on record, so that a player's many questions make one entry."""

    def __init__(self, pool: asyncpg.Pool, custody: Custody, *, clock_ns: Callable[[], int]) -> None:
        self._pool = pool
        self._custody = custody
        self._clock_ns = clock_ns
        self._recorded: OrderedDict[Look, int] = OrderedDict()
        self.opened = 0
        self.refused = 0

    async def open_look(self, segment_ids: Collection[SegmentId], look: Look) -> list[PayloadKey]:
        """Payload keys, after the look is durably on record. Segments whose key has expired are left out.

        LookRefusedError, itself on record, unless every segment is known, of the look's camera and within its span,
        the purpose is the session's, and the session may.
        """
        now_ns = self._clock_ns()
        staff_id, may = await self._asker(look, now_ns)
        # Keys are opened before the decision, since the decision is made by the headers' authenticated cores (_within),
        # not by rows that another role may have written. They leave this process only after the audit entry.
        keys, missing = await self._open(segment_ids, ["live"])
        if missing or not may or not all(_within(key, look) for key in keys):
            await self._refuse(look, staff_id, now_ns)
        # A player asks for many ranges of one look: they share one entry for a few minutes.
        self._recorded = _recent(self._recorded, now_ns)
        if look not in self._recorded:
            detail = {"segments": len(segment_ids), "opened": len(keys)}
            await self._record(look, f"staff:{staff_id}", look.action, detail, now_ns)
            self._recorded[look] = now_ns
        self.opened += len(keys)
        return keys

    async def open_for_verify(self, segment_ids: Collection[SegmentId], actor: str) -> list[PayloadKey]:
        """Payload keys for the operator's check of whole objects, after it is on record who took them."""
        keys, missing = await self._open(segment_ids, ["live", "shadow"])
        detail = {"segments": len(segment_ids), "opened": len(keys), "unknown": missing}
        await audit.append(self._pool, audit.Entry(actor=actor, action="verify", detail=detail), self._clock_ns())
        self.opened += len(keys)
        return keys

    async def open_headers(self, headers: Collection[bytes], actor: str) -> list[PayloadKey]:
        """Payload keys of objects that have no row: to make the rows from the bucket. On record who took them.

        RefusedError when one is not a header at all. One that opens with no key that is left is left out.
        """
        parsed = {item.core.segment_id: item for item in map(parse_header, headers)}
        with wrapped_errors():
            ids = list(parsed), [item.core.hour_key_id for item in parsed.values()]
            rows = await self._pool.fetch(sql.load(_PACKAGE, "headers_to_open"), *ids)
            enrolled = await self._pool.fetch(sql.load(_PACKAGE, "recorders"))
        recorders = {RecorderId(row["recorder_id"]): bytes(row["public_key"]) for row in enrolled}
        keys = [
            key
            for row, private in await self._with_privates(rows)
            if (key := _opened(parsed[SegmentId(row["segment_id"])], row, private, recorders)) is not None
        ]
        detail = {"segments": len(parsed), "opened": len(keys)}
        await audit.append(self._pool, audit.Entry(actor=actor, action="rebuild", detail=detail), self._clock_ns())
        self.opened += len(keys)
        return keys

    async def open_intake(self, sealed: bytes, reason: str, actor: str) -> bytes:
        """What was sealed to the intake key, after it is on record. IntakeRefusedError."""
        payload = open_sealed(self._custody.intake, sealed)
        entry = audit.Entry(actor=actor, action="open_intake", detail={"reason": reason[:200]})
        await audit.append(self._pool, entry, self._clock_ns())
        return payload

    async def _asker(self, look: Look, now_ns: int) -> tuple[UUID, bool]:
        """Who asks, and whether they may. LookRefusedError when the purpose is not the session's."""
        with wrapped_errors():
            query = sql.load(_PACKAGE, "asker")
            row = await self._pool.fetchrow(
                query, look.session_id, look.purpose_id, look.action, look.camera_id, now_ns
            )
        if row is None:
            self.refused += 1
            raise LookRefusedError("There is no such footage.")
        return row["staff_id"], bool(row["may"])

    async def _refuse(self, look: Look, staff_id: UUID, now_ns: int) -> None:
        self.refused += 1
        await self._record(look, f"staff:{staff_id}", f"{look.action}_refused", {}, now_ns)
        raise LookRefusedError("There is no such footage.")

    async def _record(self, look: Look, actor: str, action: str, detail: dict[str, Any], now_ns: int) -> None:
        entry = audit.Entry(
            actor=actor,
            action=action,
            session_id=look.session_id,
            purpose_id=look.purpose_id,
            camera_id=look.camera_id,
            span=look.span,
            detail=detail,
        )
        await audit.append(self._pool, entry, now_ns)

    async def _open(self, segment_ids: Collection[SegmentId], states: Sequence[str]) -> tuple[list[PayloadKey], int]:
        """Keys, and how many of the segments the catalogue does not know in these states."""
        wanted = set(segment_ids)
        with wrapped_errors():
            rows = await self._pool.fetch(sql.load(_PACKAGE, "segments_to_open"), list(wanted), list(states))
        keys = []
        for row, private in await self._with_privates(rows):
            key = _payload_key(row, private)
            if key is not None:
                keys.append(key)
        return keys, len(wanted) - len(rows)

    async def _with_privates(self, rows: Sequence[asyncpg.Record]) -> list[tuple[asyncpg.Record, X25519PrivateKey]]:
        """Those whose hour key lives; each private half is opened once."""
        privates: dict[HourKeyId, X25519PrivateKey | None] = {}
        living = []
        for row in rows:
            hour_key_id = HourKeyId(row["hour_key_id"])
            if hour_key_id not in privates:
                privates[hour_key_id] = await self._private_key(row)
            private = privates[hour_key_id]
            if private is not None:
                living.append((row, private))
        return living

    async def _private_key(self, row: asyncpg.Record) -> X25519PrivateKey | None:
        """The hour key's private half; None when it is dead, its keyring entry is gone, or the row was changed."""
        # Dead: withdrawn for good. The row stays, so that its segments can still be named.
        if row["state"] == "dead":
            return None
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
        try:
            raw = await self._custody.keyring.open(row["expires_hour_ns"], row["sealed_private"], context)
        except (NoKeyringEntryError, KeyFileError):
            return None
        return X25519PrivateKey.from_private_bytes(raw)


def _payload_key(row: asyncpg.Record, private: X25519PrivateKey) -> PayloadKey | None:
    """None when the header does not open: damaged or forged, which `verify` and `reconcile` report."""
    recorders = {RecorderId(row["recorder_id"]): bytes(row["recorder_key"])}
    try:
        header = parse_header(row["header"])
    except RefusedError:
        return None
    key = _opened(header, row, private, recorders)
    # A row may point at another segment's genuine header. Its core says which segment it really is.
    return key if key is not None and key.segment_id == row["segment_id"] else None


def _opened(
    header: Header, row: asyncpg.Record, private: X25519PrivateKey, recorders: Mapping[RecorderId, bytes]
) -> PayloadKey | None:
    try:
        return open_header(header, private, recorders, wrap=row["wrap"], hour_key_id=HourKeyId(row["hour_key_id"]))
    except RefusedError:
        return None


def _within(key: PayloadKey, look: Look) -> bool:
    """By the opened core, not by the row."""
    # A segment that begins before the span may still reach into it, but by no more than the longest segment.
    started = look.span.start_ns - SEGMENT_MAX_NS < key.start_ns < look.span.end_ns
    return key.camera_id == look.camera_id and started


def _recent(looks: OrderedDict[Look, int], now_ns: int) -> OrderedDict[Look, int]:
    """The looks that still count as the same one, bounded."""
    while looks and (len(looks) >= _LOOKS_KEPT or now_ns - next(iter(looks.values())) > _LOOK_FOR_NS):
        looks.popitem(last=False)
    return looks
