"""Keep-alives: OPTIONS first, then in turn with what the camera announces; what failed is remembered."""

from __future__ import annotations

import pytest

from ingest.rtsp.signalling.keep_alive import LEAST_SESSION_S, SESSION_NOT_FOUND, KeepAlive, KeepAliveHabits

PUBLIC = "OPTIONS, DESCRIBE, get_parameter, SET_PARAMETER"


@pytest.fixture
def habits() -> KeepAliveHabits:
    return KeepAliveHabits()


@pytest.fixture
def alive(habits: KeepAliveHabits) -> KeepAlive:
    made = KeepAlive(habits)
    made.played(0.0)
    return made


def test_options_alone_until_the_camera_announces_more(alive: KeepAlive) -> None:
    assert alive.methods() == ("OPTIONS",)
    alive.answered("OPTIONS", 200, PUBLIC)
    assert alive.methods() == ("OPTIONS", "GET_PARAMETER")
    asked = []
    for number in range(3):
        asked.append(alive.due(float(number)))
        alive.answered(asked[-1], 200, PUBLIC)
    assert asked == ["OPTIONS", "GET_PARAMETER", "OPTIONS"]


@pytest.mark.parametrize(("timeout_s", "interval_s"), [(60, 30.0), (10, 5.0), (1, LEAST_SESSION_S / 2)])
def test_each_method_is_asked_within_a_session_s_time(alive: KeepAlive, timeout_s: int, interval_s: float) -> None:
    assert alive.interval_s(timeout_s) == interval_s
    alive.answered("OPTIONS", 200, PUBLIC)
    assert alive.interval_s(timeout_s) == pytest.approx(interval_s * 2 / 3)


def test_method_that_is_refused_or_not_answered_gives_way_to_the_next(
    alive: KeepAlive, habits: KeepAliveHabits
) -> None:
    alive.answered("OPTIONS", 200, PUBLIC)
    alive.answered("GET_PARAMETER", 501, "")
    assert alive.methods() == ("OPTIONS", "SET_PARAMETER")
    assert [alive.due(0.0), alive.due(1.0)] == ["OPTIONS", "SET_PARAMETER"]
    alive.due(2.0)  # SET_PARAMETER was never answered
    assert habits.disliked == {"GET_PARAMETER", "SET_PARAMETER"}
    assert alive.methods() == ("OPTIONS",)


def test_options_that_is_not_answered_is_asked_all_the_same(alive: KeepAlive, habits: KeepAliveHabits) -> None:
    assert [alive.due(float(at)) for at in range(3)] == ["OPTIONS"] * 3
    assert habits.disliked == set()


@pytest.mark.parametrize(("after_s", "closing"), [(0.5, {"OPTIONS"}), (2.9, {"OPTIONS"}), (3.0, set())])
def test_connection_closed_at_a_method_is_never_asked_it_again(
    alive: KeepAlive, habits: KeepAliveHabits, after_s: float, closing: set[str]
) -> None:
    assert alive.due(10.0) == "OPTIONS"
    alive.closed(10.0 + after_s, 600)
    assert habits.closing == closing
    if closing:
        assert KeepAlive(habits).methods() == ("GET_PARAMETER",)


@pytest.mark.parametrize(("at_s", "tried"), [(40.0, set()), (61.0, {"GET_PARAMETER"}), (130.0, set())])
def test_session_that_ends_by_its_time_tries_a_method_that_was_not_used(
    alive: KeepAlive, habits: KeepAliveHabits, at_s: float, tried: set[str]
) -> None:
    alive.due(5.0)
    alive.answered("OPTIONS", 200, "")
    alive.closed(at_s, 60)
    assert habits.tried == tried


def test_session_is_over_when_no_method_finds_it(alive: KeepAlive) -> None:
    assert not alive.session_over
    alive.answered("OPTIONS", SESSION_NOT_FOUND, "")
    assert alive.methods() == ("OPTIONS", "GET_PARAMETER")  # others are tried, announced or not
    assert not alive.session_over
    alive.answered("GET_PARAMETER", SESSION_NOT_FOUND, "")
    alive.answered("SET_PARAMETER", SESSION_NOT_FOUND, "")
    assert alive.session_over
