"""What may be asked of the custodian: each operation turns a request's JSON into a call and its result into JSON."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

import asyncpg

from custodian.errors import CustodianMisuseError
from custodian.keys.custody import Custody
from custodian.keys.past_keys import PastKeys
from custodian.opening import Look, Opener
from custodian.protocol import SEGMENTS_MAX, Peer, key_to_json
from custodian.server import Operation
from domain.ids import CameraId, RecorderId, SegmentId, SessionId
from domain.time import Span
from runtime import sql
from runtime.database import wrapped_errors
from runtime.settings import CustodianSettings
from storage.catalogue import audit
from storage.sealed import RefusedError

_PACKAGE: Final = "custodian"


class Operations:
    """The operations, bound to one custodian's custody, pool and opener."""

    def __init__(
        self, custody: Custody, pool: asyncpg.Pool, opener: Opener, past_keys: PastKeys, status: Mapping[str, Any]
    ) -> None:
        self._custody = custody
        self._pool = pool
        self._opener = opener
        self._past_keys = past_keys
        self._status = status

    def table(self) -> dict[str, Operation]:
        """By the name that a request gives."""
        return {
            "identity": self._identity,
            "status": self._say_status,
            "enrol": self._enrol,
            "open_segments": self._open_segments,
            "open_for_verify": self._open_for_verify,
            "open_headers": self._open_headers,
            "open_intake": self._open_intake,
            "make_past_keys": self._make_past_keys,
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
                actor=f"user:{peer.uid}", action="enrol", detail={"recorder": str(recorder_id), "key": public_key.hex()}
            )
            await audit.append(self._pool, entry, now_ns)
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

    async def _open_for_verify(self, request: dict[str, Any], peer: Peer) -> dict[str, Any]:
        keys = await self._opener.open_for_verify(_segment_ids(request), f"operator:{peer.uid}")
        return {"keys": [key_to_json(key) for key in keys]}

    async def _open_headers(self, request: dict[str, Any], peer: Peer) -> dict[str, Any]:
        headers = [bytes.fromhex(text) for text in request["headers"]]
        try:
            keys = await self._opener.open_headers(headers, f"operator:{peer.uid}")
        except RefusedError:
            raise ValueError("header") from None
        return {"keys": [key_to_json(key) for key in keys]}

    async def _open_intake(self, request: dict[str, Any], peer: Peer) -> dict[str, Any]:
        sealed = bytes.fromhex(request["sealed"])
        payload = await self._opener.open_intake(sealed, str(request["reason"]), f"user:{peer.uid}")
        return {"payload": payload.hex()}

    async def _make_past_keys(self, request: dict[str, Any], peer: Peer) -> dict[str, Any]:
        camera_id = CameraId(UUID(request["camera_id"]))
        span = Span(int(request["start_ns"]), int(request["end_ns"]))
        return {"made": await self._past_keys.make(camera_id, span, f"operator:{peer.uid}")}


def allowed(settings: CustodianSettings) -> dict[str, tuple[int, ...]]:
    """Which users may ask what."""
    everybody = settings.allowed_uids
    openers = everybody if settings.opener_uids is None else settings.opener_uids
    enrollers = everybody if settings.enroller_uids is None else settings.enroller_uids
    intakes = everybody if settings.intake_uids is None else settings.intake_uids
    return {
        "identity": (*everybody, *openers, *settings.operator_uids),
        "status": (*everybody, *openers, *settings.operator_uids),
        "enrol": (*enrollers, *settings.operator_uids),
        "open_segments": openers,
        "open_for_verify": settings.operator_uids,
        "open_headers": settings.operator_uids,
        "open_intake": (*intakes, *settings.operator_uids),
        "make_past_keys": settings.operator_uids,
    }


def _segment_ids(request: dict[str, Any]) -> list[SegmentId]:
    texts = request["segment_ids"]
    if not isinstance(texts, list) or len(texts) > SEGMENTS_MAX:
        raise CustodianMisuseError(f"More than {SEGMENTS_MAX} segments in one request.", "Ask for a shorter span.")
    return [SegmentId(UUID(text)) for text in texts]
