"""Rare operations through `minio`: which answer becomes which error, and pages of a list."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import aclosing

import pytest
from minio import Minio

from domain.time import NS
from storage.store.admin import client_for, ensure_bucket, keeps_versions, list_objects, read_and_write
from storage.store.errors import StoreAwayError, StoreProtocolError, StoreRefusedError
from tests.support.faults.scripted_server import Received, ScriptedServer, response, scripted_server

ClientOf = Callable[[ScriptedServer], Minio]
XML = {"content_type": "application/xml"}


@pytest.fixture
def client_of() -> Iterator[ClientOf]:
    """Clients whose connections are closed at the test's end: `minio` leaves that to the garbage collector."""
    clients: list[Minio] = []

    def make(server: ScriptedServer) -> Minio:
        clients.append(client_for(server.settings))
        return clients[-1]

    yield make
    for client in clients:
        client._http.clear()


def failed(status: int, code: str) -> bytes:
    body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>m</Message><Resource>/</Resource></Error>"
    return response(status, body.encode(), **XML)


def test_bucket_is_made_only_where_there_is_none(client_of: ClientOf) -> None:
    with scripted_server(lambda _: response(200)) as server:
        ensure_bucket(client_of(server), server.settings)
        assert server.methods == ["HEAD"]
    answers = {"HEAD": response(404), "PUT": response(200)}
    with scripted_server(lambda request: answers[request.method]) as server:
        ensure_bucket(client_of(server), server.settings)
        assert server.methods == ["HEAD", "PUT"]


@pytest.mark.parametrize("code", ["BucketAlreadyOwnedByYou", "BucketAlreadyExists"])
def test_bucket_that_another_makes_at_the_same_time_is_fine(client_of: ClientOf, code: str) -> None:
    answers = {"HEAD": response(404), "PUT": failed(409, code)}
    with scripted_server(lambda request: answers[request.method]) as server:
        ensure_bucket(client_of(server), server.settings)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (failed(403, "AccessDenied"), StoreRefusedError),
        (failed(403, "SignatureDoesNotMatch"), StoreRefusedError),
        (failed(400, "InvalidBucketName"), StoreRefusedError),
        (failed(503, "SlowDown"), StoreAwayError),
        (failed(500, "InternalError"), StoreAwayError),
        (response(200, b"<html>router</html>", content_type="text/html"), StoreProtocolError),
        (response(200, b"no XML at all", **XML), StoreProtocolError),
        (response(200, b"<ListBucketResult><Name>", **XML), StoreProtocolError),
        (b"", StoreAwayError),
    ],
)
async def test_answers_to_a_list_become_the_stores_errors(
    client_of: ClientOf, answer: bytes, error: type[Exception]
) -> None:
    with scripted_server(lambda _: answer) as server:
        client = client_of(server)
        with pytest.raises(error) as caught:
            async with aclosing(list_objects(client, "bucket", "", "")) as listing:
                await anext(listing)
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


async def test_list_goes_through_all_pages_in_order(client_of: ClientOf) -> None:
    answers = [page(["v1/a", "v1/b"], "token"), page(["v1/c"])]

    def one(_: Received) -> bytes:
        return answers.pop(0)

    with scripted_server(one) as server:
        found = [info async for info in list_objects(client_of(server), "bucket", "v1/", "v1/0")]
    assert [(info.name, info.size_bytes) for info in found] == [("v1/a", 5), ("v1/b", 5), ("v1/c", 5)]
    assert found[0].modified_ns == 1_795_329_064 * NS
    assert "start-after=v1%2F0" in server.requests[0].path
    assert "continuation-token=token" in server.requests[1].path


def test_versions_are_kept_only_where_the_server_says_so(client_of: ClientOf) -> None:
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
            assert keeps_versions(client_of(server), "bucket") is expected
    with scripted_server(lambda _: b"") as server, pytest.raises(StoreAwayError):
        keeps_versions(client_of(server), "bucket")


def test_bucket_is_found_usable_whether_or_not_it_was_tried_before(client_of: ClientOf) -> None:
    for first in (response(200, b"read and written"), failed(404, "NoSuchKey")):
        answers = {"GET": first, "PUT": response(200, etag='"e"')}
        with scripted_server(lambda request, a=answers: a[request.method]) as server:  # type: ignore[misc]
            read_and_write(client_of(server), "bucket")
            assert server.methods == ["GET", "PUT"]
    with scripted_server(lambda _: failed(403, "AccessDenied")) as server, pytest.raises(StoreRefusedError):
        read_and_write(client_of(server), "bucket")
