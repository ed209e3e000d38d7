"""The services with which exports are made and signed."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Annotated, Final
from uuid import UUID

from fastapi import Depends

from api.credentials.secret_key import SecretKey
from api.footage.opening import Footage
from api.http.jobs import Jobs
from api.http.provide import provided
from api.masked.films import Films
from domain.ids import SessionId
from domain.time import MINUTE_NS

_LATELY_NS: Final = 15 * MINUTE_NS
_SESSIONS_KEPT: Final = 1000


class Listed:
    """Which exports a session has been shown on record lately: a page that waits for one asks every second."""

    def __init__(self) -> None:
        self._shown: OrderedDict[SessionId, tuple[int, frozenset[UUID]]] = OrderedDict()

    def unrecorded(self, session_id: SessionId, shown: Iterable[UUID], now_ns: int) -> list[UUID]:
        """Those of ``shown`` that no entry of this session names yet."""
        return sorted(set(shown) - self._lately(session_id, now_ns)[1])

    def add(self, session_id: SessionId, shown: Iterable[UUID], now_ns: int) -> None:
        """They are on record now."""
        since_ns, before = self._lately(session_id, now_ns)
        self._shown[session_id] = since_ns, before | frozenset(shown)
        if len(self._shown) > _SESSIONS_KEPT:
            self._shown.popitem(last=False)

    def _lately(self, session_id: SessionId, now_ns: int) -> tuple[int, frozenset[UUID]]:
        since_ns, shown = self._shown.get(session_id, (now_ns, frozenset()))
        return (since_ns, shown) if now_ns - since_ns < _LATELY_NS else (now_ns, frozenset())


@dataclass(frozen=True, slots=True, kw_only=True)
class Exports:
    """The footage, the key that signs manifests, the jobs that make exports in the background, and masked films."""

    footage: Footage
    key: SecretKey
    jobs: Jobs
    films: Films
    listed: Listed = field(default_factory=Listed)


ExportsDep = Annotated[Exports, Depends(provided(Exports))]
