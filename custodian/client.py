"""How the other roles ask the custodian. One connection per question: a custodian that restarts is not noticed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from custodian.address import socket_address
from custodian.errors import CustodianAwayError
from custodian.protocol import ANSWER_MAX_BYTES, key_from_json, pack_message, raise_error, read_message
from domain.ids import CameraId, RecorderId, SegmentId, SessionId
from domain.time import Span
from storage.sealed import PayloadKey

DEADLINE_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CustodianIdentity:
    """The custodian's public halves, 32 bytes each."""

    signer: bytes  # Ed25519: signs hour keys and audit heads
    intake: bytes  # X25519: what storage.keys.intake.seal_to() takes


class CustodianClient:
    """Methods raise CustodianAwayError (try again), CustodianMisuseError (mend) or LookRefusedError."""

    def __init__(self, socket: Path, *, deadline_s: float = DEADLINE_S) -> None:
        self._socket = socket
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

    async def open_for_verify(self, segment_ids: Iterable[SegmentId]) -> dict[SegmentId, PayloadKey]:
        """For `tallenne verify`, run by the operator's user only; on record as such."""
        return _keys(await self._ask("open_for_verify", segment_ids=[str(segment_id) for segment_id in segment_ids]))

    async def open_headers(self, headers: Iterable[bytes]) -> dict[SegmentId, PayloadKey]:
        """For `tallenne catalogue rebuild` and `reconcile`, run by the operator's user only; on record as such.

        Objects that have no row: the custodian cannot look their headers up. Those that no living key opens are left
        out.
        """
        return _keys(await self._ask("open_headers", headers=[header.hex() for header in headers]))

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

    async def status(self) -> dict[str, Any]:
        """Counters: the keys of custodian/README.md, "Status"."""
        return await self._ask("status")

    async def _ask(self, op: str, **arguments: Any) -> dict[str, Any]:
        try:
            async with asyncio.timeout(self._deadline_s):
                return await self._exchange({"op": op, **arguments})
        except (OSError, TimeoutError) as exc:
            raise CustodianAwayError(
                f"The custodian does not answer at {self._socket} ({type(exc).__name__}).",
                "Check that the custodian runs, and that this user may connect to its socket.",
            ) from exc

    async def _exchange(self, request: dict[str, Any]) -> dict[str, Any]:
        with socket_address(self._socket) as address:
            reader, writer = await asyncio.open_unix_connection(address)
        try:
            writer.write(pack_message(request))
            answer = await read_message(reader, ANSWER_MAX_BYTES)
        finally:
            writer.close()
        if answer is None:
            raise CustodianAwayError("The custodian closed the connection.", "Look at what the custodian logs.")
        if "error" in answer:
            raise_error(answer["error"])
        ok: dict[str, Any] = answer["ok"]
        return ok


def _keys(answer: dict[str, Any]) -> dict[SegmentId, PayloadKey]:
    keys = [key_from_json(body) for body in answer["keys"]]
    return {key.segment_id: key for key in keys}
