"""The layout of a spool directory.

lock                              held by the one recorder that uses the directory
segments/<start_ns>-<uuid>.part   being written
segments/<start_ns>-<uuid>.tlns   a whole object, signed, waiting for the object store
segments/<start_ns>-<uuid>.metadata  the journal beside either (metadata.py)
cameras/<uuid>.position               the camera's last trailer and how far it is accounted for (positions.py)
gaps                              gaps waiting for the catalogue (gaps.py)
spare/                            empty files for the next segments (spares.py)
damaged/                          files that recovery did not understand, for an operator to examine
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from domain.ids import SegmentId
from runtime.private_files import sync_directory

_STEM = re.compile(r"(\d{1,19})-([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})")
PART, READY, METADATA = ".part", ".tlns", ".metadata"


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """The files of one segment, not all of which need exist. Ordered by start."""

    folder: Path
    start_ns: int
    segment_id: SegmentId

    @property
    def stem(self) -> str:
        """File name of the segment without its ending: start and id."""
        return f"{self.start_ns}-{self.segment_id}"

    @property
    def part(self) -> Path:
        """Path of the segment while it is written."""
        return self.folder / (self.stem + PART)

    @property
    def ready(self) -> Path:
        """Path of the finished segment."""
        return self.folder / (self.stem + READY)

    @property
    def metadata(self) -> Path:
        """Path of the segment's metadata journal."""
        return self.folder / (self.stem + METADATA)


def place_of(path: Path) -> Place | None:
    """Return the segment to which a file belongs by its name; None: no recorder gives such a name."""
    match = _STEM.fullmatch(path.stem)
    if match is None or path.suffix not in (PART, READY, METADATA):
        return None
    return Place(path.parent, int(match[1]), SegmentId(UUID(match[2])))


@dataclass(frozen=True, slots=True)
class SpoolLayout:
    """The paths in a spool directory."""

    directory: Path

    @property
    def lock(self) -> Path:
        """Lock file, held by the one recorder that uses the directory."""
        return self.directory / "lock"

    @property
    def segments(self) -> Path:
        """Segments and their journals."""
        return self.directory / "segments"

    @property
    def cameras(self) -> Path:
        """One file per camera: its position."""
        return self.directory / "cameras"

    @property
    def gaps(self) -> Path:
        """Gaps that wait for the catalogue."""
        return self.directory / "gaps"

    @property
    def damaged(self) -> Path:
        """Files that recovery did not understand, for an operator to examine."""
        return self.directory / "damaged"

    @property
    def spare(self) -> Path:
        """Empty files for the next segments."""
        return self.directory / "spare"

    def make(self) -> None:
        """Create the folders, closed to other users. OSError."""
        for folder in (self.directory, self.segments, self.cameras, self.damaged, self.spare):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def sync(self) -> None:
        """Sync the folders: they and the names in them survive a power cut. OSError."""
        for folder in (self.segments, self.cameras, self.damaged, self.spare, self.directory, self.directory.parent):
            sync_directory(folder)
