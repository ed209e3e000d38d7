"""Opens segments: loads core and wrap itself, decides by what the opened core and the signed trailer say, then answers.

What the keys open is on record before they are given: cameras, spans of whole segments, numbers. The record is durable
in the database, and a signed head covers it outside the database (custodian/audit/record.py).
"""

from __future__ import annotations

import contextlib
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import asyncpg
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from custodian.audit.record import Record, around, opened_detail
from custodian.errors import LookRefusedError, RestrictedError
from custodian.keys.custody import Custody
from custodian.keys.private_keys import hold_private, hour_private
from domain.footage import SEGMENT_MAX_NS
from domain.ids import CameraId, HourKeyId, RecorderId, SegmentId, SessionId
from domain.time import MINUTE_NS, Span
from runtime import sql
from runtime.database import wrapped_errors
from storage.catalogue import audit
from storage.keys.intake import open_sealed
from storage.sealed import PayloadKey, RangeOpener, RefusedError
from storage.sealed.format import Header, parse_header
from storage.sealed.unwrap import hold_wrap, hour_wrap, open_header

_PACKAGE: Final = "custodian"
_LOOKS_KEPT: Final = 4096
_GIVEN_KEPT: Final = 200_000  # segments of all those looks
_LOOK_FOR_NS: Final = 15 * MINUTE_NS


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """A request to see footage: who, why, which camera and span. Each one becomes one entry of the audit chain."""

    session_id: SessionId
    purpose_id: UUID
    action: str  # "look" or "export"
    camera_id: CameraId
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class _Opened:
    """A key that may be given, and which time it opens."""

    key: PayloadKey
    end_ns: int  # by the signed trailer; without one, as late as any segment of this start may end

    @property
    def span(self) -> Span:
        return Span(self.key.start_ns, self.end_ns)


class Opener:
    """Stateless but for the looks already on record, so that a player's many questions make one entry."""

    def __init__(self, pool: asyncpg.Pool, custody: Custody, record: Record, *, clock_ns: Callable[[], int]) -> None:
        self._pool = pool
        self._custody = custody
        self._record = record
        self._clock_ns = clock_ns
        self._looks = RecordedLooks()
        self.opened = 0
        self.refused = 0

    async def open_look(self, segment_ids: Collection[SegmentId], look: Look) -> list[PayloadKey]:
        """Payload keys, after the look is durably on record. Segments whose key has expired are left out.

        LookRefusedError, itself on record, unless every segment is known, of the look's camera and shares time with its
        span, the purpose is the session's, and the session may.
        """
        now_ns = self._clock_ns()
        staff_id, may = await self._asker(look, now_ns)
        # Keys are opened before the decision, since the decision is made by the headers' authenticated cores (_within),
        # not by rows that another role may have written. They leave this process only after the audit entry.
        opened, missing = await self._open(segment_ids, ["live"])
        if missing or not may or not all(_within(one, look) for one in opened):
            await self._refuse(look, staff_id)
        await self._check_restriction(segment_ids)
        # A player asks for many ranges of one look: they share one entry for a few minutes, as long as the keys are
        # those that the entry names.
        unrecorded = self._looks.unrecorded(look, [one.key.segment_id for one in opened], now_ns)
        if unrecorded is not None:
            given = [(one.key.camera_id, one.span) for one in opened if one.key.segment_id in unrecorded]
            detail = {"segments": len(segment_ids), **opened_detail(given)}
            await self._append(look, f"staff:{staff_id}", look.action, detail)
            self._looks.add(look, unrecorded, now_ns)
        self.opened += len(opened)
        return [one.key for one in opened]

    async def open_for_verify(self, segment_ids: Collection[SegmentId], actor: str) -> list[PayloadKey]:
        """Payload keys for the operator's check of whole objects, after it is on record who took them."""
        opened, missing = await self._open(segment_ids, ["live", "shadow"])
        detail = opened_detail((one.key.camera_id, one.span) for one in opened)
        return await self._give(
            [one.key for one in opened], actor, "verify", {"segments": len(segment_ids), "unknown": missing, **detail}
        )

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
        # Without a row there is no trailer: the record covers as much time as such segments may have.
        detail = opened_detail((key.camera_id, Span(key.start_ns, key.start_ns + SEGMENT_MAX_NS)) for key in keys)
        return await self._give(keys, actor, "rebuild", {"segments": len(parsed), **detail})

    async def _give(self, keys: list[PayloadKey], actor: str, action: str, detail: dict[str, Any]) -> list[PayloadKey]:
        camera_id, span = around(detail)
        await self._record.append(
            audit.Entry(actor=actor, action=action, camera_id=camera_id, span=span, detail=detail)
        )
        self.opened += len(keys)
        return keys

    async def open_intake(self, sealed: bytes, reason: str, actor: str) -> bytes:
        """Open a payload that was sealed to the intake key, once this is on record. IntakeRefusedError."""
        payload = open_sealed(self._custody.intake, sealed)
        entry = audit.Entry(actor=actor, action="open_intake", detail={"reason": reason[:200]})
        await self._record.append(entry)
        return payload

    async def _asker(self, look: Look, now_ns: int) -> tuple[UUID, bool]:
        """Return the asking person and whether the look is allowed.

        LookRefusedError: the purpose is of another session.
        """
        with wrapped_errors():
            query = sql.load(_PACKAGE, "asker")
            values = look.session_id, look.purpose_id, look.action, look.camera_id, now_ns
            row = await self._pool.fetchrow(query, *values, look.span.start_ns, look.span.end_ns)
        if row is None:
            self.refused += 1
            raise LookRefusedError("There is no such footage.")
        return row["staff_id"], bool(row["may"])

    async def _check_restriction(self, segment_ids: Collection[SegmentId]) -> None:
        """RestrictedError when a restriction keeps one of them from being shown. Who asks may know why (GDPR 18)."""
        with wrapped_errors():
            row = await self._pool.fetchrow(sql.load(_PACKAGE, "restriction"), list(segment_ids))
        if row is not None:
            self.refused += 1
            raise RestrictedError(
                f"Case {row['number']} restricts this footage: {row['reason']}",
                "It is neither shown nor exported until the case ends.",
            )

    async def _refuse(self, look: Look, staff_id: UUID) -> None:
        self.refused += 1
        await self._append(look, f"staff:{staff_id}", f"{look.action}_refused", {})
        raise LookRefusedError("There is no such footage.")

    async def _append(self, look: Look, actor: str, action: str, detail: dict[str, Any]) -> None:
        entry = audit.Entry(
            actor=actor,
            action=action,
            session_id=look.session_id,
            purpose_id=look.purpose_id,
            camera_id=look.camera_id,
            span=look.span,
            detail=detail,
        )
        await self._record.append(entry)

    async def _open(self, segment_ids: Collection[SegmentId], states: Sequence[str]) -> tuple[list[_Opened], int]:
        """Keys, and how many of the segments the catalogue does not know in these states."""
        wanted = set(segment_ids)
        with wrapped_errors():
            rows = await self._pool.fetch(sql.load(_PACKAGE, "segments_to_open"), list(wanted), list(states))
        opened = []
        for row, private in await self._with_privates(rows):
            key = _payload_key(row, private)
            if key is not None:
                opened.append(_Opened(key=key, end_ns=_end_ns(row, key)))
        return opened, len(wanted) - len(rows)

    async def _with_privates(self, rows: Sequence[asyncpg.Record]) -> list[tuple[asyncpg.Record, _Living]]:
        """Those that a living key opens: their hour key, or else a hold's; each private half is opened once."""
        living: dict[tuple[UUID | None, UUID | None], _Living | None] = {}
        found = []
        for row in rows:
            if row["state"] == "dead":
                continue  # withdrawn for good: the row only names the segment
            keys = row["hour_key_id"], row["hold_id"]
            if keys not in living:
                living[keys] = await self._living(row)
            if (key := living[keys]) is not None:
                found.append((row, key))
        return found

    async def _living(self, row: asyncpg.Record) -> _Living | None:
        """None: the keyring's entries are gone, or the row was changed. A row that came back from a backup names a dead
        hour key."""
        if row["hour_key_id"] is not None and (private := await hour_private(self._custody.keyring, row)) is not None:
            return _Living(private=private, hold=False)
        if row["hold_id"] is None:
            return None
        hold = {"hold_id": row["hold_id"], "public_key": row["hold_key"], "sealed_private": row["hold_private"]}
        held = await hold_private(self._custody.keyring, hold)
        return None if held is None else _Living(private=held, hold=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Living:
    """A private half that opens a segment: of its hour key, or of a hold."""

    private: X25519PrivateKey
    hold: bool


def _payload_key(row: asyncpg.Record, living: _Living) -> PayloadKey | None:
    """None when the header does not open: damaged or forged, which `verify` and `reconcile` report."""
    recorders = {RecorderId(row["recorder_id"]): bytes(row["recorder_key"])}
    try:
        header = parse_header(row["header"])
    except RefusedError:
        return None
    key = _opened(header, row, living, recorders)
    # A row may point at another segment's genuine header. Its core says which segment it really is.
    return key if key is not None and key.segment_id == row["segment_id"] else None


def _opened(
    header: Header, row: asyncpg.Record, living: _Living, recorders: Mapping[RecorderId, bytes]
) -> PayloadKey | None:
    try:
        if living.hold:
            wrap = hold_wrap(header, row["hold_id"], row["hold_wrap"])
        else:
            wrap = hour_wrap(header, HourKeyId(row["hour_key_id"]), row["wrap"] or header.wrap)
        return open_header(header, living.private, recorders, wrap=wrap)
    except RefusedError:
        return None


def _end_ns(row: asyncpg.Record, key: PayloadKey) -> int:
    """By the trailer, as far as its signature and the object's size hold; else as late as a segment may end."""
    if row["trailer"] is not None:
        with contextlib.suppress(RefusedError):
            end_ns = RangeOpener(key, row["size_bytes"]).accept_trailer(row["trailer"]).end_ns
            if key.start_ns < end_ns:
                return end_ns
    return key.start_ns + SEGMENT_MAX_NS


def _within(opened: _Opened, look: Look) -> bool:
    """By the opened core and the signed trailer, not by the row."""
    return opened.key.camera_id == look.camera_id and opened.span.overlaps(look.span)


class RecordedLooks:
    """Which keys of which look are on record already. Bounded: what was forgotten is put on record once more."""

    def __init__(self) -> None:
        self._looks: OrderedDict[Look, tuple[int, frozenset[SegmentId]]] = OrderedDict()
        self._given = 0

    def unrecorded(self, look: Look, segment_ids: Collection[SegmentId], now_ns: int) -> frozenset[SegmentId] | None:
        """Those that no entry names yet; None: the look is on record with all of them."""
        while self._looks and now_ns - next(iter(self._looks.values()))[0] > _LOOK_FOR_NS:
            self._forget()
        if look not in self._looks:
            return frozenset(segment_ids)
        return frozenset(segment_ids) - self._looks[look][1] or None

    def add(self, look: Look, segment_ids: frozenset[SegmentId], now_ns: int) -> None:
        """The look is on record with these keys, too."""
        since_ns, before = self._looks.get(look, (now_ns, frozenset()))
        self._looks[look] = since_ns, before | segment_ids
        self._given += len(segment_ids)
        while len(self._looks) > _LOOKS_KEPT or self._given > _GIVEN_KEPT:
            self._forget()

    def _forget(self) -> None:
        _, (_, given) = self._looks.popitem(last=False)
        self._given -= len(given)
