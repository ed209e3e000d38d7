"""Live pictures through a TURN server not written here, coturn, where a browser reaches us by no other way."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest

from live import role
from live.settings import SOCKET, LiveSettings
from tests.browser.chromium import MARKS
from tests.browser.counter import Counter, at_the_counter
from tests.browser.live.test_live_pictures import ages
from tests.conftest import Database
from tests.integration.api.gym import LOBBY
from tests.support.footage.custodian import custodian, custodian_settings
from tests.support.live import ME, Camera, until
from tests.support.network.turn import MISSING, Turn, coturn

pytestmark = [*MARKS, pytest.mark.slow, pytest.mark.skipif(bool(MISSING), reason=MISSING or "-")]
RELAY_ONLY: Final = """(() => {
  const Real = window.RTCPeerConnection;
  window.RTCPeerConnection = class extends Real {
    constructor(given) { super({ ...given, iceTransportPolicy: 'relay' }); window.peer = this; }
  };
})()"""
PAIR: Final = """async () => {
  const all = [...(await window.peer.getStats()).values()];
  const pair = all.find((one) => one.type === 'candidate-pair' && one.nominated && one.state === 'succeeded');
  const local = all.find((one) => one.id === pair.localCandidateId);
  return [local.candidateType, local.relayProtocol, pair.bytesReceived > 0];
}"""


@asynccontextmanager
async def behind_a_relay(database: Database, directory: Path, turn: Turn) -> AsyncIterator[Counter]:
    """A browser that uses the relay alone, before the whole way to the lobby's camera."""
    run, stop = directory / "run", asyncio.Event()
    settings = LiveSettings(run_directory=run, custodian_socket=run / "custodian.sock", viewer_uids=ME, feeder_uids=ME)
    async with (
        custodian(custodian_settings(database.custodian, directory, live_uids=(os.geteuid(),))),
        Camera(LOBBY).sending(run),
        at_the_counter(database, directory, turn=turn.settings, live_uids=ME) as counter,
    ):
        task = asyncio.create_task(role.run(settings, stop))
        await until((run / SOCKET).exists)
        try:
            await counter.page.add_init_script(RELAY_ONLY)
            yield counter
            await counter.page.context.close()
        finally:
            stop.set()
            await task


async def test_pictures_come_through_the_relay(database: Database, tmp_path: Path) -> None:
    async with coturn(tmp_path) as turn, behind_a_relay(database, tmp_path, turn) as counter:
        await counter.go(f"/live?camera={LOBBY}", ".tile[data-state=playing]")
        assert await counter.page.inner_text(".tile .note") == "WebRTC"
        assert await counter.page.evaluate(PAIR) == ["relay", "udp", True]
        assert len(set(await ages(counter.page, 2))) > 15  # pictures that move
        assert any("ALLOCATE processed, success" in line for line in turn.log)


async def test_wrong_credentials_for_the_relay_lead_to_https_by_itself(database: Database, tmp_path: Path) -> None:
    async with coturn(tmp_path) as turn:
        wrong = Turn(settings=replace(turn.settings, secret="south"))
        async with behind_a_relay(database, tmp_path, wrong) as counter:
            await counter.go(f"/live?camera={LOBBY}", ".tile[data-state=playing]")
            assert await counter.page.inner_text(".tile .note") == "HTTPS"
            assert len(set(await ages(counter.page, 2))) > 15
        assert any("401" in line or "Unauthorized" in line for line in turn.log)
        assert not any("ALLOCATE processed, success" in line for line in turn.log)
