"""Reading what the indexer wrote: events with their tags, members, visits, quarantine. Read only; SQL in ./sql."""

from storage.access.events import EventCamera, EventCursor, EventRow, EventTag, event, events, tags
from storage.access.members import MemberRow, fold, member, members, search_members
from storage.access.quarantine import QuarantineCursor, QuarantineRow, quarantined
from storage.access.visits import MERGE_NS, visits

__all__ = [
    "MERGE_NS",
    "EventCamera",
    "EventCursor",
    "EventRow",
    "EventTag",
    "MemberRow",
    "QuarantineCursor",
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
