"""One segment while it is recorded: sealed, appended to the spool, finished or abandoned."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from ingest.spool import CameraPosition, Ending, Fragment, SegmentFile, disk_error
from storage.keys import RecorderIdentity
from storage.sealed import Plaintext, Sealer

_MS = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """A finished segment: its file, still open, and the camera's next position."""

    file: SegmentFile
    position: CameraPosition


class OpenSegment:
    """The segment that a camera is recording. Append whole fragments in order.

    After a SpoolError of any method the caller abandons the segment; recovery keeps what was sealed.
    ``durable_end_ns``: end of the last fragment whose bytes are all sealed and written.
    """

    __slots__ = (
        "_fragments",
        "_grown",
        "_header",
        "_sealed_bytes",
        "_waiting_since",
        "durable_end_ns",
        "end_ns",
        "file",
        "frames",
        "sealer",
        "start_ns",
    )

    def __init__(
        self, sealer: Sealer, file: SegmentFile, start_ns: int, init: bytes, grown: Callable[[SegmentFile], None]
    ) -> None:
        self.sealer, self.file, self.start_ns = sealer, file, start_ns
        self._header = sealer.header
        self._sealed_bytes = len(sealer.header)
        self._grown = grown
        self._waiting_since: int | None = None  # monotonic time of the oldest byte that is not sealed
        self._fragments: list[
            tuple[int, int]
        ] = []  # (end in the plaintext, end_ns) of fragments that are not wholly sealed
        self.end_ns = start_ns
        self.durable_end_ns = start_ns
        self.frames = 0
        self._write(None, sealer.push(init))

    @property
    def size_bytes(self) -> int:
        """Bytes of plaintext so far."""
        return self.sealer.plain_len

    def append(
        self, pieces: Sequence[Plaintext], start_ns: int, end_ns: int, *, key: bool, frames: int, mono_ns: int
    ) -> None:
        """Append a fragment, moof and mdat. Afterwards everything before it is sealed."""
        offset = self.sealer.plain_len
        chunks = self.sealer.push(*pieces)
        size = self.sealer.plain_len - offset
        fragment = Fragment(
            start_ms=(start_ns - self.start_ns) // _MS,
            offset=offset,
            size=size,
            frames=frames,
            key=key,
            end_ns=end_ns,
        )
        self._fragments.append((offset + size, end_ns))
        if self.sealer.unsealed_size > size:
            chunks += self.sealer.pad()
        self._waiting_since = mono_ns if self.sealer.unsealed_size else None
        self._write(fragment, chunks)
        self.end_ns = end_ns
        self.frames += frames

    def tick(self, mono_ns: int, limit_ns: int) -> None:
        """Seal what has waited longer than ``limit_ns``, though its chunk is not full."""
        if self._waiting_since is not None and mono_ns - self._waiting_since > limit_ns:
            self._waiting_since = None
            self._write(None, self.sealer.pad())

    def finish(self, end_ns: int, identity: RecorderIdentity, position: CameraPosition) -> Done:
        """Complete the object; the spool then publishes its file. ``position``: the camera's present position."""
        tail = self.sealer.finish(
            end_ns=end_ns,
            previous_trailer_sha256=position.trailer_sha256,
            recorder_id=identity.recorder_id,
            sign=identity.sign,
        )
        ending = Ending(
            end_ns=end_ns,
            size_bytes=self._sealed_bytes + len(tail),
            sha256=self.sealer.object_sha256,
            header=self._header,
            recovered=False,
            recorder_id=identity.recorder_id,
            trailer=self.sealer.trailer,
        )
        try:
            self.file.finish(tail, ending)
        except OSError as exc:
            if self.file.holds(ending.size_bytes):
                self.durable_end_ns = end_ns
            raise disk_error(exc) from exc
        self.durable_end_ns = end_ns
        self._grown(self.file)
        position = replace(position, trailer_sha256=self.sealer.trailer_sha256, end_ns=end_ns, orderly=False)
        return Done(file=self.file, position=position)

    def _write(self, fragment: Fragment | None, chunks: list[bytes]) -> None:
        try:
            self.file.append(fragment, chunks)
        except OSError as exc:
            raise disk_error(exc) from exc
        self._grown(self.file)
        self._sealed_bytes += sum(map(len, chunks))
        sealed_to = self.sealer.plain_len - self.sealer.unsealed_size
        while self._fragments and self._fragments[0][0] <= sealed_to:
            self.durable_end_ns = self._fragments.pop(0)[1]
