"""The spool: sealed segments on the local disk, until the object store and the catalogue have them."""

from ingest.spool.errors import DamagedSpoolFileError, SpoolBusyError, SpoolError, SpoolFullError
from ingest.spool.metadata import Beginning, Ending, Fragment, SegmentMetadata
from ingest.spool.positions import CameraPosition
from ingest.spool.recovery import RecoveryOutcome, RecoveryResult
from ingest.spool.segment_file import SegmentFile
from ingest.spool.spool import Pending, Spool, disk_error

__all__ = [
    "Beginning",
    "CameraPosition",
    "DamagedSpoolFileError",
    "Ending",
    "Fragment",
    "Pending",
    "RecoveryOutcome",
    "RecoveryResult",
    "SegmentFile",
    "SegmentMetadata",
    "Spool",
    "SpoolBusyError",
    "SpoolError",
    "SpoolFullError",
    "disk_error",
]
