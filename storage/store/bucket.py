"""Requests about the bucket: create it, ask whether it keeps versions, list it. Blocking; S3Store runs them in threads.

Sources: Amazon S3 API reference, HeadBucket, CreateBucket, GetBucketVersioning, ListObjectsV2.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Final
from xml.etree import ElementTree

from domain.errors import StorageError
from domain.time import NS
from storage.store.connection import S3Connection, S3Request, S3Response
from storage.store.errors import StoreProtocolError
from storage.store.protocol import ObjectInfo
from storage.store.responses import error_code, is_success, is_transient, response_error

_PROBE: Final = "probe/start"
_PAGE_BYTES_MAX: Final = 16 << 20  # a thousand names of at most 1,024 bytes, and the XML around them
_DEFAULT_REGION: Final = "us-east-1"  # S3 refuses it as a location: it is what no location means
_XMLNS: Final = "http://s3.amazonaws.com/doc/2006-03-01/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A part of a list, in bytewise order of names. ``token``: asks for the next page; None: this is the last."""

    objects: list[ObjectInfo]
    token: str | None


def ensure_bucket(connection: S3Connection, region: str) -> None:
    """Create the bucket unless it exists. Two processes may do so at the same time. Raises the store's errors."""
    if is_success(connection.exchange(_about_bucket("HEAD"))):
        return
    # The response to a HEAD has no body, and so no reason. A GET that needs the same rights has one.
    response = connection.exchange(_about_bucket("GET", {"list-type": "2", "max-keys": "1"}))
    if is_success(response):
        return
    if response.status != HTTPStatus.NOT_FOUND:
        raise _error(response)
    response = connection.exchange(_creation(region))
    if not is_success(response) and error_code(response) not in ("BucketAlreadyOwnedByYou", "BucketAlreadyExists"):
        raise _error(response)


def keeps_versions(connection: S3Connection) -> bool:
    """Whether the bucket keeps versions; False too when the server does not implement the query. Store's errors."""
    response = connection.exchange(_about_bucket("GET", {"versioning": ""}))
    if is_transient(response):
        raise _error(response)  # says nothing about versions
    try:
        return is_success(response) and _text(_parsed(response), "Status") == "Enabled"
    except StoreProtocolError:
        return False


def list_page(connection: S3Connection, prefix: str, start_after: str, token: str | None) -> Page:
    """Return up to a thousand objects below ``prefix``, from ``token`` or after ``start_after``. Store's errors."""
    query = {"list-type": "2", "prefix": prefix}
    query |= {"continuation-token": token} if token else {"start-after": start_after} if start_after else {}
    response = connection.exchange(_about_bucket("GET", query), body_limit=_PAGE_BYTES_MAX)
    if not is_success(response):
        raise _error(response)
    listed = _parsed(response)
    objects = [_object(item) for item in listed if _name(item) == "Contents"]
    if _text(listed, "IsTruncated").lower() != "true":
        return Page(objects=objects, token=None)
    following = _text(listed, "NextContinuationToken")
    if not following:
        raise StoreProtocolError("The object store's list ends in the middle.", "The server needs ListObjectsV2.")
    return Page(objects=objects, token=following)


def read_and_write(connection: S3Connection) -> None:
    """Read the small object that an earlier call left, if there is one, and write it again.

    Proves at the start of the embedded store that the bucket takes reads and writes. Raises the store's errors.
    """
    response = connection.exchange(S3Request(method="GET", name=_PROBE, headers={}))
    if not is_success(response) and error_code(response) != "NoSuchKey":
        raise _error(response)
    response = connection.exchange(_put(_PROBE, b"read and written"))
    if not is_success(response):
        raise _error(response)


def write_and_read(connection: S3Connection, name: str = _PROBE) -> None:
    """Write a small object anew, and read it. Raises the store's errors; StoreProtocolError: another one came back."""
    written = secrets.token_bytes(16)
    response = connection.exchange(_put(name, written))
    if not is_success(response):
        raise _error(response)
    response = connection.exchange(S3Request(method="GET", name=name, headers={}))
    if not is_success(response):
        raise _error(response)
    if response.body != written:
        raise StoreProtocolError("The object store gives back what was not written.", "Look into its log.")


def _about_bucket(method: str, query: dict[str, str] | None = None) -> S3Request:
    return S3Request(method=method, name="", headers={}, query=query or {})


def _creation(region: str) -> S3Request:
    location = f"<LocationConstraint>{region}</LocationConstraint>"
    body = f'<CreateBucketConfiguration xmlns="{_XMLNS}">{location}</CreateBucketConfiguration>'
    return _put("", b"" if region == _DEFAULT_REGION else body.encode())


def _put(name: str, body: bytes) -> S3Request:
    digest = hashlib.sha256(body).hexdigest()
    return S3Request(method="PUT", name=name, headers={}, body=body, size_bytes=len(body), payload_sha256=digest)


def _error(response: S3Response) -> StorageError:
    return response_error(response, "the bucket", now_s=time.time())


def _parsed(response: S3Response) -> ElementTree.Element:
    """Return the body's root element. StoreProtocolError: it is not XML."""
    try:
        root = ElementTree.fromstring(response.body)
    except ElementTree.ParseError as exc:
        raise _not_s3() from exc
    if _name(root) not in ("ListBucketResult", "VersioningConfiguration"):
        raise _not_s3()
    return root


def _not_s3() -> StoreProtocolError:
    return StoreProtocolError(
        "The server at the object store's address does not speak S3.", "Check endpoint and tls under [store]."
    )


def _name(element: ElementTree.Element) -> str:
    """Return the tag without its namespace, which some servers leave out."""
    return element.tag.rpartition("}")[2]


def _text(parent: ElementTree.Element, name: str) -> str:
    return next((child.text or "" for child in parent if _name(child) == name), "")


def _object(item: ElementTree.Element) -> ObjectInfo:
    modified, size = _text(item, "LastModified"), _text(item, "Size")
    try:
        moment = datetime.fromisoformat(modified) if modified else None
        return ObjectInfo(
            name=_text(item, "Key"),
            size_bytes=int(size or 0),
            modified_ns=None if moment is None else int(moment.timestamp()) * NS,
        )
    except ValueError as exc:
        raise StoreProtocolError("The object store's list contains an entry without a valid size or time.") from exc
