"""The sealed segment, version 1: written as a stream, readable from any offset, opened through the custodian only."""

from storage.sealed.errors import RefusedError, SegmentFullError, WrongKeyError
from storage.sealed.format import CHUNK_LOG2_MAX, CHUNK_LOG2_MIN, HEADER_SIZE, OVERHEAD, TRAILER_SIZE
from storage.sealed.names import OBJECT_PREFIX, object_name, object_name_of, parse_object_name
from storage.sealed.opener import PayloadKey, RangeOpener
from storage.sealed.reader import SegmentReader
from storage.sealed.recovery import ObjectRecovery, plan_recovery, read_finished, written_length
from storage.sealed.sealer import Plaintext, Sealer, chunk_log2_for

__all__ = [
    "CHUNK_LOG2_MAX",
    "CHUNK_LOG2_MIN",
    "HEADER_SIZE",
    "OBJECT_PREFIX",
    "OVERHEAD",
    "TRAILER_SIZE",
    "ObjectRecovery",
    "PayloadKey",
    "Plaintext",
    "RangeOpener",
    "RefusedError",
    "Sealer",
    "SegmentFullError",
    "SegmentReader",
    "WrongKeyError",
    "chunk_log2_for",
    "object_name",
    "object_name_of",
    "parse_object_name",
    "plan_recovery",
    "read_finished",
    "written_length",
]
