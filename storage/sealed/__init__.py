"""The sealed segment, version 1: written as a stream, read from any offset, opened only by way of the custodian."""

from storage.sealed.errors import RefusedError, SegmentFullError, WrongKeyError
from storage.sealed.format import CHUNK_LOG2_MAX, CHUNK_LOG2_MIN, HEADER_SIZE, OVERHEAD, TRAILER_SIZE
from storage.sealed.names import chunk_log2_for, object_name
from storage.sealed.opener import PayloadKey, RangeOpener
from storage.sealed.reader import SegmentReader
from storage.sealed.recovery import Recovered, read_finished, recover, written_length
from storage.sealed.sealer import Plain, Sealer

__all__ = [
    "CHUNK_LOG2_MAX",
    "CHUNK_LOG2_MIN",
    "HEADER_SIZE",
    "OVERHEAD",
    "TRAILER_SIZE",
    "PayloadKey",
    "Plain",
    "RangeOpener",
    "Recovered",
    "RefusedError",
    "Sealer",
    "SegmentFullError",
    "SegmentReader",
    "WrongKeyError",
    "chunk_log2_for",
    "object_name",
    "read_finished",
    "recover",
    "written_length",
]
