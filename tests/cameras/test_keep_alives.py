"""What cameras do at keep-alives, and which of them they count: one entry for each report. Hours pass in no time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from ingest.errors import IngestError
from ingest.rtsp.session import State
from ingest.rtsp.signalling.habits import Habits
from tests.cameras.speaker import Asked, Closed, session_of, talked, usual

NS = 1_000_000_000
HOURS_S = 2 * 3600
ALL = "OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN, GET_PARAMETER, SET_PARAMETER"
FEW = "OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN"


def says(status: str, number: Callable[[Asked], int] = lambda asked: asked.number) -> Callable[[Asked], bytes]:
    return lambda asked: asked.ok(status=status, number=number(asked))


def nothing(asked: Asked) -> bytes:
    return b""


def hangs_up(asked: Asked) -> bytes:
    raise Closed


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeps:
    """counts: methods that put off the session's end; answers: to other methods than usual; lost: connections that
    the camera may end in two hours, before what it is like is known
    """

    name: str
    source: str = "variant"
    timeout_s: int = 60
    public: str = ALL
    counts: tuple[str, ...] = ("OPTIONS", "GET_PARAMETER", "SET_PARAMETER")
    answers: dict[str, Callable[[Asked], bytes]] = field(default_factory=dict)
    lost: int = 0


GET, SET, OPT = "GET_PARAMETER", "SET_PARAMETER", "OPTIONS"
CAMERAS = [
    Keeps(name="usual"),
    Keeps(name="session of 15 s", timeout_s=15),
    Keeps(name="session of 10 s", timeout_s=10),
    Keeps(name="knows OPTIONS only", public=FEW, counts=(OPT,), answers={GET: says("405 Method Not Allowed")}),
    Keeps(
        name="announces GET_PARAMETER and never answers it",
        source="github.com/ZLMediaKit/ZLMediaKit/issues/642, ngraziano/SharpRTSP/issues/63 (Hipcam)",
        timeout_s=15,
        counts=(OPT,),
        answers={GET: nothing, SET: nothing},
    ),
    Keeps(
        name="400 with the number of another request",
        source="github.com/scottlamb/retina/issues/133, moonfire-nvr/issues/342",
        timeout_s=15,
        counts=(OPT,),
        answers={GET: says("400 Bad Request", lambda asked: asked.number - 1)},
    ),
    Keeps(name="400 without a number", counts=(OPT,), answers={GET: says("400 Bad Request", lambda _: -1)}),
    Keeps(name="501", counts=(OPT,), answers={GET: says("501 Not Implemented")}),
    Keeps(name="session not found at GET_PARAMETER", counts=(OPT,), answers={GET: says("454 Session Not Found")}),
    Keeps(name="session not found at OPTIONS", counts=(GET,), answers={OPT: says("454 Session Not Found")}),
    Keeps(name="asks who we are at GET_PARAMETER", counts=(OPT,), answers={GET: says("401 Unauthorized")}),
    Keeps(name="counts GET_PARAMETER only", counts=(GET,)),
    Keeps(name="counts GET_PARAMETER only, unannounced", public=FEW, counts=(GET,), lost=1),
    Keeps(name="counts GET_PARAMETER only, unanswered", counts=(GET,), answers={GET: nothing}, lost=2),
    Keeps(name="counts SET_PARAMETER only", counts=(SET,), lost=1),
    Keeps(name="counts SET_PARAMETER only, unannounced", public=FEW, counts=(SET,), lost=2),
    Keeps(
        name="hangs up at GET_PARAMETER",
        source="rtsp-simple-server 0.19.3 did (retina 0.4.1)",
        counts=(OPT,),
        answers={GET: hangs_up, SET: hangs_up},
        lost=2,
    ),
    Keeps(name="hangs up at OPTIONS", counts=(GET, SET), answers={OPT: hangs_up}, lost=1),
    Keeps(name="never says what it knows", public="", counts=(OPT,)),
    Keeps(name="never answers anything", counts=(OPT, GET), answers={OPT: nothing, GET: nothing}),
    Keeps(name="counts nothing but never ends", timeout_s=3600, counts=()),
]  # fmt: skip


@pytest.mark.parametrize("camera", CAMERAS, ids=lambda camera: camera.name)
def test_connection_lasts(camera: Keeps) -> None:
    habits, now_s, lost = Habits(), 0.0, []
    while now_s < HOURS_S:
        now_s = connection(camera, habits, now_s)
        if now_s < HOURS_S:
            lost.append(now_s)
        assert len(lost) <= camera.lost + (camera.timeout_s == 3600), f"given up at {lost} s"


def connection(camera: Keeps, habits: Habits, now_s: float) -> float:
    """Until the camera ends it, or it is time; gives when."""
    session = session_of(habits)
    talked(session, lambda asked: begun(camera, asked), int(now_s * NS))
    assert session.state is State.PLAYING
    counted_s = now_s
    while now_s < HOURS_S:
        now_s = min(now_s + session.keep_alive_s, counted_s + camera.timeout_s)
        if now_s >= counted_s + camera.timeout_s:
            session.closed(int(now_s * NS))
            return now_s
        session.keep_alive(int(now_s * NS))
        try:
            said = talked(session, lambda asked: replied(camera, asked), int(now_s * NS))
        except (Closed, IngestError):
            return now_s
        counted_s = now_s if any(asked.method in camera.counts for asked in said) else counted_s
    return now_s


def begun(camera: Keeps, asked: Asked) -> bytes:
    if asked.method == "SETUP":
        transport = "Transport: RTP/AVP/TCP;unicast;interleaved=0-1"
        return asked.ok(f"Session: 77;timeout={camera.timeout_s}", transport)
    return usual(asked)


def replied(camera: Keeps, asked: Asked) -> bytes:
    if asked.method in camera.answers:
        return camera.answers[asked.method](asked)
    return asked.ok(f"Public: {camera.public}") if asked.method == "OPTIONS" else asked.ok()
