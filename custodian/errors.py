"""Errors of the custodian, as its client raises them too: each has a code that travels over the socket."""

from __future__ import annotations

from typing import Final

from domain.errors import MisuseError, PeerError, RetryableError, StorageError, TallenneError


class CustodianAwayError(StorageError, RetryableError):
    """The custodian cannot be reached, is starting, or cannot reach the database now."""


class CustodianMisuseError(StorageError, MisuseError):
    """A request, a setting or a file of the custodian is not as it must be."""


class LookRefusedError(StorageError, PeerError):
    """This session may not see this footage, or there is no such footage: deliberately one and the same."""


class BrokenAuditError(StorageError, PeerError):
    """The audit chain does not hold: an entry was changed, removed or put in, or its history was rolled back."""


CODES: Final[dict[str, type[TallenneError]]] = {
    "away": CustodianAwayError,
    "misuse": CustodianMisuseError,
    "refused": LookRefusedError,
    "audit": BrokenAuditError,
}


def code_of(error: TallenneError) -> str:
    """The code under which ``error`` travels."""
    for code, kind in CODES.items():
        if isinstance(error, kind):
            return code
    return "away" if isinstance(error, RetryableError) else "misuse"
