"""Signs requests to an S3 server with AWS Signature Version 4.

Source: Amazon S3 API reference, "Authenticating Requests: Using the Authorization Header". Written here because roles
would else load an S3 client and its cryptography for it, which takes a quarter of ingest's start.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime
from typing import Final

_ALGORITHM: Final = "AWS4-HMAC-SHA256"


def authorization(
    *,
    method: str,
    path: str,
    headers: Mapping[str, str],
    payload_sha256: str,
    region: str,
    access_key: str,
    secret_key: str,
    now: datetime,
) -> str:
    """Return the header of that name.

    path: percent-encoded, with the query, whose parameters are sorted by name
    headers: all that are signed, ``host`` and ``x-amz-date`` among them, by their lower-case names
    now: UTC, as ``x-amz-date`` says it
    """
    stamp, day = now.strftime("%Y%m%dT%H%M%SZ"), now.strftime("%Y%m%d")
    resource, _, query = path.partition("?")
    names = sorted(headers)
    # Canonical request: a line each, the headers with their blanks folded, then which of them are signed.
    lines = [method, resource, query, *(f"{name}:{' '.join(headers[name].split())}" for name in names)]
    request = "\n".join([*lines, "", ";".join(names), payload_sha256])
    scope = f"{day}/{region}/s3/aws4_request"
    text = f"{_ALGORITHM}\n{stamp}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
    key = f"AWS4{secret_key}".encode()
    for word in scope.split("/"):  # a key for this day, region and service alone
        key = hmac.digest(key, word.encode(), "sha256")
    signature = hmac.digest(key, text.encode(), "sha256").hex()
    return f"{_ALGORITHM} Credential={access_key}/{scope},SignedHeaders={';'.join(names)},Signature={signature}"
