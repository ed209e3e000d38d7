"""The supervisor: what is tried again, what ends the role and as what, how problems clear, and how it all ends."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing

import pytest

from domain.errors import MisuseError, PeerError, RetryableError
from runtime import supervise
from runtime.problems import Problems
from runtime.supervise import supervised

AWAY = RetryableError("The store does not answer.")
MISUSE = MisuseError("The configuration names no store.", "Name one.")


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervise, "FIRST_S", 0.01)


class Work:
    """Raises what it was given, one after the other, then returns (``then`` is called) or runs for ever."""

    def __init__(
        self, *errors: BaseException, endless: bool = False, then: Callable[[], object] = lambda: None
    ) -> None:
        self._errors = list(errors)
        self._endless, self._then = endless, then
        self.begun = self.returned = 0

    async def __call__(self) -> None:
        self.begun += 1
        await asyncio.sleep(0)
        if self._errors:
            raise self._errors.pop(0)
        self._then()
        if self._endless:
            await asyncio.Event().wait()
        self.returned += 1


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not true():  # noqa: ASYNC110
            await asyncio.sleep(0.005)


def whats(problems: Problems) -> list[str]:
    return [one["what"] for one in problems.present()]


async def test_once_is_tried_again_until_it_returns() -> None:
    problems, work = Problems(), Work(AWAY, OSError(28, "No space left on device"), AWAY)
    async with supervised(problems) as tasks:
        await tasks.once("bucket", work)
    assert (work.begun, work.returned) == (4, 1)
    assert problems.present() == ()


async def test_every_goes_on_after_each_round() -> None:
    work = Work(AWAY)
    async with supervised(Problems()) as tasks:
        tasks.every(0.001, "keys", work)
        await until(lambda: work.returned >= 3)


async def test_forever_is_started_again_when_it_ends_by_itself() -> None:
    work = Work()
    async with supervised(Problems()) as tasks:
        tasks.forever("tagger", work)
        await until(lambda: work.begun >= 3)


async def test_problem_of_a_task_stands_until_a_round_returns() -> None:
    problems = Problems()
    seen: list[list[str]] = []
    work = Work(AWAY, AWAY, then=lambda: seen.append(whats(problems)))
    async with supervised(problems) as tasks:
        tasks.every(3600, "keys", work)
        await until(lambda: work.returned == 1)
        assert seen == [["The store does not answer."]]
        assert problems.present() == ()


async def test_problem_of_endless_work_clears_when_it_has_run_for_a_while() -> None:
    problems = Problems()
    seen: list[list[str]] = []
    work = Work(AWAY, endless=True, then=lambda: seen.append(whats(problems)))
    async with supervised(problems, steady_s=0.05) as tasks:
        tasks.forever("tagger", work)
        await until(lambda: work.begun == 2 and not problems.present())
    assert seen == [["The store does not answer."]]


async def test_question_that_hangs_before_it_fails_does_not_clear_its_problem() -> None:
    problems = Problems()
    rounds = 0

    async def hang() -> None:
        nonlocal rounds
        rounds += 1
        await asyncio.sleep(0.05)
        raise AWAY

    async with supervised(problems, steady_s=0.01) as tasks:
        tasks.every(0.001, "lag", hang)
        await until(lambda: rounds > 1)
        for _ in range(30):
            assert whats(problems) == ["The store does not answer."]
            await asyncio.sleep(0.005)


async def test_pauses_grow_while_it_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervise, "FIRST_S", 0.001)
    work = Work(*[AWAY] * 1000)
    async with supervised(Problems()) as tasks:
        tasks.once("bucket", work, longest_s=3600)
        await asyncio.sleep(0.3)
    assert 2 <= work.begun <= 12


async def test_what_a_person_must_mend_ends_the_role_as_itself() -> None:
    beside = Work(endless=True)
    with pytest.raises(MisuseError) as raised:
        async with supervised(Problems()) as tasks:
            tasks.forever("beside", beside)
            tasks.once("keys", Work(MISUSE))
            await asyncio.Event().wait()
    assert raised.value is MISUSE
    assert beside.begun == 1


async def test_body_that_fails_ends_the_tasks_and_is_raised_as_itself() -> None:
    work = Work(endless=True)
    with pytest.raises(MisuseError):
        async with supervised(Problems()) as tasks:
            task = tasks.forever("beside", work)
            await until(lambda: work.begun == 1)
            raise MISUSE
    assert task.cancelled()


async def test_of_several_failures_the_one_to_mend_is_raised(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(MisuseError):
        async with supervised(Problems()) as tasks:
            tasks.once("one", Work(PeerError("The broker talks nonsense.")))
            tasks.once("two", Work(MISUSE))
            tasks.once("three", Work(ValueError("a mistake")))
            await asyncio.Event().wait()
    assert "The broker talks nonsense." in caplog.text


async def test_mistake_ends_the_role_with_its_traceback_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR), pytest.raises(ValueError, match="not foreseen"):
        async with supervised(Problems()) as tasks:
            tasks.forever("tagger", Work(ValueError("not foreseen")))
            await asyncio.Event().wait()
    (record,) = caplog.records
    assert "tagger" in record.message
    assert record.exc_info


async def test_mistake_only_restarts_a_task_whose_neighbours_matter_more(caplog: pytest.LogCaptureFixture) -> None:
    problems = Problems()
    seen: list[list[str]] = []
    broken = Work(ValueError("not foreseen"), endless=True, then=lambda: seen.append(whats(problems)))
    beside = Work(endless=True)
    async with supervised(problems, steady_s=0.05) as tasks:
        tasks.forever("beside", beside)
        tasks.forever("mending", broken, restart=True)
        await until(lambda: broken.begun == 2 and not problems.present())
    assert seen == [["mending: a programming error (ValueError)."]]
    assert "Traceback" in caplog.text
    assert beside.begun == 1


async def test_expected_errors_can_be_widened() -> None:
    work = Work(MISUSE)
    async with supervised(Problems()) as tasks:
        await tasks.once("custodian", work, expected=(MisuseError,))
    assert work.returned == 1


async def test_cancellation_from_within_does_not_end_a_task_in_silence() -> None:
    with pytest.raises(RuntimeError, match="cancelled from within"):
        async with supervised(Problems()) as tasks:
            tasks.forever("tagger", Work(asyncio.CancelledError()))
            await asyncio.Event().wait()


async def test_drained_task_finishes_and_the_others_are_cancelled_at_once() -> None:
    stop, done = asyncio.Event(), []

    async def receive() -> None:
        await stop.wait()
        await asyncio.sleep(0.05)
        done.append("receive")

    endless = Work(endless=True)
    async with supervised(Problems(), grace_s=30) as tasks:
        tasks.once("receive", receive, drain=True)
        beside = tasks.forever("beside", endless)
        await until(lambda: endless.begun == 1)
        stop.set()
    assert done == ["receive"]
    assert beside.cancelled()


async def test_drained_task_that_overruns_is_cancelled_and_named(caplog: pytest.LogCaptureFixture) -> None:
    work = Work(endless=True)
    async with asyncio.timeout(30), supervised(Problems(), grace_s=0.02) as tasks:
        task = tasks.once("receive", work, drain=True)
        await until(lambda: work.begun == 1)
    assert task.cancelled()
    assert "receive did not finish within 0.02 s" in caplog.text


async def test_periodic_work_is_not_begun_again_while_the_role_ends() -> None:
    work = Work()
    async with supervised(Problems(), grace_s=30) as tasks:
        tasks.every(3600, "heads", work, drain=True)
        await until(lambda: work.returned == 1)
    assert work.begun == 1


async def test_role_that_is_cancelled_is_cancelled() -> None:
    work = Work(endless=True)

    async def role() -> None:
        async with supervised(Problems()) as tasks:
            tasks.forever("beside", work)
            await asyncio.Event().wait()

    running = asyncio.create_task(role())
    await until(lambda: work.begun == 1)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


async def test_single_task_can_be_ended_early() -> None:
    one, other = Work(endless=True), Work(endless=True)
    async with supervised(Problems()) as tasks:
        first = tasks.forever("camera one", one)
        second = tasks.forever("camera two", other)
        await until(lambda: one.begun == other.begun == 1)
        first.cancel()
        await asyncio.wait((first,))
        assert not second.done()
    assert (first.get_name(), second.get_name()) == ("camera one", "camera two")


async def test_sources_are_closed_before_the_role_is_over() -> None:
    closed = []

    async def source() -> AsyncIterator[int]:
        try:
            while True:
                yield 1
                await asyncio.sleep(0.001)
        finally:
            closed.append("source")

    async def read() -> None:
        async with aclosing(source()) as items:  # type: ignore[type-var]
            async for _ in items:
                pass

    async with supervised(Problems()) as tasks:
        tasks.forever("reader", read)
        await asyncio.sleep(0.01)
    assert closed == ["source"]


async def test_round_that_awaits_for_ever_is_stuck_and_work_without_end_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervise, "ROUND_S", 0.05)
    async with supervised(Problems()) as tasks:
        tasks.forever("receive", Work(endless=True))
        tasks.every(0.01, "status", Work())
        await asyncio.sleep(0.15)
        assert supervise.stuck() == ""
        hanging = tasks.every(0.01, "hour keys", Work(endless=True))
        await until(lambda: supervise.stuck() == "hour keys")
        hanging.cancel()
        await until(lambda: supervise.stuck() == "")


async def test_error_ends_a_round(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervise, "ROUND_S", 0.05)
    monkeypatch.setattr(supervise, "LONGEST_S", 10.0)
    async with supervised(Problems()) as tasks:
        work = Work(AWAY, AWAY, AWAY)
        tasks.every(10, "keys", work)
        await until(lambda: work.begun > 1)
        await asyncio.sleep(0.1)
        assert supervise.stuck() == ""
