"""Turns a file's pictures into finished, sealed segments in a staging directory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from domain.footage import GapCause
from domain.time import NS, Span
from ingest.access_unit import TICKS_PER_S
from ingest.libav.file import FileFacts, FileRefusedError, opened
from ingest.media.fragments import Fragment, FragmentWriter
from ingest.media.segmenter import Append, Begin, Finish, Missing, Segmenter
from ingest.recording import CameraRecording


class FileSealer:
    """Feeds a recording as a camera does, on the file's own clock: its first picture is shown at ``start_ns``."""

    def __init__(
        self, recording: CameraRecording, facts: FileFacts, start_ns: int, segment_s: float, segment_max_s: float
    ) -> None:
        self._recording, self._facts, self._start_ns = recording, facts, start_ns
        self._segmenter = Segmenter(segment_s, segment_max_s)
        self._begun_ns: int | None = None
        self.pictures = 0
        self.forced_cuts = 0

    @property
    def span(self) -> Span:
        """Of the footage that was sealed, exactly. ValueError: there is none."""
        ended_ns = self._recording.accounted_ns
        if self._begun_ns is None or ended_ns is None:
            raise ValueError("nothing was sealed")
        return Span(self._begun_ns, ended_ns)

    def run(self, path: Path) -> Iterator[int]:
        """Yield the number of pictures sealed so far, after each fragment. FileRefusedError, StorageError, OSError."""
        writer = FragmentWriter()
        with opened(path) as file:
            for unit in file.units():
                fragment = writer.push(unit)
                if fragment is not None:
                    self._record(fragment)
                    yield self.pictures
        for fragment in iter(writer.flush, None):
            self._record(fragment)
        for action in self._segmenter.close():
            self._do(action)
        status = path.stat()
        if (status.st_size, status.st_mtime_ns) != (self._facts.size_bytes, self._facts.mtime_ns):
            raise FileRefusedError(f"{path.name} was changed while it was read.", "Import it once it is finished.")
        yield self.pictures

    def _record(self, fragment: Fragment) -> None:
        start_ns, end_ns = self._time_ns(fragment.start_ticks), self._time_ns(fragment.end_ticks)
        for action in self._segmenter.push(fragment, start_ns, end_ns):
            self._do(action)

    def _time_ns(self, ticks: int) -> int:
        return self._start_ns + (ticks - self._facts.start_ticks) * NS // TICKS_PER_S

    def _do(self, action: Append | Begin | Finish | Missing) -> None:
        recording = self._recording
        if isinstance(action, Append):
            recording.append(action.pieces, action.start_ns, action.end_ns, key=action.key, frames=action.frames)
            self.pictures += action.frames
        elif isinstance(action, Finish):
            self.forced_cuts += action.forced
            recording.finish(action.end_ns)
        elif isinstance(action, Begin):
            recording.begin(action.start_ns, action.codec, action.init)
            if self._begun_ns is None:
                self._begun_ns = action.start_ns
        elif recording.accounted_ns is not None:
            recording.missing(action.until_ns, GapCause.LOSS, "a hole in the imported file")
