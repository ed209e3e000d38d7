"""How cameras write addresses, and which one they then take: one entry for each report."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from ingest.errors import CameraRefusedError
from ingest.rtsp.session import State
from ingest.rtsp.signalling.habits import Habits
from tests.cameras.speaker import URL, Asked, Closed, session_of, talked, usual

GO2RTC = "github.com/AlexxIT/go2rtc/issues/"
BASE = "rtsp://10.0.0.2:554"


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """takes, plays: the only paths that SETUP and PLAY are granted at; any path where it is empty."""

    name: str
    source: str = "variant"
    url: str = URL
    base: str = f"{BASE}/live/"
    control: str = "trackID=1"
    session_control: str = "*"
    takes: str = "/live/trackID=1"
    plays: str = ""
    tries: int = 1  # of SETUP, at most


CAMERAS = [
    Addresses(name="usual"),
    Addresses(name="scheme twice", source=GO2RTC + "208, 830 (icamra, Vikylin)", base="rtsp://rtsp://10.0.0.2:554/live/"),
    Addresses(name="scheme three times", base="rtsp://rtsp://rtsp://10.0.0.2:554/live/"),
    Addresses(name="scheme twice, another one", base="rtsp://http://10.0.0.2/live/"),
    Addresses(name="no scheme", source="moonfire-nvr/issues/356 (Anjvision)", base="10.0.0.2:554/live/"),
    Addresses(name="no scheme, no port", source=GO2RTC + "1852", base="10.0.0.2/live/"),
    Addresses(name="another host", source="Dahua behind its own name", base="rtsp://cam-driveway:554/live/"),
    Addresses(name="another port", base="rtsp://10.0.0.2:8554/live/"),
    Addresses(name="port twice", base="rtsp://10.0.0.2:554:554/live/"),
    Addresses(name="an empty port", base="rtsp://10.0.0.2:/live/"),
    Addresses(name="an IPv6 address without brackets", source=GO2RTC + "1852", base="rtsp://::ffff:10.0.0.2/live/"),
    Addresses(name="one slash", base="rtsp:/10.0.0.2/live/"),
    Addresses(name="no slashes", base="rtsp:10.0.0.2/live/"),
    Addresses(name="no host", base="rtsp:///live/"),
    Addresses(name="no slash behind the port", base="rtsp://10.0.0.2:554live/"),
    Addresses(name="a path alone", base="/live/"),
    Addresses(name="no slash at the end", base="rtsp://10.0.0.2/live"),
    Addresses(name="slashes twice", base="rtsp://10.0.0.2//live//", takes="/live/trackID=1", tries=4),
    Addresses(name="slashes twice, and meant", base="rtsp://10.0.0.2//live/", takes="//live/trackID=1"),
    Addresses(name="in quotes", base='"rtsp://10.0.0.2/live/"'),
    Addresses(name="in angle brackets", base="<rtsp://10.0.0.2/live/>"),
    Addresses(name="user and password in it", base="rtsp://admin:p@ss@10.0.0.2/live/"),
    Addresses(name="none", base=""),
    Addresses(name="blank", base="  "),
    Addresses(name="only the host", base="rtsp://10.0.0.2:554/", tries=2),
    Addresses(name="of another stream", base="rtsp://10.0.0.2:554/other/", tries=2),
    Addresses(name="a file: its track beside it", base="rtsp://10.0.0.2/live/main.sdp", tries=3),
    Addresses(name="track absolute", control=f"{BASE}/live/trackID=1"),
    Addresses(name="track absolute, scheme twice", control="rtsp://rtsp://10.0.0.2/live/trackID=1"),
    Addresses(name="track absolute, no scheme", control="10.0.0.2:554/live/trackID=1"),
    Addresses(name="track absolute, another host", control="rtsp://192.168.1.10/live/trackID=1"),
    Addresses(name="track absolute, no path", control="rtsp://10.0.0.2:554", takes="/live/", tries=2),
    Addresses(name="track with a slash", source=GO2RTC + "1236", control="/trackID=1"),
    Addresses(name="track with a slash, from the root", control="/trackID=1", takes="/trackID=1", tries=3),
    Addresses(name="track with a slash, appended", control="/trackID=1", takes="/live//trackID=1", tries=5),
    Addresses(name="track with the path again", control="live/trackID=1", tries=3),
    Addresses(name="track with the whole path", control="/live/trackID=1", tries=3),
    Addresses(name="track as a query", control="?ctype=video", base=f"{BASE}/live", takes="/live?ctype=video"),
    Addresses(name="track as a query, base with a slash", control="?ctype=video", takes="/live?ctype=video", tries=3),
    Addresses(name="track as a query, slash kept", control="?ctype=video", takes="/live/?ctype=video"),
    Addresses(name="track behind the query", base="", url=f"{URL}?ch=1", takes="/live?ch=1/trackID=1"),
    Addresses(name="track before the query", base="", url=f"{URL}?ch=1", takes="/live/trackID=1?ch=1", tries=3),
    Addresses(name="track without the query", base="", url=f"{URL}?ch=1", takes="/live/trackID=1", tries=4),
    Addresses(name="track query and query", base="", url=f"{URL}?ch=1", control="?t=v", takes="/live?ch=1&t=v",
              tries=3),
    Addresses(name="no track", control="", takes="/live/"),
    Addresses(name="no track, as asked", control="", takes="/live", tries=2),
    Addresses(name="star for the track", control="*", takes="/live/"),
    Addresses(name="track in quotes", control='"trackID=1"'),
    Addresses(name="session without a control", session_control="", plays="/live/"),
    Addresses(name="session control careless", session_control="rtsp://rtsp://10.0.0.2/live/", plays="/live/"),
    Addresses(name="session control of another stream", session_control=f"{BASE}/other", plays="/live/"),
    Addresses(name="session plays as asked", plays="/live"),
    Addresses(name="session plays the track alone", plays="/live/trackID=1"),
]  # fmt: skip


@pytest.mark.parametrize("camera", CAMERAS, ids=lambda camera: camera.name)
@pytest.mark.parametrize("status", ["404 Not Found", "400 Bad Request", "500 Internal Server Error"])
def test_address_that_the_camera_takes_is_found(camera: Addresses, status: str) -> None:
    session = session_of(url=camera.url)
    said = talked(session, lambda asked: answered(camera, asked, status))
    assert session.state is State.PLAYING
    setups = [asked.path for asked in said if asked.method == "SETUP"]
    assert setups[-1] == camera.takes
    assert len(setups) <= camera.tries
    assert len(setups) == len(set(setups))
    assert all(asked.url.startswith(BASE) for asked in said)


def answered(camera: Addresses, asked: Asked, status: str) -> bytes:
    wanted = {"SETUP": camera.takes, "PLAY": camera.plays}.get(asked.method) or asked.path
    if asked.path != wanted:
        return asked.ok(status=status)
    return usual(asked, control=camera.control, session_control=camera.session_control, base=camera.base)


@pytest.mark.parametrize("camera", [one for one in CAMERAS if one.tries > 1], ids=lambda camera: camera.name)
def test_address_that_was_taken_is_the_first_of_the_next_connection(camera: Addresses) -> None:
    habits = Habits()
    talked(session_of(habits, camera.url), lambda asked: answered(camera, asked, "404 Not Found"))
    said = talked(session_of(habits, camera.url), lambda asked: answered(camera, asked, "404 Not Found"))
    assert [asked.path for asked in said if asked.method == "SETUP"] == [camera.takes]


@pytest.mark.parametrize("silent", [True, False])
@pytest.mark.parametrize("camera", [one for one in CAMERAS if one.tries > 1], ids=lambda camera: camera.name)
def test_camera_that_hangs_up_at_a_wrong_address_is_asked_with_the_next_one(camera: Addresses, silent: bool) -> None:
    habits = Habits()

    def hangs_up(asked: Asked) -> bytes:
        if asked.method == "SETUP" and asked.path != camera.takes:
            if silent:
                return b""
            raise Closed
        return answered(camera, asked, "404 Not Found")

    for _ in range(camera.tries):
        session = session_of(habits, camera.url)
        try:
            talked(session, hangs_up)
        except Closed:
            continue
        if session.state is State.PLAYING:
            break
        session.closed(0)  # it did not answer in time
    assert session.state is State.PLAYING


def test_camera_that_takes_no_address_is_told_what_the_first_one_was() -> None:
    session = session_of()

    def refuses(asked: Asked) -> bytes:
        return asked.ok(status="404 Not Found") if asked.method == "SETUP" else usual(asked)

    with pytest.raises(CameraRefusedError, match="no such stream"):
        talked(session, refuses)


def test_range_that_play_does_not_know_is_left_out() -> None:
    session = session_of()
    asked_plays: list[Asked] = []

    def knows_no_range(asked: Asked) -> bytes:
        if asked.method == "PLAY":
            asked_plays.append(asked)
            return asked.ok(status="457 Invalid Range") if len(asked_plays) == 1 else usual(asked)
        return usual(asked)

    talked(session, knows_no_range)
    assert session.state is State.PLAYING
    assert len(asked_plays) == 2
