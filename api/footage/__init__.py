"""A clip: a span of one camera's footage from several segments, as one MP4 that exists only while it is sent."""

from api.footage.errors import ClipTooLongError, NoFootageError
from api.footage.inits import Inits
from api.footage.plan import ClipPlan, begins_with_key, plan_clip, reached_back
from api.footage.prefetch import Prefetch
from api.footage.reader import ClipReader

__all__ = [
    "ClipPlan",
    "ClipReader",
    "ClipTooLongError",
    "Inits",
    "NoFootageError",
    "Prefetch",
    "begins_with_key",
    "plan_clip",
    "reached_back",
]
