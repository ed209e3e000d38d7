"""The same job as ours, put together from parts: ffmpeg segments, sealed by `age`, uploaded by `rclone`.

As a shell script would do it: once a segment's length each finished file is encrypted by a process of its own, and one
rclone moves what has been sealed. No catalogue, no hash that could be verified, no key that expires; files whose turn
has not come lie on the disk in the clear.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.frame.process import Child
from benchmarks.peers.recorders import Running, pinned_process
from benchmarks.peers.recorders import recording as recording_plain

_SCRIPT = """
while sleep "$3"; do
  for camera in plain/*/; do
    last=
    for file in "$camera"*.mp4; do
      if [ -n "$last" ]; then
        name=${last#plain/}
        age -r "$1" -o "sealed/${name%/*}-${name##*/}.age" "$last" && rm "$last"
      fi
      last=$file
    done
  done
  rclone move sealed :s3:footage/ --config /dev/null --s3-provider Other --s3-endpoint "http://$2" \
    --s3-access-key-id bench --s3-secret-access-key bench-bench --s3-force-path-style --s3-no-check-bucket \
    --s3-no-head --s3-disable-checksum --no-check-dest --no-traverse --retries 1 -q
done
"""


@dataclass(frozen=True, slots=True)
class Sink:
    """A running floors/null_sink.py."""

    endpoint: str
    child: Child

    def counted(self) -> dict[str, int]:
        """puts and bytes, so far."""
        said: dict[str, int] = self.child.report()
        return said


@contextmanager
def recording(
    urls: Sequence[str], directory: Path, sink: Sink, segment_s: float, *, core: int | None
) -> Iterator[Running]:
    """ffmpeg on every camera and one such loop, all pinned to ``core``."""
    plain = directory / "plain"
    (directory / "sealed").mkdir(parents=True)
    made = subprocess.run(["age-keygen"], capture_output=True, text=True, check=True).stdout
    recipient = next(line for line in made.splitlines() if line.startswith("# public key:")).rpartition(" ")[2]
    with recording_plain("ffmpeg", urls, plain, segment_s, core=core) as running:
        words = [recipient, sink.endpoint, str(segment_s)]
        loop = pinned_process(["sh", "-c", _SCRIPT, "parts", *words], core, directory)
        try:
            pids = (*running.pids, loop.pid)
            yield Running(pids=pids, cameras=running.cameras, counted=sink.counted, ended=running.ended)
        finally:
            loop.terminate()
            loop.wait()
