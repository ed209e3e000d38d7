"""One camera, for as long as the role runs: connects, records, records gaps, and connects again."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Callable, Iterable
from contextlib import aclosing
from itertools import zip_longest

from domain.errors import StorageError
from domain.footage import GapCause
from domain.time import NS, Span
from ingest.access_unit import Source
from ingest.budget import Budget, TurnTooLongError
from ingest.errors import CameraAwayError, CameraStalledError, IngestError
from ingest.health import Health
from ingest.media.clock import RecorderClock
from ingest.media.segmenter import Action, Append, Begin, Finish, Missing
from ingest.recording import CameraRecording
from ingest.settings import CameraSettings
from ingest.silence import Silence
from ingest.spool import SpoolFullError
from ingest.timeline import CameraTimeline
from ingest.watched.feeding import CameraFeed, Watched
from ingest.watched.substream import substream_of
from storage.keys import NoHourKeyError

_log = logging.getLogger(__name__)

SILENT_S = 10.0  # without anything to record for this long, connect anew
CONNECTING_S = 5.0  # this much longer for the first picture
NO_KEY_FRAME_S = 60.0
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.5, 30.0
_TELL_GAP_EVERY_NS = 60 * NS
_BEHIND_NS = 3 * NS  # for what is still on its way


class Camera:
    """Call ``run()`` until cancelled, then ``stop()``; meanwhile ``tick()`` a few times a second."""

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
        self._timeline = CameraTimeline(self.health, clock, settings.segment_s, settings.segment_max_s)
        self._budget = Budget()
        self._failures = self._connections = 0
        self._last_begun_s = 0.0
        self._stepped_ns = 0  # UTC to which this machine's clock was last set
        self._silence: Silence | None = None  # while connected
        self._source: Source | None = None  # the same
        self.live = CameraFeed(self._hurry)
        self._substream = substream_of(settings, self.live, make_source, self.health)

    def watched(self, *, small: bool) -> Watched:
        """What those who watch get; small: of the second stream, where there is one."""
        return self._substream if small and self._substream is not None else self.live

    def now_ns(self) -> int:
        """UTC nanoseconds by the recorder's clock."""
        return self._clock.utc_ns(time.monotonic_ns())

    async def run(self, first_pause_s: float = 0.0) -> None:
        """Record until cancelled; no fault of the camera ends it."""
        if ahead_ns := self.recording.resume(self.now_ns()):
            _log.warning(
                "camera %s has footage of the next %d s, from a clock that was ahead: this time is recorded again",
                self.settings.name,
                ahead_ns // NS,
            )
        await asyncio.sleep(first_pause_s)
        while True:
            try:
                await self._once()
                error: IngestError = CameraAwayError(
                    f"Camera {self.settings.name} ended the stream.", "Tallenne connects again."
                )
            except IngestError as raised:
                error = raised
            except Exception as raised:  # noqa: BLE001 (this is the supervisor)
                _log.exception("camera %s: a programming error", self.settings.name)
                error = CameraAwayError(
                    f"Recording camera {self.settings.name} failed ({type(raised).__name__}).",
                    "Tallenne tries again; please report what the log says.",
                )
            self._lost(error)
            await asyncio.sleep(self._pause_s())

    async def _once(self) -> None:
        loop = asyncio.get_running_loop()
        source = self._source = self._make_source(self.settings)
        self._hurry()
        self.health.source = source.kind
        self._timeline.connected(self.recording.accounted_ns)
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
                    frames = self.health.frames
                    with self._budget:
                        if self.settings.audio:
                            self._listen(source)
                        self._apply(self._timeline.push(batch, source.rests))
                        self.live.take(batch, placed=self._timeline.settled)
                    if self.health.frames != frames and (now_s := loop.time()) - told_s > 1:
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
        except TurnTooLongError as error:
            raise TurnTooLongError(f"Camera {self.settings.name}: {error.what}", error.remedy) from None
        finally:
            self._silence = self._source = None

    def _heard_from(self, source: Source) -> None:
        self.health.source, self.health.skew_ns = source.kind, source.skew_ns
        self.health.note, self.health.packets = source.note, source.packets
        self._timeline.report()

    def _listen(self, source: Source) -> None:
        self.health.sound = "recorded" if source.sound is not None else source.sound_note
        self._apply(self._timeline.hear(source.sound, source.take_sounds()))

    def _watch_segments(self, now_s: float) -> None:
        if self.recording.open:
            self._last_begun_s = now_s
        elif now_s - self._last_begun_s > NO_KEY_FRAME_S and self._timeline.cause is GapCause.STARTING:
            raise self._no_key_frame()

    def _no_key_frame(self) -> CameraStalledError:
        return CameraStalledError(
            f"Camera {self.settings.name} sends no key frame.", "Set its key frame interval to a few seconds."
        )

    # -- Actions of the timeline

    def _apply(self, lists: Iterable[list[Action]]) -> None:
        for actions in lists:
            try:
                for action, following in zip_longest(actions, actions[1:]):
                    if isinstance(following, Begin):
                        self.recording.admit(
                            following.start_ns
                        )  # before the gap: otherwise every attempt would be an outage of its own
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
            if self.health.state == "waiting":
                self.health.last_error = self.health.remedy = ""
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
        self._timeline.broken(self.recording.accounted_ns, cause)

    # -- Without footage

    def _hurry(self) -> None:
        if self._source is not None:
            self._source.hurry(self.live.watched)

    def _lost(self, error: IngestError) -> None:
        self._flush()
        self.live.lost()
        self._timeline.forget()
        if self.health.last_error != error.what:
            _log.warning("%s", error)
        self.health.last_error, self.health.remedy = error.what, error.remedy
        self.health.state = "refused" if error.cause is GapCause.REFUSED else "connecting"
        self._failures = 0 if self.health.connections != self._connections else self._failures
        self._connections = self.health.connections
        self._failures += 1
        self._apply([self._timeline.missed(error.cause)])

    def _flush(self) -> None:
        try:
            self._apply(self._timeline.flush())
        except IngestError as error:  # invalid parameter sets
            self.health.last_error, self.health.remedy = error.what, error.remedy

    def _pause_s(self) -> float:
        """Wait before the next attempt: not at all after a first loss, then longer and longer, jittered."""
        if self._failures <= 1:
            return self._dice.uniform(0, 0.2)
        longest = min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2.0 ** min(self._failures - 2, 10))
        return float(longest * self._dice.uniform(0.5, 1.0))

    def clock_stepped(self, step_ns: int) -> None:
        """Prepare for a step of this machine's clock, before it is followed.

        A step ahead leaves a gap. After a step back, recorded time is recorded again, in the next epoch.
        """
        self._apply(self._timeline.stepped())
        recording = self.recording
        filed_ns, since_ns = recording.accounted_ns, self._stepped_ns
        self._stepped_ns = self.now_ns() + step_ns
        if step_ns > 0:
            recording.begin_epoch()
        if step_ns > 0 or filed_ns is None:
            return
        recording.set_back(filed_ns + step_ns)
        self._timeline.set_back(filed_ns + step_ns)
        begun_ns = max(filed_ns + step_ns, since_ns)
        if begun_ns < filed_ns:
            self.health.misfiled = Span(begun_ns, filed_ns)

    def tick(self) -> None:
        """Seal what waits too long, extend a growing gap, and disconnect a camera that has been silent too long."""
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
        self._apply([self._timeline.account(until_ns)])

    def stop(self) -> None:
        """Finish, after ``run()`` was cancelled, the footage that was received; the rest becomes a gap."""
        self._flush()
        self.live.close()
        if self._substream is not None:
            self._substream.close()
        self._apply([self._timeline.close()])
        if self.health.state != "recording" and self.recording.accounted_ns is not None and not self.recording.open:
            self._account(self.now_ns())  # up to here the camera or the disk is the cause, and not the stop
        self.health.state = "stopped"
        self.recording.stop(self.now_ns())
