"""The spool: where sealed segments lie on the local disk until the object store and the catalogue have them."""

from ingest.spool.errors import DamagedSpoolFileError, SpoolBusyError, SpoolError, SpoolFullError
from ingest.spool.metadata import Beginning, Ending, Facts, Fragment
from ingest.spool.positions import Mark
from ingest.spool.recovery import Mended, Outcome
from ingest.spool.segment_file import SegmentFile
from ingest.spool.spool import Pending, Spool, disk_error

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
