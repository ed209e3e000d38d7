"""A clip: a span of one camera's footage, from several sealed segments, as one MP4 that is never whole anywhere."""

from storage.clip.early import Early
from storage.clip.errors import ClipTooLongError, NoFootageError
from storage.clip.inits import Inits
from storage.clip.plan import ClipPlan, begins_with_key, plan_clip, reached_back
from storage.clip.reader import ClipReader

__all__ = [
    "ClipPlan",
    "ClipReader",
    "ClipTooLongError",
    "Early",
    "Inits",
    "NoFootageError",
    "begins_with_key",
    "plan_clip",
    "reached_back",
]
