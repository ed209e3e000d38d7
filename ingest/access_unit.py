"""The output of a source: access units as the camera sent them, with the parameter sets that decode them."""

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
    vps: bytes = b""  # H.265 only; the VPS that the SPS refers to
    sps: bytes  # the SPS that the last key picture refers to; the recording has its picture size
    pps: tuple[bytes, ...]
    more_vps: tuple[bytes, ...] = ()
    more_sps: tuple[bytes, ...] = ()  # further SPS, under other ids: each picture names one through its PPS

    @property
    def all(self) -> frozenset[bytes]:
        """All parameter sets."""
        return frozenset((self.vps, self.sps, *self.more_vps, *self.more_sps, *self.pps))


@dataclass(slots=True)
class AccessUnit:
    """One picture.

    data: its NAL units, each behind its length in 4 bytes; parameter sets and delimiters are left out
    pts_ticks: presentation time, 90 kHz, unwrapped, from an arbitrary start
    mono_ns: arrival of its last byte, by the monotonic clock
    damaged: a part of it, or of a picture that it refers to, is missing: a decoder shows it with errors
    """

    data: bytes
    pts_ticks: int
    key: bool
    mono_ns: int
    parameters: VideoParameters
    damaged: bool = False


@dataclass(frozen=True, slots=True)
class Loss:
    """Packets are missing before the next access unit.

    packets: number of missing RTP packets; 0: unknown
    gap: the missing pictures leave time without footage; otherwise footage continues, and the pictures that refer to
        missing ones are ``damaged``
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

    pts_ticks: its start, 90 kHz, unwrapped, on the sound's own timeline
    lead_ticks: difference to the pictures' timeline, to be added, by the camera's sender reports; None without them
    mono_ns: its arrival, by the monotonic clock
    """

    data: bytes
    pts_ticks: int
    lead_ticks: int | None
    mono_ns: int


class Rests(NamedTuple):
    """How often the connection was idle so far: between two pictures, and within one."""

    between: int
    within: int


class Source(Protocol):
    """A camera's stream. Every fault of the camera is raised as an IngestError."""

    def batches(self) -> AsyncGenerator[list[AccessUnit | Loss], None]:
        """Connect, and yield what arrived together, never an empty list, until the camera ends the stream or fails.

        Close it with ``aclosing``; it can be iterated once. Between two batches nothing is read from the camera.
        """
        ...

    @property
    def kind(self) -> str:
        """ "native" or "libav", for people. May change until the first batch."""
        ...

    def hurry(self, wanted: bool) -> None:
        """Whether to read what comes as it comes, for those who watch, rather than in batches after pauses."""
        ...

    @property
    def passed_over(self) -> int:
        """Pictures received and dropped so far, because decoding cannot begin with them."""
        ...

    @property
    def rests(self) -> Rests | None:
        """Rests of the connection up to the last batch.

        None where they are unknown, or where the link cannot hold the camera up, as with UDP.
        """
        ...

    @property
    def sound(self) -> SoundFormat | None:
        """Format of ``take_sounds()``, known before the first batch; None without sound."""
        ...

    def take_sounds(self) -> list[Sound]:
        """Return the sound since the last call, in order. Empty unless the camera's configuration asks for it."""
        ...

    @property
    def sound_note(self) -> str:
        """Why the requested sound is missing; empty when there is sound, or none was requested."""
        ...

    @property
    def note(self) -> str:
        """A shortcoming of the connection to be displayed although pictures arrive; empty without one."""
        ...

    @property
    def packets(self) -> Mapping[str, int]:
        """Packets that contributed to no picture, by reason, since the role's start; for metrics."""
        ...

    @property
    def skew_ns(self) -> int | None:
        """How far the camera's clock is ahead of this machine's; None: the camera does not report its time."""
        ...
