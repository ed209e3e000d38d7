"""The errors of the staff API, under one base; api/http/problems.py turns every error into an answer."""

from __future__ import annotations

from domain.errors import MisuseError, PeerError, TallenneError


class ApiError(TallenneError):
    """The base of the API's own errors."""


class StaffExistsError(ApiError, MisuseError):
    """The user name is taken."""


class StaffRefusedError(ApiError, MisuseError):
    """A user name, a password or a role is not acceptable."""


class SecretKeyError(ApiError, MisuseError):
    """The api's own key does not open what it is said to have sealed."""


class ExportChangedError(ApiError, PeerError):
    """The streamed footage differs from what was hashed when the export was made."""


class ExportOvertakenError(ApiError, MisuseError):
    """An attempt to make an export ended after a later one began, or after its approval was withdrawn."""


class MaskedTooLargeError(ApiError, MisuseError):
    """A masked copy that would not be kept."""


class NoPictureError(ApiError, PeerError):
    """Footage in which no picture could be decoded, or not in time."""


class CannotServeError(ApiError, MisuseError):
    """The address is taken, or the certificate cannot be used."""
