"""What a source gives: pictures as they were sent, with the parameter sets that decode them."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Protocol

from domain.footage import GapCause

TICKS_PER_S = 90_000


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoParameters:
    """Parameter sets without start codes; equal ones decode the same stream."""

    codec: str  # "h264" or "h265"
    vps: bytes = b""  # H.265 only
    sps: bytes
    pps: tuple[bytes, ...]


@dataclass(slots=True)
class AccessUnit:
    """One picture.

    data: its NAL units, each behind its length in 4 bytes; parameter sets and delimiters are left out
    pts_ticks: when it is shown, 90 kHz, unwrapped, from an arbitrary start
    mono_ns: when its last byte was received, by the monotonic clock
    """

    data: bytes
    pts_ticks: int
    key: bool
    mono_ns: int
    parameters: VideoParameters


@dataclass(frozen=True, slots=True)
class Loss:
    """Pictures before the next access unit are missing or were dropped because what they refer to is missing."""

    packets: int
    cause: GapCause = GapCause.LOSS
    detail: str = ""


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
    def skew_ns(self) -> int | None:
        """How far the camera's clock is ahead of this machine's; None if it does not say."""
        ...
