"""A row holds when it says what an enrolled recorder signed, and in no other case."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from domain.footage import FragmentIndex
from domain.ids import CameraId, HourKeyId, RecorderId, SegmentId, SiteId
from domain.time import NS, Span
from storage.catalogue.recorders import Enrolled, Recorders
from storage.claims import as_signed, row_flaw
from storage.sealed.format import SIGNATURE_SIZE, TRAILER_SIZE
from tests.support.footage.signed import Signer

SPAN = Span(1_790_000_000 * NS, 1_790_000_010 * NS)
SIGNER = Signer()
ROW = SIGNER.segment(CameraId(uuid4()), SPAN)
TRAILER = ROW.trailer or b""


def enrolled(*signers: Signer, revoked_ns: int | None = None) -> Recorders:
    return {
        each.recorder_id: Enrolled(public_key=each.key.public_key().public_bytes_raw(), revoked_ns=revoked_ns)
        for each in signers
    }


def index(*fragments: tuple[int, int]) -> FragmentIndex:
    count = len(fragments)
    offset, size = tuple(at for at, _ in fragments), tuple(size for _, size in fragments)
    return FragmentIndex(start_ms=tuple(range(count)), offset=offset, size=size, key=(True,) * count)


def test_what_a_recorder_signed_holds() -> None:
    assert row_flaw(ROW, enrolled(SIGNER)) is None
    # What is not signed is not compared.
    assert row_flaw(replace(ROW, epoch=99, sha256=bytes(32), frames=1), enrolled(SIGNER)) is None
    for fragments in (None, index(), index((700, 1)), index((700, 19_300)), index((700, 100), (900, 100))):
        assert row_flaw(replace(ROW, fragments=fragments), enrolled(SIGNER)) is None
    assert row_flaw(replace(ROW, init_size=0, fragments=None), enrolled(SIGNER)) is None


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"trailer": None}, "no trailer"),
        ({"trailer": os.urandom(TRAILER_SIZE)}, "that of no segment"),
        ({"trailer": TRAILER[:-1]}, "that of no segment"),
        ({"header": os.urandom(210)}, "that of no segment"),
        ({"size_bytes": 377}, "that of no segment"),
        ({"segment_id": SegmentId(uuid4())}, "says other"),
        ({"site_id": SiteId(uuid4())}, "says other"),
        ({"camera_id": CameraId(uuid4())}, "says other"),
        ({"hour_key_id": HourKeyId(uuid4())}, "says other"),
        ({"recorder_id": RecorderId(uuid4())}, "says other"),
        ({"span": Span(SPAN.start_ns + 1, SPAN.end_ns)}, "says other"),
        ({"span": Span(SPAN.start_ns, SPAN.end_ns + 1)}, "says other"),
        ({"recovered": True}, "says other"),
        ({"size_bytes": ROW.size_bytes + 1}, "does not fit the size"),
        ({"size_bytes": ROW.size_bytes - 1}, "does not fit the size"),
        ({"size_bytes": 378 + 16_400}, "does not fit the size"),  # of full chunks only, as a recovered one's
        ({"init_size": 20_001, "fragments": None}, "index of fragments"),
        ({"init_size": -1, "fragments": None}, "index of fragments"),
        ({"fragments": index((699, 10))}, "index of fragments"),
        ({"fragments": index((700, 19_301))}, "index of fragments"),
        ({"fragments": index((700, 0))}, "index of fragments"),
        ({"fragments": index((700, 100), (799, 100))}, "index of fragments"),
        ({"trailer": TRAILER[:-SIGNATURE_SIZE] + bytes(SIGNATURE_SIZE)}, "signature does not hold"),
        ({"trailer": Signer().trailer(ROW)}, "signature does not hold"),
    ],
)
def test_row_that_says_other_than_was_signed_has_a_flaw(changes: dict[str, Any], words: str) -> None:
    flaw = row_flaw(replace(ROW, **changes), enrolled(SIGNER))
    assert flaw is not None
    assert flaw.startswith("row: ") and words in flaw


def test_recorder_has_to_be_enrolled_and_not_revoked_before_the_segments_end() -> None:
    assert "is not enrolled" in (row_flaw(ROW, enrolled(Signer())) or "")
    assert "was revoked before" in (row_flaw(ROW, enrolled(SIGNER, revoked_ns=SPAN.end_ns - 1)) or "")
    assert row_flaw(ROW, enrolled(SIGNER, revoked_ns=SPAN.end_ns)) is None


def test_other_hour_key_than_the_headers_holds_only_where_the_custodian_wrapped_it_anew() -> None:
    other = replace(ROW, hour_key_id=HourKeyId(uuid4()))
    assert row_flaw(other, enrolled(SIGNER)) is not None
    assert as_signed(other, rewrapped=False) == other
    assert row_flaw(as_signed(other, rewrapped=True), enrolled(SIGNER)) is None
    forged = replace(other, camera_id=CameraId(uuid4()))
    assert row_flaw(as_signed(forged, rewrapped=True), enrolled(SIGNER)) is not None
    assert as_signed(replace(other, header=bytes(210)), rewrapped=True).hour_key_id == other.hour_key_id
