"""Has the masking process mask a clip that is opened for an export."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import aclosing
from typing import Any, Final, cast

from api.footage import ClipReader
from api.masked.films import Film
from domain.time import MINUTE_NS, NS
from masking.process.running import Wish, mask_clip

LONGEST_NS: Final = 15 * MINUTE_NS
"""Of all cameras of an export together: a minute takes a minute or two."""
SAID: Final = {
    "what": "faces, persons and whatever moves, found by programs; not looked through by a person",
    "how": "one constant grey over each box in every picture, encoded anew as H.264; nothing under it is kept",
    "sound": "removed",
    "faces": "CenterFace",
    "persons": "OpenCV HOG",
    "moving": "difference from the median of a stretch",
}
"""For the manifest."""


async def masked_film(reader: ClipReader, progress: Callable[[int], None]) -> Film:
    """``progress``: how many of the clip's bytes stand for what is done. The errors of masking and of the footage."""
    duration_s = sum(span.duration_ns for span in reader.footage) / NS

    def told(permille: int) -> None:
        """As bytes: the pages show bytes."""
        progress(reader.size_bytes * permille // 1000)

    async with aclosing(cast("Any", reader.stream())) as pieces:
        made = await mask_clip(pieces, Wish(duration_s=duration_s), told)
    return Film(data=made.film, source_bytes=reader.size_bytes)
