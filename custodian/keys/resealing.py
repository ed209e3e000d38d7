"""Gives keyring entries another key while they are in use: all that is still sealed under them is sealed anew.

A caller that wants the row of a backup to open no more (of an hour key that was erased, or moved to another end) takes
or moves the row first, then has its entry's key replaced. An entry with two keys says after a crash what is left to do.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

import asyncpg

from custodian.keys.custody import Custody
from custodian.keys.hour_keys import private_key_context
from runtime import sql
from runtime.database import wrapped_errors
from runtime.failpoints import hit
from storage.keys import KeyFileError, NoKeyringEntryError, PublicHourKey

_PACKAGE: Final = "custodian.keys"
BATCH: Final = 250


class Resealing:
    """Its callers hold ``custody.sealing``: a key that is sealed meanwhile would be lost."""

    def __init__(self, pool: asyncpg.Pool, custody: Custody, backed_up: Callable[[], Awaitable[None]]) -> None:
        """``backed_up``: returns once the bucket's journal has all rows; raises NotBackedUpError until then."""
        self._pool, self._custody, self._backed_up = pool, custody, backed_up

    async def paused(self) -> bool:
        """Whether a person has yet to look at a restored or rebuilt database. Until then no entry gets another key.

        Such a database may not know every key that an entry seals: the journal does, and what it brings back later
        would be sealed by a key that is gone.
        """
        with wrapped_errors():
            return bool(await self._pool.fetchval(sql.load(_PACKAGE, "paused")))

    async def finish(self) -> None:
        """Of every entry with several keys: seal what is left under it with its newest, and destroy the others.

        NotBackedUpError: some are left, because the bucket does not have the rows as they are now.
        """
        names = sorted(await self._custody.keyring.replaced())
        for name in names:
            await self._renew(name)
        if not names:
            return
        hit("reseal.renewed")
        # A database that is lost now comes back with these rows: not one that only the old keys open.
        await self._backed_up()
        hit("reseal.backed_up")
        for name in names:
            if name in await self._custody.keyring.replaced():
                await self._custody.keyring.drop_replaced(name)
        hit("reseal.dropped")

    async def seal_anew(self, rows: Sequence[asyncpg.Record]) -> None:
        """Move rows to the entry ``wanted_ns``, or to the newest key of their own."""
        sealed = [(row, private) for row in rows if (private := await self._sealed_anew(row)) is not None]
        columns: list[list[Any]] = [
            [row["hour_key_id"] for row, _ in sealed],
            [row["expires_hour_ns"] for row, _ in sealed],
            [row["wanted_ns"] for row, _ in sealed],
            [private for _, private in sealed],
        ]
        with wrapped_errors():
            await self._pool.execute(sql.load(_PACKAGE, "move_keys"), *columns)

    async def _renew(self, name: int) -> None:
        with wrapped_errors():
            rows = await self._pool.fetch(sql.load(_PACKAGE, "keys_sealed_under"), name)
        for at in range(0, len(rows), BATCH):
            await self.seal_anew(rows[at : at + BATCH])

    async def _sealed_anew(self, row: asyncpg.Record) -> bytes | None:
        """None when it does not open any more: nothing is lost by leaving it."""
        public = PublicHourKey(
            hour_key_id=row["hour_key_id"],
            site_id=row["site_id"],
            camera_id=row["camera_id"],
            hour_ns=row["hour_ns"],
            public_key=row["public_key"],
            serial=row["serial"],
        )
        keyring = self._custody.keyring
        before, after = (private_key_context(public, row[name]) for name in ("expires_hour_ns", "wanted_ns"))
        try:
            plain = await keyring.open(row["expires_hour_ns"], row["sealed_private"], before)
        except (NoKeyringEntryError, KeyFileError):
            return None
        return await keyring.seal(row["wanted_ns"], plain, after)
