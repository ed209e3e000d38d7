"""What a source gives: pictures as they were sent, with the parameter sets that decode them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from domain.footage import GapCause

TICKS_PER_S = 90_000


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoParameters:
    """Parameter sets without start codes; equal ones decode the same stream."""

    codec: str  # "h264" or "h265"
    vps: bytes = b""  # H.265 only; the one that the SPS refers to
    sps: bytes  # the one that the last key picture meant; its size is the recording's
    pps: tuple[bytes, ...]
    more_vps: tuple[bytes, ...] = ()
    more_sps: tuple[bytes, ...] = ()  # others, under other ids: a picture says by its PPS which one it means

    @property
    def all(self) -> frozenset[bytes]:
        """Every one of them."""
        return frozenset((self.vps, self.sps, *self.more_vps, *self.more_sps, *self.pps))


@dataclass(slots=True)
class AccessUnit:
    """One picture.

    data: its NAL units, each behind its length in 4 bytes; parameter sets and delimiters are left out
    pts_ticks: when it is shown, 90 kHz, unwrapped, from an arbitrary start
    mono_ns: when its last byte was received, by the monotonic clock
    damaged: a part of it is missing, or of a picture that it refers to: a decoder shows it with errors
    """

    data: bytes
    pts_ticks: int
    key: bool
    mono_ns: int
    parameters: VideoParameters
    damaged: bool = False


@dataclass(frozen=True, slots=True)
class Loss:
    """Something is missing before the next access unit.

    packets: how many RTP packets, 0 where that is not known
    gap: pictures are missing for so long that the time has no footage; otherwise the footage goes on, and the pictures
        that refer to what is missing are ``damaged``
    """

    packets: int
    cause: GapCause = GapCause.LOSS
    detail: str = ""
    gap: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class SoundFormat:
    """AAC-LC. config: the AudioSpecificConfig that a decoder needs (ISO/IEC 14496-3, 1.6.2.1)."""

    config: bytes
    rate_hz: int
    channels: int
    frame_samples: int = 1024


@dataclass(slots=True)
class Sound:
    """One AAC frame.

    pts_ticks: when it begins, 90 kHz, unwrapped, on the sound's own timeline
    lead_ticks: what to add to be on the pictures' timeline, by the camera's sender reports; None without them
    mono_ns: when it was received
    """

    data: bytes
    pts_ticks: int
    lead_ticks: int | None
    mono_ns: int


class Rests(NamedTuple):
    """How often the connection was found quiet so far: between two pictures, and in the middle of one."""

    between: int
    within: int


class Source(Protocol):
    """A camera's stream. Everything that can go wrong with the camera is an IngestError."""

    def batches(self) -> AsyncGenerator[list[AccessUnit | Loss], None]:
        """What came together, from connecting on until the camera ends it or fails; never empty.

        Close it with ``aclosing``. One use. While a batch is not asked for, nothing is read from the camera.
        """
        ...

    @property
    def kind(self) -> str:
        """ "native" or "libav", for people. May change until the first batch."""
        ...

    @property
    def passed_over(self) -> int:
        """Pictures that came so far and were not given out, since decoding cannot begin with them."""
        ...

    @property
    def rests(self) -> Rests | None:
        """Of the connection, until the last batch; None where that is not known, or no link can be slower than the
        camera, as with UDP.
        """
        ...

    @property
    def sound(self) -> SoundFormat | None:
        """Of ``take_sounds()``, known before the first batch; None where there is none."""
        ...

    def take_sounds(self) -> list[Sound]:
        """What was heard since, in order. Empty unless the camera's configuration asks for it."""
        ...

    @property
    def sound_note(self) -> str:
        """Why there is no sound though the configuration asks for it; empty otherwise."""
        ...

    @property
    def note(self) -> str:
        """What people should know of the connection although pictures come; empty where there is nothing."""
        ...

    @property
    def packets(self) -> Mapping[str, int]:
        """What came and gave no picture, by why, since the role's start; for metrics."""
        ...

    @property
    def skew_ns(self) -> int | None:
        """How far the camera's clock is ahead of this machine's; None if it does not say."""
        ...
