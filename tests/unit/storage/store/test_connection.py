"""One connection: what is sent, what is read, and what is told of requests that go wrong."""

from __future__ import annotations

import hashlib
import socket
import threading
import time
from pathlib import Path

import pytest

from storage.store.connection import BodyError, S3Connection, S3Request, Signer
from tests.support.faults.scripted_server import Received, ScriptedServer, response, scripted_server

BODY = bytes(range(256)) * 300


def put(source: Path | bytes, size: int, **more: str) -> S3Request:
    return S3Request(method="PUT", name="v1/a", headers=more, body=source, size_bytes=size, payload_sha256="ab" * 32)


@pytest.mark.parametrize("size", [0, 1, len(BODY)])
def test_body_of_a_file_and_of_bytes_arrive_alike(tmp_path: Path, size: int) -> None:
    (tmp_path / "file").write_bytes(BODY[:size])
    with scripted_server(lambda _: response(200, b"stored")) as server:
        connection = S3Connection(server.settings, None)
        for source in (BODY[:size], tmp_path / "file"):
            answer = connection.exchange(put(source, size, if_none_match="*"))
            assert (answer.status, answer.body) == (200, b"stored")
        connection.close()
    assert [(request.path, request.body) for request in server.requests] == [("/bucket/v1/a", BODY[:size])] * 2
    assert server.connections == 1
    assert server.requests[0].headers["content-length"] == str(size)


def test_file_longer_than_announced_is_sent_up_to_its_announced_length(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(BODY)
    with scripted_server(lambda _: response(200)) as server:
        connection = S3Connection(server.settings, None)
        connection.exchange(put(tmp_path / "file", 100))
        connection.close()
    assert server.requests[0].body == BODY[:100]


def test_file_that_is_absent_or_too_short_is_no_fault_of_the_server(tmp_path: Path) -> None:
    (tmp_path / "short").write_bytes(b"12345")
    with scripted_server(lambda _: response(200)) as server:
        connection = S3Connection(server.settings, None)
        with pytest.raises(BodyError, match="cannot be opened"):
            connection.exchange(put(tmp_path / "absent", 5))
        assert not connection.used  # nothing was sent
        with pytest.raises(BodyError, match="5 of 6 bytes"):
            connection.exchange(put(tmp_path / "short", 6))
        assert not connection.used  # a request that was begun ends with its connection
        assert connection.exchange(put(b"12345", 5)).status == 200
        connection.close()


def test_response_that_arrives_before_the_body_was_read_is_the_answer(tmp_path: Path) -> None:
    """A busy server refuses a large body: it answers, and closes."""
    listening = socket.create_server(("127.0.0.1", 0))

    def refuse() -> None:
        sock, _ = listening.accept()
        sock.recv(1000)
        sock.sendall(response(503, b"busy", connection="close"))
        time.sleep(0.2)
        sock.close()

    thread = threading.Thread(target=refuse)
    thread.start()
    endpoint = f"127.0.0.1:{listening.getsockname()[1]}"
    connection = S3Connection(ScriptedServer(endpoint=endpoint).settings, None)
    large = tmp_path / "large"
    large.write_bytes(bytes(32 << 20))
    answer = connection.exchange(put(large, 32 << 20))
    assert (answer.status, answer.body) == (503, b"busy")
    assert not connection.used
    thread.join()
    listening.close()


def test_connection_is_kept_unless_the_server_or_a_rest_of_the_body_forbids() -> None:
    answers = [response(200, b"x" * 100), response(200, b"x" * 100, connection="close"), response(200, b"x" * 100)]
    get = S3Request(method="GET", name="a", headers={})
    with scripted_server(lambda _: answers.pop(0)) as server:
        connection = S3Connection(server.settings, None)
        connection.exchange(get)
        assert connection.used
        connection.exchange(get)
        assert not connection.used
        assert connection.exchange(get, body_limit=10).body == b"x" * 10
        assert not connection.used  # the rest of the body is still in the socket
    assert server.connections == 2


def test_aborted_connection_fails_at_once_and_ever_after() -> None:
    released = threading.Event()

    def silent(_: Received) -> bytes:
        released.wait(10)
        return b""

    with scripted_server(silent) as server:
        connection = S3Connection(server.settings, None)
        errors: list[BaseException] = []

        def ask() -> None:
            try:
                connection.exchange(S3Request(method="GET", name="a", headers={}))
            except BaseException as error:  # noqa: BLE001 - looked at below
                errors.append(error)

        thread = threading.Thread(target=ask)
        thread.start()
        while not server.requests:
            time.sleep(0.005)
        connection.abort()
        thread.join(5)
        assert not thread.is_alive()
        assert isinstance(errors[0], Exception)
        with pytest.raises(ConnectionAbortedError):
            connection.exchange(S3Request(method="GET", name="a", headers={}))
        released.set()


def test_signature_covers_the_names_of_headers_and_the_payload() -> None:
    signer = Signer(ScriptedServer(endpoint="127.0.0.1:1").settings)
    path, headers = signer.signed(put(b"", 0, range="bytes=0-1"))
    assert path == "/bucket/v1/a"
    fields = headers["Authorization"].split("SignedHeaders=")[1].split(",")[0].split(";")
    assert {"host", "range", "x-amz-content-sha256", "x-amz-date"} <= set(fields)
    assert headers["x-amz-content-sha256"] == "ab" * 32
    assert "secret-0" not in str(headers)
    _, unsigned = signer.signed(S3Request(method="GET", name="a", headers={}))
    assert unsigned["x-amz-content-sha256"] == hashlib.sha256(b"").hexdigest()
    assert "content-length" not in unsigned


@pytest.mark.parametrize(
    ("name", "path"), [("a b", "/bucket/a%20b"), ("a?b#c", "/bucket/a%3Fb%23c"), ("v1/a-b_.~", "/bucket/v1/a-b_.~")]
)
def test_name_is_quoted_into_the_path(name: str, path: str) -> None:
    signer = Signer(ScriptedServer(endpoint="127.0.0.1:1").settings)
    assert signer.signed(S3Request(method="GET", name=name, headers={}))[0] == path
