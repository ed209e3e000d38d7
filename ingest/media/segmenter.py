"""Groups fragments into segments, and names missing time with its cause. Pure: returns actions."""

from __future__ import annotations

from dataclasses import dataclass

from domain.footage import Codec, GapCause
from domain.time import NS, hour_of, seconds_to_ns
from ingest.access_unit import TICKS_PER_S, SoundFormat, VideoParameters
from ingest.media.fragments import Fragment, retimed
from ingest.media.init import make_init
from ingest.media.sound import SoundFrames, sound_run
from storage.mp4 import Run, mdat_head, write_moof

_JOIN_NS = 250_000_000  # a hole or an overlap up to this is jitter of the estimated times, not missing footage
_FLASH_NS = 10_000_000_000  # older pictures are dropped
_RETIME_TICKS = 450  # 5 ms: with a larger overlap pictures would be decoded out of order


@dataclass(frozen=True, slots=True)
class Begin:
    start_ns: int
    codec: Codec
    init: bytes


@dataclass(frozen=True, slots=True)
class Append:
    """Append a fragment to the open segment. pieces: the whole fragment, not joined; never changed afterwards."""

    pieces: list[bytes]
    start_ns: int
    end_ns: int
    key: bool
    frames: int


@dataclass(frozen=True, slots=True)
class Finish:
    end_ns: int
    forced: bool = False  # because the maximum length was reached without a key frame


@dataclass(frozen=True, slots=True)
class Missing:
    until_ns: int
    cause: GapCause
    detail: str = ""


Action = Begin | Append | Finish | Missing


class Segmenter:
    """Takes a camera's fragments in order by ``push()``; the caller carries out the returned actions in order."""

    def __init__(self, segment_s: float, segment_max_s: float) -> None:
        self._segment_ns = seconds_to_ns(segment_s)
        self._max_ns = seconds_to_ns(segment_max_s)
        self._open = False
        self._start_ns = 0
        self._end_ns: int | None = None
        self._parameters: VideoParameters | None = None
        self._delay_ticks = 0
        self._made: tuple[Codec, bytes] | None = None
        self._sound: SoundFormat | None = None
        self._sound_changed = False
        self._cause, self._detail = GapCause.STARTING, ""
        self._resumable = False  # the next fragment follows directly, in another segment

    def missed(self, cause: GapCause, detail: str = "") -> list[Action]:
        """Footage stops here; the following gap has this cause."""
        self._cause, self._detail = cause, detail
        self._resumable = False
        return self.close()

    def jumped(self) -> list[Action]:
        """The clock was stepped: begin another segment even without a key frame, since no picture is missing."""
        self._cause, self._detail = GapCause.CLOCK, ""
        self._resumable = self._resumable or self._open
        return self.close()

    def close(self) -> list[Action]:
        """End the open segment where its footage ends."""
        if not self._open:
            return []
        self._open = False
        assert self._end_ns is not None
        return [Finish(self._end_ns)]

    def broken(self, accounted_ns: int | None, cause: GapCause) -> None:
        """A segment could not be opened or written; footage counts until ``accounted_ns``."""
        self._open = self._resumable = False
        self._end_ns = accounted_ns
        self._cause, self._detail = cause, ""

    def accounted(self, until_ns: int | None) -> None:
        """A gap is recorded until this time: footage may begin there at the earliest."""
        if until_ns is not None and not self._open:
            self._end_ns = max(until_ns, self._end_ns or until_ns)

    def set_back(self, until_ns: int) -> None:
        """The recorder's clock was set back and no segment is open: footage begins again at this time."""
        self._end_ns = until_ns

    def hear(self, sound: SoundFormat | None) -> None:
        """Set the sound that belongs to the pictures from the next segment on, which begins with the next key frame."""
        if sound != self._sound:
            self._sound, self._sound_changed, self._made = sound, True, None

    def push(self, fragment: Fragment, start_ns: int, end_ns: int, sound: SoundFrames | None = None) -> list[Action]:
        """Take a fragment. ``start_ns``, ``end_ns``: its span in UTC. ``sound``: the sound of that span.

        StreamError: the parameter sets are invalid.
        """
        actions: list[Action] = []
        changed = fragment.parameters != self._parameters or (self._sound_changed and fragment.key)
        if self._end_ns is not None:
            if self._open and abs(start_ns - self._end_ns) <= _JOIN_NS:
                start_ns = self._end_ns  # so that segments tile exactly
            elif start_ns < self._end_ns:
                if self._end_ns - end_ns > _FLASH_NS:
                    return [*self.missed(GapCause.CLOCK)]
                start_ns = (
                    self._end_ns
                )  # wholly within accounted time: shown for an instant, since later pictures refer to it
            elif self._open:
                actions += self.missed(GapCause.LOSS)
        end_ns = max(end_ns, start_ns + 1_000_000)
        length_ns = start_ns - self._start_ns
        full = length_ns >= self._segment_ns or hour_of(start_ns) != hour_of(self._start_ns)
        forced = end_ns - self._start_ns > self._max_ns
        if self._open and (changed or forced or (fragment.key and full)):
            self._open = False
            actions.append(Finish(start_ns, forced=forced and not fragment.key))
            self._resumable = True
        resumable = self._resumable and not changed
        if not self._open:
            if not (fragment.key or resumable):
                return actions
            actions += self._begin(fragment, start_ns)
        actions.append(self._append(fragment, start_ns, end_ns, sound))
        self._end_ns = end_ns
        return actions

    def _begin(self, fragment: Fragment, start_ns: int) -> list[Action]:
        if self._made is None or (fragment.parameters, fragment.delay_ticks) != (self._parameters, self._delay_ticks):
            self._made = make_init(fragment.parameters, fragment.delay_ticks, self._sound)
            self._parameters, self._delay_ticks = fragment.parameters, fragment.delay_ticks
        self._open, self._resumable = True, False
        self._sound_changed = False
        self._start_ns = start_ns
        return [Missing(start_ns, self._cause, self._detail), Begin(start_ns, *self._made)]

    def _append(self, fragment: Fragment, start_ns: int, end_ns: int, sound: SoundFrames | None) -> Append:
        lasts = (end_ns - start_ns) * TICKS_PER_S // NS
        uneven = abs(lasts - fragment.end_ticks + fragment.start_ticks) > _RETIME_TICKS
        run = retimed(fragment, lasts) if uneven else fragment.run
        pictures = Run(decode_ticks=(start_ns - self._start_ns) * TICKS_PER_S // NS, words=run.words)
        if sound is None or self._sound is None or self._sound_changed:
            pieces: list[bytes] = fragment.pictures
            moof = write_moof(pictures)
        else:
            pieces = [*fragment.pictures, *sound.frames]
            moof = write_moof(pictures, sound_run(sound, self._start_ns))
        head = moof + mdat_head(sum(map(len, pieces)))
        return Append([head, *pieces], start_ns, end_ns, fragment.key, len(fragment.pictures))
