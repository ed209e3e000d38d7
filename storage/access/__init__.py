"""Reads what the indexer wrote: events with their tags, members, visits, quarantine. Read-only."""

from storage.access.cursor import Cursor
from storage.access.events import CLOSE_NS, EventCamera, EventRow, EventTag, Only, event, events, tags
from storage.access.exposure import Exposed, camera_names, exposed, known_since, members_seen, staff_of_name
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
    "Exposed",
    "MemberRow",
    "Only",
    "QuarantineRow",
    "camera_names",
    "event",
    "events",
    "exposed",
    "fold",
    "known_since",
    "member",
    "members",
    "members_seen",
    "quarantined",
    "search_members",
    "staff_of_name",
    "tags",
    "visits",
]
