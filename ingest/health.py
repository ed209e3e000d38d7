"""The present state of a camera, for `tallenne status`, metrics, the API and its pages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from domain.time import Span, to_iso


@dataclass(slots=True)
class Health:
    """Counters since the role's start. ``report()`` also gives rates since the last report."""

    name: str
    state: str = "connecting"  # "connecting", "recording", "waiting", "refused", "stopped"
    source: str = ""
    frames: int = 0
    size_bytes: int = 0
    lost_packets: int = 0
    losses: int = 0
    damaged_frames: int = 0  # recorded pictures that are shown with errors, since packets were lost
    clock_jumps: int = 0
    connections: int = 0
    forced_cuts: int = 0
    note: str = ""  # a shortcoming of the connection, although pictures arrive
    packets: Mapping[str, int] = field(default_factory=dict)  # packets that contributed to no picture, by reason
    sound: str = ""  # "recorded", or why requested sound is missing; empty: not requested
    substream: str = ""  # "closed", "open", or why the recorded stream is shown instead; empty: none is configured
    last_error: str = ""
    remedy: str = ""
    skew_ns: int | None = None  # how far the camera's clock is ahead of this machine's
    timed_by: str = "stamps"  # or "arrival": the source of the pictures' times
    delay_s: float = 0.0  # delay of the last picture
    misfiled: Span | None = None  # span filed under future times while this machine's clock was ahead: shadow rows
    last_picture_ns: int = 0  # UTC nanoseconds; 0: none yet
    _reported: tuple[int, int, int] = field(default=(0, 0, 0))  # mono_ns, frames, bytes

    def report(self, mono_ns: int, now_ns: int, segments: int, gaps: int, recorded_ns: int | None) -> dict[str, Any]:
        """Return the health as JSON. ``lag_s``: how far the recording lags behind the present."""
        last_ns, frames, size = self._reported
        seconds = max(1e-3, (mono_ns - last_ns) / 1e9) if last_ns else 0.0
        self._reported = (mono_ns, self.frames, self.size_bytes)
        rate = (lambda value: round(value / seconds, 1)) if seconds else (lambda value: 0.0)
        return {
            "name": self.name,
            "state": self.state,
            "source": self.source,
            "bits_per_s": rate((self.size_bytes - size) * 8),
            "frames_per_s": rate(self.frames - frames),
            "frames": self.frames,
            "segments": segments,
            "gaps": gaps,
            "lag_s": round((now_ns - recorded_ns) / 1e9, 1) if recorded_ns is not None else None,
            "skew_s": round(self.skew_ns / 1e9, 3) if self.skew_ns is not None else None,
            "timed_by": self.timed_by,
            "delay_s": round(self.delay_s, 2),
            "misfiled": f"{to_iso(self.misfiled.start_ns)}/{to_iso(self.misfiled.end_ns)}" if self.misfiled else "",
            "lost_packets": self.lost_packets,
            "losses": self.losses,
            "damaged_frames": self.damaged_frames,
            "clock_jumps": self.clock_jumps,
            "connections": self.connections,
            "forced_cuts": self.forced_cuts,
            **self.packets,
            "note": self.note,
            "sound": self.sound,
            "substream": self.substream,
            "last_error": self.last_error,
            "remedy": self.remedy,
        }
