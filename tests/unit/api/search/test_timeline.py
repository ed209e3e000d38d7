"""Byte ranges; gaps that tile what footage leaves; grants and entries as one passage; words that name doors."""

from __future__ import annotations

import asyncio
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.footage import ClipReader
from api.footage.cache import ALTOGETHER, PER_SESSION, ClipCache, ClipRequest
from api.http.ranges import ByteRange, UnsatisfiableRangeError, parse_range
from api.search.coverage import gap_answers
from api.search.find import passages, split_doors
from api.sign_in.scope import DoorRow
from domain.access import AccessEvent, EventKind
from domain.footage import Gap, GapCause
from domain.ids import CameraId, DoorId, EventId, MemberId, SessionId, SiteId
from domain.time import HOUR_NS, NS, Span, from_iso, subtract_spans
from storage.access import EventRow

SIZE = 1000
CAMERA = CameraId(uuid.uuid4())


@pytest.mark.parametrize(
    ("header", "start", "end"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=0-999", 0, 1000),
        ("bytes=0-5000", 0, 1000),
        ("bytes=999-", 999, 1000),
        ("bytes=-1", 999, 1000),
        ("bytes=-5000", 0, 1000),
        ("Bytes= 5-9 ", 5, 10),
    ],
)
def test_range_within_the_file_is_given(header: str, start: int, end: int) -> None:
    assert parse_range(header, SIZE) == ByteRange(start, end)


@pytest.mark.parametrize("header", [None, "", "items=0-5"])
def test_no_byte_range_means_all(header: str | None) -> None:
    assert parse_range(header, SIZE) is None


@pytest.mark.parametrize(
    "header",
    [
        "bytes=1000-",
        "bytes=0-1,5-6",
        "bytes=-0",
        "bytes=-",
        "bytes=5-4",
        "bytes=a-b",
        "bytes",
        "bytes=" + "9" * 30 + "-",
    ],
)
def test_range_that_cannot_be_given_is_refused(header: str) -> None:
    with pytest.raises(UnsatisfiableRangeError):
        parse_range(header, SIZE)


def spans(most: int) -> st.SearchStrategy[list[Span]]:
    return st.lists(
        st.tuples(st.integers(0, 3600), st.integers(1, 900)).map(lambda t: Span(t[0] * NS, (t[0] + t[1]) * NS)),
        max_size=most,
    )


@given(footage=spans(5), gaps=spans(5), now_s=st.integers(0, 8000), kept_s=st.integers(1, 9000))
def test_gaps_and_footage_tile_the_past(footage: list[Span], gaps: list[Span], now_s: int, kept_s: int) -> None:
    whole = Span(0, HOUR_NS)
    known = [Gap(camera_id=CAMERA, span=span, cause=GapCause.LOSS) for span in gaps]
    answers = gap_answers(whole, footage, known, now_s * NS, kept_s)
    told = [Span(from_iso(answer.start), from_iso(answer.end)) for answer in answers]
    past = Span(0, min(HOUR_NS, now_s * NS))
    assert subtract_spans(past, [*footage, *told]) == []
    assert sum(span.duration_ns for span in told) == sum(span.duration_ns for span in subtract_spans(past, footage))


def test_gap_without_a_cause_pending_then_unknown_then_expired() -> None:
    now_ns = 1000 * NS
    answers = gap_answers(Span(700 * NS, 2000 * NS), [], [], now_ns, 200)
    assert [(from_iso(each.end) // NS, each.cause) for each in answers] == [
        (800, "expired"),
        (880, "unknown"),
        (1000, "pending"),
    ]


def test_gap_before_anything_is_known_is_no_loss() -> None:
    answers = gap_answers(Span(700 * NS, 2000 * NS), [], [], 1000 * NS, 200, first_ns=850 * NS)
    assert [(from_iso(each.end) // NS, each.cause) for each in answers] == [
        (800, "expired"),
        (850, "before"),
        (880, "unknown"),
        (1000, "pending"),
    ]


def event(kind: EventKind, at_s: int, *, member: MemberId | None, door: DoorId) -> EventRow:
    return EventRow(
        event=AccessEvent(
            event_id=EventId(uuid.uuid4()),
            site_id=SiteId(uuid.UUID(int=1)),
            door_id=door,
            kind=kind,
            direction=None,
            member_id=member,
            occurred_ns=at_s * NS,
            received_ns=at_s * NS,
            uncertain=False,
        ),
        cameras=(),
    )


def test_grant_and_entry_are_one_passage() -> None:
    door, other = DoorId(uuid.uuid4()), DoorId(uuid.uuid4())
    one, two = MemberId(uuid.uuid4()), MemberId(uuid.uuid4())
    rows = [
        event(EventKind.ENTERED, 112, member=two, door=door),
        event(EventKind.GRANTED, 110, member=two, door=door),
        event(EventKind.ENTERED, 102, member=None, door=door),
        event(EventKind.GRANTED, 101, member=one, door=other),
        event(EventKind.GRANTED, 100, member=one, door=door),
        event(EventKind.GRANTED, 20, member=one, door=door),
    ]
    kinds = [[(row.event.kind.value, row.event.occurred_ns // NS) for row in group] for group in passages(rows)]
    assert kinds == [
        [("granted", 110), ("entered", 112)],
        [("granted", 100), ("entered", 102)],
        [("granted", 101)],
        [("granted", 20)],
    ]


@pytest.mark.parametrize(
    ("typed", "named", "left"),
    [
        ("front door", ["Front door"], ""),
        ("door", ["Front door", "Side door"], ""),
        ("virtanen side", ["Side door"], "virtanen"),
        ("pääovi", ["Pääovi"], ""),
        ("paaovi matti", ["Pääovi"], "matti"),
        ("s", [], "s"),
        ("matti", [], "matti"),
    ],
)
def test_words_name_doors(typed: str, named: list[str], left: str) -> None:
    doors = [
        DoorRow(door_id=DoorId(uuid.uuid4()), site_id=SiteId(uuid.UUID(int=1)), name=name, removed=False, cameras=())
        for name in ("Front door", "Side door", "Pääovi")
    ]
    found, rest = split_doors(typed, doors)
    assert ([door.name for door in found], rest) == (named, left)


def asked(session: SessionId, second: int = 0) -> ClipRequest:
    return ClipRequest(
        session_id=session,
        purpose_id=uuid.UUID(int=1),
        action="look",
        camera_id=CAMERA,
        span=Span(second * NS, (second + 1) * NS),
    )


async def test_cache_opens_once_for_many_and_forgets() -> None:
    now = [0]
    cache = ClipCache(lambda: now[0])
    opened: list[ClipRequest] = []

    async def open_clip(wanted: ClipRequest) -> ClipReader:
        await asyncio.sleep(0)
        opened.append(wanted)
        return ClipReader.__new__(ClipReader)

    me = SessionId(uuid.uuid4())
    readers = await asyncio.gather(*(cache.reader(asked(me), open_clip) for _ in range(5)))
    assert len(opened) == 1
    assert all(reader is readers[0] for reader in readers)
    await cache.reader(asked(SessionId(uuid.uuid4())), open_clip)
    assert len(opened) == 2
    now[0] += 5 * 60 * NS
    await cache.reader(asked(me), open_clip)
    assert len(opened) == 3
    for second in range(40):
        await cache.reader(asked(me, second), open_clip)
    assert len(cache) == PER_SESSION
    for _ in range(ALTOGETHER):
        await cache.reader(asked(SessionId(uuid.uuid4())), open_clip)
    assert len(cache) == ALTOGETHER


async def test_cache_keeps_no_failure() -> None:
    cache = ClipCache(lambda: 0)

    async def fails(_: ClipRequest) -> ClipReader:
        raise ValueError("no")

    for _ in range(2):
        with pytest.raises(ValueError, match="no"):
            await cache.reader(asked(SessionId(uuid.uuid4())), fails)
    assert len(cache) == 0
