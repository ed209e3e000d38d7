"""What a page of results puts on record: whose data it held, and the one member whom it was about."""

from __future__ import annotations

import json
import uuid
from typing import Any, cast

import pytest

from api.audit import looks
from api.records import Records
from api.sign_in.purposes import Purpose
from api.sign_in.sessions import Session
from domain.ids import CameraId, MemberId, SessionId, StaffId
from domain.time import Span

SESSION = Session(
    session_id=SessionId(uuid.UUID(int=1)),
    staff_id=StaffId(uuid.UUID(int=2)),
    user_name="mary",
    display_name="Mary",
    csrf_token="t",
    created_ns=0,
    stepped_up_ns=0,
    grants=(),
)
PURPOSE = Purpose(purpose_id=uuid.UUID(int=3))
ONE, TWO = MemberId(uuid.UUID(int=11)), MemberId(uuid.UUID(int=12))


class Pool:
    def __init__(self) -> None:
        self.entries: list[tuple[Any, ...]] = []

    async def fetchval(self, _: str, *arguments: Any) -> int:
        self.entries.append(arguments)
        return len(self.entries)


async def recorded(**more: Any) -> dict[str, Any]:
    pool = Pool()
    records = Records(pool=cast("Any", pool), clock_ns=lambda: 99, hash_cookie=str.encode)
    await looks.record(records, SESSION, PURPOSE, "find", **more)
    (entry,) = pool.entries
    names = ("at_ns", "actor", "action", "session", "purpose", "member", "camera", "start_ns", "end_ns", "detail")
    return dict(zip(names, entry, strict=True)) | {"detail": json.loads(entry[-1])}


async def test_entry_names_who_looked_why_and_whose_data_was_shown() -> None:
    camera = CameraId(uuid.UUID(int=4))
    entry = await recorded(shown=[TWO, ONE, None, TWO], camera_id=camera, span=Span(5, 7), results=3)
    assert (entry["at_ns"], entry["actor"], entry["action"]) == (99, f"staff:{uuid.UUID(int=2)}", "find")
    assert (entry["session"], entry["purpose"], entry["camera"]) == (SESSION.session_id, PURPOSE.purpose_id, camera)
    assert (entry["start_ns"], entry["end_ns"]) == (5, 7)
    assert entry["detail"] == {"results": 3, "members": [str(ONE), str(TWO)]}
    assert "mary" not in repr(entry).lower()


@pytest.mark.parametrize(
    ("shown", "given", "member"),
    [
        ([ONE], None, ONE),
        ([None, ONE, ONE], None, ONE),
        ([ONE, TWO], None, None),
        ([], None, None),
        ([ONE], TWO, TWO),
        ([], TWO, TWO),
    ],
)
async def test_page_about_one_member_is_an_entry_of_that_member(
    shown: list[MemberId | None], given: MemberId | None, member: MemberId | None
) -> None:
    assert (await recorded(shown=shown, member_id=given, results=0))["member"] == member
