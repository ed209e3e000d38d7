"""Which fragments show a span: from the key frame at or before it, in groups, over segments that begin without one."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from api.footage import ClipTooLongError, NoFootageError, begins_with_key, plan_clip, reached_back
from api.footage.plan import GROUP_MAX_BYTES, LONGEST_NS, cut_segment
from domain.footage import Codec, FragmentIndex, Segment
from domain.ids import CameraId, HourKeyId, RecorderId, SegmentId, SiteId
from domain.time import NS, Span

CAMERA = CameraId(uuid.uuid4())
KEYS = (True, False, False, True, False)


def index(keys: tuple[bool, ...] = KEYS, sizes: tuple[int, ...] | None = None) -> FragmentIndex:
    """Fragments of half a second."""
    count = len(keys)
    sizes = sizes or (100,) * count
    return FragmentIndex(
        start_ms=tuple(number * 500 for number in range(count)),
        offset=tuple(sum(sizes[:number]) for number in range(count)),
        size=sizes,
        key=keys,
    )


def segment(start_s: float, end_s: float, fragments: FragmentIndex | None = None, **changes: Any) -> Segment:
    made: dict[str, Any] = {
        "segment_id": SegmentId(uuid.uuid4()),
        "site_id": SiteId(uuid.uuid4()),
        "camera_id": CAMERA,
        "recorder_id": RecorderId(uuid.uuid4()),
        "hour_key_id": HourKeyId(uuid.uuid4()),
        "span": Span(round(start_s * NS), round(end_s * NS)),
        "size_bytes": 1000,
        "sha256": bytes(32),
        "header": b"",
        "codec": Codec(name="h264", mime="avc1", width=2, height=2),
        "init_size": 0,
        "frames": 1,
        "recovered": False,
        "fragments": fragments,
    }
    return Segment(**(made | changes))


def span(start_s: float, end_s: float) -> Span:
    return Span(round(start_s * NS), round(end_s * NS))


@pytest.mark.parametrize(
    ("start_s", "end_s", "first", "last"),
    [
        (10.0, 12.5, 0, 4),
        (10.0, 10.1, 0, 0),
        (10.9, 11.0, 0, 1),  # back to the key frame; 11.0 itself is not asked for
        (10.9, 11.001, 0, 2),
        (11.499, 12.0, 0, 3),
        (11.5, 12.0, 3, 3),
        (9.0, 10.5, 0, 0),
        (12.4, 99.0, 3, 4),
    ],
)
def test_cut_begins_at_the_key_frame_and_ends_with_the_last_fragment_that_shows(
    start_s: float, end_s: float, first: int, last: int
) -> None:
    whole = segment(10, 12.5, index())
    cut = cut_segment(whole, index(), span(start_s, end_s))
    assert cut is not None
    assert (cut.first, cut.last) == (first, last)
    assert cut.start_ns == round((10 + first / 2) * NS)
    assert cut.end_ns == round((10 + (last + 1) / 2) * NS)


def test_no_fragment_shows_what_is_before_them_or_where_there_are_none() -> None:
    whole = segment(10, 12.5, index())
    assert cut_segment(whole, index(), span(9, 10)) is None
    assert cut_segment(whole, index(()), span(10, 12)) is None


def test_groups_go_from_key_frame_to_key_frame_and_are_bounded() -> None:
    whole = segment(10, 12.5, index())
    cut = cut_segment(whole, index(), span(10, 13))
    assert cut is not None and list(cut.groups()) == [(0, 2), (3, 4)]
    heavy = index((True, False, False, False), (GROUP_MAX_BYTES, 1, GROUP_MAX_BYTES - 1, 1))
    cut = cut_segment(whole, heavy, span(10, 13))
    assert cut is not None and list(cut.groups()) == [(0, 0), (1, 2), (3, 3)]


def test_plan_holds_the_segments_of_the_span_by_time_and_what_they_show() -> None:
    one, two, three = segment(10, 12.5, index()), segment(12.5, 15, index()), segment(15, 17.5, None)
    plan = plan_clip([two, one, three, segment(20, 21, index())], span(11.6, 13.2))
    assert plan.segments == (one, two)
    assert plan.segment_ids == (one.segment_id, two.segment_id)
    assert plan.shown == span(11.5, 13.5)
    assert plan_clip([three, two], span(13.2, 16)).shown == span(12.5, 17.5)


def test_plan_refuses_no_footage_two_cameras_and_more_than_eight_hours() -> None:
    with pytest.raises(NoFootageError):
        plan_clip([segment(10, 12, index())], span(12, 13))
    with pytest.raises(ValueError, match="one camera"):
        plan_clip([segment(10, 12), segment(12, 14, camera_id=CameraId(uuid.uuid4()))], span(11, 13))
    plan_clip([segment(10, 12)], Span(0, LONGEST_NS))
    with pytest.raises(ClipTooLongError):
        plan_clip([segment(10, 12)], Span(0, LONGEST_NS + 1))


def test_span_reaches_back_to_the_key_frame_of_an_earlier_segment() -> None:
    """A forced cut, or a step of the clock: the second segment begins in the middle of a group of pictures."""
    before, after = segment(10, 12.5, index()), segment(12.5, 14, index((False, False, True)))
    assert begins_with_key([before], span(10.2, 11))
    assert not begins_with_key([after], span(12.6, 14))
    assert begins_with_key([after], span(13.5, 14))
    assert reached_back([before, after], span(12.6, 14)) == span(11.5, 14)
    assert reached_back([after], span(12.6, 14)) == span(12.6, 14)
    assert reached_back([before, after], span(13.7, 14)) == span(13.5, 14)


def test_segment_that_does_not_tell_its_fragments_is_taken_as_it_is() -> None:
    unknown, after = segment(10, 12.5, None), segment(12.5, 14, index((False, True)))
    assert begins_with_key([unknown], span(10, 11))
    assert begins_with_key([], span(10, 11))
    assert reached_back([unknown, after], span(12.6, 14)) == span(12.6, 14)
