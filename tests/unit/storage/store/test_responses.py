"""What S3's answers mean."""

from __future__ import annotations

import base64
import http.client
import io

import pytest

from domain.errors import MisuseError, RetryableError
from storage.store.connection import S3Response
from storage.store.errors import DigestError, ObjectMissingError, StoreAwayError, StoreProtocolError, StoreRefusedError
from storage.store.responses import checksum_in, exists_already, object_info, response_error


def answer(status: int, code: str = "", headers: str = "") -> S3Response:
    body = f"<?xml version='1.0'?><Error><Code>{code}</Code></Error>".encode() if code else b""
    return S3Response(
        status=status, headers=http.client.parse_headers(io.BytesIO(headers.encode() + b"\r\n")), body=body
    )


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (400, "BadDigest", DigestError),
        (400, "XAmzContentSHA256Mismatch", DigestError),
        (500, "InternalError", StoreAwayError),
        (503, "SlowDown", StoreAwayError),
        (503, "", StoreAwayError),
        (429, "", StoreAwayError),
        (507, "", StoreAwayError),
        (400, "RequestTimeout", StoreAwayError),
        (400, "IncompleteBody", StoreAwayError),
        (404, "NoSuchKey", ObjectMissingError),
        (404, "", ObjectMissingError),
        (404, "NoSuchBucket", StoreRefusedError),
        (403, "AccessDenied", StoreRefusedError),
        (403, "SignatureDoesNotMatch", StoreRefusedError),
        (403, "RequestTimeTooSkewed", StoreRefusedError),
        (401, "", StoreRefusedError),
        (400, "InvalidArgument", StoreProtocolError),
        (416, "InvalidRange", StoreProtocolError),
        (301, "PermanentRedirect", StoreRefusedError),
        (307, "TemporaryRedirect", StoreAwayError),
        (400, "AuthorizationHeaderMalformed", StoreRefusedError),
        (501, "NotImplemented", StoreProtocolError),
    ],
)
def test_error_by_status_and_code(status: int, code: str, expected: type[Exception]) -> None:
    error = response_error(answer(status, code), "name")
    assert type(error) is expected
    assert str(status) in error.what
    assert "name" in error.what
    if isinstance(error, RetryableError | MisuseError):
        assert error.remedy


def test_error_code_that_is_no_word_is_not_repeated() -> None:
    error = response_error(answer(400, "<script>"), "name")
    assert "script" not in str(error)


def test_taken_names_are_told_by_status() -> None:
    assert exists_already(answer(412, "PreconditionFailed"))
    assert exists_already(answer(409, "ConditionalRequestConflict"))
    assert not exists_already(answer(200))
    assert not exists_already(answer(404))


def test_checksum_of_the_whole_object_counts_and_one_of_parts_does_not() -> None:
    text = base64.b64encode(bytes(range(32))).decode()
    assert checksum_in(answer(200, headers=f"x-amz-checksum-sha256: {text}\r\n")) == bytes(range(32))
    for value in ("", f"{text}-3", "!!!!", base64.b64encode(b"short").decode()):
        assert checksum_in(answer(200, headers=f"x-amz-checksum-sha256: {value}\r\n")) is None
    info = object_info(answer(200, headers=f"Content-Length: 77\r\nx-amz-checksum-sha256: {text}\r\n"), "name")
    assert (info.size_bytes, info.sha256) == (77, bytes(range(32)))
