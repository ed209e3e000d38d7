"""The client by which other roles call the custodian. One connection per call, so that a restart goes unnoticed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from custodian.address import socket_address
from custodian.errors import CustodianAwayError
from custodian.protocol import ANSWER_MAX_BYTES, key_from_json, pack_message, raise_error, read_message
from custodian.tls import HANDSHAKE_S, client_context, explained, refused, shown
from domain.ids import CameraId, MemberId, RecorderId, SegmentId, SessionId
from domain.time import Span
from runtime.settings import CustodianAt, CustodianPlace
from storage.sealed import PayloadKey

DEADLINE_S = 30.0
_CLOSED = "The custodian closed the connection."


@dataclass(frozen=True, slots=True, kw_only=True)
class CustodianIdentity:
    """The custodian's public halves, 32 bytes each."""

    signer: bytes  # Ed25519: signs hour keys and audit heads
    intake: bytes  # X25519: what storage.keys.intake.seal_to() takes


class CustodianClient:
    """Methods raise CustodianAwayError (try again), CustodianMisuseError (correct something) or LookRefusedError."""

    def __init__(self, place: CustodianPlace, *, deadline_s: float = DEADLINE_S) -> None:
        self._place = place
        self._deadline_s = deadline_s

    async def identity(self) -> CustodianIdentity:
        """Works while the database is away."""
        answer = await self._ask("identity")
        return CustodianIdentity(signer=bytes.fromhex(answer["signer"]), intake=bytes.fromhex(answer["intake"]))

    async def enrol(self, recorder_id: RecorderId, name: str, public_key: bytes) -> None:
        """Make a recorder's signatures count. Again with the same key: nothing happens; with another: refused."""
        await self._ask("enrol", recorder_id=str(recorder_id), name=name, public_key=public_key.hex())

    async def open_segments(
        self,
        segment_ids: Iterable[SegmentId],
        *,
        session_id: SessionId,
        purpose_id: UUID,
        action: str,
        camera_id: CameraId,
        span: Span,
    ) -> dict[SegmentId, PayloadKey]:
        """Payload keys of one camera's segments that overlap ``span``, after the look is durably on record.

        ``action``: "look" or "export". A segment whose key has expired is left out. LookRefusedError when the session
        may not, the purpose is not the session's, or any segment is unknown, of another camera or outside the span.
        """
        answer = await self._ask(
            "open_segments",
            segment_ids=[str(segment_id) for segment_id in segment_ids],
            session_id=str(session_id),
            purpose_id=str(purpose_id),
            action=action,
            camera_id=str(camera_id),
            start_ns=span.start_ns,
            end_ns=span.end_ns,
        )
        return _keys(answer)

    async def look_live(self, *, session_id: SessionId, purpose_id: UUID, camera_id: CameraId) -> int:
        """Until when (UTC ns) this camera may be watched live, after that is durably on record. LookRefusedError."""
        answer = await self._ask(
            "look_live", session_id=str(session_id), purpose_id=str(purpose_id), camera_id=str(camera_id)
        )
        return int(answer["until_ns"])

    async def still_live(self, *, session_id: SessionId, purpose_id: UUID, camera_id: CameraId) -> bool:
        """Whether a live look that is on record may go on: the session and the right to it still hold."""
        answer = await self._ask(
            "still_live", session_id=str(session_id), purpose_id=str(purpose_id), camera_id=str(camera_id)
        )
        return bool(answer["may"])

    async def open_for_verify(self, segment_ids: Iterable[SegmentId]) -> dict[SegmentId, PayloadKey]:
        """For `tallenne verify`, run by the operator's user only; on record as such."""
        return _keys(await self._ask("open_for_verify", segment_ids=[str(segment_id) for segment_id in segment_ids]))

    async def open_headers(self, headers: Iterable[bytes]) -> dict[SegmentId, PayloadKey]:
        """For `tallenne catalogue rebuild` and `reconcile`, run by the operator's user only; on record as such.

        Objects that have no row: the custodian cannot look their headers up. Those that no living key opens are left
        out.
        """
        return _keys(await self._ask("open_headers", headers=[header.hex() for header in headers]))

    async def expiry_hours(self) -> frozenset[int]:
        """Starts of the UTC hours of expiry that have a keyring entry: what expires in any other is dead.

        For `tallenne catalogue rebuild` and `reconcile`, run by the operator's user only.
        """
        return frozenset((await self._ask("expiry_hours"))["hours_ns"])

    async def open_intake(self, sealed: bytes, *, reason: str = "replay") -> bytes:
        """What was sealed to the intake key; on record. CustodianMisuseError when it does not open."""
        answer = await self._ask("open_intake", sealed=sealed.hex(), reason=reason)
        return bytes.fromhex(answer["payload"])

    async def make_past_keys(self, camera_id: CameraId, span: Span) -> int:
        """For `tallenne import`, run by the operator's user only; on record. How many hour keys were made.

        CustodianMisuseError: in the future, expired by the camera's retention, more than a week, or there is footage.
        """
        answer = await self._ask("make_past_keys", camera_id=str(camera_id), start_ns=span.start_ns, end_ns=span.end_ns)
        return int(answer["made"])

    async def confirm_expiry(self, up_to_ns: int, camera_hours: int, shorter: Mapping[str, int]) -> None:
        """For `tallenne retention confirm`, run by the operator's user only; on record.

        ``shorter``: cameras' ids, and the shorter retention (s) of each that takes effect for what is recorded.
        CustodianMisuseError: more than ``camera_hours`` are overdue up to that keyring hour.
        """
        await self._ask("confirm_expiry", up_to_ns=up_to_ns, camera_hours=camera_hours, shorter=dict(shorter))

    async def place_hold(
        self, case_id: UUID, *, kind: str, camera_id: CameraId, span: Span, session_id: SessionId, purpose_id: UUID
    ) -> int:
        """Keep the footage of a span, a day at most, past its retention; how many segments there are of it now.

        ``kind``: "hold", or "restriction", which closes the footage as well. LookRefusedError: the session may not.
        CustodianMisuseError: the case is not open.
        """
        answer = await self._ask(
            "place_hold",
            case_id=str(case_id),
            kind=kind,
            camera_id=str(camera_id),
            start_ns=span.start_ns,
            end_ns=span.end_ns,
            session_id=str(session_id),
            purpose_id=str(purpose_id),
        )
        return int(answer["segments"])

    async def ask_case_end(self, case_id: UUID, session_id: SessionId, purpose_id: UUID) -> None:
        """The first person's word. CustodianMisuseError: the case is not open; LookRefusedError."""
        await self._case("ask_case_end", case_id, session_id, purpose_id)

    async def keep_case(self, case_id: UUID, session_id: SessionId, purpose_id: UUID) -> None:
        """Take the first person's word back. CustodianMisuseError: it was not given; LookRefusedError."""
        await self._case("keep_case", case_id, session_id, purpose_id)

    async def end_case(self, case_id: UUID, session_id: SessionId, purpose_id: UUID) -> int:
        """The second person's word: the case's holds end; how many segments expire by that.

        CustodianMisuseError: its end was not asked for, or by the same person; LookRefusedError.
        """
        return int((await self._case("end_case", case_id, session_id, purpose_id))["segments_expired"])

    async def _case(self, operation: str, case_id: UUID, session_id: SessionId, purpose_id: UUID) -> dict[str, Any]:
        return await self._ask(operation, case_id=str(case_id), session_id=str(session_id), purpose_id=str(purpose_id))

    async def ask_erasure(
        self,
        reason: str,
        session_id: SessionId,
        purpose_id: UUID,
        *,
        camera_ids: Iterable[CameraId] = (),
        span: Span | None = None,
        member_id: MemberId | None = None,
    ) -> UUID:
        """Order that footage is erased: a span of cameras (31 days at most), or all that is tagged with a member.

        The order's id. LookRefusedError: the session may not; CustodianMisuseError: there is nothing to erase.
        """
        answer = await self._ask(
            "ask_erasure",
            reason=reason,
            camera_ids=[str(camera_id) for camera_id in camera_ids],
            start_ns=span.start_ns if span else None,
            end_ns=span.end_ns if span else None,
            member_id=str(member_id) if member_id else None,
            session_id=str(session_id),
            purpose_id=str(purpose_id),
        )
        return UUID(answer["erasure_id"])

    async def approve_erasure(self, erasure_id: UUID, session_id: SessionId, purpose_id: UUID) -> int:
        """The second person's word; how many segments are erased. Nothing takes it back.

        CustodianMisuseError: it is the person's own, it does not wait, or a case keeps the footage: which, and why.
        """
        return int((await self._erasure("approve_erasure", erasure_id, session_id, purpose_id))["segments"])

    async def refuse_erasure(self, erasure_id: UUID, session_id: SessionId, purpose_id: UUID) -> None:
        """The second person says no. CustodianMisuseError: it does not wait, or is their own; LookRefusedError."""
        await self._erasure("refuse_erasure", erasure_id, session_id, purpose_id)

    async def cancel_erasure(self, erasure_id: UUID, session_id: SessionId, purpose_id: UUID) -> None:
        """The asker takes it back. CustodianMisuseError: it does not wait, or is not the person's; LookRefusedError."""
        await self._erasure("cancel_erasure", erasure_id, session_id, purpose_id)

    async def _erasure(
        self, operation: str, erasure_id: UUID, session_id: SessionId, purpose_id: UUID
    ) -> dict[str, Any]:
        ids = {"erasure_id": erasure_id, "session_id": session_id, "purpose_id": purpose_id}
        return await self._ask(operation, **{name: str(value) for name, value in ids.items()})

    async def restore_heads(self) -> int:
        """For `tallenne audit restore-heads`, run by the operator's user only; on record. How many were copied."""
        return int((await self._ask("restore_heads"))["copied"])

    async def status(self) -> dict[str, Any]:
        """Counters: the keys of custodian/README.md, "Status"."""
        return await self._ask("status")

    async def _ask(self, op: str, **arguments: Any) -> dict[str, Any]:
        try:
            async with asyncio.timeout(self._deadline_s):
                return await self._exchange({"op": op, **arguments})
        except (OSError, TimeoutError) as exc:
            raise self._away(exc) from exc

    async def _exchange(self, request: dict[str, Any]) -> dict[str, Any]:
        reader, writer = await self._connected()
        try:
            if isinstance(self._place, CustodianAt):
                # Only now has it looked at our certificate.
                await _answer_of(reader, refused(self._place))
            writer.write(pack_message(request))
            return await _answer_of(reader, CustodianAwayError(_CLOSED, "Look at what the custodian logs."))
        finally:
            writer.close()

    async def _connected(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if isinstance(self._place, CustodianAt):
            at, context = self._place, client_context(self._place.files)
            return await asyncio.open_connection(at.host, at.port, ssl=context, ssl_handshake_timeout=HANDSHAKE_S)
        with socket_address(self._place) as address:
            return await asyncio.open_unix_connection(address)

    def _away(self, error: OSError) -> CustodianAwayError:
        way = "this user may connect to its socket"
        if isinstance(self._place, CustodianAt):
            found = explained(error, self._place)
            if found is not None:
                return found
            way = "this machine reaches that port"
        what = f"The custodian does not answer at {shown(self._place)} ({type(error).__name__})."
        return CustodianAwayError(what, f"Check that the custodian runs, and that {way}.")


async def _answer_of(reader: asyncio.StreamReader, silent: CustodianAwayError) -> dict[str, Any]:
    answer = await read_message(reader, ANSWER_MAX_BYTES)
    if answer is None:
        raise silent
    if "error" in answer:
        raise_error(answer["error"])
    ok: dict[str, Any] = answer["ok"]
    return ok


def _keys(answer: dict[str, Any]) -> dict[SegmentId, PayloadKey]:
    keys = [key_from_json(body) for body in answer["keys"]]
    return {key.segment_id: key for key in keys}
