"""Faces, by CenterFace (Xu and others, 2019) in OpenCV's own network runner.

The network answers with four maps of a quarter of the size: how likely a face has its middle there, the logarithm of
its height and width, the offset of the middle, and five landmarks, which are not used.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from masking.boxes import Box
from masking.detectors.models import load_cv2
from masking.errors import ModelMissingError

LIKELY: Final = 0.25
"""Low on purpose: a false mask is removed by a press, a missed face has to be found."""
_OUTPUTS: Final = ("537", "538", "539", "540")
_CELL: Final = 4
_MULTIPLE: Final = 32
_WIDTHS: Final = (640, 1280)
_OVERLAP: Final = 0.3


class Faces:
    """``model``: the bytes of the ONNX file. ModelMissingError: it is no such network."""

    def __init__(self, model: bytes) -> None:
        self._cv2 = load_cv2()
        self._model = np.frombuffer(model, np.uint8)
        self._net: Any = None
        self._size: tuple[int, ...] = ()
        try:
            self(np.zeros((64, 64, 3), np.uint8))
        except (self._cv2.error, ValueError, IndexError) as exc:
            raise ModelMissingError(
                "The face detector's file is no network with the inputs and outputs of CenterFace.",
                "Name another file, or none.",
            ) from exc

    def __call__(self, picture: Any) -> list[Box]:
        """Boxes in a picture (rows, columns, BGR)."""
        height, width = picture.shape[:2]
        scale = min(max(width, _WIDTHS[0]), _WIDTHS[1]) / width
        size = tuple(-(-round(side * scale) // _MULTIPLE) * _MULTIPLE for side in (width, height))
        if size != self._size:
            # Made anew: OpenCV 4.14 gives wrong answers when the size of a network's input changes a second time.
            self._net, self._size = self._cv2.dnn.readNetFromONNX(self._model), size
        self._net.setInput(self._cv2.dnn.blobFromImage(picture, 1.0, size, (0, 0, 0), swapRB=True, crop=False))
        boxes, likely = decoded(*self._net.forward(_OUTPUTS)[:3])
        if not len(boxes):
            return []
        sizes = [[left, top, right - left, bottom - top] for left, top, right, bottom in boxes.tolist()]
        kept = np.asarray(self._cv2.dnn.NMSBoxes(sizes, likely.tolist(), LIKELY, _OVERLAP), np.int64).reshape(-1)
        scaled = boxes[kept] * np.tile([width / size[0], height / size[1]], 2)
        return [Box(*(round(side) for side in box)).clipped(width, height) for box in scaled.tolist()]


def decoded(heat: Any, scale: Any, offset: Any) -> tuple[Any, Any]:
    """(boxes as left, top, right, bottom; how likely each is), in pixels of the network's input."""
    rows, columns = np.where(heat[0, 0] > LIKELY)
    height, width = (np.exp(np.minimum(scale[0, axis, rows, columns], 6)) * _CELL for axis in (0, 1))
    y = (rows + offset[0, 0, rows, columns] + 0.5) * _CELL
    x = (columns + offset[0, 1, rows, columns] + 0.5) * _CELL
    boxes = np.stack([x - width / 2, y - height / 2, x + width / 2, y + height / 2], axis=1)
    return boxes, heat[0, 0, rows, columns]


def body_of(face: Box) -> Box:
    """Where the body of a face is, standing or seated: where a detector of bodies sees none, it is masked, too."""
    wide, high = face.width, face.height
    return Box(face.left - wide, face.top - high // 3, face.right + wide, face.bottom + 6 * high)
