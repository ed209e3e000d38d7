"""Parses session descriptions (RFC 4566) as far as recording needs: tracks, codecs, parameter sets."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass, field
from typing import Final

from ingest.access_unit import SoundFormat, VideoParameters
from ingest.errors import StreamError
from ingest.rtp.aac import sound_format
from ingest.video.parameters import described

SIZE_MAX: Final = 64 << 10
MEDIA_MAX: Final = 16
_CODECS: Final = {"H264": "h264", "H265": "h265", "HEVC": "h265"}
_STATIC: Final = {0: "PCMU", 3: "GSM", 8: "PCMA", 9: "G722", 14: "MPA", 26: "JPEG", 32: "MPV", 33: "MP2T"}
_REMEDY: Final = "Update the camera's firmware; check the path of its address."


@dataclass(slots=True, kw_only=True)
class Media:
    """One track. ``encoding``: upper case, empty if unknown; ``formats``: fmtp, names in lower case."""

    kind: str
    payload_type: int
    encoding: str = ""
    clock_rate: int = 0
    control: str = ""
    formats: dict[str, str] = field(default_factory=dict)
    to_camera: bool = False  # a back channel (ONVIF): sendonly from the client's view

    @property
    def codec(self) -> str:
        """ "h264", "h265" or nothing."""
        return _CODECS.get(self.encoding, "") if self.kind == "video" else ""

    def parameters(self) -> VideoParameters | None:
        """Parameter sets from sprop-*; None: absent, incomplete or invalid."""
        if self.codec == "h264":
            texts = self.formats.get("sprop-parameter-sets", "").split(",")
        else:
            texts = [
                text for name in ("vps", "sps", "pps") for text in self.formats.get(f"sprop-{name}", "").split(",")
            ]
        return described(self.codec, [_decoded(text) for text in texts])

    def refuse_unspoken(self) -> None:
        """StreamError: the packetization mode is not supported."""
        if self.codec == "h264" and self.formats.get("packetization-mode") == "2":
            raise StreamError(
                "The camera sends H.264 in interleaved mode (packetization-mode 2).", "Choose mode 1; update it."
            )
        reordered = ("sprop-max-don-diff", "sprop-depack-buf-nalus")
        if self.codec == "h265" and any(self.formats.get(name, "0") != "0" for name in reordered):
            raise StreamError("The camera sends H.265 out of order (DONL).", "Switch that off there; update it.")

    def sound(self) -> SoundFormat:
        """StreamError: sound of this kind is not recorded."""
        if self.encoding != "MPEG4-GENERIC":
            raise StreamError(f"its sound is {self.encoding[:20] or 'of an unknown kind'}.", "Choose AAC there.")
        layout = [self.formats.get(name, "") for name in ("sizelength", "indexlength", "indexdeltalength")]
        if self.formats.get("mode", "").lower() != "aac-hbr" or layout != ["13", "3", "3"]:
            raise StreamError("its AAC is not sent in mode AAC-hbr.", "Update its firmware.")
        try:
            return sound_format(bytes.fromhex(self.formats.get("config", "")))
        except ValueError:
            raise StreamError("its AAC is not described.", "Update its firmware.") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    control: str
    media: tuple[Media, ...]

    def video(self) -> Media:
        """Return the first video that can be recorded. StreamError: there is none."""
        for item in self.media:
            if item.codec and not item.to_camera:
                item.refuse_unspoken()
                return item
        other = [item.encoding or "something unknown" for item in self.media if item.kind == "video"]
        if other:
            raise StreamError(f"The camera sends {other[0][:20]}.", "Choose H.264 or H.265 there.")
        raise StreamError("The camera sends no video.", "Check the path of its address.")

    def audio(self) -> Media | None:
        """Return the sound of the camera's microphone, AAC if there is a choice; None: there is none."""
        found = [item for item in self.media if item.kind == "audio" and not item.to_camera]
        return next((item for item in found if item.encoding == "MPEG4-GENERIC"), found[0] if found else None)


def parse(body: bytes) -> Description:
    """Parse a description. StreamError: it is too large or has no media."""
    if len(body) > SIZE_MAX:
        raise StreamError(f"The camera's description has {len(body)} bytes.", _REMEDY)
    session_control = ""
    media: list[Media] = []
    for line in re.split(r"[\r\n]+", body.decode("utf-8", "replace")):
        kind, _, value = line.strip().partition("=")
        if kind.strip() == "m":
            if len(media) >= MEDIA_MAX:
                raise StreamError(f"The camera describes more than {MEDIA_MAX} tracks.", _REMEDY)
            media.append(_media(value))
        elif kind.strip() == "a":
            name, _, rest = value.partition(":")
            if media:
                _attribute(media[-1], name.strip().lower(), rest.strip())
            elif name.strip().lower() == "control":
                session_control = rest.strip()
    if not media:
        raise StreamError("The camera describes no tracks.", _REMEDY)
    return Description(control=session_control, media=tuple(media))


def _media(value: str) -> Media:
    """``video 0 RTP/AVP 96 97``: the first payload type counts."""
    words = value.split()
    number = next((int(word) for word in words[3:] if word.isdecimal() and len(word) < 4 and int(word) < 128), -1)
    return Media(kind=words[0].lower() if words else "", payload_type=number, encoding=_STATIC.get(number, ""))


def _attribute(media: Media, name: str, value: str) -> None:
    if name == "control":
        media.control = value
    elif name == "sendonly":
        media.to_camera = media.kind == "audio"
    elif name == "rtpmap":
        number, _, rest = value.partition(" ")
        encoding, _, rate = rest.strip().partition("/")
        if number == str(media.payload_type):
            media.encoding = encoding.strip().upper()
            digits = re.match(r"\d{1,9}", rate)
            media.clock_rate = int(digits[0]) if digits else 0
    elif name == "fmtp":
        number, _, rest = value.partition(" ")
        if number == str(media.payload_type):
            for item in rest.split(";"):
                key, _, text = item.partition("=")
                media.formats.setdefault(key.strip().lower(), text.strip())


def _decoded(text: str) -> bytes:
    """Decode Base64; empty if invalid, since the stream may carry its own parameter sets."""
    text = text.strip().rstrip("=")
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        return b""
