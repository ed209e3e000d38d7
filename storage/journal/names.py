"""Names of the journal's records in the bucket. This module alone builds and parses them.

``journal/v1/<kind>/<YYYYMMDD>T<HH>-<digest>.tlnj``: the UTC hour that the record belongs to, and the first half of the
SHA-256 of its body. No personal data (invariant 8). One body has one name, so that writing it again changes nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

from domain.time import NS

JOURNAL_PREFIX: Final = "journal/v1/"
_SUFFIX: Final = ".tlnj"
_HOUR: Final = "%Y%m%dT%H"
_NAME: Final = re.compile(rf"{JOURNAL_PREFIX}([a-z_]+)/(\d{{8}}T\d\d)-([0-9a-f]{{32}}){re.escape(_SUFFIX)}")


class JournalKind(StrEnum):
    """What a record holds. The values are stored, and those of tables name the table; do not rename them."""

    RECORDER = "recorder"  # enrolled recorders; by the custodian, at the hour of enrolment
    LEASE = "camera_lease"  # leases of cameras; by the custodian, at the hour of the grant
    HOUR_KEY = "hour_key"  # hour keys, private halves sealed under the keyring; by the custodian, at the hour of expiry
    CASE = "case_file"  # cases; by the custodian, at the hour of opening
    HOLD = "hold"  # holds, private halves sealed under the keyring; by the custodian, at the hour of placing
    ERASURE = "erasure"  # orders of early erasure; by the custodian, at the hour of asking
    ERASED = "erased_segment"  # what an erasure took, by segment; by the custodian, at the hour of its start
    CERTIFICATE = "certificate"  # certificates of expiry and erasure; by the custodian, at the hour of issue
    EXPIRED_KEY = "expired_key"  # dead hour keys; by the custodian, at the hour of expiry
    WRAP = "wrap_record"  # data keys wrapped anew; by the custodian, at the hour of wrapping
    EPOCH = "epoch"  # first segments of a camera's epochs; by its recorder, at the hour of the segment
    GAP = "gap"  # spans without footage; by the camera's recorder, at the hour of the newest end

    @property
    def by_recorder(self) -> bool:
        """Whether a recorder signs it; the custodian signs all others."""
        return self in (JournalKind.EPOCH, JournalKind.GAP)

    @property
    def kept_days(self) -> int | None:
        """For how long after its hour a record is kept at least; None: for ever (they are few, or the proof).

        As long as the database keeps rows of dead keys, which is longer than any retention and any backup; what an
        erasure took is recorded at the hour of its footage, up to a year before the erasure.
        """
        return _KEPT_DAYS.get(self)


_KEPT_DAYS: Final = {
    JournalKind.HOUR_KEY: 400,
    JournalKind.EXPIRED_KEY: 400,
    JournalKind.GAP: 400,
    JournalKind.ERASURE: 800,
    JournalKind.ERASED: 800,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordName:
    """The fields of a name."""

    kind: JournalKind
    hour_ns: int  # start of a UTC hour
    digest: str  # 32 hexadecimal digits

    def __str__(self) -> str:
        hour = datetime.fromtimestamp(self.hour_ns // NS, tz=UTC).strftime(_HOUR)
        return f"{JOURNAL_PREFIX}{self.kind}/{hour}-{self.digest}{_SUFFIX}"


def parse_record_name(name: str) -> RecordName | None:
    """Return the fields of ``name``, or None when no role of this version gives such a name."""
    match = _NAME.fullmatch(name)
    if match is None or match[1] not in set(JournalKind):
        return None
    try:
        hour = datetime.strptime(match[2], _HOUR).replace(tzinfo=UTC)
    except ValueError:
        return None
    return RecordName(kind=JournalKind(match[1]), hour_ns=int(hour.timestamp()) * NS, digest=match[3])
