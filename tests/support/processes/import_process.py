"""An import in a process of its own, which a test may kill."""

from __future__ import annotations

import asyncio
import pickle
import sys
from dataclasses import dataclass
from pathlib import Path

from ingest.importing import ImportSettings, import_file, resume
from ingest.settings import CameraSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    settings: ImportSettings
    camera: CameraSettings
    file: Path | None  # None: resume
    start_ns: int


async def main(task: Task) -> None:
    if task.file is None:
        await resume(task.settings, lambda _what, _part: None)
    else:
        await import_file(task.settings, task.camera, task.file, task.start_ns, lambda _what, _part: None)


if __name__ == "__main__":
    asyncio.run(main(pickle.loads(Path(sys.argv[1]).read_bytes())))  # noqa: S301 - the test's own
