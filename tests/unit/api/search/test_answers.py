"""Answers are cut to the scope, and their addresses carry the purpose of the search."""

from __future__ import annotations

import uuid
from urllib.parse import parse_qs, urlsplit

import pytest

from api.search.answers import clip_address, event_answer, member_answer, thumbnail_address, visit_answer
from api.sign_in.purposes import Purpose
from api.sign_in.scope import CameraRow, DoorRow, Scope, SiteRow
from domain.access import AccessEvent, EventKind, Visit
from domain.ids import CameraId, DoorId, EventId, MemberId, SiteId
from domain.time import HOUR_NS, NS, Span
from storage.access import EventCamera, MemberRow

SITE, DOOR, MEMBER = SiteId(uuid.uuid4()), DoorId(uuid.uuid4()), MemberId(uuid.uuid4())
SEEN, HIDDEN = CameraId(uuid.uuid4()), CameraId(uuid.uuid4())
PURPOSE = Purpose(purpose_id=uuid.uuid4())
SCOPE = Scope(
    sites={SITE: SiteRow(site_id=SITE, name="North", time_zone="Europe/Helsinki")},
    whole_sites=(SITE,),
    cameras={SEEN: CameraRow(camera_id=SEEN, site_id=SITE, name="Lobby", retention_s=1, removed=False)},
    doors={DOOR: DoorRow(door_id=DOOR, site_id=SITE, name="Front door", removed=False, cameras=(SEEN, HIDDEN))},
    everywhere=False,
)


def event(member: MemberId | None = MEMBER) -> AccessEvent:
    return AccessEvent(
        event_id=EventId(uuid.uuid4()),
        site_id=SITE,
        door_id=DOOR,
        kind=EventKind.GRANTED,
        direction=None,
        member_id=member,
        occurred_ns=20 * NS,
        received_ns=21 * NS,
        uncertain=False,
    )


def test_cameras_outside_the_scope_are_left_out() -> None:
    cameras = [EventCamera(camera_id=each, span=Span(10 * NS, 30 * NS), segments=2) for each in (SEEN, HIDDEN)]
    answer = event_answer(event(), cameras, SCOPE, {}, PURPOSE, HOUR_NS)
    assert [(camera.camera_id, camera.name, camera.segments) for camera in answer.cameras] == [(SEEN, "Lobby", 2)]
    assert (answer.site, answer.door, answer.time_zone) == ("North", "Front door", "Europe/Helsinki")
    assert str(HIDDEN) not in answer.model_dump_json()


def test_footage_that_may_still_come_is_coming_and_what_is_there_or_late_is_not() -> None:
    def coming(segments: int, now_ns: int) -> bool:
        camera = EventCamera(camera_id=SEEN, span=Span(10 * NS, 30 * NS), segments=segments)
        return event_answer(event(), (camera,), SCOPE, {}, PURPOSE, now_ns).cameras[0].coming

    assert (coming(0, 149 * NS), coming(0, 151 * NS), coming(1, 31 * NS)) == (True, False, False)


def test_member_whose_link_was_erased_has_an_id_and_no_name() -> None:
    known = {MEMBER: MemberRow(member_id=MEMBER, number="1042", name="Virtanen", minor=True)}
    shown = member_answer(MEMBER, known)
    assert (shown.number, shown.name, shown.minor) == ("1042", "Virtanen", True)
    erased = member_answer(MEMBER, {})
    assert (erased.member_id, erased.number, erased.name, erased.minor) == (MEMBER, None, None, False)
    assert event_answer(event(None), (), SCOPE, known, PURPOSE, HOUR_NS).member is None


@pytest.mark.parametrize(("end_ns", "said"), [(None, None), (7 * NS, "1970-01-01T00:00:07.000Z")])
def test_visit_that_is_not_over_has_no_end(end_ns: int | None, said: str | None) -> None:
    first = EventId(uuid.uuid4())
    visit = Visit(member_id=MEMBER, site_id=SITE, start_ns=5 * NS, end_ns=end_ns, first_event=first, last_event=None)
    answer = visit_answer(visit, SCOPE)
    assert (answer.end, answer.site, answer.first_event) == (said, "North", first)


def test_addresses_are_of_this_server_and_carry_the_purpose() -> None:
    clip = urlsplit(clip_address(SEEN, Span(10 * NS, 30 * NS), PURPOSE))
    assert (clip.netloc, clip.path) == ("", f"/v1/cameras/{SEEN}/clip.mp4")
    assert parse_qs(clip.query) == {
        "start": ["1970-01-01T00:00:10.000Z"],
        "end": ["1970-01-01T00:00:30.000Z"],
        "purpose": [str(PURPOSE.purpose_id)],
    }
    thumbnail = urlsplit(thumbnail_address(SEEN, 20 * NS, PURPOSE))
    assert parse_qs(thumbnail.query)["at"] == ["1970-01-01T00:00:20.000Z"]
