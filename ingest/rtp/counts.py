"""What came from a camera and gave no picture, for health and metrics."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Counts:
    """Packets, unless it says otherwise. Of one connection, or of all that a camera has had.

    work: what was done packet by packet or NAL unit by NAL unit, in units of about 2 us, for those who bound it
    """

    lost: int = 0  # missing, by the sequence numbers
    unnumbered: int = 0  # numbers left out although nothing is missing: they are shared with another stream
    late: int = 0  # repeated, or too late
    malformed: int = 0  # could not be parsed
    foreign: int = 0  # of another payload type, or of another source that no second packet follows
    foreign_type: int = -1  # the payload type that came last instead of the announced one
    unasked: int = 0  # on channels that were not set up, and replies to nothing
    unasked_channel: int = -1  # the last of them
    overlong: int = 0  # access units too large to be kept, or in too many pieces
    same_time: int = 0  # access units with the timestamp of the one before
    stray_bytes: int = 0  # that were neither frames nor messages
    sound_lost: int = 0
    sound_malformed: int = 0
    work: int = 0

    def metrics(self) -> dict[str, int]:
        """Those that only grow, under the names that health and metrics have for them. Not ``lost``: losses tell it."""
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
