"""Errors of the custodian, as its client raises them too: each has a code that travels over the socket."""

from __future__ import annotations

from typing import Final

from domain.errors import MisuseError, PeerError, RetryableError, StorageError, TallenneError


class CustodianAwayError(StorageError, RetryableError):
    """The custodian cannot be reached, is starting, or cannot reach the database now."""

    part = "custodian"


class CertificateError(CustodianAwayError):
    """A certificate between the custodian and a caller on another machine is missing, wrong or out of date.

    May be tried again: it is read anew for every request.
    """


class CustodianMisuseError(StorageError, MisuseError):
    """A request, a setting or a file of the custodian is invalid."""


class RetentionHeldError(StorageError, MisuseError):
    """Footage is over and is not destroyed: an operator has to look first. Never raised, only shown."""


class NotBackedUpError(StorageError, RetryableError):
    """Keys that replace others are not in the bucket's journal yet: the others live until they are."""

    part = "store"


class LookRefusedError(StorageError, PeerError):
    """This session may not see this footage, or there is no such footage: deliberately one and the same."""


class RestrictedError(StorageError, MisuseError):
    """A restriction keeps this footage from being shown and exported; the message says which case, and why."""


class BrokenAuditError(StorageError, PeerError):
    """The audit chain does not hold: an entry was changed, removed or put in, or its history was rolled back."""


class ForgedRowsError(StorageError, PeerError):
    """Rows were committed that no enrolled recorder signed: a stranger writes as ingest, or a recorder was revoked."""

    @classmethod
    def of(cls, count: int, last: str) -> ForgedRowsError:
        """``last``: the newest such row, and what is wrong with it."""
        return cls(
            f"{count} rows of segments were refused since the start, the last one {last}.",
            "They are in the quarantine and hide nothing. Change ingest's database password, and find out who used it.",
        )


CODES: Final[dict[str, type[TallenneError]]] = {
    "certificate": CertificateError,
    "away": CustodianAwayError,
    "misuse": CustodianMisuseError,
    "refused": LookRefusedError,
    "restricted": RestrictedError,
    "audit": BrokenAuditError,
}


def code_of(error: TallenneError) -> str:
    """The code under which ``error`` travels."""
    for code, kind in CODES.items():
        if isinstance(error, kind):
            return code
    return "away" if isinstance(error, RetryableError) else "misuse"
