"""Counts what a camera sent in vain, for health and metrics."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Counts:
    """Counters of packets, unless stated otherwise; of one connection, or of all connections of a camera.

    work: work done per packet or NAL unit, in units of about 2 us, so that callers can bound it
    """

    lost: int = 0  # missing, by the sequence numbers
    unnumbered: int = 0  # skipped numbers although nothing is missing: another stream shares them
    late: int = 0  # repeated, or too late
    malformed: int = 0  # could not be parsed
    foreign: int = 0  # of another payload type, or a single packet of another source
    foreign_type: int = -1  # the last payload type that was not the announced one
    unasked: int = 0  # on channels that were not set up, and replies without a request
    unasked_channel: int = -1  # the last such channel
    overlong: int = 0  # access units that were too large or had too many pieces
    same_time: int = 0  # access units with the same timestamp as the one before
    stray_bytes: int = 0  # bytes that were neither frames nor messages
    sound_lost: int = 0
    sound_malformed: int = 0
    work: int = 0

    def metrics(self) -> dict[str, int]:
        """Return the growing counters by their names in health and metrics, without ``lost``, which Loss reports."""
        return {
            "unnumbered_packets": self.unnumbered,
            "late_packets": self.late,
            "malformed_packets": self.malformed,
            "foreign_packets": self.foreign,
            "unasked_packets": self.unasked,
            "overlong_pictures": self.overlong,
            "same_time_pictures": self.same_time,
            "stray_bytes": self.stray_bytes,
            "sound_lost_packets": self.sound_lost,
            "sound_malformed_packets": self.sound_malformed,
        }
