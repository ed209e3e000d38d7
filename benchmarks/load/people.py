"""Films of people with what is marked in them: Debian's film of persons who walk, and one that carries faces.

The films are not ours and are not copied; the marks are coordinates, made by hand.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

MARKS: Final = Path(__file__).parents[1] / "marks" / "vtest.json"
_PERSONS: Final = Path("/usr/share/doc/opencv-doc/examples/data/vtest.avi")


def film_of_persons() -> Path | None:
    """Of Debian's package opencv-doc; None: it is not installed."""
    return _PERSONS if _PERSONS.is_file() else None
