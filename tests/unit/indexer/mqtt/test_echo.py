"""When a session is deaf: what it has published to itself does not come back."""

from __future__ import annotations

from indexer.mqtt.echo import DEAF_AFTER_S, Echo


def test_deaf_is_who_has_waited_too_long_for_the_first_that_is_missing() -> None:
    echo = Echo()
    assert not echo.deaf(1000)
    echo.asked(0)
    echo.asked(40)  # the first one counts
    assert not echo.deaf(DEAF_AFTER_S)
    assert echo.deaf(DEAF_AFTER_S + 1)


def test_whatever_comes_back_begins_the_count_anew() -> None:
    echo = Echo()
    echo.asked(0)
    assert echo.awaited
    echo.heard(10)
    assert echo.heard_s == 10
    assert not echo.awaited
    assert not echo.deaf(1000)
    echo.asked(1000)
    assert echo.deaf(1001 + DEAF_AFTER_S)


def test_nothing_is_missed_while_nothing_is_read() -> None:
    echo = Echo()
    echo.asked(0)
    echo.excused()
    assert not echo.deaf(1000)
