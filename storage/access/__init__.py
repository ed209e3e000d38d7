"""Reads what the indexer wrote: events with their tags, members, visits, quarantine. Read-only."""

from storage.access.cursor import Cursor
from storage.access.events import CLOSE_NS, EventCamera, EventRow, EventTag, Only, event, events, tags
from storage.access.members import MemberRow, fold, member, members, search_members
from storage.access.quarantine import QuarantineRow, quarantined
from storage.access.visits import MERGE_NS, visits

__all__ = [
    "CLOSE_NS",
    "MERGE_NS",
    "Cursor",
    "EventCamera",
    "EventRow",
    "EventTag",
    "MemberRow",
    "Only",
    "QuarantineRow",
    "event",
    "events",
    "fold",
    "member",
    "members",
    "quarantined",
    "search_members",
    "tags",
    "visits",
]
