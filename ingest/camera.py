"""One camera, for as long as the role runs: connect, record, say what is missing, try again."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Callable
from contextlib import aclosing

from domain.errors import StorageError
from domain.footage import GapCause
from domain.time import NS
from ingest.access_unit import AccessUnit, Loss, Sound, Source
from ingest.errors import CameraAwayError, CameraStalledError, IngestError
from ingest.health import Health
from ingest.media.clock import MediaClock, RecorderClock
from ingest.media.fragments import Fragment, FragmentWriter
from ingest.media.segmenter import Action, Append, Begin, Finish, Missing, Segmenter
from ingest.media.sound import SoundMixer
from ingest.recording import CameraRecording
from ingest.settings import CameraSettings
from ingest.silence import Silence
from ingest.spool import SpoolFullError
from storage.keys import NoHourKeyError

_log = logging.getLogger(__name__)

SILENT_S = 10.0  # nothing to record for so long: connect anew
CONNECTING_S = 5.0  # and so much more at first
NO_KEY_FRAME_S = 60.0
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.5, 30.0
_TELL_GAP_EVERY_NS = 60 * NS
_LEAD_NS_MAX = NS  # sender reports that put sound further from when it came are nonsense
_EARLY_SOUNDS_MAX = 200
_BEHIND_NS = 3 * NS  # what is on its way may still come


class Camera:
    """``run()`` until cancelled, then ``stop()``. ``tick()`` a few times a second."""

    def __init__(
        self,
        settings: CameraSettings,
        recording: CameraRecording,
        make_source: Callable[[CameraSettings], Source],
        clock: RecorderClock,
        dice: random.Random,
    ) -> None:
        self.settings = settings
        self.recording = recording
        self.health = Health(settings.name)
        self._make_source = make_source
        self._clock = clock
        self._dice = dice
        self._writer = FragmentWriter()
        self._media = MediaClock()
        self._segmenter = Segmenter(settings.segment_s, settings.segment_max_s)
        self._sound: SoundMixer | None = None
        self._sound_clock = MediaClock()
        self._early_sounds: list[Sound] = []  # until both clocks have settled
        self._heard = False  # pictures of this connection were written
        self._settling: list[AccessUnit] = []  # pictures until the clock has settled
        self._early_losses: list[tuple[int, Loss]] = []  # before which of them something is missing
        self._cause, self._detail = GapCause.STARTING, ""
        self._failures = 0
        self._last_begun_s = 0.0
        self._silence: Silence | None = None  # while connected

    def now_ns(self) -> int:
        """UTC by the recorder's clock."""
        return self._clock.utc_ns(time.monotonic_ns())

    async def run(self, first_pause_s: float = 0.0) -> None:
        """Until cancelled; nothing that a camera does ends it."""
        if ahead_ns := self.recording.resume(self.now_ns()):
            _log.warning(
                "camera %s has footage of the %d s to come, from a clock that was ahead: they are recorded again",
                self.settings.name,
                ahead_ns // NS,
            )
        await asyncio.sleep(first_pause_s)
        while True:
            try:
                await self._once()
                error: IngestError = CameraAwayError(
                    f"Camera {self.settings.name} ended the stream.", "It is connected to again."
                )
            except IngestError as raised:
                error = raised
            except Exception as raised:  # noqa: BLE001 (this is the supervisor)
                _log.exception("camera %s: a mistake of ours", self.settings.name)
                error = CameraAwayError(
                    f"Recording camera {self.settings.name} failed ({type(raised).__name__}).",
                    "It is tried again; please report what the log says.",
                )
            self._lost(error)
            await asyncio.sleep(self._pause_s())

    async def _once(self) -> None:
        loop = asyncio.get_running_loop()
        source = self._make_source(self.settings)
        self.health.source = source.kind
        self._media, self._writer = MediaClock(), FragmentWriter()
        self._sound, self._sound_clock = None, MediaClock()
        self._early_sounds.clear()
        self._heard = False
        self._segmenter.accounted(self.recording.accounted_ns)
        self._last_begun_s = loop.time()
        try:
            async with asyncio.timeout(None) as timeout, aclosing(source.batches()) as batches:
                told_s = loop.time()
                silence = self._silence = Silence(
                    timeout,
                    lambda: source.passed_over,
                    connecting_s=CONNECTING_S,
                    longest_s=SILENT_S,
                    waiting_s=NO_KEY_FRAME_S + SILENT_S,
                )
                async for batch in batches:
                    if self.settings.audio:
                        self._listen(source)
                    if self._take(batch) and (now_s := loop.time()) - told_s > 1:
                        silence.heard()
                        told_s = now_s
                        self._heard_from(source)
                        self._watch_segments(now_s)
        except TimeoutError:
            if self._silence is not None and self._silence.without_key:
                raise self._no_key_frame() from None
            raise CameraStalledError(
                f"Camera {self.settings.name} is connected but sends no picture.", "Restart it; check its network."
            ) from None
        finally:
            self._silence = None

    def _take(self, batch: list[AccessUnit | Loss]) -> bool:
        """Whether there was a picture in it."""
        pictures = False
        for item in batch:
            if isinstance(item, Loss):
                self._loss(item)
            else:
                self._picture(item)
                pictures = True
        return pictures

    def _heard_from(self, source: Source) -> None:
        self.health.source, self.health.skew_ns = source.kind, source.skew_ns
        self.health.note, self.health.packets = source.note, source.packets

    # -- Sound, where the configuration asks for it

    def _listen(self, source: Source) -> None:
        form = source.sound
        if self._sound is None and form is not None:
            self._sound = SoundMixer(form)
        self.health.sound = "recorded" if form is not None else source.sound_note
        self._segmenter.hear(form)
        sounds = source.take_sounds()
        if self._sound is None:
            return
        for sound in sounds:
            self._sound_clock.observe(sound.pts_ticks, sound.mono_ns)
        self._early_sounds += sounds
        if not (self._sound_clock.settled and self._media.settled):
            del self._early_sounds[:-_EARLY_SOUNDS_MAX]
            return
        for sound in self._early_sounds:
            self._sound.heard(self._clock.utc_ns(self._sound_time_ns(sound)), sound.data)
        self._early_sounds.clear()
        self._release(self._sound)

    def _sound_time_ns(self, sound: Sound) -> int:
        """Monotonic: by the clock that the camera gives both tracks; by when it came where that makes no sense."""
        by_arrival = self._sound_clock.time_ns(sound.pts_ticks)
        if sound.lead_ticks is None:
            return by_arrival
        by_reports = self._media.time_ns(sound.pts_ticks + sound.lead_ticks)
        return by_reports if abs(by_reports - by_arrival) < _LEAD_NS_MAX else by_arrival

    def _release(self, mixer: SoundMixer, *, all_of_them: bool = False) -> None:
        for held, run in mixer.ready(all_of_them=all_of_them):
            self._apply(self._segmenter.push(held.fragment, held.start_ns, held.end_ns, run))

    def _watch_segments(self, now_s: float) -> None:
        if self.recording.open:
            self._last_begun_s = now_s
        elif now_s - self._last_begun_s > NO_KEY_FRAME_S and self._cause is GapCause.STARTING:
            raise self._no_key_frame()

    def _no_key_frame(self) -> CameraStalledError:
        return CameraStalledError(
            f"Camera {self.settings.name} sends no key frame.", "Set its key frame interval to a few seconds."
        )

    # -- Pictures

    def _picture(self, unit: AccessUnit) -> None:
        health = self.health
        health.frames += 1
        health.size_bytes += len(unit.data)
        health.damaged_frames += unit.damaged
        if self._media.observe(unit.pts_ticks, unit.mono_ns):
            health.clock_jumps += 1
            self._media.swap()
            self._settle()  # what came before it has its times by what was known then
            self._flush()
            self._media.swap()
            self._apply(self._segmenter.jumped())
        if not self._media.settled:
            self._settling.append(unit)
            return
        if self._settling:
            self._settle()
        self._write(unit)

    def _settle(self) -> None:
        """The pictures from before the clock had settled, if any, with what was missing among them."""
        if not self._settling:
            return
        if not self._heard:
            self._heard = True
            self._connected()
        early, losses = self._settling, self._early_losses
        self._settling, self._early_losses = [], []
        for place, one in enumerate(early):
            while losses and losses[0][0] == place:
                self._missed(losses.pop(0)[1])
            self._write(one)
        for _, loss in losses:
            self._missed(loss)

    def _missed(self, loss: Loss) -> None:
        self._flush()
        self._because(loss.cause, loss.detail)

    def _connected(self) -> None:
        self._failures = 0
        self.health.connections += 1
        self.health.last_error = self.health.remedy = ""
        self.health.state = "recording"
        if self._cause is not GapCause.STARTING:
            self._account(self._clock.utc_ns(self._media.time_ns(self._settling[0].pts_ticks)))
        self._because(GapCause.STARTING)

    def _write(self, unit: AccessUnit) -> None:
        fragment = self._writer.push(unit)
        if fragment is not None:
            self._record(fragment)

    def _flush(self) -> None:
        fragments = list(iter(self._writer.flush, None))
        try:
            for fragment in fragments:
                self._record(fragment)
            if self._sound is not None:
                self._release(self._sound, all_of_them=True)
        except IngestError as error:  # parameter sets that make no sense
            self.health.last_error, self.health.remedy = error.what, error.remedy

    def _loss(self, loss: Loss) -> None:
        self.health.losses += 1
        self.health.lost_packets += loss.packets
        if not loss.gap:
            return
        if self._settling:  # the clock has not settled: what is missing is told where it is missing
            self._early_losses.append((len(self._settling), loss))
        else:
            self._missed(loss)

    def _record(self, fragment: Fragment) -> None:
        start_ns = self._clock.utc_ns(self._media.time_ns(fragment.start_ticks))
        end_ns = self._clock.utc_ns(self._media.time_ns(fragment.end_ticks))
        self.health.last_picture_ns = end_ns
        if self._sound is None:
            self._apply(self._segmenter.push(fragment, start_ns, end_ns))
        else:
            self._sound.hold(fragment, start_ns, end_ns)
            self._release(self._sound)

    # -- What the segmenter says

    def _apply(self, actions: list[Action]) -> None:
        try:
            for action in actions:
                self._do(action)
        except (StorageError, OSError) as error:
            self._not_written(error)

    def _do(self, action: Action) -> None:
        recording = self.recording
        if isinstance(action, Append):
            recording.append(action.pieces, action.start_ns, action.end_ns, key=action.key, frames=action.frames)
        elif isinstance(action, Finish):
            self.health.forced_cuts += action.forced
            recording.finish(action.end_ns)
        elif isinstance(action, Missing):
            recording.missing(action.until_ns, action.cause, action.detail)
        elif isinstance(action, Begin):
            recording.begin(action.start_ns, action.codec, action.init)
            self.health.state = "recording"

    def _not_written(self, error: StorageError | OSError) -> None:
        cause = GapCause.STORAGE
        if isinstance(error, NoHourKeyError):
            cause = GapCause.NO_KEY
        elif isinstance(error, SpoolFullError):
            cause = GapCause.SPOOL_FULL
        if self.health.state != "waiting":
            _log.warning("camera %s is not recorded: %s", self.settings.name, error)
        self.health.state = "waiting"
        self.health.last_error = getattr(error, "what", "") or str(error)
        self.health.remedy = getattr(error, "remedy", "")
        self._segmenter.broken(self.recording.accounted_ns, cause)
        self._cause, self._detail = cause, ""

    def _because(self, cause: GapCause, detail: str = "") -> None:
        """Footage stops here, or goes on to be missing, for this reason."""
        self._cause, self._detail = cause, detail
        self._apply(self._segmenter.missed(cause, detail))

    # -- When there is nothing

    def _lost(self, error: IngestError) -> None:
        self._flush()
        self._settling.clear()
        self._early_losses.clear()
        if self.health.last_error != error.what:
            _log.warning("%s", error)
        self.health.last_error, self.health.remedy = error.what, error.remedy
        self.health.state = "refused" if error.cause is GapCause.REFUSED else "connecting"
        self._failures += 1
        self._because(error.cause)

    def _pause_s(self) -> float:
        """At once after a first loss, then longer and longer, jittered."""
        if self._failures <= 1:
            return self._dice.uniform(0, 0.2)
        longest = min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2.0 ** min(self._failures - 2, 10))
        return float(longest * self._dice.uniform(0.5, 1.0))

    def clock_stepped(self) -> None:
        """This machine's clock went ahead: what follows is another stretch, the time between a gap."""
        self._flush()
        self._cause, self._detail = GapCause.CLOCK, ""
        self._apply(self._segmenter.jumped())

    def tick(self) -> None:
        """Seal what waits too long, record a gap that grows, and give up a camera that has been silent too long."""
        if self._silence is not None:
            self._silence.look()
        try:
            self.recording.tick()
        except (StorageError, OSError) as error:
            self._not_written(error)
        accounted_ns = self.recording.accounted_ns
        now_ns = self.now_ns()
        if not self.recording.open and accounted_ns is not None and now_ns - accounted_ns > _TELL_GAP_EVERY_NS:
            self._account(now_ns - _BEHIND_NS)

    def _account(self, until_ns: int) -> None:
        self.recording.missing(until_ns, self._cause, self._detail)
        self._segmenter.accounted(self.recording.accounted_ns)

    def stop(self) -> None:
        """In good order, after ``run()`` was cancelled: what was received is finished, the rest is a gap."""
        self._flush()
        self._apply(self._segmenter.close())
        if self.health.state != "recording" and self.recording.accounted_ns is not None and not self.recording.open:
            self._account(self.now_ns())  # until now it was the camera, or the disk, and not we
        self.health.state = "stopped"
        self.recording.stop(self.now_ns())
