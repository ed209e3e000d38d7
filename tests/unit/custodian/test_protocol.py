"""Messages on the custodian's socket: whole, bounded, JSON objects; keys come through unchanged."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from custodian.errors import CustodianAwayError, CustodianMisuseError
from custodian.protocol import Peer, key_from_json, key_to_json, pack_message, peer_of, raise_error, read_message
from domain.ids import CameraId, RecorderId, SegmentId
from storage.sealed import PayloadKey


async def read(data: bytes, max_bytes: int = 1000) -> dict[str, Any] | None:
    reader = asyncio.StreamReader()
    reader.feed_data(data)
    reader.feed_eof()
    return await read_message(reader, max_bytes)


async def test_message_comes_through_and_the_end_between_two_is_none() -> None:
    body = {"op": "status", "text": "ä", "number": 1 << 60}
    assert await read(pack_message(body)) == body
    assert await read(b"") is None


@pytest.mark.parametrize("cut", [1, 3, 4, 5, 15])  # 4: right behind the length
async def test_message_that_is_cut_off_is_a_connection_that_broke(cut: int) -> None:
    with pytest.raises(CustodianAwayError):
        await read(pack_message({"op": "status"})[:cut])


async def test_limit_holds_before_anything_is_read() -> None:
    message = pack_message({"op": "x"})
    size = len(message) - 4
    assert await read(message, size) == {"op": "x"}
    with pytest.raises(CustodianMisuseError, match="longer than"):
        await read(message, size - 1)
    with pytest.raises(CustodianMisuseError, match="longer than"):
        await read(b"\xff\xff\xff\xff")


@pytest.mark.parametrize("body", [b"no JSON", b"[1]", b'"text"', b"\xff", b"[" * 900])
async def test_anything_but_a_json_object_is_refused(body: bytes) -> None:
    with pytest.raises(CustodianMisuseError):
        await read(len(body).to_bytes(4, "big") + body)


async def test_nesting_beyond_the_parsers_depth_is_refused() -> None:
    body = b"[" * 100_000
    with pytest.raises(CustodianMisuseError, match="not JSON"):
        await read(len(body).to_bytes(4, "big") + body, len(body))


def test_error_of_the_custodian_is_raised_as_what_it_was() -> None:
    with pytest.raises(CustodianAwayError, match="It starts"):
        raise_error({"code": "away", "what": "It starts.", "remedy": "Wait."})
    with pytest.raises(CustodianMisuseError) as caught:
        raise_error({"code": "unheard of", "what": "No."})
    assert (caught.value.what, caught.value.remedy) == ("No.", "")


async def test_peer_is_the_process_at_the_other_end(tmp_path: Path) -> None:
    peers: list[Peer] = []
    met = asyncio.Event()

    async def meet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peers.append(peer_of(writer))
        writer.close()
        met.set()

    async with await asyncio.start_unix_server(meet, tmp_path / "s"):
        _, writer = await asyncio.open_unix_connection(tmp_path / "s")
        await met.wait()
        writer.close()
    assert peers == [Peer(who=os.getuid())]


def test_payload_key_comes_through_json_unchanged() -> None:
    key = PayloadKey(
        segment_id=SegmentId(UUID(int=1)),
        camera_id=CameraId(UUID(int=2)),
        start_ns=1_790_000_000_000_000_001,
        chunk_log2=15,
        core_sha256=bytes(range(32)),
        key=bytes(range(32, 64)),
        recorders={RecorderId(UUID(int=3)): bytes([9]) * 32},
    )
    assert key_from_json(json.loads(json.dumps(key_to_json(key)))) == key
