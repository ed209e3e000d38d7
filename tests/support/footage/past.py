"""Footage of past hours under a clock that the test sets: a custodian's keys and expiry, without a process."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from custodian.audit.record import Record
from custodian.audit.signer import HeadSigner
from custodian.erasure.orders import Orders
from custodian.erasure.replace import Replacement
from custodian.expiry.change import RetentionChange
from custodian.expiry.expire import Expiry
from custodian.expiry.tick import RetentionClock
from custodian.holds.holds import Holds
from custodian.journal import JournalKeeper
from custodian.keys.custody import Custody, open_custody
from custodian.keys.hour_keys import HourKeyMaker
from custodian.keys.resealing import Resealing
from custodian.opening import Opener
from domain.ids import CameraId, RecorderId, new_id
from domain.time import HOUR_NS, NS, hour_of
from runtime.database import connect, open_pool
from runtime.settings import DatabaseSettings
from storage.keys import HourKeyCache, RecorderIdentity
from tests.support.database.trail import Shelf
from tests.support.footage.custodian import Recorded, add_camera, fetch_keys, record


class Clock:
    """UTC nanoseconds, as far as the test says."""

    def __init__(self, now_ns: int) -> None:
        self.now_ns = now_ns

    def __call__(self) -> int:
        return self.now_ns


class Past:
    """A gym whose time began ``back_h`` hours ago, at the start of an hour. Its clock moves when the test moves it."""

    def __init__(
        self, owner: asyncpg.Connection, pool: asyncpg.Pool, directory: Path, custody: Custody, back_h: int
    ) -> None:
        self.owner, self.pool, self.directory, self.custody = owner, pool, directory, custody
        self.start_ns = hour_of(time.time_ns()) - back_h * HOUR_NS
        self.clock = Clock(self.start_ns)
        self.maker = HourKeyMaker(pool, custody, ahead_hours=2, clock_ns=self.clock)
        signer = HeadSigner(pool, custody.signing, (Shelf("The shelf"),), clock_ns=self.clock, begun=custody.begun)
        self.opener = Opener(pool, custody, Record(pool, signer, clock_ns=self.clock), clock_ns=self.clock)
        self.holds = Holds(pool, custody, clock_ns=self.clock)
        self.expiry = self.new_expiry()
        self.resealing = Resealing(pool, custody, self.backed_up)
        self.change = RetentionChange(
            pool, custody, self.resealing, confirmed=lambda: self.expiry.shorter(), clock_ns=self.clock
        )
        self.orders = Orders(pool, clock_ns=self.clock)
        self.journal: JournalKeeper | None = None  # the test's, where it has a bucket
        signing = Ed25519PrivateKey.generate()
        self.recorder = RecorderIdentity(
            recorder_id=RecorderId(new_id()), pinned_signer=custody.signer, private_key=signing
        )

    def new_expiry(self, *, at_once: int | None = None) -> Expiry:
        """As after a restart of the process."""
        clock = RetentionClock(self.directory / "retention-clock")
        return Expiry(self.pool, self.custody, clock, self.holds, at_once=at_once, clock_ns=self.clock)

    async def backed_up(self) -> None:
        """As the custodian's journal has it."""
        if self.journal is not None:
            await self.journal.all_written()

    @property
    def erasures(self) -> Replacement:
        """As after a restart of the process."""
        values = self.pool, self.custody, self.maker, self.holds, self.resealing
        return Replacement(*values, clock_ns=self.clock)

    async def enrol(self) -> None:
        """Make the recorder's signatures count."""
        public = self.recorder.private_key.public_key().public_bytes_raw()
        await self.owner.execute("INSERT INTO recorder VALUES ($1, 'past', $2, 0)", self.recorder.recorder_id, public)

    async def camera(self, retention_h: int) -> CameraId:
        """A camera with hour keys for the hours at hand."""
        _, camera_id = await add_camera(self.owner, retention_s=retention_h * 3600)
        await self.keys()
        return camera_id

    async def keys(self) -> HourKeyCache:
        """Make the hour keys that are missing now, and return all that are published."""
        hour = hour_of(self.clock())
        for camera in await self.maker.cameras():
            wanted = await self.maker.missing(camera, hour, hour + HOUR_NS)
            if wanted:
                await self.maker.make(wanted)
        cache = HourKeyCache(self.custody.signer)
        await fetch_keys(self.owner, cache)
        return cache

    async def record(self, camera_id: CameraId, count: int = 2, *, state: str = "live") -> list[Recorded]:
        """``count`` segments from the beginning of the present hour on."""
        start_ns = hour_of(self.clock())
        key = (await self.keys()).key_for(camera_id, start_ns)
        return [
            await record(
                self.owner, self.recorder, key, os.urandom(2000), start_ns=start_ns + number * 10 * NS, state=state
            )
            for number in range(count)
        ]

    async def opens(self, segments: list[Recorded]) -> int:
        """How many of the segments open now, by their rows or, where these are gone, by their objects' headers."""
        by_rows = await self.opener.open_for_verify([segment.segment_id for segment in segments], "test")
        by_headers = await self.opener.open_headers([segment.data[:210] for segment in segments], "test")
        return len({key.segment_id for key in (*by_rows, *by_headers)})


@contextlib.asynccontextmanager
async def past(
    owner: DatabaseSettings, custodian: DatabaseSettings, directory: Path, *, back_h: int = 20
) -> AsyncIterator[Past]:
    """One over a database of its own; the keyring is in ``directory``."""
    conn = await connect(owner)
    try:
        with open_custody(directory / "custody") as custody:
            async with open_pool(custodian, application_name="past", min_size=0, max_size=4) as pool:
                made = Past(conn, pool, directory, custody, back_h)
                await made.enrol()
                await made.expiry.run_once()  # from now on the custodian knows what time it was
                yield made
    finally:
        await conn.close()
