"""The custodian's operations: each turns a request's JSON into a call, and the result into JSON."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

import asyncpg

from custodian.asking import Asker
from custodian.audit.record import Record
from custodian.erasure.orders import NewErasure, Orders
from custodian.errors import CustodianMisuseError
from custodian.expiry.retention import Retention
from custodian.holds.holds import Holds, NewHold
from custodian.keys.custody import Custody
from custodian.keys.past_keys import PastKeys
from custodian.live_looks import LiveLook, LiveLooks
from custodian.opening import Look, Opener
from custodian.protocol import SEGMENTS_MAX, Peer, key_to_json
from custodian.server import Operation
from domain.ids import CameraId, MemberId, RecorderId, SegmentId, SessionId
from domain.time import Span
from runtime import sql
from runtime.database import wrapped_errors
from runtime.settings import CustodianSettings
from storage.catalogue import audit
from storage.sealed import RefusedError

_PACKAGE: Final = "custodian"
_OF_OPERATORS: Final = (
    *("open_for_verify", "open_headers", "expiry_hours"),
    *("make_past_keys", "confirm_expiry", "restore_heads"),
)
_OF_STAFF: Final = (
    *("place_hold", "ask_case_end", "keep_case", "end_case"),
    *("ask_erasure", "approve_erasure", "refuse_erasure", "cancel_erasure"),
)


class Operations:
    """The operations, bound to one custodian's custody, pool and opener."""

    def __init__(
        self,
        custody: Custody,
        pool: asyncpg.Pool,
        opener: Opener,
        past_keys: PastKeys,
        retention: Retention,
        holds: Holds,
        orders: Orders,
        record: Record,
        live: LiveLooks,
        status: Mapping[str, Any],
    ) -> None:
        self._custody = custody
        self._pool = pool
        self._opener = opener
        self._past_keys = past_keys
        self._retention = retention
        self._holds = holds
        self._orders = orders
        self._record = record
        self._live = live
        self._status = status

    def table(self) -> dict[str, Operation]:
        """By the name that a request gives."""
        return {
            "identity": self._identity,
            "status": self._say_status,
            "enrol": self._enrol,
            "open_segments": self._open_segments,
            "look_live": self._look_live,
            "still_live": self._still_live,
            "open_for_verify": self._open_for_verify,
            "open_headers": self._open_headers,
            "expiry_hours": self._expiry_hours,
            "open_intake": self._open_intake,
            "make_past_keys": self._make_past_keys,
            "confirm_expiry": self._confirm_expiry,
            "place_hold": self._place_hold,
            "ask_case_end": self._ask_case_end,
            "keep_case": self._keep_case,
            "end_case": self._end_case,
            "ask_erasure": self._ask_erasure,
            "approve_erasure": self._approve_erasure,
            "refuse_erasure": self._refuse_erasure,
            "cancel_erasure": self._cancel_erasure,
            "restore_heads": self._restore_heads,
        }

    async def _identity(self, _request: dict[str, Any], _peer: Peer) -> dict[str, Any]:
        return {
            "signer": self._custody.signer.hex(),
            "intake": self._custody.intake.public_key().public_bytes_raw().hex(),
        }

    async def _say_status(self, _request: dict[str, Any], _peer: Peer) -> dict[str, Any]:
        return dict(self._status)

    async def _enrol(self, request: dict[str, Any], peer: Peer) -> dict[str, Any]:
        recorder_id = RecorderId(UUID(request["recorder_id"]))
        public_key = bytes.fromhex(request["public_key"])
        name = str(request["name"])[:200]
        if len(public_key) != 32:
            raise ValueError("public key")
        now_ns = time.time_ns()
        with wrapped_errors():
            added = await self._pool.fetchval(sql.load(_PACKAGE, "enrol"), recorder_id, name, public_key, now_ns)
            row = await self._pool.fetchrow(sql.load(_PACKAGE, "recorder"), recorder_id)
        if row["public_key"] != public_key or row["revoked_ns"] is not None:
            raise CustodianMisuseError(
                f"Recorder {recorder_id} is revoked, or enrolled with another key.",
                "Remove the recorder's identity file: it then enrols anew under an id of its own.",
            )
        if added is not None:
            entry = audit.Entry(
                actor=f"user:{peer.who}", action="enrol", detail={"recorder": str(recorder_id), "key": public_key.hex()}
            )
            await self._record.append(entry)
        return {}

    async def _open_segments(self, request: dict[str, Any], _peer: Peer) -> dict[str, Any]:
        if request["action"] not in ("look", "export"):
            raise ValueError("action")
        look = Look(
            session_id=SessionId(UUID(request["session_id"])),
            purpose_id=UUID(request["purpose_id"]),
            action=request["action"],
            camera_id=CameraId(UUID(request["camera_id"])),
            span=Span(int(request["start_ns"]), int(request["end_ns"])),
        )
        keys = await self._opener.open_look(_segment_ids(request), look)
        return {"keys": [key_to_json(key) for key in keys]}

    async def _look_live(self, request: dict[str, Any], _peer: Peer) -> dict[str, Any]:
        return {"until_ns": await self._live.look(_live_look(request))}

    async def _still_live(self, request: dict[str, Any], _peer: Peer) -> dict[str, Any]:
        return {"may": await self._live.may(_live_look(request))}

    async def _open_for_verify(self, request: dict[str, Any], peer: Peer) -> dict[str, Any]:
        keys = await self._opener.open_for_verify(_segment_ids(request), f"operator:{peer.who}")
        return {"keys": [key_to_json(key) for key in keys]}

    async def _open_headers(self, request: dict[str, Any], peer: Peer) -> dict[str, Any]:
        headers = [bytes.fromhex(text) for text in request["headers"]]
        try:
            keys = await self._opener.open_headers(headers, f"operator:{peer.who}")
        except RefusedError:
            raise ValueError("header") from None
        return {"keys": [key_to_json(key) for key in keys]}

    async def _expiry_hours(self, _request: dict[str, Any], _peer: Peer) -> dict[str, Any]:
        return {"hours_ns": sorted(await self._custody.keyring.hours())}

    async def _open_intake(self, request: dict[str, Any], peer: Peer) -> dict[str, Any]:
        sealed = bytes.fromhex(request["sealed"])
        payload = await self._opener.open_intake(sealed, str(request["reason"]), f"user:{peer.who}")
        return {"payload": payload.hex()}

    async def _make_past_keys(self, request: dict[str, Any], peer: Peer) -> dict[str, Any]:
        camera_id = CameraId(UUID(request["camera_id"]))
        span = Span(int(request["start_ns"]), int(request["end_ns"]))
        return {"made": await self._past_keys.make(camera_id, span, f"operator:{peer.who}")}

    async def _confirm_expiry(self, request: dict[str, Any], peer: Peer) -> dict[str, Any]:
        up_to_ns, camera_hours = int(request["up_to_ns"]), int(request["camera_hours"])
        shorter = {str(UUID(camera)): int(retention_s) for camera, retention_s in request["shorter"].items()}
        await self._retention.confirm(up_to_ns, camera_hours, f"operator:{peer.who}", shorter)
        return {}

    async def _place_hold(self, request: dict[str, Any], _peer: Peer) -> dict[str, Any]:
        if request["kind"] not in ("hold", "restriction"):
            raise ValueError("kind")
        new = NewHold(
            case_id=UUID(request["case_id"]),
            kind=request["kind"],
            camera_id=CameraId(UUID(request["camera_id"])),
            span=Span(int(request["start_ns"]), int(request["end_ns"])),
        )
        hold_id, kept = await self._holds.place(new, _asker(request))
        return {"hold_id": str(hold_id), "segments": kept}

    async def _ask_case_end(self, request: dict[str, Any], _peer: Peer) -> dict[str, Any]:
        await self._holds.ask_end(UUID(request["case_id"]), _asker(request))
        return {}

    async def _keep_case(self, request: dict[str, Any], _peer: Peer) -> dict[str, Any]:
        await self._holds.keep_case(UUID(request["case_id"]), _asker(request))
        return {}

    async def _end_case(self, request: dict[str, Any], _peer: Peer) -> dict[str, Any]:
        return {"segments_expired": await self._holds.end_case(UUID(request["case_id"]), _asker(request))}

    async def _ask_erasure(self, request: dict[str, Any], _peer: Peer) -> dict[str, Any]:
        member, cameras = request["member_id"], request["camera_ids"]
        span = None if member else Span(int(request["start_ns"]), int(request["end_ns"]))
        new = NewErasure(
            reason=str(request["reason"]),
            cameras=[CameraId(UUID(each)) for each in cameras],
            span=span,
            member_id=MemberId(UUID(member)) if member else None,
        )
        return {"erasure_id": str(await self._orders.ask(new, _asker(request)))}

    async def _approve_erasure(self, request: dict[str, Any], _peer: Peer) -> dict[str, Any]:
        return {"segments": await self._orders.approve(UUID(request["erasure_id"]), _asker(request))}

    async def _refuse_erasure(self, request: dict[str, Any], _peer: Peer) -> dict[str, Any]:
        await self._orders.refuse(UUID(request["erasure_id"]), _asker(request))
        return {}

    async def _cancel_erasure(self, request: dict[str, Any], _peer: Peer) -> dict[str, Any]:
        await self._orders.cancel(UUID(request["erasure_id"]), _asker(request))
        return {}

    async def _restore_heads(self, _request: dict[str, Any], peer: Peer) -> dict[str, Any]:
        return {"copied": await self._record.restore_heads(f"operator:{peer.who}")}


def allowed(settings: CustodianSettings) -> dict[str, tuple[int | str, ...]]:
    """Who may call each operation: users of this machine, and names of certificates."""
    named = {} if settings.listen is None else settings.listen.callers

    def either(uids: tuple[int, ...] | None, *roles: str) -> tuple[int | str, ...]:
        names = [name for role in roles for name in named.get(role, ())]
        return (*(settings.allowed_uids if uids is None else uids), *names)

    openers = either(settings.opener_uids, "serve")
    enrollers = either(settings.enroller_uids, "ingest")
    intakes = either(settings.intake_uids)
    viewers = either(settings.live_uids, "live")
    operators = either(settings.operator_uids, "operator")
    everybody = (*either(None, "ingest", "index"), *openers, *operators)
    return {
        "identity": everybody,
        "status": everybody,
        "enrol": (*enrollers, *operators),
        "open_segments": openers,
        "look_live": viewers,
        "still_live": viewers,
        "open_intake": (*intakes, *operators),
        **dict.fromkeys(_OF_OPERATORS, operators),
        **dict.fromkeys(_OF_STAFF, openers),
    }


def _asker(request: dict[str, Any]) -> Asker:
    return Asker(session_id=SessionId(UUID(request["session_id"])), purpose_id=UUID(request["purpose_id"]))


def _live_look(request: dict[str, Any]) -> LiveLook:
    return LiveLook(
        session_id=SessionId(UUID(request["session_id"])),
        purpose_id=UUID(request["purpose_id"]),
        camera_id=CameraId(UUID(request["camera_id"])),
    )


def _segment_ids(request: dict[str, Any]) -> list[SegmentId]:
    texts = request["segment_ids"]
    if not isinstance(texts, list) or len(texts) > SEGMENTS_MAX:
        raise CustodianMisuseError(f"More than {SEGMENTS_MAX} segments in one request.", "Ask for a shorter span.")
    return [SegmentId(UUID(text)) for text in texts]
