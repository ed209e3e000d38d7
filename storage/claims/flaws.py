"""Whether a segment's row says what an enrolled recorder signed. Pure.

The trailer's signature covers the core and with it site, camera, segment, hour key and start; the trailer itself holds
recorder, end and length. What of the row is not signed (codec, index of fragments, epoch) is not compared.
"""

from __future__ import annotations

from dataclasses import replace

from domain.footage import Segment
from storage.catalogue.recorders import Recorders
from storage.sealed.errors import RefusedError
from storage.sealed.format import (
    STATE_COMPLETE,
    STATE_RECOVERED,
    ChunkLayout,
    Header,
    Trailer,
    layout_of,
    parse_header,
    parse_trailer,
)
from storage.sealed.opener import signature_holds


def as_signed(row: Segment, *, rewrapped: bool) -> Segment:
    """Return the row with the hour key that its recorder signed.

    ``rewrapped``: the custodian wrapped its data key to another hour key, by a wrap record, and the row names that one.
    """
    try:
        return replace(row, hour_key_id=parse_header(row.header).core.hour_key_id) if rewrapped else row
    except RefusedError:
        return row


def row_flaw(row: Segment, recorders: Recorders) -> str | None:
    """Return what is wrong with the row, None when it holds."""
    if row.trailer is None:
        return "row: it holds no trailer"
    try:
        header, trailer = parse_header(row.header), parse_trailer(row.trailer)
        layout = layout_of(row.size_bytes, header.core.chunk_log2)
    except RefusedError:
        return "row: its header, trailer or size is that of no segment"
    if not _says(row, header, trailer):
        return "row: it says other than its header and trailer"
    if not trailer_fits(trailer, layout):
        return "row: its trailer does not fit the size"
    if not _index_fits(row, layout):
        return "row: its index of fragments is that of no segment"
    flaw = signer_flaw(header, trailer, recorders)
    return None if flaw is None else f"row: {flaw}"


def _says(row: Segment, header: Header, trailer: Trailer) -> bool:
    core = header.core
    signed = (core.segment_id, core.site_id, core.camera_id, core.hour_key_id, core.start_ns)
    ended = (trailer.recorder_id, trailer.end_ns, trailer.state == STATE_RECOVERED)
    return (row.segment_id, row.site_id, row.camera_id, row.hour_key_id, row.span.start_ns) == signed and (
        row.recorder_id,
        row.span.end_ns,
        row.recovered,
    ) == ended


def _index_fits(row: Segment, layout: ChunkLayout) -> bool:
    """Whether fragments lie behind the init, one behind the other, within the plaintext: a reader follows them."""
    at = row.init_size
    index = row.fragments
    for offset, size in () if index is None else zip(index.offset, index.size, strict=True):
        if offset < at or size <= 0:
            return False
        at = offset + size
    return 0 <= at <= layout.plain_len


def trailer_fits(trailer: Trailer, layout: ChunkLayout) -> bool:
    """Whether the trailer's state and length are those of an object of this size."""
    state = STATE_COMPLETE if layout.last_size else STATE_RECOVERED
    return (trailer.state, trailer.plain_len) == (state, layout.plain_len)


def signer_flaw(header: Header, trailer: Trailer, recorders: Recorders) -> str | None:
    """Return why the trailer counts as unsigned; None when an enrolled recorder signed it for this header's core."""
    recorder = recorders.get(trailer.recorder_id)
    if recorder is None:
        return f"recorder {trailer.recorder_id} is not enrolled"
    if recorder.revoked_ns is not None and trailer.end_ns > recorder.revoked_ns:
        return f"recorder {trailer.recorder_id} was revoked before"
    if not signature_holds(recorder.public_key, header.core_sha256, trailer):
        return "the signature does not hold"
    return None
