"""Work in the background: two at once, sixteen held, one per id, given up at the end."""

from __future__ import annotations

import asyncio
import uuid

import pytest

from api.http.jobs import AT_ONCE, WAITING_MAX, Jobs, Progress
from api.http.problems import Problem


async def idle(jobs: Jobs) -> None:
    while jobs.at_work():  # noqa: ASYNC110 (jobs end by a callback, one turn after their work)
        await asyncio.sleep(0)


async def test_no_more_than_two_run_at_once_and_all_are_run() -> None:
    jobs, running, most, done = Jobs(), 0, 0, 0

    async def work(_: Progress) -> None:
        nonlocal running, most, done
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        running -= 1
        done += 1

    for _ in range(WAITING_MAX):
        jobs.start(uuid.uuid4(), work)
    assert len(jobs) == WAITING_MAX
    with pytest.raises(Problem) as caught:
        jobs.start(uuid.uuid4(), work)
    assert (caught.value.status, caught.value.headers) == (429, {"Retry-After": "30"})
    await idle(jobs)
    assert (most, done) == (AT_ONCE, WAITING_MAX)
    jobs.require_room()


async def test_job_that_is_at_work_is_not_started_again_and_shows_its_progress() -> None:
    jobs, begun, go = Jobs(), 0, asyncio.Event()

    async def work(progress: Progress) -> None:
        nonlocal begun
        begun += 1
        progress.done, progress.total = 3, 9
        await go.wait()

    job_id = uuid.uuid4()
    jobs.start(job_id, work)
    await asyncio.sleep(0)
    jobs.start(job_id, work)
    await asyncio.sleep(0)
    shown = jobs.at_work()[job_id]
    assert (begun, shown.done, shown.total) == (1, 3, 9)
    go.set()
    await idle(jobs)
    jobs.start(job_id, work)
    await asyncio.sleep(0)
    assert begun == 2
    await jobs.close()


async def test_close_ends_what_is_at_work() -> None:
    jobs, ended = Jobs(), asyncio.Event()

    async def work(_: Progress) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    jobs.start(uuid.uuid4(), work)
    await asyncio.sleep(0)
    await jobs.close()
    assert ended.is_set()
    assert len(jobs) == 0
