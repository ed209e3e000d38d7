"""Names of exported files, for people and for any file system."""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import quote

from api.sign_in.scope import CameraRow
from domain.time import Span, to_iso


def file_name(camera: CameraRow, span: Span) -> str:
    """``Lobby 2026-11-22T06-31-04Z.mp4``"""
    return f"{camera.name} {to_iso(span.start_ns)[:19].replace(':', '-')}Z.mp4"


def plain_name(name: str) -> str:
    """Return a file name for any system: letters, digits, hyphens and dots."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9._-]+", "-", plain).strip("-.") or "clip.mp4"


def attachment(name: str) -> str:
    """Return a Content-Disposition header that makes browsers save the answer as a file."""
    return f"attachment; filename=\"{plain_name(name)}\"; filename*=UTF-8''{quote(name, safe='')}"
