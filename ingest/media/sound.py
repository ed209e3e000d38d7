"""Assigns AAC frames to fragments of pictures, and builds their samples for the moof. Pure."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from domain.time import NS
from ingest.access_unit import TICKS_PER_S, SoundFormat
from ingest.media.fragments import Fragment
from storage.mp4 import Run

_JOIN_NS = 60_000_000  # shifts of the estimate up to this are jitter: frames then follow one another exactly
_HELD_NS = 400_000_000  # the last fragment before a key frame may be short; the wait is the same
_WAITING_MAX = 1500  # frames; half a minute


@dataclass(frozen=True, slots=True, kw_only=True)
class SoundFrames:
    """Consecutive frames. times_ns: start of each, UTC, and the end of the last."""

    times_ns: tuple[int, ...]
    frames: tuple[bytes, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A fragment that waits for the sound of its time."""

    fragment: Fragment
    start_ns: int
    end_ns: int


class SoundMixer:
    """Call ``heard()`` for frames and ``hold()`` for fragments; ``ready()`` returns fragments with their sound.

    A fragment is held until sound from after its end has arrived, or half a second of further pictures, or a flush.
    """

    def __init__(self, form: SoundFormat) -> None:
        self.form = form
        self._frame_ns = form.frame_samples * NS // form.rate_hz
        self._waiting: deque[tuple[int, bytes]] = deque(maxlen=_WAITING_MAX)
        self._held: deque[Held] = deque()
        self._next_ns: int | None = None
        self.dropped = 0  # frames that arrived too late, or twice

    def heard(self, begin_ns: int, data: bytes) -> None:
        """Take a frame; its time is by the recorder's clock."""
        follows = self._next_ns
        if follows is not None and abs(begin_ns - follows) <= _JOIN_NS:
            begin_ns = follows
        elif follows is not None and begin_ns < follows:
            self.dropped += 1
            return
        self._waiting.append((begin_ns, data))
        self._next_ns = begin_ns + self._frame_ns

    def hold(self, fragment: Fragment, start_ns: int, end_ns: int) -> None:
        """Keep a fragment of pictures until the sound of its span has arrived."""
        self._held.append(Held(fragment=fragment, start_ns=start_ns, end_ns=end_ns))

    def ready(self, *, all_of_them: bool = False) -> Iterable[tuple[Held, SoundFrames | None]]:
        """Return the fragments that need not wait any longer."""
        while self._held:
            first = self._held[0]
            waited_ns = self._held[-1].end_ns - first.end_ns
            if not (all_of_them or waited_ns >= _HELD_NS or (self._next_ns or 0) > first.end_ns):
                return
            self._held.popleft()
            yield first, self._frames_of(first.start_ns, first.end_ns)

    def _frames_of(self, start_ns: int, end_ns: int) -> SoundFrames | None:
        times: list[int] = []
        frames: list[bytes] = []
        while self._waiting and self._waiting[0][0] < end_ns:
            begin_ns, data = self._waiting.popleft()
            if begin_ns < start_ns - self._frame_ns:
                self.dropped += 1
                continue
            times.append(max(begin_ns, start_ns))
            frames.append(data)
        if not frames:
            return None
        return SoundFrames(times_ns=(*times, times[-1] + self._frame_ns), frames=tuple(frames))


def sound_run(sound: SoundFrames, segment_start_ns: int) -> Run:
    """Return the frames as samples of a segment's second track, 90 kHz since the segment's start."""
    ticks = [max(0, time_ns - segment_start_ns) * TICKS_PER_S // NS for time_ns in sound.times_ns]
    durations = (after - before for before, after in itertools.pairwise(ticks))
    words = itertools.chain.from_iterable(zip(durations, map(len, sound.frames), strict=True))
    return Run(decode_ticks=ticks[0], words=tuple(words), width=2)
