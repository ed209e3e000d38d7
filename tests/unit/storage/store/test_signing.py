"""Signatures are those of Amazon's published example, and of another implementation for whatever we send."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import quote, urlsplit

from hypothesis import given, settings
from hypothesis import strategies as st
from minio.credentials.credentials import Credentials
from minio.signer import sign_v4_s3

from storage.store.signing import authorization

EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
ACCESS, SECRET = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"  # Amazon's own, for examples
WORD = st.text(st.characters(codec="utf-8", exclude_categories=("C",)), min_size=1, max_size=8)


def test_signature_is_that_of_the_published_example() -> None:
    """Amazon S3 API reference, "Authenticating Requests (AWS Signature Version 4)", example: GET Object."""
    made = authorization(
        method="GET",
        path="/test.txt",
        headers={
            "host": "examplebucket.s3.amazonaws.com",
            "range": "bytes=0-9",
            "x-amz-content-sha256": EMPTY,
            "x-amz-date": "20130524T000000Z",
        },
        payload_sha256=EMPTY,
        region="us-east-1",
        access_key=ACCESS,
        secret_key=SECRET,
        now=datetime(2013, 5, 24, tzinfo=UTC),
    )
    assert made == (
        f"AWS4-HMAC-SHA256 Credential={ACCESS}/20130524/us-east-1/s3/aws4_request,"
        "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,"
        "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
    )


@given(
    method=st.sampled_from(["GET", "PUT", "HEAD", "DELETE"]),
    name=WORD,
    query=st.dictionaries(st.sampled_from(["list-type", "prefix", "uploads", "max-keys"]), WORD | st.just("")),
    value=WORD.map(lambda word: quote(word, safe=" ;")),
    now=st.integers(1_600_000_000, 2_800_000_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC)),
)
@settings(max_examples=200, deadline=None)
def test_signature_is_that_of_another_implementation(
    method: str, name: str, query: dict[str, str], value: str, now: datetime
) -> None:
    asked = "&".join(f"{key}={quote(word, safe='-_.~')}" for key, word in sorted(query.items()))
    path = f"/footage/{quote(name, safe='/-_.~')}" + (f"?{asked}" if asked else "")
    headers = {
        "host": "127.0.0.1:8333",
        "x-amz-meta-note": f" {value}  {value} ",
        "x-amz-content-sha256": EMPTY,
        "x-amz-date": now.strftime("%Y%m%dT%H%M%SZ"),
    }
    theirs = sign_v4_s3(
        method=method,
        url=urlsplit(f"http://127.0.0.1:8333{path}"),
        region="eu-north-1",
        headers=dict(headers),
        credentials=Credentials(ACCESS, SECRET),
        content_sha256=EMPTY,
        date=now,
    )
    ours = authorization(
        method=method,
        path=path,
        headers=headers,
        payload_sha256=EMPTY,
        region="eu-north-1",
        access_key=ACCESS,
        secret_key=SECRET,
        now=now,
    )
    assert ours.replace(",", ", ") == str(theirs["Authorization"]).replace(", ", ",").replace(",", ", ")
