"""Sound beside pictures: which AAC frames go with which fragment, and the second track of its moof. Pure."""

from __future__ import annotations

import struct
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from domain.time import NS
from ingest.access_unit import TICKS_PER_S, SoundFormat
from ingest.media.fragments import Fragment

_JOIN_NS = 60_000_000  # a shift of an estimate up to this is taken for jitter: frames then follow each other exactly
_HELD_NS = 400_000_000  # the last fragment before a key picture may be short, which is no reason to wait less
_WAITING_MAX = 1500  # frames; half a minute
_TRUN_OFFSET_AT = 8 + 16 + 8 + 20 + 20 + 16  # of the video run's data offset in a fragment (fragments.py)
_TRAF = struct.Struct(">I4sI4sIIII4sIQI4sIII")
_TRUN_FLAGS = 0x000301  # data offset, duration, size
_TFHD_FLAGS = 0x020002  # default-base-is-moof, sample-description-index-present
TRACK = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Frames one after the other. times_ns: when each begins, UTC, and when the last ends."""

    times_ns: tuple[int, ...]
    frames: tuple[bytes, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A fragment that waits for the sound of its time."""

    fragment: Fragment
    start_ns: int
    end_ns: int


class SoundMixer:
    """``heard()`` frames and ``hold()`` fragments as they come; ``ready()`` gives back fragments, each with its sound.

    A fragment is held until sound from behind its end has come, or pictures of half a second have, or all are wanted.
    """

    def __init__(self, form: SoundFormat) -> None:
        self.form = form
        self._frame_ns = form.frame_samples * NS // form.rate_hz
        self._waiting: deque[tuple[int, bytes]] = deque(maxlen=_WAITING_MAX)
        self._held: deque[Held] = deque()
        self._next_ns: int | None = None
        self.dropped = 0  # frames that came too late, or twice

    def heard(self, begin_ns: int, data: bytes) -> None:
        """One frame, by the recorder's clock."""
        follows = self._next_ns
        if follows is not None and abs(begin_ns - follows) <= _JOIN_NS:
            begin_ns = follows
        elif follows is not None and begin_ns < follows:
            self.dropped += 1
            return
        self._waiting.append((begin_ns, data))
        self._next_ns = begin_ns + self._frame_ns

    def hold(self, fragment: Fragment, start_ns: int, end_ns: int) -> None:
        self._held.append(Held(fragment=fragment, start_ns=start_ns, end_ns=end_ns))

    def ready(self, *, all_of_them: bool = False) -> Iterable[tuple[Held, Run | None]]:
        """Those that need not wait any longer."""
        while self._held:
            first = self._held[0]
            waited_ns = self._held[-1].end_ns - first.end_ns
            if not (all_of_them or waited_ns >= _HELD_NS or (self._next_ns or 0) > first.end_ns):
                return
            self._held.popleft()
            yield first, self._run(first.start_ns, first.end_ns)

    def _run(self, start_ns: int, end_ns: int) -> Run | None:
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
        return Run(times_ns=(*times, times[-1] + self._frame_ns), frames=tuple(frames))


def with_sound(video: bytearray, run: Run, segment_start_ns: int) -> bytearray:
    """The head of a fragment of fragments.py with a second track behind the first, for the run's frames behind the
    pictures: its decode time is the segment's time too.
    """
    ticks = [max(0, time_ns - segment_start_ns) * TICKS_PER_S // NS for time_ns in run.times_ns]
    trun = 20 + 8 * len(run.frames)
    traf = 8 + 20 + 20 + trun
    moof = int.from_bytes(video[:4], "big")
    (offset,) = struct.unpack_from(">I", video, _TRUN_OFFSET_AT)
    mdat = int.from_bytes(video[moof : moof + 4], "big")
    head = _TRAF.pack(
        *(traf, b"traf", 20, b"tfhd", _TFHD_FLAGS, TRACK, 1),
        *(20, b"tfdt", 0x01000000, ticks[0]),
        *(trun, b"trun", _TRUN_FLAGS, len(run.frames), moof + traf + mdat),
    )
    table = b"".join(
        (after - before).to_bytes(4, "big") + len(data).to_bytes(4, "big")
        for before, after, data in zip(ticks, ticks[1:], run.frames, strict=False)
    )
    size = mdat + sum(map(len, run.frames))
    made = bytearray(b"").join((video[:moof], head, table, size.to_bytes(4, "big"), video[moof + 4 :]))
    struct.pack_into(">I", made, 0, moof + traf)
    struct.pack_into(">I", made, _TRUN_OFFSET_AT, offset + traf)
    return made
