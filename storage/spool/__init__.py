"""The spool: where sealed segments lie on the local disk until the object store and the catalogue have them."""

from storage.spool.errors import DamagedSpoolFileError, SpoolBusyError, SpoolError, SpoolFullError
from storage.spool.facts import Beginning, Ending, Facts, Fragment
from storage.spool.marks import Mark
from storage.spool.recovery import Mended, Outcome
from storage.spool.segment_file import SegmentFile
from storage.spool.spool import Pending, Spool, disk_error

__all__ = [
    "Beginning",
    "DamagedSpoolFileError",
    "Ending",
    "Facts",
    "Fragment",
    "Mark",
    "Mended",
    "Outcome",
    "Pending",
    "SegmentFile",
    "Spool",
    "SpoolBusyError",
    "SpoolError",
    "SpoolFullError",
    "disk_error",
]
