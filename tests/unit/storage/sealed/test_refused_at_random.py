"""The line "Refuse" of the format's page, thousands of times, through the custodian's half and the ranged reader."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from storage.sealed import HEADER_SIZE, RefusedError, SegmentReader, opener, sealer, unwrap
from storage.sealed.format import TAG_SIZE, TRAILER_SIZE, layout_of, parse_header
from storage.sealed.unwrap import open_header
from tests.support.footage.tampered import KINDS, Case, Shelf
from tests.vectors import second

EACH = 500
TEXT = "The sealed segment is refused."
THE_ERROR = (RefusedError, TEXT, (TEXT,), TEXT, "", None, None, False, ())


@pytest.fixture(scope="module")
def shelf() -> Shelf:
    return Shelf(random.Random(20261125))


def told(error: RefusedError) -> tuple[object, ...]:
    """All that a caller could tell two refusals apart by."""
    notes = tuple(getattr(error, "__notes__", ()))
    hidden = error.__suppress_context__
    return (
        type(error),
        str(error),
        error.args,
        error.what,
        error.remedy,
        error.__cause__,
        error.__context__,
        hidden,
        notes,
    )


def reader_of(case: Case, shelf: Shelf, *, header: bytes, size: int, trailer: bytes | None = None) -> SegmentReader:
    """As a look goes: the custodian opens the header, the reader gets ranges of the object."""
    key = open_header(parse_header(header), case.hour_private, shelf.world.recorders)

    async def fetch(start: int, end: int) -> bytes:
        return case.data[start:end]

    return SegmentReader(key, size, fetch, trailer=trailer)


async def read(case: Case, shelf: Shelf, start: int, end: int, **row: object) -> bytes | RefusedError:
    """Range [start, end), or how it was refused."""
    try:
        reader = reader_of(case, shelf, **row)  # type: ignore[arg-type]
        return bytes(await reader.read(start, end))
    except RefusedError as error:
        return error


async def test_whatever_is_changed_is_refused_with_one_and_the_same_error(shelf: Shelf) -> None:
    """By its own header, as after a rebuild: the object says what it is, and nothing else is known of it."""
    seen: Counter[str] = Counter()
    facts = set()
    for case in shelf.cases(EACH):
        outcome = await read(case, shelf, 0, 1 << 60, header=case.data[:HEADER_SIZE], size=len(case.data))
        assert isinstance(outcome, RefusedError), case.kind
        facts.add(told(outcome))
        seen[case.kind] += 1
    assert facts == {THE_ERROR}
    assert set(seen) == set(KINDS)
    assert sum(seen.values()) == EACH * len(KINDS) > 10_000


async def test_ranges_give_genuine_bytes_or_that_error_and_never_a_byte_of_a_changed_chunk(shelf: Shelf) -> None:
    """By the row's header and either size, as a look goes: somebody changed the object in the bucket."""
    outcomes: Counter[bool] = Counter()
    for case in shelf.cases(EACH // 2):
        genuine = case.genuine
        size = shelf.dice.choice((len(case.data), len(genuine.data)))
        start = shelf.dice.randrange(len(genuine.plain) + 1)
        end = start + shelf.dice.randrange(1, len(genuine.plain) + 2)
        outcome = await read(case, shelf, start, end, header=genuine.header, size=size)
        judge(case, outcome, size, start, end)
        outcomes[isinstance(outcome, RefusedError)] += 1
    assert min(outcomes.values()) > 300  # both are seen, and often


@pytest.mark.parametrize("whose", ["its own", "the row's"])
async def test_trailer_that_is_known_beforehand_lets_nothing_pass(shelf: Shelf, whose: str) -> None:
    """The row brings it: as it was when the segment was recorded, or changed along with the object."""
    outcomes: Counter[bool] = Counter()
    for case in shelf.cases(EACH // 4):
        genuine = case.genuine
        trailer = (case.data if whose == "its own" else genuine.data)[-TRAILER_SIZE:]
        size = shelf.dice.choice((len(case.data), len(genuine.data)))
        start = shelf.dice.randrange(len(genuine.plain) + 1)
        end = start + shelf.dice.randrange(1, len(genuine.plain) + 2)
        outcome = await read(case, shelf, start, end, header=genuine.header, size=size, trailer=trailer)
        judge(case, outcome, size, start, end)
        outcomes[isinstance(outcome, RefusedError)] += 1
    assert min(outcomes.values()) > 150


async def test_trailer_of_another_segment_is_refused_and_a_known_one_is_verified_without_its_object(
    shelf: Shelf,
) -> None:
    for genuine in shelf.objects:
        key = open_header(parse_header(genuine.header), shelf.world.hour_private, shelf.world.recorders)
        ranges = opener.RangeOpener(key, len(genuine.data))
        for other in shelf.objects:
            if other is not genuine:
                with pytest.raises(RefusedError) as caught:
                    ranges.accept_trailer(other.data[-TRAILER_SIZE:])
                assert told(caught.value) == THE_ERROR
        trailer = ranges.accept_trailer(genuine.data[-TRAILER_SIZE:])
        assert trailer.plain_len == len(genuine.plain)
        assert not ranges.ready  # its last chunk is not here
        with pytest.raises(RuntimeError):
            ranges.open(0, len(genuine.plain), genuine.data)


def judge(case: Case, outcome: bytes | RefusedError, size: int, start: int, end: int) -> None:
    """Refused with the one error, or genuine bytes of chunks that nobody touched."""
    if isinstance(outcome, RefusedError):
        assert told(outcome) == THE_ERROR, case.kind
        return
    # A row with the size of a shorter object, rightly signed, has a range clamped to what it says there is.
    end = min(end, layout_of(size, case.genuine.chunk_log2).plain_len)
    assert outcome == case.genuine.plain[start:end], case.kind
    assert not touched(case, start, end), case.kind


def touched(case: Case, start: int, end: int) -> bool:
    """Whether a sealed chunk that holds some of [start, end) is not what it was."""
    step, end = case.genuine.step, min(end, len(case.genuine.plain))
    if start >= end:
        return False
    first, last = HEADER_SIZE + start // (step - TAG_SIZE) * step, HEADER_SIZE + -(-end // (step - TAG_SIZE)) * step
    stop = min(last, len(case.genuine.data) - 168)
    return case.data[first:stop] != case.genuine.data[first:stop]


async def test_stream_of_a_changed_object_gives_a_genuine_beginning_then_that_error(shelf: Shelf) -> None:
    for case in shelf.cases(20):
        if case.header_only:
            continue
        got = bytearray()
        with pytest.raises(RefusedError) as caught:
            reader = reader_of(case, shelf, header=case.genuine.header, size=len(case.data))
            async for piece in reader.stream(0, 1 << 60):
                got += piece
        assert told(caught.value) == THE_ERROR
        assert case.genuine.plain.startswith(bytes(got)), case.kind


async def test_keys_that_are_not_the_objects_are_refused_the_same_way(shelf: Shelf) -> None:
    for _ in range(200):
        for case in (shelf.wrong_hour_key(), shelf.sealed_to_another_key()):
            outcome = await read(case, shelf, 0, 1 << 60, header=case.data[:HEADER_SIZE], size=len(case.data))
            assert isinstance(outcome, RefusedError)
            assert told(outcome) == THE_ERROR


async def test_payload_key_of_another_segment_opens_nothing(shelf: Shelf) -> None:
    """Rows mixed up: a valid key, of the same hour key, for an object that is not its own."""
    pairs = [(a, b) for a in shelf.objects for b in shelf.objects if a is not b]
    for a, b in pairs:
        case = Case(kind="mixed", genuine=b, data=b.data, hour_private=shelf.world.hour_private)
        outcome = await read(case, shelf, 0, 1 << 60, header=a.header, size=len(b.data))
        assert isinstance(outcome, RefusedError)
        assert told(outcome) == THE_ERROR
    key = open_header(parse_header(pairs[0][0].header), shelf.world.hour_private, shelf.world.recorders)
    strange = replace(key, recorders={shelf.world.recorder_id: bytes(32)})
    with pytest.raises(RefusedError) as caught:
        opener.RangeOpener(strange, len(pairs[0][0].data)).accept_tail(
            pairs[0][0].data[slice(*opener.RangeOpener(strange, len(pairs[0][0].data)).tail_range)]
        )
    assert told(caught.value) == THE_ERROR


async def test_unchanged_objects_open_and_the_second_implementation_agrees_on_changed_ones(shelf: Shelf) -> None:
    """Control: what makes the cases makes them of objects that open; and another judge calls them changed as well."""
    hour_private = shelf.world.hour_private.private_bytes_raw()
    recorders = {recorder.bytes: key for recorder, key in shelf.world.recorders.items()}
    for genuine in shelf.objects:
        case = Case(kind="none", genuine=genuine, data=genuine.data, hour_private=shelf.world.hour_private)
        outcome = await read(case, shelf, 0, 1 << 60, header=genuine.header, size=len(genuine.data))
        assert outcome == genuine.plain == second.open_whole(genuine.data, hour_private, recorders)
    for case in shelf.cases(10):
        with pytest.raises(second.Refused):
            second.open_whole(case.data, hour_private, recorders)


Fault = tuple[Any, str, Any]
LEFT_OUT: dict[str, tuple[list[Fault], str]] = {
    "signature": ([(opener, "signature_holds", lambda *_: True)], "signed-by-a-stranger"),
    "commitment": ([(unwrap.hmac, "compare_digest", lambda *_: True)], "part-of-another-signed"),
    "number of the chunk": (
        [(place, "nonce", lambda index, last: bytes(12)) for place in (sealer, opener)],
        "chunks-rearranged-and-signed",
    ),
}


@pytest.mark.parametrize("check", LEFT_OUT)
async def test_format_that_leaves_a_check_out_is_found_out(monkeypatch: pytest.MonkeyPatch, check: str) -> None:
    """Control: with the check gone, changed objects of the kind that it is there for come through."""
    faults, kind = LEFT_OUT[check]
    for place, name, fault in faults:
        monkeypatch.setattr(place, name, fault)
    shelf = Shelf(random.Random(7))
    came_through = set()
    for case in shelf.cases(100):
        outcome = await read(case, shelf, 0, 1 << 60, header=case.data[:HEADER_SIZE], size=len(case.data))
        if not isinstance(outcome, RefusedError):
            came_through.add(case.kind)
    assert kind in came_through
