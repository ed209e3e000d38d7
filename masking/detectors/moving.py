"""What moves: small pictures that differ from the still background, or from those shortly before and after.

The background is the median of a stretch of the clip, before and after a picture alike, so that who stands still for a
while differs from it all the same. Who stays for more than half of the stretch is background: the detectors find them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np

from masking.boxes import Box
from masking.detectors.models import load_cv2

WIDTH: Final = 320
STRETCH: Final = 300
"""So many pictures are kept; a stretch of the clip has one background."""
_OF_MEDIAN: Final = 41
_LUMA, _CHROMA = 20, 10
"""By so much it differs. Noise of a small picture is a fraction of it."""
_CELLS_LEAST: Final = 10
_LAG: Final = 3


class Moving:
    """``push()`` small pictures (rows, columns, YUV) of equal distance; what was found comes later, by the stretch."""

    def __init__(self) -> None:
        self._cv2 = load_cv2()
        self._kept: list[tuple[int, Any]] = []

    def push(self, frame: int, small: Any) -> Iterator[tuple[int, list[Box]]]:
        """(frame, boxes in pixels of the small picture) of a stretch, whenever one is full."""
        self._kept.append((frame, small))
        if len(self._kept) >= STRETCH:
            yield from self.flush()

    def flush(self) -> Iterator[tuple[int, list[Box]]]:
        """Those of the stretch so far."""
        kept, self._kept = self._kept, []
        if len(kept) < 2:
            return
        pictures = [small.astype(np.int16) for _, small in kept[:: max(1, len(kept) // _OF_MEDIAN)]]
        background = np.median(np.stack(pictures), axis=0).astype(np.int16)
        for number, (frame, small) in enumerate(kept):
            now = small.astype(np.int16)
            changed = self._changed(now - background)
            for other in (number - _LAG, number + _LAG):
                if 0 <= other < len(kept):
                    changed |= self._changed(now - kept[other][1])
            yield frame, self._boxes(changed)

    def _changed(self, difference: Any) -> Any:
        """Light that changes everywhere alike is no movement."""
        off = np.abs(difference - np.median(difference[::4, ::4], axis=(0, 1)).astype(np.int16))
        return ((off[..., 0] > _LUMA) | (off[..., 1] > _CHROMA) | (off[..., 2] > _CHROMA)).astype(np.uint8)

    def _boxes(self, changed: Any) -> list[Box]:
        """Specks go, and what is near each other is one thing: a head and the body under it."""
        cv2 = self._cv2
        solid = cv2.medianBlur(changed, 3)
        joined = cv2.dilate(solid, np.ones((7, 5), np.uint8))
        count, labels = cv2.connectedComponents(joined)
        found = []
        for label in range(1, count):
            rows, columns = np.nonzero((labels == label) & (solid > 0))
            if len(rows) >= _CELLS_LEAST:
                found.append(Box(int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1))
        return found
