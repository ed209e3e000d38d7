"""Rare operations, through the `minio` client: buckets, versioning, lists. Blocking; S3Store calls them in threads."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncGenerator, Generator, Iterator
from contextlib import contextmanager
from itertools import islice
from xml.etree.ElementTree import ParseError

import urllib3
from minio import Minio
from minio.error import InvalidResponseError, MinioException, S3Error

from domain.time import NS
from runtime.settings import StoreSettings
from storage.store.errors import StoreAwayError, StoreProtocolError, StoreRefusedError
from storage.store.protocol import ObjectInfo

_PAGE = 1000
_PROBE = "probe/start"
_REFUSED_CODES = frozenset(
    {
        "AccessDenied",
        "InvalidAccessKeyId",
        "SignatureDoesNotMatch",
        "NoSuchBucket",
        "RequestTimeTooSkewed",
        "InvalidBucketName",
    }
)

# `minio` checks the content type of errors only: a page of a router with status 200 fails in its XML parser.
_NOT_S3 = (InvalidResponseError, ValueError, ParseError)


def client_for(settings: StoreSettings) -> Minio:
    """Return a `minio` client with short timeouts and without retries: the caller decides when to try again."""
    http = urllib3.PoolManager(
        timeout=urllib3.Timeout(connect=5.0, read=20.0),
        retries=False,
        maxsize=2,
        cert_reqs="CERT_REQUIRED",
        ca_certs=None if settings.tls_ca is None else str(settings.tls_ca),
    )
    return Minio(
        settings.endpoint,
        access_key=settings.access_key,
        secret_key=settings.secret_key,
        secure=settings.secure,
        region=settings.region,
        http_client=http,
    )


def ensure_bucket(client: Minio, settings: StoreSettings) -> None:
    """Create the bucket unless it exists. Two processes may do so at the same time. Raises the store's errors."""
    with _translated():
        if client.bucket_exists(settings.bucket):
            return
        try:
            client.make_bucket(settings.bucket, location=settings.region)
        except S3Error as exc:
            if exc.code not in ("BucketAlreadyOwnedByYou", "BucketAlreadyExists"):
                raise


def read_and_write(client: Minio, bucket: str) -> None:
    """Read the small object that an earlier call left, if there is one, and write it again.

    Proves at the start of the embedded store that the bucket takes reads and writes. Raises the store's errors.
    """
    with _translated():
        try:
            response = client.get_object(bucket, _PROBE)
            response.read()
            response.release_conn()
        except S3Error as exc:
            if exc.code != "NoSuchKey":
                raise
        client.put_object(bucket, _PROBE, io.BytesIO(b"read and written"), 16)


def keeps_versions(client: Minio, bucket: str) -> bool:
    """Whether the bucket keeps versions; False too when the server does not implement the query. StoreAwayError."""
    try:
        return str(client.get_bucket_versioning(bucket).status) == "Enabled"
    except (S3Error, *_NOT_S3):
        return False
    except (MinioException, urllib3.exceptions.HTTPError, OSError) as exc:
        raise _away(exc) from exc


async def list_objects(client: Minio, bucket: str, prefix: str, start_after: str) -> AsyncGenerator[ObjectInfo, None]:
    """Yield the objects below ``prefix``, a page at a time, each fetched in a thread. Raises the store's errors."""
    found = _objects(client, bucket, prefix, start_after)
    try:
        while page := await asyncio.to_thread(lambda: list(islice(found, _PAGE))):
            for info in page:
                yield info
    finally:
        found.close()


def _objects(client: Minio, bucket: str, prefix: str, start_after: str) -> Generator[ObjectInfo, None, None]:
    with _translated():
        for item in client.list_objects(bucket, prefix=prefix, recursive=True, start_after=start_after or None):
            modified = item.last_modified
            yield ObjectInfo(
                name=item.object_name or "",
                size_bytes=item.size or 0,
                modified_ns=None if modified is None else int(modified.timestamp()) * NS,
            )


@contextmanager
def _translated() -> Iterator[None]:
    """Raise the store's errors in place of the errors of `minio` and urllib3."""
    try:
        yield
    except S3Error as exc:
        what = f"The object store reports {exc.code}."
        if exc.code in _REFUSED_CODES:
            raise StoreRefusedError(what, "Check endpoint, keys, region and bucket in the configuration.") from exc
        raise _away(exc) from exc
    except _NOT_S3 as exc:
        raise StoreProtocolError("The server at the object store's address does not speak S3.") from exc
    except (MinioException, urllib3.exceptions.HTTPError, OSError) as exc:
        raise _away(exc) from exc


def _away(exc: Exception) -> StoreAwayError:
    return StoreAwayError(f"The object store does not answer ({type(exc).__name__}).", "Tallenne will try again.")
