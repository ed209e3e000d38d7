"""Meaning of S3's responses: status and error code to the errors of storage/store/errors.py. Pure.

S3's error codes are listed in the "Error responses" of its API reference; servers other than AWS use a subset.
"""

from __future__ import annotations

import base64
import re
from http import HTTPStatus

from runtime.errors import StorageError
from storage.store.connection import S3Response
from storage.store.errors import DigestError, ObjectMissingError, StoreAwayError, StoreProtocolError, StoreRefusedError
from storage.store.protocol import ObjectInfo

_CODE = re.compile(rb"<Code>([A-Za-z0-9_.]{1,64})</Code>")
_DIGEST_CODES = frozenset({"BadDigest", "XAmzContentSHA256Mismatch", "InvalidDigest", "XAmzContentChecksumMismatch"})
_AWAY_CODES = frozenset({"RequestTimeout", "SlowDown", "InternalError", "IncompleteBody", "OperationAborted"})
_AWAY_STATUS = frozenset({408, 425, 429, 507})


def error_code(response: S3Response) -> str:
    """Return S3's error code from the body, or an empty string. Letters, digits, "_" and "." only: safe to log."""
    found = _CODE.search(response.body[:4096])
    return found[1].decode() if found else ""


def exists_already(response: S3Response) -> bool:
    """Whether the name is taken (412), or another writer is creating the object right now (409)."""
    return response.status in (HTTPStatus.PRECONDITION_FAILED, HTTPStatus.CONFLICT)


def response_error(response: S3Response, name: str) -> StorageError:
    """Return the error for a response that is not a success. ``name``: the object's."""
    code = error_code(response)
    what = f"The object store answered {response.status} {code} for {name}.".replace("  ", " ")
    if code in _DIGEST_CODES:
        return DigestError(what)
    if response.status >= 500 or response.status in _AWAY_STATUS or code in _AWAY_CODES:
        return StoreAwayError(what, "Tallenne will try again.")
    if code == "NoSuchBucket":
        return StoreRefusedError(what, "Create the bucket, or configure another one.")
    if response.status == HTTPStatus.NOT_FOUND:
        return ObjectMissingError(what)
    if code == "RequestTimeTooSkewed":
        return StoreRefusedError(what, "This machine's clock and the store's differ too much: set them.")
    if response.status in (HTTPStatus.FORBIDDEN, HTTPStatus.UNAUTHORIZED):
        return StoreRefusedError(what, "Check access key, secret key, region and the bucket's policy.")
    return StoreProtocolError(what)


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
