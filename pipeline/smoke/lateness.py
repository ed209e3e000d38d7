"""How late this machine runs what is due: where everything runs late, a picture comes late and says nothing of it."""

from __future__ import annotations

import threading
import time
from types import TracebackType
from typing import Final, Self

_EVERY_S: Final = 0.02
_IN_A_ROW: Final = 3  # processes that a picture passes one after the other: camera, recorder, and what shows it


class Lateness:
    """A context manager. ``worst_ms``: the latest wake-up of a thread since it was entered."""

    def __init__(self) -> None:
        self.worst_ms = 0.0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="lateness", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        self._thread.join()

    def limit_ms(self, quiet_ms: float) -> float:
        """Return what may be asked of this machine now. ``quiet_ms``: what is asked of a quiet one."""
        return quiet_ms + _IN_A_ROW * self.worst_ms

    def _watch(self) -> None:
        due_s = time.monotonic() + _EVERY_S
        while not self._done.wait(max(0.0, due_s - time.monotonic())):
            now_s = time.monotonic()
            self.worst_ms = max(self.worst_ms, (now_s - due_s) * 1000)
            due_s = now_s + _EVERY_S
