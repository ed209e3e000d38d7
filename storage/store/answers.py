"""What S3's answers mean: status and error code to the errors of store.errors. Pure."""

from __future__ import annotations

import base64
import re
from http import HTTPStatus

from runtime.errors import StorageError
from storage.store.connection import Answer
from storage.store.errors import DigestError, ObjectMissingError, StoreAwayError, StoreProtocolError, StoreRefusedError
from storage.store.protocol import ObjectInfo

_CODE = re.compile(rb"<Code>([A-Za-z0-9_.]{1,64})</Code>")
_DIGEST_CODES = frozenset({"BadDigest", "XAmzContentSHA256Mismatch", "InvalidDigest", "XAmzContentChecksumMismatch"})
_AWAY_CODES = frozenset({"RequestTimeout", "SlowDown", "InternalError", "IncompleteBody", "OperationAborted"})
_AWAY_STATUS = frozenset({408, 425, 429, 507})


def error_code(answer: Answer) -> str:
    """S3's own word for what is wrong, or an empty string."""
    found = _CODE.search(answer.body[:4096])
    return found[1].decode() if found else ""


def exists_already(answer: Answer) -> bool:
    """The name is taken, or somebody else is writing it at this moment (409)."""
    return answer.status in (HTTPStatus.PRECONDITION_FAILED, HTTPStatus.CONFLICT)


def error_of(answer: Answer, name: str) -> StorageError:
    """The error for an answer that is not a success."""
    code = error_code(answer)
    what = f"The object store answered {answer.status} {code} for {name}.".replace("  ", " ")
    if code in _DIGEST_CODES:
        return DigestError(what)
    if answer.status >= 500 or answer.status in _AWAY_STATUS or code in _AWAY_CODES:
        return StoreAwayError(what, "It will be tried again.")
    if code == "NoSuchBucket":
        return StoreRefusedError(what, "Make the bucket, or name another in the configuration.")
    if answer.status == HTTPStatus.NOT_FOUND:
        return ObjectMissingError(what)
    if code == "RequestTimeTooSkewed":
        return StoreRefusedError(what, "This machine's clock and the store's differ too much: set them.")
    if answer.status in (HTTPStatus.FORBIDDEN, HTTPStatus.UNAUTHORIZED):
        return StoreRefusedError(what, "Check access key, secret key, region and the bucket's policy.")
    return StoreProtocolError(what)


def info_of(answer: Answer, name: str) -> ObjectInfo:
    """From the answer to HEAD, or to a PUT (which tells no size)."""
    return ObjectInfo(name=name, size_bytes=int(answer.headers.get("content-length") or 0), sha256=checksum_in(answer))


def checksum_in(answer: Answer) -> bytes | None:
    """SHA-256 of the whole object, if the store tells. A checksum of parts ("...-3") is none."""
    text = answer.headers.get("x-amz-checksum-sha256", "")
    try:
        digest = base64.b64decode(text, validate=True)
    except ValueError:
        return None
    return digest if len(digest) == 32 else None
