"""The audit trail as a table for a spreadsheet: CSV, one entry a row, the newest first."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable
from typing import Final

from api.audit.reading import AuditEntryAnswer
from domain.cells import guarded

ENTRIES_MAX: Final = 20_000
PAGE: Final = 500
COLUMNS: Final = (
    *(
        "seq",
        "at",
        "who",
        "session",
        "action",
        "purpose",
        "reason",
        "member_number",
        "camera",
        "start",
        "end",
        "detail",
    ),
)


def table(entries: Iterable[AuditEntryAnswer]) -> str:
    """Return the entries as CSV (RFC 4180). A spreadsheet takes no cell for a formula."""
    text = io.StringIO()
    write = csv.writer(text)
    write.writerow(COLUMNS)
    for each in entries:
        values = each.model_dump(mode="json") | {
            "who": each.name or each.actor,
            "detail": json.dumps(each.detail, ensure_ascii=False, sort_keys=True),
        }
        write.writerow([_cell(values[column]) for column in COLUMNS])
    return text.getvalue()


def _cell(value: object) -> str:
    return "" if value is None else guarded(str(value))
