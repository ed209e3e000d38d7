"""The base of every error that Tallenne raises on purpose."""

from __future__ import annotations

from domain.text import printable


class TallenneError(Exception):
    """An error that a person is meant to read.

    ``what`` names the thing and what is wrong with it; ``remedy`` says what to do. Each package derives its own
    base from one of the three kinds below, so that a caller knows who has to act: we, the peer, or time. Either may
    quote a peer: both are made ``printable()``. ``part`` names the part of the installation that is waited for
    ("database", "store", "broker", "custodian"), or is empty.
    """

    part = ""

    def __init__(self, what: str, remedy: str = "") -> None:
        self.what = printable(what)
        self.remedy = printable(remedy)
        super().__init__(self.what)

    def __str__(self) -> str:
        return f"{self.what} {self.remedy}".strip()


class MisuseError(TallenneError):
    """We, or the person who configured us, did something wrong. Trying again does not help."""


class PeerError(TallenneError):
    """A peer (camera, broker, store) broke its protocol. Repeating the same request does not help."""


class RetryableError(TallenneError):
    """The thing may work later: a connection lost, a service away, a disk full."""


class StorageError(TallenneError):
    """Rows, objects, keys or spooled segments cannot be read or written. Each error also has one of the kinds above."""
