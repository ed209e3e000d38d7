"""The indexer's errors."""

from __future__ import annotations

from domain.errors import MisuseError, PeerError, RetryableError, TallenneError


class IndexerError(TallenneError):
    """The base of the indexer's errors."""


class DecodeError(IndexerError, PeerError):
    """A door message that cannot be understood. ``what`` is a reason of ours and holds nothing from the payload."""


class BrokerAwayError(IndexerError, RetryableError):
    """No connection to the broker."""

    part = "broker"


class BrokerRefusedError(IndexerError, RetryableError):
    """The broker refuses us or a topic. Retried, since the operator may correct it on either side."""


class EventsLostError(IndexerError, PeerError):
    """The broker discarded messages before we received them. Reported as a problem, never raised."""


class ClockOffError(IndexerError, PeerError):
    """A door controller's clock is wrong. Reported as a problem, never raised."""


class IndexMisuseError(IndexerError, MisuseError):
    """The operator requested something impossible."""
