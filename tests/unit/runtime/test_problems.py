"""Problems: noted once, logged when they appear and when they clear, derived from present state where that can be."""

from __future__ import annotations

import logging

import pytest

from domain.errors import MisuseError, RetryableError
from runtime.errors import DatabaseAwayError
from runtime.problems import Problems, summary

AWAY = RetryableError("The store does not answer.", "Look whether it runs.")


def test_problem_is_present_from_its_note_until_it_is_cleared() -> None:
    times = iter((100, 200))
    problems = Problems(clock_ns=lambda: next(times))
    problems.note("store", AWAY)
    expected = {
        "topic": "store",
        "what": "The store does not answer.",
        "remedy": "Look whether it runs.",
        "since_ns": 100,
    }
    assert problems.present() == (expected,)
    problems.clear("store")
    assert problems.present() == ()
    problems.note("store", AWAY)
    assert problems.present()[0]["since_ns"] == 200


def test_repeated_note_keeps_its_first_time_and_takes_the_newer_text() -> None:
    times = iter((100, 200))
    problems = Problems(clock_ns=lambda: next(times))
    assert problems.note("gaps", RetryableError("1 gap is lost."))
    assert not problems.note("gaps", RetryableError("2 gaps are lost."))
    assert problems.present() == ({"topic": "gaps", "what": "2 gaps are lost.", "remedy": "", "since_ns": 100},)


def test_appearing_and_clearing_are_logged_once_each(caplog: pytest.LogCaptureFixture) -> None:
    problems = Problems()
    with caplog.at_level(logging.INFO):
        for _ in range(3):
            problems.note("store", AWAY)
        for _ in range(3):
            problems.clear("store")
    assert [(record.levelname, record.message) for record in caplog.records] == [
        ("WARNING", "store: The store does not answer. Look whether it runs."),
        ("INFO", "store: works again"),
    ]


def test_another_kind_of_error_is_logged_anew(caplog: pytest.LogCaptureFixture) -> None:
    problems = Problems()
    assert problems.note("store", AWAY)
    assert problems.note("store", MisuseError("The store refuses the key.", "Check it."))
    assert [record.levelname for record in caplog.records] == ["WARNING", "ERROR"]


def test_what_reads_the_same_stands_once() -> None:
    problems = Problems()
    problems.note("lag", AWAY)
    problems.note("tagger", AWAY)
    assert len(problems.present()) == 1


def test_derived_problem_comes_and_goes_with_the_state() -> None:
    problems = Problems()
    missing = [2]
    problems.watch("doors", lambda: RetryableError(f"{missing[0]} doors are missing.") if missing[0] else None)
    assert [one["what"] for one in problems.present()] == ["2 doors are missing."]
    missing[0] = 0
    assert problems.present() == ()


def test_errors_that_nobody_wrote_for_people_give_no_text_away() -> None:
    problems = Problems()
    problems.note("tagger", ValueError("card 4711"))
    problems.note("mending", OSError(28, "No space left on device", "/data/members"))
    whats = [one["what"] for one in problems.present()]
    assert whats == ["tagger: a programming error (ValueError).", "mending: No space left on device."]


def test_summary_is_one_line() -> None:
    problems = Problems()
    problems.note("store", AWAY)
    problems.note("gaps", RetryableError("1 gap is lost."))
    assert summary(problems.present()) == "The store does not answer. Look whether it runs. 1 gap is lost."


def test_problem_says_which_part_is_waited_for_where_there_is_one() -> None:
    problems = Problems()
    problems.note("lag", DatabaseAwayError("The database does not answer."))
    problems.note("keys", AWAY)
    assert [problem.get("waits_for") for problem in problems.present()] == ["database", None]
