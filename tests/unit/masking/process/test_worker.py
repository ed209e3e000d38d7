"""One order in the masking process, without the process."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from masking.boxes import Box
from masking.detecting import Finders
from masking.fill import GREY
from masking.process.pipe import Kind, packed, packed_json, read
from masking.process.worker import answer
from masking.tracks import Tracks
from tests.support.films import decoded, film, walker

pytest.importorskip("cv2")
TIMES = [9000 * number for number in range(40)]
CLIP = film(walker(40), TIMES)


def finders(person: Box | None = None) -> Finders:
    """Of which one sees a person everywhere, or nothing does."""
    from masking.detectors.moving import Moving

    return Finders(faces=lambda _: [], persons=lambda _: [person] if person else [], moving=Moving())


def _answers(order: dict[str, Any], clip: bytes = CLIP, found: Finders | None = None) -> list[tuple[Kind, bytes]]:
    pieces = [packed(Kind.CLIP, clip[at : at + 5000]) for at in range(0, len(clip), 5000)]
    said = {"tracks": None, "cleared": [], "film": True, **order}
    source = io.BytesIO(b"".join([packed_json(Kind.ORDER, said), *pieces, packed(Kind.END, b"")]))
    sink = io.BytesIO()
    answer(source, sink, found or finders())
    sink.seek(0)
    messages = []
    while (message := read(sink)) is not None:
        messages.append(message)
    return messages


def _of(messages: list[tuple[Kind, bytes]], kind: Kind) -> list[bytes]:
    return [body for each, body in messages if each is kind]


def test_whoever_walks_is_masked_and_progress_only_grows() -> None:
    messages = _answers({})
    progress = [int(body) for body in _of(messages, Kind.PROGRESS)]
    assert progress == sorted(set(progress))
    assert progress[-1] == 1000
    assert messages[-1] == (Kind.END, b"")
    for number, picture in enumerate(decoded(b"".join(_of(messages, Kind.CLIP)))):
        walks = picture[66:134, number * 4 + 4 : number * 4 + 20].astype(int)
        assert abs(walks - GREY[0]).max() < 12, number


def test_tracks_that_a_person_edited_are_what_is_masked() -> None:
    tracks = Tracks.load(_of(_answers({"film": False}), Kind.TRACKS)[0])
    none = _answers({"tracks": tracks.dump(), "cleared": [[t.track_id, 0, 40] for t in tracks.tracks]})
    unmasked = decoded(b"".join(_of(none, Kind.CLIP)))
    assert unmasked[20][66:134, 84:100].mean() < 40  # the dark block is seen


def test_tracks_alone_need_no_film() -> None:
    messages = _answers({"film": False}, found=finders(Box(10, 10, 60, 150)))
    assert not _of(messages, Kind.CLIP)
    assert "person" in _of(messages, Kind.TRACKS)[0].decode()


@pytest.mark.parametrize("change", [{"width": 640}, {"frames": 30}])
def test_tracks_of_another_clip_are_refused(change: dict[str, int]) -> None:
    tracks = json.loads(_of(_answers({"film": False}, film(walker(40)[:20], TIMES)), Kind.TRACKS)[0])
    (refused,) = _of(_answers({"tracks": json.dumps({**tracks, "frames": 20, **change})}), Kind.REFUSED)
    assert b"masks" in refused


def test_clip_that_does_not_come_whole_is_refused() -> None:
    sink = io.BytesIO()
    answer(io.BytesIO(packed(Kind.CLIP, CLIP)), sink, finders())
    sink.seek(0)
    assert (read(sink) or (None,))[0] is Kind.REFUSED
