"""Thumbnails: decoded elsewhere, on record, bounded."""

from __future__ import annotations

import asyncio
import io
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import av
import pytest

from api.credentials.accounts import NewGrant
from api.errors import NoPictureError
from api.footage.cache import ClipRequest
from api.footage.thumbnail import pictures
from api.footage.thumbnail.pictures import Pictures
from api.footage.thumbnail.worker import thumbnail
from domain.ids import CameraId, SessionId
from domain.time import NS, Span, to_iso
from tests.conftest import Database
from tests.integration.api.conftest import Office
from tests.integration.api.footage import Footage, footage_of
from tests.integration.api.gym import LOBBY, NORTH, SOUTH, open_gym

pytestmark = pytest.mark.services
WISH = ClipRequest(
    session_id=SessionId(uuid.uuid4()),
    purpose_id=uuid.uuid4(),
    action="look",
    camera_id=CameraId(uuid.uuid4()),
    span=Span(0, 1),
)


@pytest.fixture
async def footage(office: Office, database: Database, tmp_path: Path) -> AsyncIterator[Footage]:
    await open_gym(office.owner, office.clock.now_ns)
    async with footage_of(office, database, {LOBBY: NORTH}, tmp_path, seconds=6) as made:
        yield made
        await office.rooms.pictures.close()


async def test_picture_of_a_moment_on_record_once(office: Office, footage: Footage) -> None:
    client = await office.signed_in("viewer")
    await client.state_purpose()
    path = f"/v1/cameras/{LOBBY}/thumbnail.jpg"
    query = {"at": to_iso(footage.span.start_ns + 3 * NS), "purpose": client.purpose}
    answers = [await client.get(path, params=query) for _ in range(3)]
    assert {(answer.status_code, answer.headers["content-type"]) for answer in answers} == {(200, "image/jpeg")}
    assert answers[0].headers["cache-control"] == "no-store"
    with av.open(io.BytesIO(answers[0].content), format="jpeg_pipe") as picture:
        frame = next(picture.decode(video=0))
    assert (frame.width, frame.height) == (320, 192)
    looks = [row for row in await office.audit() if row["action"] == "look"]
    assert [(row["camera_id"], str(row["purpose_id"])) for row in looks] == [(LOBBY, client.purpose)]
    other = await office.signed_in(NewGrant(role="viewer", site_id=SOUTH))
    await other.state_purpose()
    assert (await other.get(path, params={**query, "purpose": other.purpose})).status_code == 404
    assert (await other.get(path, params=query)).status_code == 403
    late = {**query, "at": to_iso(footage.span.end_ns + 60 * NS)}
    assert (await client.get(path, params=late)).json()["type"] == "urn:tallenne:no-footage"


async def test_nonsense_gives_no_picture_and_the_next_one_comes(footage: Footage) -> None:
    made = Pictures()
    good = next(iter(footage.plain.values()))
    with pytest.raises(NoPictureError):
        await made.make(WISH, b"\x00" * 1000, 0)
    assert (await made.make(WISH, good, 0))[:2] == b"\xff\xd8"
    assert made.kept(WISH, 1) is not None
    assert made.kept(WISH, 6 * 60 * NS) is None
    await made.close()


async def test_decoder_that_hangs_or_dies_is_replaced(footage: Footage, monkeypatch: pytest.MonkeyPatch) -> None:
    made = Pictures()
    good = next(iter(footage.plain.values()))
    await made.make(WISH, good, 0)
    process = made._process
    assert process is not None
    process.kill()
    with pytest.raises(NoPictureError):
        await made.make(WISH, good, 0)
    assert await made.make(WISH, good, 0)
    monkeypatch.setattr(pictures, "DEADLINE_S", 0.001)
    with pytest.raises(NoPictureError):
        await made.make(WISH, good * 3, 0)
    monkeypatch.undo()
    asking = asyncio.create_task(made.make(WISH, good, 0))
    await asyncio.sleep(0.005)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert (await made.make(WISH, good, 0))[:2] == b"\xff\xd8"
    await made.close()


@pytest.mark.parametrize("data", [b"", b"x", b"\x00\x00\x00\x08moov", b"\xff" * 5000])
def test_worker_nonsense_is_empty(data: bytes) -> None:
    assert thumbnail(data) == b""
