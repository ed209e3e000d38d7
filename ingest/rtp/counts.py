"""What a track counts, for health and metrics."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Counts:
    """Packets of one track since its connection began.

    work: what was done packet by packet or NAL unit by NAL unit, in units of about 2 us, for those who bound it
    """

    lost: int = 0  # missing, by the sequence numbers
    unnumbered: int = 0  # numbers left out although nothing is missing: they are shared with another stream
    late: int = 0  # repeated, or too late
    malformed: int = 0  # of which nothing could be made
    foreign: int = 0  # of another payload type, or of another source that no second packet follows
    foreign_type: int = -1  # the payload type that came last instead of the announced one
    overlong: int = 0  # access units too large to be kept, or in too many pieces
    same_time: int = 0  # access units with the timestamp of the one before
    work: int = 0
