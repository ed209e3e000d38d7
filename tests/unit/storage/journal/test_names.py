"""Names of records: built and parsed in one place, and nothing else is taken for one."""

from __future__ import annotations

import pytest

from domain.time import HOUR_NS
from storage.journal.names import JournalKind, RecordName, parse_record_name

NAME = RecordName(kind=JournalKind.HOUR_KEY, hour_ns=495_000 * HOUR_NS, digest="0123456789abcdef" * 2)
TEXT = "journal/v1/hour_key/20260621T00-0123456789abcdef0123456789abcdef.tlnj"


def test_name_is_kind_hour_and_digest() -> None:
    assert str(NAME) == TEXT


@pytest.mark.parametrize("kind", JournalKind)
def test_every_kind_is_parsed_back(kind: JournalKind) -> None:
    name = RecordName(kind=kind, hour_ns=NAME.hour_ns + 23 * HOUR_NS, digest=NAME.digest)
    assert parse_record_name(str(name)) == name


@pytest.mark.parametrize(
    "text",
    [
        TEXT.replace("hour_key", "hour_keys"),
        TEXT.replace("v1", "v2"),
        TEXT.replace("T00", "T24"),
        TEXT.replace("0621", "0631"),
        TEXT.replace("abcdef.", "ABCDEF."),
        TEXT + "x",
        "x" + TEXT,
        "journal/v1/hour_key/../20260621T00-0123456789abcdef0123456789abcdef.tlnj",
    ],
)
def test_other_names_are_none_of_ours(text: str) -> None:
    assert parse_record_name(text) is None


def test_recorders_sign_gaps_and_epochs_and_nothing_else() -> None:
    assert {kind for kind in JournalKind if kind.by_recorder} == {JournalKind.GAP, JournalKind.EPOCH}


def test_certificates_and_what_living_footage_may_need_are_kept_for_ever() -> None:
    limited = {kind for kind in JournalKind if kind.kept_days is not None}
    assert limited == {
        JournalKind.HOUR_KEY,
        JournalKind.EXPIRED_KEY,
        JournalKind.GAP,
        JournalKind.ERASURE,
        JournalKind.ERASED,
    }
    assert min(kind.kept_days or 0 for kind in limited) > 366  # days: the longest retention, and an hour
