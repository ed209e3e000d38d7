"""Finds the microphone in a description, or why it is not recorded. No fault of it stops the pictures."""

from __future__ import annotations

from dataclasses import dataclass

from ingest.errors import StreamError
from ingest.rtsp.signalling import sdp, urls


@dataclass(frozen=True, slots=True)
class Microphone:
    """url: the address for SETUP; empty, with a reason in ``note``, if there is none"""

    media: sdp.Media | None = None
    url: str = ""
    note: str = ""


def microphone(description: sdp.Description, bases: tuple[str, ...], video: sdp.Media) -> Microphone:
    """Find the microphone. ``bases``: candidate bases of relative addresses."""
    found = description.audio()
    if found is None:
        return Microphone(note="it sends no sound.")
    try:
        found.sound()
    except StreamError as error:
        return Microphone(note=error.what)
    url = urls.track_urls(bases, found.control)[0]
    if url == urls.track_urls(bases, video.control)[0]:
        return Microphone(note="its sound has no address of its own.")
    return Microphone(found, url)
