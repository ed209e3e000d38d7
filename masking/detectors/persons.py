"""Whole persons, by OpenCV's histograms of gradients (Dalal and Triggs, 2005), whose weights are in its code."""

from __future__ import annotations

from typing import Any, Final

from masking.boxes import Box
from masking.detectors.models import load_cv2

_WIDTH: Final = 1600
_LARGER_MOST: Final = 1.5
"""It sees persons of about 100 pixels and more; a picture is enlarged for the smaller ones, as far as time allows."""
_STEP: Final = 1.1
_WEIGHT: Final = 0.0
_ASIDE, _ABOVE = 0.12, 0.06
"""Its windows have so much around a person (16 of 64 by 128 samples, less what arms and feet take of it)."""


class Persons:
    """Standing and walking ones; seated and lying ones it misses."""

    def __init__(self) -> None:
        self._cv2 = load_cv2()
        self._hog = self._cv2.HOGDescriptor()
        self._hog.setSVMDetector(self._cv2.HOGDescriptor_getDefaultPeopleDetector())

    def __call__(self, picture: Any) -> list[Box]:
        """Boxes in a picture (rows, columns, BGR)."""
        height, width = picture.shape[:2]
        scale = min(_LARGER_MOST, _WIDTH / width)
        scaled = self._cv2.resize(picture, None, fx=scale, fy=scale, interpolation=self._cv2.INTER_LINEAR)
        if scaled.shape[0] < 128 or scaled.shape[1] < 64:
            return []
        found, _ = self._hog.detectMultiScale(
            scaled, hitThreshold=_WEIGHT, winStride=(8, 8), padding=(16, 16), scale=_STEP, groupThreshold=2
        )
        return [
            box
            for x, y, w, h in found
            if (box := _inner(x / scale, y / scale, w / scale, h / scale).clipped(width, height)).area
        ]


def _inner(x: float, y: float, w: float, h: float) -> Box:
    aside, above = w * _ASIDE, h * _ABOVE
    return Box(round(x + aside), round(y + above), round(x + w - aside), round(y + h - above))
