"""The indexer's errors."""

from __future__ import annotations

from domain.errors import MisuseError, PeerError, RetryableError, TallenneError


class IndexerError(TallenneError):
    """Anything that went wrong in the indexer."""


class DecodeError(IndexerError, PeerError):
    """A door message that cannot be understood. ``what`` is a reason of ours and holds nothing from the payload."""


class BrokerAwayError(IndexerError, RetryableError):
    """No connection to the broker."""


class BrokerRefusedError(IndexerError, RetryableError):
    """The broker refuses us or a topic. It is asked again: a person may mend it on either side."""


class EventsLostError(IndexerError, PeerError):
    """The broker discarded messages before we had them. Said to people; nothing raises it."""


class ClockOffError(IndexerError, PeerError):
    """A door controller's clock is wrong. Said to people; nothing raises it."""


class IndexMisuseError(IndexerError, MisuseError):
    """A person asked for something that cannot be."""
