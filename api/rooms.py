"""The rooms of the API, created once by the role or a test from open resources."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial

import asyncpg

from api.credentials.factors import Factors
from api.credentials.passwords import Passwords
from api.credentials.secret_key import SecretKey
from api.credentials.throttle import Throttle
from api.export.exports import Exports
from api.export.manifest import fingerprint
from api.footage import Inits
from api.footage.cache import ClipCache
from api.footage.opening import Footage
from api.footage.sent import Sent
from api.footage.thumbnail.pictures import Pictures
from api.health.parts import Parts
from api.health.scrape import Scrape
from api.http.jobs import Jobs
from api.http.priority import Priority
from api.live.room import LiveRoom
from api.masked.films import Films
from api.members.post import Post
from api.members.room import Members
from api.metrics.counters import Metrics
from api.pages.settings import Pages
from api.records import Records, Statuses
from api.settings import ServeSettings
from custodian.client import CustodianClient
from live.client import LiveClient
from storage.store import ObjectStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Rooms:
    """One object per room. The application hands each route only those that it names; nothing here opens anything."""

    records: Records
    statuses: Statuses
    factors: Factors
    footage: Footage
    pictures: Pictures
    exports: Exports
    parts: Parts
    scrape: Scrape
    live: LiveRoom
    pages: Pages
    members: Members

    async def close(self) -> None:
        """Stop the background jobs and the picture workers, and drop the opened clips with their keys."""
        async with AsyncExitStack() as stack:  # in reverse order, and all of them whatever one raises
            stack.callback(self.footage.cache.clear)
            stack.callback(self.exports.films.clear)
            stack.push_async_callback(self.exports.jobs.close)
            stack.push_async_callback(self.pictures.close)
            stack.push_async_callback(self.members.post.close)


def make_rooms(
    settings: ServeSettings,
    *,
    pool: asyncpg.Pool,
    store: ObjectStore,
    key: SecretKey,
    passwords: Passwords | None = None,
    clock_ns: Callable[[], int] = time.time_ns,
) -> Rooms:
    """Return the rooms around an open pool and store, which the caller closes after ``Rooms.close()``."""
    custodian = CustodianClient(settings.custodian_socket)
    records = Records(pool=pool, clock_ns=clock_ns, hash_cookie=key.hash_cookie)
    throttle = Throttle(pool)
    live = LiveClient(settings.run_directory, settings.live_uids)
    footage = Footage(
        pool=pool,
        store=store,
        custodian=custodian,
        cache=ClipCache(clock_ns),
        inits=Inits(),
        priority=Priority(),
        sent=Sent(),
        converter=live,
    )
    return Rooms(
        records=records,
        statuses=Statuses(run_directory=settings.run_directory),
        factors=Factors(key=key, passwords=passwords or Passwords(), throttle=throttle),
        footage=footage,
        pictures=Pictures(),
        exports=Exports(footage=footage, key=key, jobs=Jobs(), films=Films(clock_ns)),
        parts=Parts(
            pool=pool,
            store=store,
            custodian=custodian,
            run_directory=settings.run_directory,
            roles=settings.roles,
        ),
        scrape=Scrape(metrics=Metrics(settings.run_directory), token=settings.metrics_token),
        live=LiveRoom(client=live, turn=settings.turn),
        pages=Pages(
            records=records,
            default_language=settings.default_language,
            export_fingerprint=fingerprint(key.export_key),
            papers_directory=settings.papers_directory,
        ),
        members=_members(settings, records, key, throttle),
    )


def _members(settings: ServeSettings, records: Records, key: SecretKey, throttle: Throttle) -> Members:
    """With cookies of their own: hashed otherwise than those of staff."""
    clock_ns = records.clock_ns
    return Members(
        records=Records(pool=records.pool, clock_ns=clock_ns, hash_cookie=partial(key.hash_member, "cookie")),
        key=key,
        throttle=throttle,
        post=Post(None if settings.members is None else settings.members.mail, clock_ns),
        settings=settings.members,
        default_language=settings.default_language,
    )
