"""Looks over real sockets: on record first, shown by WebRTC or as fragments, and ended by whatever must end them."""

from __future__ import annotations

import asyncio
import contextlib
import io
import re
import time
import uuid
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import pytest

from custodian.errors import CustodianAwayError
from domain.ids import CameraId, SessionId
from domain.time import NS
from ingest.access_unit import AccessUnit
from live import looks as module
from live.client import LiveClient
from live.converting.converted import Conversions
from live.errors import LiveAwayError, SocketError
from live.feed import Feeds
from live.looks import Looks
from live.protocol import Kind, pack_message, read_message
from live.settings import SOCKET, LiveSettings
from live.sockets import listening
from tests.support.cameras import video
from tests.support.live import ME, Browser, Camera, Custodian, until

CAMERA = CameraId(uuid.uuid4())
ELSE = CameraId(uuid.uuid4())


class Rig:
    """The role around fakes: a camera, a custodian, and the way of `serve`."""

    def __init__(self, run: Path, camera: Camera, custodian: Custodian, looks: Looks) -> None:
        self.run, self.camera, self.custodian, self.looks = run, camera, custodian, looks

    @contextlib.asynccontextmanager
    async def look(
        self, offer: str = "", camera_id: CameraId = CAMERA, **more: bool
    ) -> AsyncIterator[asyncio.Queue[Any]]:
        """What comes of a look: messages as dictionaries, the rest as (kind, bytes); None at the end."""
        heard: asyncio.Queue[Any] = asyncio.Queue()

        async def listen(frames: Any) -> None:
            async for kind, body in frames:
                heard.put_nowait(read_message(body) if kind is Kind.MESSAGE else (kind, body))
            heard.put_nowait(None)

        who: dict[str, Any] = {"session_id": SessionId(uuid.uuid4()), "purpose_id": uuid.uuid4()}
        async with LiveClient(self.run, ME).look(**who, camera_id=camera_id, offer=offer, **more) as frames:
            task = asyncio.create_task(listen(frames))
            try:
                yield heard
            finally:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)


@contextlib.asynccontextmanager
async def rig(
    run: Path,
    b_frames: int = 0,
    uids: tuple[int, ...] = ME,
    preset: str = "ultrafast",
    film: Sequence[AccessUnit] = (),
    **more: Any,
) -> AsyncIterator[Rig]:
    """Everything but the processes."""
    settings = LiveSettings(run_directory=run, custodian_socket=run / "c", viewer_uids=uids, feeder_uids=ME)
    custodian: Any = Custodian()
    feeds = Feeds(run, ME)
    own = replace(settings, **more)
    conversions = Conversions(own.conversions_max)
    looks = Looks(own, custodian, feeds, conversions)
    camera = Camera(CAMERA, b_frames, preset, film)
    async with camera.sending(run), listening(run / SOCKET, uids, looks.serve):
        try:
            yield Rig(run, camera, custodian, looks)
        finally:
            await conversions.close()
            await feeds.close()


async def first(heard: asyncio.Queue[Any]) -> Any:
    async with asyncio.timeout(5):
        return await heard.get()


async def ending(heard: asyncio.Queue[Any], seconds: float = 5) -> str:
    """The reason, which is the last thing said."""
    async with asyncio.timeout(seconds):
        while True:
            item = await heard.get()
            if isinstance(item, dict) and "ended" in item:
                assert await heard.get() is None
                return str(item["ended"])


async def test_webrtc_shows_pictures_that_move_and_the_look_is_on_record_first(tmp_path: Path) -> None:
    async with rig(tmp_path) as made, Browser() as browser:
        async with made.look(browser.offer) as heard:
            answer = (await first(heard))["answer"]
            assert "profile-level-id=42c0" in answer  # the camera's own
            assert made.custodian.asked[0][0] == "look_live"
            assert made.custodian.asked[0][1]["camera_id"] == CAMERA
            await browser.accept(answer)
            await until(lambda: len(browser.strips) > 30)
            assert made.looks.present == {"webrtc": 1, "https": 0}
        assert len(set(browser.strips)) > 25
        await until(lambda: made.looks.present == {"webrtc": 0, "https": 0})
        shown = len(browser.strips)
        await asyncio.sleep(0.5)
        assert len(browser.strips) <= shown + 3  # what was under way


async def test_a_viewer_begins_with_the_last_group_without_waiting_for_a_key_frame(tmp_path: Path) -> None:
    async with rig(tmp_path) as made:
        await until(lambda: made.camera.sent % 25 in (3, 4, 5))
        at = made.camera.sent
        async with made.look() as heard:
            assert "mime" in await first(heard)
            kinds = [(await first(heard))[0] for _ in range(2)]
        assert kinds == [Kind.INIT, Kind.FRAGMENT]
        assert made.camera.sent - at < 12


async def test_fragments_of_one_picture_decode_in_order(tmp_path: Path) -> None:
    for b_frames in (0, 2):
        run = tmp_path / str(b_frames)
        run.mkdir()
        async with rig(run, b_frames) as made, made.look() as heard:
            assert (await first(heard))["mime"].startswith('video/mp4; codecs="avc1.')
            data = b"".join([(await first(heard))[1] for _ in range(41)])
        with av.open(io.BytesIO(data)) as container:
            times = [frame.pts for frame in container.decode(video=0)]
        assert len(times) >= 38
        assert times[3:] == sorted(set(times[3:]))  # with B-frames, where it begins is found while it has begun


async def test_b_frames_are_never_sent_by_webrtc(tmp_path: Path) -> None:
    async with rig(tmp_path, b_frames=2) as made, Browser() as browser:
        await until(lambda: made.camera.sent > 30)
        async with made.look(browser.offer) as heard:
            told = await first(heard)
            assert told["why"] == "bframes"
            assert (await first(heard))[0] is Kind.INIT


async def test_h265_goes_over_https_and_says_what_it_is(tmp_path: Path) -> None:
    film = video.units(video.encoded(3, codec="libx265"), "hevc")
    async with rig(tmp_path, film=film) as made, Browser() as browser, made.look(browser.offer) as heard:
        told = await first(heard)
        assert told["why"] == "h265"
        assert 'codecs="hvc1.' in told["mime"]
        data = b"".join([(await first(heard))[1] for _ in range(31)])
    with av.open(io.BytesIO(data)) as container:
        assert container.streams.video[0].codec_context.name == "hevc"
        assert len(list(container.decode(video=0))) >= 28


@pytest.mark.parametrize("offer", ["nonsense", "v=0\r\n", "v=0\r\n" + "a=x\r\n" * 7_000])
async def test_an_offer_that_is_none_falls_back(tmp_path: Path, offer: str) -> None:
    async with rig(tmp_path) as made, made.look(offer) as heard:
        told = await first(heard)
        assert told["why"] == "offer"
        assert (await first(heard))[0] is Kind.INIT


async def test_a_refused_look_shows_nothing_and_reads_no_camera(tmp_path: Path) -> None:
    async with rig(tmp_path) as made:
        made.custodian.may = False
        async with made.look() as heard:
            assert await ending(heard) == "refused"
        assert made.camera.hurried == 0
        made.custodian.may, made.custodian.fails = True, CustodianAwayError("The custodian is away.")
        async with made.look() as heard:  # not recorded
            assert await ending(heard) == "away"
        assert made.camera.hurried == 0
        assert made.looks.begun == 0


async def test_a_withdrawn_right_ends_both_ways_within_five_seconds(tmp_path: Path) -> None:
    async with (
        rig(tmp_path) as made,
        Browser() as browser,
        made.look(browser.offer) as by_rtc,
        made.look() as by_https,
    ):
        await browser.accept((await first(by_rtc))["answer"])
        await until(lambda: browser.strips)
        await first(by_https)
        made.custodian.may = False
        async with asyncio.timeout(5):
            assert [await ending(by_rtc), await ending(by_https)] == ["withdrawn", "withdrawn"]
        await until(lambda: made.looks.present == {"webrtc": 0, "https": 0})


async def test_an_unknown_right_ends_after_a_while(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ASKED_EVERY_S", 0.1)
    monkeypatch.setattr(module, "UNKNOWN_S", 0.5)
    async with rig(tmp_path) as made, made.look() as heard:
        await first(heard)
        made.custodian.fails = CustodianAwayError("The custodian is away.")
        await asyncio.sleep(0.3)
        made.custodian.fails = None  # passes
        await asyncio.sleep(0.6)
        assert made.looks.present["https"] == 1
        made.custodian.fails = CustodianAwayError("The custodian is away.")
        assert await ending(heard) == "away"


@pytest.mark.parametrize("for_s", [60.0, 0.6])
async def test_a_custodian_that_hangs_lengthens_no_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, for_s: float
) -> None:
    """Neither past the time for which a right may be unknown, nor past what is on record."""
    monkeypatch.setattr(module, "ASKED_EVERY_S", 0.1)
    monkeypatch.setattr(module, "UNKNOWN_S", 0.8)
    monkeypatch.setattr(module, "RENEW_BEFORE_S", 0.3)
    async with rig(tmp_path) as made:
        made.custodian.for_s = for_s
        async with made.look() as heard:
            await first(heard)
            made.custodian.hangs = True
            assert await ending(heard, 1.5) == "away"


async def test_a_clock_that_is_set_back_lengthens_no_look(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ASKED_EVERY_S", 0.1)
    monkeypatch.setattr(module, "RENEW_BEFORE_S", 0.4)
    async with rig(tmp_path) as made:
        made.custodian.for_s = 0.8
        async with made.look() as heard:
            await first(heard)
            made.looks._clock_ns = lambda: time.time_ns() - 3600 * NS
            made.custodian.back_s = 3600.0
            await asyncio.sleep(1.5)
        assert 3 <= len([what for what, _ in made.custodian.asked if what == "look_live"]) <= 6


async def test_a_look_is_renewed_before_its_entry_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ASKED_EVERY_S", 0.1)
    monkeypatch.setattr(module, "RENEW_BEFORE_S", 0.4)
    async with rig(tmp_path) as made:
        made.custodian.for_s = 0.8
        async with made.look() as heard:
            await first(heard)
            await asyncio.sleep(1.5)
        looks = [what for what, _ in made.custodian.asked if what == "look_live"]
        assert 3 <= len(looks) <= 6


async def test_stolen_ice_credentials_bring_no_picture(tmp_path: Path) -> None:
    """A second client takes the first one's ICE user and password, and the very same answer: DTLS refuses it."""
    async with rig(tmp_path) as made, Browser() as browser, Browser() as thief:
        async with made.look(browser.offer) as heard:
            answer = (await first(heard))["answer"]
            mine = dict(re.findall(r"a=(ice-ufrag|ice-pwd):(\S+)", browser.offer))
            connection = thief.connection.getTransceivers()[0].receiver.transport.transport._connection
            connection._local_username, connection._local_password = mine["ice-ufrag"], mine["ice-pwd"]
            await thief.accept(answer)
            await asyncio.sleep(3)
            assert thief.strips == []
            assert await ending(heard) == "gone"
        # The same offer in a look of its own shows them: the check above would have seen pictures.
        async with Browser() as honest, made.look(honest.offer) as heard:
            await honest.accept((await first(heard))["answer"])
            await until(lambda: honest.strips)


async def test_an_answer_is_worth_nothing_after_its_look(tmp_path: Path) -> None:
    async with rig(tmp_path) as made, Browser() as browser:
        async with made.look(browser.offer) as heard:
            answer = (await first(heard))["answer"]
        await until(lambda: made.looks._open == 0)
        await browser.accept(answer)
        await asyncio.sleep(1.5)
        assert browser.strips == []


async def test_both_ways_say_when_the_camera_stops_and_show_it_when_it_returns(tmp_path: Path) -> None:
    async with rig(tmp_path) as made, Browser() as browser, made.look(browser.offer) as by_rtc, made.look() as by_https:
        await browser.accept((await first(by_rtc))["answer"])
        await until(lambda: len(browser.strips) > 5)
        made.camera.feed.lost()
        assert await first(by_rtc) == {"state": "away"}
        async with asyncio.timeout(5):
            while await by_https.get() != {"state": "away"}:
                pass
            while "mime" not in await by_https.get():
                pass
        shown = len(browser.strips)
        await until(lambda: len(browser.strips) > shown + 5)


async def test_a_look_that_ends_by_a_mistake_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its tile would wait for as long as the page's other looks last."""
    monkeypatch.setattr(module, "Fragments", lambda *_: 1 / 0)
    async with rig(tmp_path) as made, made.look() as heard:
        assert await ending(heard) == "away"
        assert made.looks._open == 0


async def test_a_viewer_who_has_gone_is_no_mistake(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """uvloop raises RuntimeError at each write to a closed connection."""

    class Closed:
        def is_closing(self) -> bool:
            return True

        def write(self, _: bytes) -> None:
            raise RuntimeError("the handler is closed")

    async with rig(tmp_path) as made:
        reader, closed = asyncio.StreamReader(), Closed()
        who = {name: str(uuid.uuid4()) for name in ("session_id", "purpose_id")}
        reader.feed_data(pack_message({**who, "camera_id": str(CAMERA), "offer": ""}))
        async with asyncio.timeout(5):
            await made.looks.serve(reader, closed)  # type: ignore[arg-type]
        assert made.looks._open == 0
    assert not [one for one in caplog.records if one.exc_info]


async def test_a_camera_that_is_nowhere_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FIRST_PICTURE_S", 0.5)
    async with rig(tmp_path) as made, made.look(camera_id=ELSE) as heard:
        assert await ending(heard) == "no_picture"


async def test_no_more_looks_than_the_limit(tmp_path: Path) -> None:
    async with rig(tmp_path, looks_max=1) as made, made.look() as heard:
        await first(heard)
        async with made.look() as other:
            assert await ending(other) == "busy"
        assert len([what for what, _ in made.custodian.asked if what == "look_live"]) == 1


async def test_another_user_is_cut_off_before_a_word(tmp_path: Path) -> None:
    async with rig(tmp_path, uids=(ME[0] + 1,)) as made:
        async with made.look() as heard:
            assert await first(heard) is None
        assert made.custodian.asked == []


async def test_a_strangers_socket_is_not_believed(tmp_path: Path) -> None:
    with pytest.raises(LiveAwayError):
        async with LiveClient(tmp_path, ME).look(
            session_id=SessionId(uuid.uuid4()), purpose_id=uuid.uuid4(), camera_id=CAMERA, offer=""
        ):
            pass
    async with rig(tmp_path) as made:
        with pytest.raises(SocketError):
            async with LiveClient(tmp_path, (ME[0] + 1,)).look(
                session_id=SessionId(uuid.uuid4()), purpose_id=uuid.uuid4(), camera_id=CAMERA, offer=""
            ):
                pass
        await asyncio.sleep(0.1)
        assert made.custodian.asked == []


async def test_a_closed_tab_ends_the_look_and_the_hurry(tmp_path: Path) -> None:
    async with rig(tmp_path) as made:
        async with made.look() as heard:
            await first(heard)
            assert made.camera.feed.watched
        await until(lambda: made.looks._open == 0, 2)
        await until(lambda: not made.camera.feed.watched, 4)
