"""A player's many questions make one entry, as long as the entry names every key that they give."""

from __future__ import annotations

import uuid
from dataclasses import replace

import pytest

from custodian import opening as module
from custodian.opening import Look, RecordedLooks
from domain.ids import CameraId, SegmentId, SessionId
from domain.time import MINUTE_NS, Span

pytestmark = pytest.mark.trust
LOOK = Look(
    session_id=SessionId(uuid.uuid4()),
    purpose_id=uuid.uuid4(),
    action="look",
    camera_id=CameraId(uuid.uuid4()),
    span=Span(0, 10),
)
A, B, C = (SegmentId(uuid.UUID(int=number)) for number in range(3))


def test_look_is_on_record_with_the_keys_that_its_entries_name() -> None:
    looks = RecordedLooks()
    assert looks.unrecorded(LOOK, [], 0) == frozenset()  # an empty look is a look, too
    looks.add(LOOK, frozenset(), 0)
    assert looks.unrecorded(LOOK, [], 1) is None
    assert looks.unrecorded(LOOK, [A, B], 2) == {A, B}
    looks.add(LOOK, frozenset({A, B}), 2)
    assert looks.unrecorded(LOOK, [B, A], 3) is None
    assert looks.unrecorded(LOOK, [A, C], 4) == {C}


@pytest.mark.parametrize(
    "other",
    [
        {"session_id": SessionId(uuid.uuid4())},
        {"purpose_id": uuid.uuid4()},
        {"action": "export"},
        {"camera_id": CameraId(uuid.uuid4())},
        {"span": Span(0, 11)},
    ],
)
def test_another_look_is_not_on_record(other: dict[str, object]) -> None:
    looks = RecordedLooks()
    looks.add(LOOK, frozenset({A}), 0)
    assert looks.unrecorded(replace(LOOK, **other), [A], 1) == {A}  # type: ignore[arg-type]


def test_look_counts_anew_after_a_quarter_of_an_hour_from_its_first_entry() -> None:
    looks = RecordedLooks()
    looks.add(LOOK, frozenset({A}), 0)
    looks.add(LOOK, frozenset({B}), 14 * MINUTE_NS)
    assert looks.unrecorded(LOOK, [A, B], 15 * MINUTE_NS) is None
    assert looks.unrecorded(LOOK, [A, B], 15 * MINUTE_NS + 1) == {A, B}


def test_what_is_remembered_is_bounded_by_looks_and_by_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_LOOKS_KEPT", 3)
    monkeypatch.setattr(module, "_GIVEN_KEPT", 5)
    looks = RecordedLooks()
    several = [replace(LOOK, span=Span(0, number)) for number in range(1, 6)]
    for each in several:
        looks.add(each, frozenset({A}), 0)
    assert [looks.unrecorded(each, [A], 0) is None for each in several] == [False, False, True, True, True]
    looks.add(LOOK, frozenset({A, B, C}), 0)
    assert [looks.unrecorded(each, [A], 0) is None for each in several[2:]] == [False, True, True]
    looks.add(LOOK, frozenset({SegmentId(uuid.uuid4())}), 0)
    assert looks.unrecorded(several[3], [A], 0) is not None
    assert looks.unrecorded(LOOK, [A, B, C], 0) is None
