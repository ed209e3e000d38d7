"""S3 servers that refuse what they do not know, send elsewhere, have another clock, or are busy."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from email.utils import formatdate
from pathlib import Path

import pytest

from domain.errors import StorageError
from pipeline.embedded.process import free_ports, listens
from runtime.settings import StoreSettings
from storage.store import ObjectStore, PutOutcome
from storage.store.errors import ObjectConflictError, StoreAwayError, StoreProtocolError, StoreRefusedError
from storage.store.opening import open_store
from tests.support.faults.odd_store import BUCKET, Habits, Refusal, odd_store, refuses

CHECKSUM, CREATE_ONLY, TYPE = "x-amz-checksum-sha256", "if-none-match", "content-type"
MODE = "x-amz-checksum-mode"


def settings_of(endpoint: str, **more: str) -> StoreSettings:
    words = {"bucket": BUCKET, "access_key": "ACCESSKEYID", "secret_key": "a-secret-key"} | more
    return StoreSettings(endpoint=endpoint, secure=False, **words)  # type: ignore[arg-type]


async def put(store: ObjectStore, name: str, body: bytes) -> PutOutcome:
    return await store.put_new(name, body, size_bytes=len(body), sha256=hashlib.sha256(body).digest())


async def holds_its_promises(store: ObjectStore) -> None:
    """Stored, there already, never overwritten, read in parts, listed, looked up, deleted."""
    body = os.urandom(5000)
    assert await put(store, "v1/a", body) is PutOutcome.STORED
    assert await put(store, "v1/a", body) is PutOutcome.ALREADY
    with pytest.raises(ObjectConflictError):
        await put(store, "v1/a", os.urandom(5000))
    assert await store.get_range("v1/a", 100, 4000) == body[100:4000]
    info = await store.stat("v1/a")
    assert info is not None and info.size_bytes == 5000
    assert [one.name async for one in store.list("v1/")] == ["v1/a"]
    await store.delete("v1/a")
    assert await store.stat("v1/a") is None


@pytest.mark.parametrize("status", [400, 403, 405, 411, 422, 500, 501])
@pytest.mark.parametrize("headers", [(CHECKSUM,), (CREATE_ONLY,), (TYPE,), (CHECKSUM, CREATE_ONLY), (MODE,)])
@pytest.mark.parametrize("probed", [True, False])
async def test_refused_headers_are_left_out(headers: tuple[str, ...], status: int, probed: bool) -> None:
    if status == 500 and not probed:
        pytest.skip("before the probe, a server that says 500 is taken to be out of order")
    with odd_store(Habits(refuses(*headers, status=status))) as habits:
        async with open_store(settings_of(habits.endpoint)) as store:
            if probed:
                capabilities = await store.probe()
                assert capabilities.refused == set(headers) - {MODE}
                assert capabilities.create_only == (CREATE_ONLY not in headers)
                assert capabilities.checksum == (CHECKSUM not in headers)
                assert habits.objects == {}
            await holds_its_promises(store)


async def test_a_refusal_that_names_nothing_is_found_out_by_trying() -> None:
    def refuse(method: str, sent: dict[str, str], _: int) -> Refusal | None:
        bad = method == "PUT" and {CHECKSUM, TYPE} & set(sent)
        return (501, "NotImplemented", "A header you provided implies something unheard of") if bad else None

    with odd_store(Habits(refuse)) as habits:
        async with open_store(settings_of(habits.endpoint)) as store:
            assert (await store.probe()).refused == {CHECKSUM, TYPE}
            await holds_its_promises(store)


@pytest.mark.parametrize(
    "refusal",
    [(503, "SlowDown", "Please reduce your request rate."), (500, "InternalError", "x"), (429, "TooManyRequests", "x")],
)
async def test_a_busy_server_is_not_taken_for_one_that_cannot(refusal: Refusal) -> None:
    with odd_store(Habits(lambda method, _, count: refusal if method == "PUT" and count % 3 != 2 else None)) as habits:
        async with open_store(settings_of(habits.endpoint)) as store:
            capabilities = await store.probe()
            assert (capabilities.create_only, capabilities.checksum, capabilities.refused) == (True, True, frozenset())


async def test_a_server_that_is_busy_all_the_time_is_away() -> None:
    with odd_store(Habits(lambda *_: (503, "SlowDown", "Please reduce your request rate."))) as habits:
        async with open_store(settings_of(habits.endpoint)) as store:
            with pytest.raises(StoreAwayError, match="Please reduce your request rate"):
                await store.ensure_bucket()


async def test_a_server_that_overwrites_and_ignores_is_looked_at_first() -> None:
    with odd_store(Habits(verifies=False, create_only=False)) as habits:
        async with open_store(settings_of(habits.endpoint)) as store:
            capabilities = await store.probe()
            assert (capabilities.create_only, capabilities.checksum, capabilities.refused) == (
                False,
                False,
                frozenset(),
            )
            await holds_its_promises(store)


async def error_at_start(habits: Habits) -> StorageError:
    with odd_store(habits):
        async with open_store(settings_of(habits.endpoint)) as store:
            with pytest.raises(StorageError) as caught:
                await store.ensure_bucket()
            with pytest.raises(type(caught.value)):
                await put(store, "v1/a", b"body")
    return caught.value


async def test_another_region_is_named_with_what_to_write() -> None:
    moved: Refusal = (301, "PermanentRedirect", "The bucket must be addressed using the specified endpoint.")
    error = await error_at_start(Habits(lambda *_: moved, {"x-amz-bucket-region": "eu-north-1"}))
    assert isinstance(error, StoreRefusedError)
    assert "must be addressed using the specified endpoint" in error.what
    assert "region = 'eu-north-1'" in error.remedy


async def test_a_region_in_the_answers_body_is_named() -> None:
    sentence = "the region 'us-east-1' is wrong; expecting 'fi-1'</Message><Region>fi-1</Region><Message>"
    error = await error_at_start(Habits(lambda *_: (400, "AuthorizationHeaderMalformed", sentence)))
    assert "region = 'fi-1'" in error.remedy


async def test_another_clock_is_told_with_how_far_it_is_off() -> None:
    def skewed(*_: object) -> Refusal:
        return (
            403,
            "RequestTimeTooSkewed",
            "The difference between the request and the current time is too large.",
        )

    habits = Habits(skewed, {"Date": formatdate(time.time() + 1200, usegmt=True)})
    error = await error_at_start(habits)
    assert isinstance(error, StoreRefusedError)
    assert "RequestTimeTooSkewed" in error.what and "is too large" in error.what
    assert "set them" in error.remedy


async def test_what_is_refused_for_good_says_the_servers_sentence() -> None:
    error = await error_at_start(Habits(lambda *_: (400, "Odd", "Not on Sundays. &lt;b&gt;\x07")))
    assert isinstance(error, StoreProtocolError)
    assert '"Not on Sundays. <b>�"' in error.what and error.remedy
    assert "a-secret-key" not in str(error)


RCLONE = shutil.which("rclone", path=f"{Path(sys.executable).parent}:/usr/bin")


@pytest.fixture
def rclone(tmp_path: Path) -> Iterator[str]:
    """Another real S3 server: rclone over a folder."""
    if RCLONE is None:
        pytest.skip("rclone is not installed")
    (port,) = free_ports(1)
    folder = tmp_path / "objects"
    folder.mkdir()
    where = f"127.0.0.1:{port}"
    command = [RCLONE, "--config", "/dev/null", "serve", "s3", "--auth-key", "ACCESSKEYID,a-secret-key"]
    command += ["--addr", where, str(folder)]
    with (tmp_path / "rclone.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + 30
        while not listens(port):
            assert process.poll() is None and time.monotonic() < deadline
            time.sleep(0.1)
        yield where
    finally:
        process.terminate()
        process.wait(10)


async def test_rclone_as_the_server(rclone: str) -> None:
    async with open_store(settings_of(rclone)) as store:
        await store.ensure_bucket()
        capabilities = await store.probe()
        assert capabilities.missing()
        await holds_its_promises(store)
    async with open_store(settings_of(rclone, secret_key="guess")) as store:
        with pytest.raises(StoreRefusedError):
            await put(store, "v1/a", b"body")
