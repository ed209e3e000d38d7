"""When a request is due: one month after it was received, three when it was extended (GDPR 12, 3). Pure.

A month ends on the day of the same number, or on the month's last day where there is none (Regulation 1182/71, 3).
That regulation lets a period that ends on a holiday run to the next working day; this clock does not wait for it.
"""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from domain.time import NS

MONTHS: Final = 1
EXTENDED_MONTHS: Final = 3


def due_ns(received_ns: int, months: int, zone: str) -> int:
    """The end of the last day, midnight at the site, in UTC nanoseconds."""
    received = datetime.fromtimestamp(received_ns // NS, tz=UTC).astimezone(ZoneInfo(zone)).date()
    after = _months_later(received, months) + timedelta(days=1)
    return round(datetime(after.year, after.month, after.day, tzinfo=ZoneInfo(zone)).timestamp()) * NS


def _months_later(day: date, months: int) -> date:
    years, month = divmod(day.month - 1 + months, 12)
    year, month = day.year + years, month + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))
