"""The bucket's journal: signed, create-only records of what a lost database could not be made again without."""

from storage.journal.names import JOURNAL_PREFIX, JournalKind, RecordName, parse_record_name
from storage.journal.reader import JournalListing, RefusedRecord, list_journal, read_records
from storage.journal.record import BadRecordError, JournalRecord
from storage.journal.writer import JournalWriter

__all__ = [
    "JOURNAL_PREFIX",
    "BadRecordError",
    "JournalKind",
    "JournalListing",
    "JournalRecord",
    "JournalWriter",
    "RecordName",
    "RefusedRecord",
    "list_journal",
    "parse_record_name",
    "read_records",
]
