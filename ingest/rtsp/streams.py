"""Dispatches a session's frames by channel: pictures, sound, sender reports."""

from __future__ import annotations

from typing import Final

from ingest.access_unit import TICKS_PER_S, AccessUnit, Loss, Sound, SoundFormat
from ingest.rtp.aac import AacTrack
from ingest.rtp.counts import Counts
from ingest.rtp.frames import Frames
from ingest.rtp.track import Track
from ingest.rtsp.rtcp import sender_clock, sender_time_ns
from ingest.rtsp.signalling.sdp import Media

_NONE: Final = -1
_NS_PER_S: Final = 1_000_000_000


class Streams:
    """``set_up()`` what SETUP was granted for, then hand in frames.

    items: access units and losses; sounds: AAC frames; both in order, until they are taken
    clock: the camera's (UTC ns) and when that was heard (monotonic ns)
    clock_rate: of the pictures' packets, Hz
    heard: of the last sender report, the middle 32 bits of its time, and when that came (monotonic ns)
    counts: to count in
    frames: where frames are among other bytes
    work: see Counts
    """

    def __init__(self, counts: Counts) -> None:
        self.counts = counts
        self.track: Track | None = None
        self.channel = _NONE
        self.items: list[AccessUnit | Loss] = []
        self.sounds: list[Sound] = []
        self.clock: tuple[int, int] | None = None
        self.clock_rate = TICKS_PER_S
        self.heard: tuple[int, int] | None = None
        self.frames = Frames()
        self.work = 0
        self._hears: AacTrack | None = None
        self._sound_channel = _NONE
        self._reports: dict[bool, tuple[int, int]] = {}  # of sound or not: sender's UTC ns, ticks on its timeline

    @property
    def sound(self) -> SoundFormat | None:
        """Format of ``sounds``; None without sound."""
        return self._hears.form if self._hears is not None else None

    def set_up_video(self, media: Media, channel: int, *, reliable: bool = True) -> None:
        """Set up the pictures: RTP on this channel, RTCP on the next. reliable: the transport loses nothing."""
        self.channel = channel
        self.clock_rate = media.clock_rate or TICKS_PER_S
        self.frames.expect(channel, media.payload_type)
        self.track = Track(
            channel,
            media.payload_type,
            media.codec,
            parameters=media.parameters(),
            clock_rate=media.clock_rate,
            reliable=reliable,
            counts=self.counts,
        )

    def set_up_sound(self, media: Media, channel: int) -> None:
        """Set up the sound. StreamError: sound of this kind is not recorded."""
        self._sound_channel = channel
        self._hears = AacTrack(media.payload_type, media.sound(), media.clock_rate, self.counts)
        self.frames.expect(channel, media.payload_type)

    def walk(self, view: memoryview, at: int, end: int, mono_ns: int, work_max: int) -> int:
        """Take the video's frames from ``at`` on; see ``Track.walk()``."""
        track = self.track
        if track is None:
            return at
        before = track.counts.work
        after = track.walk(view, at, end, mono_ns, self.items, before + work_max - self.work)
        self.work += track.counts.work - before
        return after

    def expects(self, channel: int) -> bool:
        """Whether the channel was set up."""
        known = [first for first in (self.channel, self._sound_channel) if first >= 0]
        return any(channel in (first, first + 1) for first in known)

    def frame(self, view: memoryview, at: int, after: int, mono_ns: int) -> None:
        """Take one whole frame of any channel, whatever follows it."""
        self.work += 1
        channel, begin = view[at + 1], at + 4
        if self.track is not None and channel == self.channel:
            before = self.track.counts.work
            self.track.frame(view, at, after, mono_ns, self.items)
            self.work += self.track.counts.work - before
        elif self.track is not None and channel == self.channel + 1:
            self.report(view, begin, after, mono_ns)
        elif self._hears is not None and channel == self._sound_channel:
            self._hears.take(view, begin, after, mono_ns, self._lead_ticks(), self.sounds)
        elif self._hears is not None and channel == self._sound_channel + 1:
            if (camera_ns := sender_time_ns(view, begin, after)) is not None:
                self._reported(camera_ns, self._hears.ticks_of(sender_clock(view, begin)), sound=True)
        else:
            self.counts.unasked += 1
            self.counts.unasked_channel = channel

    def find(self, view: memoryview, at: int, end: int) -> tuple[int, bool]:
        """Return where the next frame or reply begins, or up to where none does; see Frames."""
        self.work += 1
        return self.frames.find(view, at, end, self.track.source if self.track is not None else _NONE)

    def torn(self, channel: int) -> None:
        """Note that a frame of this channel was cut short."""
        if self.track is not None and channel == self.channel:
            self.track.tear()

    def report(self, view: memoryview, begin: int, after: int, mono_ns: int) -> None:
        """Take the pictures' RTCP."""
        assert self.track is not None
        if (camera_ns := sender_time_ns(view, begin, after)) is not None:
            self.clock = (camera_ns, mono_ns)
            self.heard = (int.from_bytes(view[begin + 10 : begin + 14], "big"), mono_ns)
            if self._hears is not None:
                self._reported(camera_ns, self.track.ticks_of(sender_clock(view, begin)), sound=False)

    def _reported(self, camera_ns: int, ticks: int | None, *, sound: bool) -> None:
        if ticks is not None:
            self._reports[sound] = (camera_ns, ticks)

    def _lead_ticks(self) -> int | None:
        """Return the offset from the sound's timeline to the pictures', by the clock in both sender reports."""
        if len(self._reports) < 2:
            return None
        (video_ns, video_ticks), (sound_ns, sound_ticks) = self._reports[False], self._reports[True]
        return video_ticks - sound_ticks + (sound_ns - video_ns) * TICKS_PER_S // _NS_PER_S
