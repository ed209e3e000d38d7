"""What a browser must be told of a clip before it takes it by MediaSource."""

from __future__ import annotations

from pathlib import Path


def mime_of(clip: Path) -> str:
    """``video/mp4; codecs="..."`` by the file's first description of pictures, and of sound if there is any."""
    head = clip.read_bytes()[: 1 << 16]
    codecs = []
    if (at := head.find(b"avcC")) > 0:
        kind = "avc3" if b"avc3" in head else "avc1"
        codecs.append(f"{kind}.{head[at + 5 : at + 8].hex()}")
    elif (at := head.find(b"hvcC")) > 0:
        codecs.append("hvc1.1.6.L120.B0")
    if b"mp4a" in head:
        codecs.append("mp4a.40.2")
    return f'video/mp4; codecs="{",".join(codecs)}"'
