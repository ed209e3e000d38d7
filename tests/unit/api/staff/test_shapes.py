"""Answers about staff: grants as stored, and a second factor that a telephone can read."""

from __future__ import annotations

import json
import uuid

import pytest

from api.staff.shapes import qr, staff_answer

SITE = uuid.uuid4()
ROW = {
    "staff_id": uuid.UUID(int=1),
    "user_name": "mary",
    "display_name": "Mary",
    "disabled": False,
    "created_ns": 0,
    "grants": json.dumps([["viewer", str(SITE), None], ["auditor", None, None]]),
    "signed_in_ns": None,
    "sessions": 0,
    "codes": 10,
    "made_by": "Mary",
}


@pytest.mark.parametrize(("signed_in_ns", "said"), [(None, None), (0, "1970-01-01T00:00:00.000Z")])
def test_row_becomes_an_answer_without_secrets(signed_in_ns: int | None, said: str | None) -> None:
    answer = staff_answer({**ROW, "signed_in_ns": signed_in_ns})
    assert (answer.signed_in, answer.recovery_codes) == (said, 10)
    assert [(each.role, each.site_id, each.camera_id) for each in answer.grants] == [
        ("viewer", SITE, None),
        ("auditor", None, None),
    ]


def test_qr_code_has_a_quiet_zone_and_its_finder_patterns() -> None:
    """The three corners of ISO/IEC 18004: a dark ring of seven, four modules away from the edge."""
    answer = qr("otpauth://totp/Tallenne:mary?secret=" + "A" * 32)
    dark = {tuple(map(int, piece.split("h")[0].split())) for piece in answer.path.split("M")[1:]}
    low, high = 4, answer.size - 5
    assert all(low <= x <= high and low <= y <= high for x, y in dark)
    for left, top in ((low, low), (high - 6, low), (low, high - 6)):
        ring = {(left + at, top + edge) for at in range(7) for edge in (0, 6)}
        assert ring <= dark
        assert (left + 1, top + 1) not in dark
        assert (left + 3, top + 3) in dark
