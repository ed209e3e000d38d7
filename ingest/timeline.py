"""A camera's timeline: turns pictures, losses and pauses into actions that record footage or gaps.

Pure: it returns lists of the Segmenter's actions. Carry out one list before asking for the next; call ``broken()`` when
an action fails, and skip the rest of its list.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from domain.footage import GapCause
from domain.time import NS
from ingest.access_unit import TICKS_PER_S, AccessUnit, Loss, Rests, Sound, SoundFormat
from ingest.health import Health
from ingest.media.clock import MediaClock, RecorderClock, ticks_to_ns
from ingest.media.fragments import Fragment, FragmentWriter
from ingest.media.segmenter import Action, Missing, Segmenter
from ingest.media.sound import SoundMixer
from ingest.silence import PATIENCE_S

_LONGEST_TICKS: Final = round(PATIENCE_S * TICKS_PER_S)  # that a picture may last while the connection is up
_LEAD_NS_MAX: Final = NS  # sender reports that place sound further from its arrival are ignored
_EARLY_SOUNDS_MAX: Final = 200
Actions = Iterator[list[Action]]


class CameraTimeline:
    """Call ``connected()``, then ``push()``. ``cause``, ``detail``: why there is no footage at present."""

    def __init__(self, health: Health, clock: RecorderClock, segment_s: float, segment_max_s: float) -> None:
        """``health``: updated by the timeline."""
        self._health = health
        self._clock = clock
        self._writer = FragmentWriter(_LONGEST_TICKS)
        self._media = MediaClock()
        self._segmenter = Segmenter(segment_s, segment_max_s)
        self._sound: SoundMixer | None = None
        self._sound_clock = MediaClock()
        self._early_sounds: list[tuple[Sound, int | None]] = []  # until both clocks have settled
        self._heard = False  # whether pictures of this connection were recorded
        self._settling: list[AccessUnit] = []  # pictures until the clock has settled
        self._early_losses: list[tuple[int, Loss]] = []  # the items before which packets are missing
        self._jumps = 0  # of earlier connections
        self.cause, self.detail = GapCause.STARTING, ""

    def connected(self, accounted_ns: int | None) -> None:
        """Begin a new stream. ``accounted_ns``: end of the last footage or gap."""
        self._media, self._writer = MediaClock(), FragmentWriter(_LONGEST_TICKS)
        self._sound, self._sound_clock = None, MediaClock()
        self._early_sounds.clear()
        self._heard = False
        self._jumps = self._health.clock_jumps
        self._segmenter.accounted(accounted_ns)

    @property
    def settled(self) -> bool:
        """Whether pictures that were pushed have their place on the recorder's clock."""
        return self._media.settled

    # -- Pictures

    def push(self, batch: Sequence[AccessUnit | Loss], rests: Rests | None = None) -> Actions:
        """Take what arrived together. ``rests``: of the connection, where the source knows them."""
        media, health = self._media, self._health
        pictures = [item for item in batch if not isinstance(item, Loss)]
        size_bytes = sum([len(picture.data) for picture in pictures])
        health.frames += len(pictures)
        health.size_bytes += size_bytes
        media.take(pictures, size_bytes, rests)
        health.clock_jumps = self._jumps + media.jumps
        if not media.settled:
            self._wait(batch)
            return
        if self._settling:
            yield from self._settle()
        for item in batch:
            if isinstance(item, Loss):
                self._count(item)
                if item.gap:
                    yield from self._missed(item)
                continue
            health.damaged_frames += item.damaged
            item.pts_ticks = media.place(item.pts_ticks)
            fragment = self._writer.push(item)
            if fragment is not None:
                yield from self._record(fragment)

    def report(self) -> None:
        """Update the health. Call about once a second."""
        self._health.timed_by, self._health.delay_s = self._media.timed_by.value, self._media.delay_s

    def flush(self) -> Actions:
        """Turn all received pictures into footage: the stream ends here or is interrupted."""
        for fragment in iter(self._writer.flush, None):
            yield from self._record(fragment)
        if self._sound is not None:
            yield from self._release(self._sound, all_of_them=True)

    def _wait(self, batch: Sequence[AccessUnit | Loss]) -> None:
        """Keep pictures and losses, in their order, until the clock has settled."""
        for item in batch:
            if not isinstance(item, Loss):
                self._settling.append(item)
                continue
            self._count(item)
            if item.gap:
                self._early_losses.append((len(self._settling), item))

    def _settle(self) -> Actions:
        """Take the pictures from before the clock had settled, with the losses among them."""
        early, losses = self._settling, self._early_losses
        self._settling, self._early_losses = [], []
        for unit in early:
            unit.pts_ticks = self._media.place(unit.pts_ticks)
            self._health.damaged_frames += unit.damaged
        if not self._heard:
            self._heard = True
            yield from self._begun(early[0])
        for place, unit in enumerate(early):
            while losses and losses[0][0] == place:
                yield from self._missed(losses.pop(0)[1])
            fragment = self._writer.push(unit)
            if fragment is not None:
                yield from self._record(fragment)
        for _, loss in losses:
            yield from self._missed(loss)

    def _begun(self, first: AccessUnit) -> Actions:
        health = self._health
        health.connections += 1
        health.last_error = health.remedy = ""
        health.state = "recording"
        if self.cause is not GapCause.STARTING:
            yield self.account(self._clock.utc_ns(ticks_to_ns(first.pts_ticks)))
        yield self.missed(GapCause.STARTING)

    def _count(self, loss: Loss) -> None:
        self._health.losses += 1
        self._health.lost_packets += loss.packets

    def _missed(self, loss: Loss) -> Actions:
        yield from self.flush()
        yield self.missed(loss.cause, loss.detail)

    def _record(self, fragment: Fragment) -> Actions:
        start_ns = self._clock.utc_ns(ticks_to_ns(fragment.start_ticks))
        end_ns = self._clock.utc_ns(ticks_to_ns(fragment.end_ticks))
        self._health.last_picture_ns = end_ns
        if self._sound is None:
            yield self._segmenter.push(fragment, start_ns, end_ns)
        else:
            self._sound.hold(fragment, start_ns, end_ns)
            yield from self._release(self._sound)

    # -- Sound, if the configuration asks for it

    def hear(self, form: SoundFormat | None, sounds: Sequence[Sound]) -> Actions:
        """Take sound. ``sounds``: frames since the last batch of pictures."""
        if self._sound is None and form is not None:
            self._sound = SoundMixer(form)
        self._segmenter.hear(form)
        if self._sound is None or not sounds:
            return
        stamps = [None if one.lead_ticks is None else one.pts_ticks + one.lead_ticks for one in sounds]
        self._sound_clock.take(sounds)
        self._early_sounds += zip(sounds, stamps, strict=True)
        if not (self._sound_clock.settled and self._media.settled):
            del self._early_sounds[:-_EARLY_SOUNDS_MAX]
            return
        for sound, stamp in self._early_sounds:
            self._sound.heard(self._clock.utc_ns(self._sound_time_ns(sound, stamp)), sound.data)
        self._early_sounds.clear()
        yield from self._release(self._sound)

    def _sound_time_ns(self, sound: Sound, stamp: int | None) -> int:
        """Return a frame's monotonic time by the clock that both tracks share, or by its arrival if implausible.

        stamp: the sound's time as the camera would stamp a picture
        """
        by_arrival = ticks_to_ns(self._sound_clock.place(sound.pts_ticks))
        by_reports = None if stamp is None else self._media.taken_ns(stamp)
        return by_reports if by_reports is not None and abs(by_reports - by_arrival) < _LEAD_NS_MAX else by_arrival

    def _release(self, mixer: SoundMixer, *, all_of_them: bool = False) -> Actions:
        for held, run in mixer.ready(all_of_them=all_of_them):
            yield self._segmenter.push(held.fragment, held.start_ns, held.end_ns, run)

    # -- Missing time

    def missed(self, cause: GapCause, detail: str = "") -> list[Action]:
        """Footage stops here, or continues to be missing, for this reason."""
        self.cause, self.detail = cause, detail
        return self._segmenter.missed(cause, detail)

    def account(self, until_ns: int) -> list[Action]:
        """Record a gap until this time."""
        self._segmenter.accounted(until_ns)
        return [Missing(until_ns, self.cause, self.detail)]

    def forget(self) -> None:
        """The connection is lost, and with it the pictures whose clock had not settled."""
        self._settling.clear()
        self._early_losses.clear()

    def stepped(self) -> Actions:
        """The recorder's clock is about to step: place all received pictures by the old one."""
        yield from self.flush()
        self.cause, self.detail = GapCause.CLOCK, ""
        yield self._segmenter.jumped()

    def set_back(self, accounted_ns: int) -> None:
        """Begin footage again at this time, although some of it is recorded already."""
        self._segmenter.set_back(accounted_ns)

    def broken(self, accounted_ns: int | None, cause: GapCause) -> None:
        """An action failed: footage counts until ``accounted_ns``."""
        self.cause, self.detail = cause, ""
        self._segmenter.broken(accounted_ns, cause)

    def close(self) -> list[Action]:
        """End the open segment where its footage ends."""
        return self._segmenter.close()
