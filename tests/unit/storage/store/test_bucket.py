"""Requests about the bucket: which response becomes which error, and pages of a list."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest

from domain.time import NS
from storage.store import open_store
from storage.store.bucket import ensure_bucket, keeps_versions, list_page, read_and_write, write_and_read
from storage.store.connection import S3Connection
from storage.store.errors import StoreAwayError, StoreProtocolError, StoreRefusedError
from tests.support.faults.scripted_server import Received, ScriptedServer, response, scripted_server

XML = {"content_type": "application/xml"}


def ask(server: ScriptedServer, call: Callable[..., Any], *arguments: Any) -> Any:
    """Over a connection of its own, closed afterwards."""
    with closing(S3Connection(server.settings, None)) as connection:
        return call(connection, *arguments)


def failed(status: int, code: str) -> bytes:
    body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>m</Message><Resource>/</Resource></Error>"
    return response(status, body.encode(), **XML)


def test_bucket_is_made_only_where_there_is_none() -> None:
    with scripted_server(lambda _: response(200)) as server:
        ask(server, ensure_bucket, "us-east-1")
        assert server.methods == ["HEAD"]
    answers = {"HEAD": response(404), "GET": failed(404, "NoSuchBucket"), "PUT": response(200)}
    with scripted_server(lambda request: answers[request.method]) as server:
        ask(server, ensure_bucket, "us-east-1")
        assert server.methods == ["HEAD", "GET", "PUT"]


@pytest.mark.parametrize("code", ["BucketAlreadyOwnedByYou", "BucketAlreadyExists"])
def test_bucket_that_another_makes_at_the_same_time_is_fine(code: str) -> None:
    answers = {"HEAD": response(404), "GET": failed(404, "NoSuchBucket"), "PUT": failed(409, code)}
    with scripted_server(lambda request: answers[request.method]) as server:
        ask(server, ensure_bucket, "us-east-1")


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (failed(403, "AccessDenied"), StoreRefusedError),
        (failed(403, "SignatureDoesNotMatch"), StoreRefusedError),
        (failed(400, "InvalidBucketName"), StoreProtocolError),
        (failed(503, "SlowDown"), StoreAwayError),
        (failed(500, "InternalError"), StoreAwayError),
        (response(200, b"<html>router</html>", content_type="text/html"), StoreProtocolError),
        (response(200, b"no XML at all", **XML), StoreProtocolError),
        (response(200, b"<ListBucketResult><Name>", **XML), StoreProtocolError),
        (b"", StoreAwayError),
    ],
)
async def test_answers_to_a_list_become_the_stores_errors(answer: bytes, error: type[Exception]) -> None:
    with scripted_server(lambda _: answer) as server:
        async with open_store(server.settings) as store:
            with pytest.raises(error) as caught:
                [info async for info in store.list("")]
        assert "secret-0" not in str(caught.value)


def page(names: list[str], following: str = "") -> bytes:
    contents = "".join(
        f"<Contents><Key>{name}</Key><LastModified>2026-11-22T06:31:04.000Z</LastModified><Size>5</Size></Contents>"
        for name in names
    )
    more = f"<IsTruncated>{str(bool(following)).lower()}</IsTruncated>"
    token = f"<NextContinuationToken>{following}</NextContinuationToken>" if following else ""
    head = '<?xml version="1.0"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
    return response(200, f"{head}<Name>b</Name>{more}{token}{contents}</ListBucketResult>".encode(), **XML)


async def test_list_goes_through_all_pages_in_order() -> None:
    answers = [page(["v1/a", "v1/b"], "token"), page(["v1/c"])]

    def one(_: Received) -> bytes:
        return answers.pop(0)

    with scripted_server(one) as server:
        async with open_store(server.settings) as store:
            found = [info async for info in store.list("v1/", start_after="v1/0")]
    assert [(info.name, info.size_bytes) for info in found] == [("v1/a", 5), ("v1/b", 5), ("v1/c", 5)]
    assert found[0].modified_ns == 1_795_329_064 * NS
    assert "start-after=v1%2F0" in server.requests[0].path
    assert "continuation-token=token" in server.requests[1].path


def test_versions_are_kept_only_where_the_server_says_so() -> None:
    def says(status: str) -> bytes:
        head = '<?xml version="1.0"?><VersioningConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
        return response(200, f"{head}<Status>{status}</Status></VersioningConfiguration>".encode(), **XML)

    for answer, expected in (
        (says("Enabled"), True),
        (says("Suspended"), False),
        (failed(501, "NotImplemented"), False),
        (response(404, b"<html>", content_type="text/html"), False),
        (response(200, b"<html>router</html>", content_type="text/html"), False),
        (response(200, b"no XML at all", content_type="text/html"), False),
    ):
        with scripted_server(lambda _, a=answer: a) as server:  # type: ignore[misc]
            assert ask(server, keeps_versions) is expected
    with scripted_server(lambda _: failed(503, "SlowDown")) as server, pytest.raises(StoreAwayError):
        ask(server, keeps_versions)


def test_bucket_is_found_usable_whether_or_not_it_was_tried_before() -> None:
    for first in (response(200, b"read and written"), failed(404, "NoSuchKey")):
        answers = {"GET": first, "PUT": response(200, etag='"e"')}
        with scripted_server(lambda request, a=answers: a[request.method]) as server:  # type: ignore[misc]
            ask(server, read_and_write)
            assert server.methods == ["GET", "PUT"]
    with scripted_server(lambda _: failed(403, "AccessDenied")) as server, pytest.raises(StoreRefusedError):
        ask(server, read_and_write)


def test_probe_reads_what_it_has_written_itself_whatever_was_there_before() -> None:
    held = [b"of earlier"]

    def honest(request: Received) -> bytes:
        if request.method == "PUT":
            held[0] = request.body
            return response(200, etag='"e"')
        return response(200, held[0])

    with scripted_server(honest) as server:
        ask(server, write_and_read)
        ask(server, write_and_read)
        assert server.methods == ["PUT", "GET"] * 2
    answers = {"GET": response(200, b"of earlier"), "PUT": response(200, etag='"e"')}
    with (
        scripted_server(lambda request: answers[request.method]) as server,
        pytest.raises(StoreProtocolError, match="was not written"),
    ):
        ask(server, write_and_read)
    with scripted_server(lambda _: failed(500, "InternalError")) as server, pytest.raises(StoreAwayError):
        ask(server, write_and_read)


def test_region_goes_along_when_the_bucket_is_made() -> None:
    answers = {"HEAD": response(404), "GET": failed(404, "NoSuchBucket"), "PUT": response(200)}
    with scripted_server(lambda request: answers[request.method]) as server:
        ask(server, ensure_bucket, "eu-north-1")
        ask(server, ensure_bucket, "us-east-1")
    bodies = [request.body for request in server.requests if request.method == "PUT"]
    assert b"<LocationConstraint>eu-north-1</LocationConstraint>" in bodies[0]
    assert bodies[1] == b""


def test_reason_for_a_refused_bucket_is_the_servers_own() -> None:
    answers = {"HEAD": response(403), "GET": failed(403, "RequestTimeTooSkewed")}
    with scripted_server(lambda request: answers[request.method]) as server, pytest.raises(StoreRefusedError) as caught:
        ask(server, ensure_bucket, "us-east-1")
    assert "RequestTimeTooSkewed" in caught.value.what


def test_list_that_ends_in_the_middle_is_no_list() -> None:
    cut = page(["v1/a"], "token").replace(b"<NextContinuationToken>token</NextContinuationToken>", b" " * 52)
    with scripted_server(lambda _: cut) as server, pytest.raises(StoreProtocolError):
        ask(server, list_page, "v1/", "", None)
