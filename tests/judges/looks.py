"""What a judge in another process answers, as a look: a picture in grey, or a note why there is none."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

import numpy as np

from tests.judges.picture import Look, read


def look_of(answer: Mapping[str, Any]) -> Look:
    """``answer``: {"width", "height", "grey": base64 of a byte a pixel}, or {"note"}."""
    if not answer.get("grey"):
        return Look(number=None, note=str(answer.get("note", "")))
    grey = np.frombuffer(base64.b64decode(answer["grey"]), np.uint8)
    return read(grey.reshape(int(answer["height"]), int(answer["width"])))
