"""Meaning of S3's responses: status and error code to the errors of storage/store/errors.py. Pure.

S3's error codes are listed in the "Error responses" of its API reference; servers other than AWS use a subset.
"""

from __future__ import annotations

import base64
import html
import re
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from urllib.parse import urlsplit

from domain.errors import StorageError
from domain.text import printable
from storage.store.connection import S3Response
from storage.store.errors import DigestError, ObjectMissingError, StoreAwayError, StoreProtocolError, StoreRefusedError
from storage.store.protocol import ObjectInfo

_WORD = re.compile(rb"<(Code|Region|Endpoint)>([A-Za-z0-9_.:-]{1,128})</")
_MESSAGE = re.compile(rb"<Message>([^<]{1,1000})</Message>")
_MESSAGE_MAX = 200
_DIGEST_CODES = frozenset({"BadDigest", "XAmzContentSHA256Mismatch", "InvalidDigest", "XAmzContentChecksumMismatch"})
_AWAY_CODES = frozenset(
    {
        *("RequestTimeout", "SlowDown", "SlowDownRead", "SlowDownWrite", "InternalError", "IncompleteBody"),
        *("OperationAborted", "ServiceUnavailable", "ThrottlingException", "TooManyRequests", "TemporaryRedirect"),
    }
)
_AWAY_STATUS = frozenset({408, 425, 429, 507})
_REDIRECTS = frozenset({301, 302, 307, 308})
_REGION_CODES = frozenset({"PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException"})
_CLOCK_CODES = frozenset({"RequestTimeTooSkewed", "RequestExpired"})


def error_code(response: S3Response) -> str:
    """Return S3's error code from the body, or an empty string. Letters, digits and "_.:-" only: safe to log."""
    return _word(response, b"Code")


def error_message(response: S3Response) -> str:
    """Return the server's sentence about an error, printable and short, or an empty string."""
    found = _MESSAGE.search(response.body[:8192])
    text = html.unescape(found[1].decode("utf-8", "replace")) if found else ""
    return printable(" ".join(text.split()))[:_MESSAGE_MAX]


def is_success(response: S3Response) -> bool:
    """Whether the server did what it was asked for."""
    return response.status in (HTTPStatus.OK, HTTPStatus.CREATED, HTTPStatus.NO_CONTENT)


def is_transient(response: S3Response) -> bool:
    """Whether the fault has nothing to do with the request: the same request may succeed later."""
    if response.status == HTTPStatus.NOT_IMPLEMENTED:
        return False
    return response.status >= 500 or response.status in _AWAY_STATUS or error_code(response) in _AWAY_CODES


def exists_already(response: S3Response) -> bool:
    """Whether the name is taken (412), or another writer is creating the object right now (409)."""
    return response.status in (HTTPStatus.PRECONDITION_FAILED, HTTPStatus.CONFLICT)


def response_error(response: S3Response, name: str, *, now_s: float | None = None) -> StorageError:
    """Return the error for a response that is not a success, with the server's own sentence.

    ``name``: the object's, or what else was asked for. ``now_s``: when the response arrived, in Unix seconds, to report
    by how much the two clocks differ.
    """
    code = error_code(response)
    what = f"The object store answered {response.status} {code} for {name}".replace("  ", " ")
    message = error_message(response)
    what = f'{what}: "{message}"' if message else f"{what}."
    if code in _DIGEST_CODES:
        return DigestError(what)
    if is_transient(response):
        return StoreAwayError(what, "Tallenne will try again.")
    if code == "NoSuchBucket":
        return StoreRefusedError(what, "Create the bucket, or configure another one.")
    if response.status == HTTPStatus.NOT_FOUND:
        return ObjectMissingError(what)
    if code in _CLOCK_CODES:
        apart = _clock_difference(response, now_s)
        return StoreRefusedError(what, f"This machine's clock and the store's differ{apart}: set them.")
    if response.status in _REDIRECTS or code in _REGION_CODES:
        return StoreRefusedError(what, _other_place(response))
    if response.status in (HTTPStatus.FORBIDDEN, HTTPStatus.UNAUTHORIZED):
        return StoreRefusedError(what, "Check access key, secret key, region and the bucket's policy.")
    return StoreProtocolError(what, "The server does not do what S3 documents: correct what its message names.")


def _word(response: S3Response, name: bytes) -> str:
    """Return the text of a one-word element of an error's body, or an empty string."""
    words = {found[1]: found[2] for found in _WORD.finditer(response.body[:8192])}
    return words.get(name, b"").decode()


def _other_place(response: S3Response) -> str:
    """Return the remedy for a redirection: the region and the endpoint that the server names."""
    region = response.headers.get("x-amz-bucket-region") or _word(response, b"Region")
    endpoint = _word(response, b"Endpoint") or urlsplit(response.headers.get("location") or "").netloc
    named = [f"{key} = {word!r}" for key, word in (("region", region), ("endpoint", endpoint)) if word]
    if not named:
        return "The bucket is elsewhere: check endpoint and region under [store]."
    return f"The bucket is elsewhere: write {' and '.join(named)} under [store], with the endpoint of that region."


def _clock_difference(response: S3Response, now_s: float | None) -> str:
    """Return by how much the clocks differ, from the response's Date header, for a sentence."""
    try:
        store_s = parsedate_to_datetime(response.headers.get("date", "")).timestamp()
    except (TypeError, ValueError):
        return " too much"
    if now_s is None:
        return " too much"
    return f" by {abs(store_s - now_s):.0f} s (this machine's is {'behind' if store_s > now_s else 'ahead'})"


def object_info(response: S3Response, name: str) -> ObjectInfo:
    """Return the metadata in the response to a HEAD."""
    return ObjectInfo(
        name=name, size_bytes=int(response.headers.get("content-length") or 0), sha256=checksum_in(response)
    )


def checksum_in(response: S3Response) -> bytes | None:
    """Return the SHA-256 of the whole object if the response states it, else None.

    A multipart upload has a checksum of its parts' checksums, written "<base64>-<parts>": it is no use here.
    """
    text = response.headers.get("x-amz-checksum-sha256", "")
    try:
        digest = base64.b64decode(text, validate=True)
    except ValueError:
        return None
    return digest if len(digest) == 32 else None
