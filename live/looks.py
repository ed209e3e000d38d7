"""One look: on record with the custodian, then pictures by WebRTC or as fragments, until anything ends it.

The connection from `serve` is the look's life: it ends when `serve` closes it, since the browser has gone; when the
custodian says that the session or the right is gone, or cannot be asked for too long; or when the pictures cannot go
on.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from custodian.client import CustodianClient
from custodian.errors import LookRefusedError
from domain.errors import TallenneError
from domain.ids import CameraId, SessionId
from domain.time import NS
from live.converting.converted import Conversions
from live.converting.process import START_S
from live.converting.recorded import convert_recorded
from live.errors import ConversionsFullError, FrameError, LiveAwayError, OfferError
from live.feed import Feed, Feeds
from live.fragments import Fragments
from live.protocol import Kind, Stream, pack_frame, pack_message, read_frame, read_message
from live.settings import LiveSettings
from live.viewer import Viewer
from live.webrtc.peer import Peer

_log = logging.getLogger(__name__)
REQUEST_MAX: Final = 64 << 10
ASKED_EVERY_S: Final = 2.0
"""So often the custodian is asked whether the look may go on: what is withdrawn ends within 5 s."""
UNKNOWN_S: Final = 15.0
"""So long it goes on while that cannot be found out."""
RENEW_BEFORE_S: Final = 5.0
REQUEST_S: Final = 5.0
FIRST_PICTURE_S: Final = 10.0
STALLED_S: Final = 10.0
"""A browser that takes nothing for so long has gone."""
_AWAY: Final = pack_message({"state": "away"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a look is of.

    offer: the browser's SDP; empty: fragments over HTTPS are wanted
    small: of the camera's second stream, where it has one
    convert: as H.264, where the camera sends something else
    """

    session_id: SessionId
    purpose_id: UUID
    camera_id: CameraId
    offer: str
    small: bool = False
    convert: bool = False

    @property
    def who(self) -> dict[str, Any]:
        """As the custodian is asked."""
        return {"session_id": self.session_id, "purpose_id": self.purpose_id, "camera_id": self.camera_id}


class Looks:
    """Serves the connections of `serve`. Counts: ``present`` by way, ``begun``, ``refused``, ``dropped`` pictures."""

    def __init__(
        self,
        settings: LiveSettings,
        custodian: CustodianClient,
        feeds: Feeds,
        conversions: Conversions,
        *,
        clock_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self._settings, self._custodian, self._feeds, self._clock_ns = settings, custodian, feeds, clock_ns
        self._conversions = conversions
        self.present = {"webrtc": 0, "https": 0}
        self.begun = self.refused = self.dropped = self._open = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One look, or a piece of a clip that is converted, from the request to its end; the last message says why."""
        async with asyncio.timeout(REQUEST_S):
            frame = await read_frame(reader, REQUEST_MAX)
        if frame is None or frame[0] is not Kind.MESSAGE:
            return
        message = read_message(frame[1])
        if message.get("recorded") is True:
            await self._ended(writer, convert_recorded(self._conversions, reader, writer))
        else:
            asked = _asked(message)
            await self._ended(writer, self._look(asked, reader, writer))

    async def _ended(self, writer: asyncio.StreamWriter, work: Coroutine[Any, Any, str]) -> None:
        """Do it, within the limit on how many there are, and say at the end why it ended."""
        if self._open >= self._settings.looks_max:
            work.close()
            writer.write(pack_message({"ended": "busy"}))
            return
        self._open += 1
        try:
            reason = await work
        except LookRefusedError:
            self.refused += 1
            reason = "refused"
        except ConversionsFullError:
            reason = "conversions"
        except TallenneError as error:
            _log.warning("a look ended: %s", error)
            reason = "away"
        except Exception:  # noqa: BLE001 (the page hears of it beside its other looks)
            if not writer.is_closing():
                _log.exception("a look ended by a mistake")
            reason = "away"
        finally:
            self._open -= 1
        if not writer.is_closing():  # uvloop raises where asyncio says nothing
            writer.write(pack_message({"ended": reason}))

    async def _look(self, asked: Asked, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> str:
        """Why it ended. LookRefusedError, and what the custodian raises."""
        until_ns = await self._custodian.look_live(**asked.who)
        self.begun += 1
        viewer = Viewer()
        try:
            async with self._feeds.watch(asked.camera_id, viewer, small=asked.small) as feed:
                return await _first(
                    self._show(asked, feed, viewer, writer), self._allowed(asked, until_ns), _gone(reader)
                )
        finally:
            self.dropped += viewer.dropped

    async def _allowed(self, asked: Asked, until_ns: int) -> str:
        """Renew the look each minute, and return once it may not go on."""
        now_s = asyncio.get_running_loop().time
        known_s = now_s()
        on_record_s = known_s + (until_ns - self._clock_ns()) / NS  # a clock that is set back lengthens no look
        while (left_s := min(known_s + UNKNOWN_S, on_record_s) - now_s()) > 0:
            await asyncio.sleep(min(ASKED_EVERY_S, left_s))
            try:
                async with asyncio.timeout_at(min(known_s + UNKNOWN_S, on_record_s)):
                    if on_record_s - now_s() < RENEW_BEFORE_S:
                        until_ns = await self._custodian.look_live(**asked.who)
                        on_record_s = now_s() + (until_ns - self._clock_ns()) / NS
                    elif not await self._custodian.still_live(**asked.who):
                        return "withdrawn"
                known_s = now_s()
            except LookRefusedError:
                return "withdrawn"
            except (TallenneError, TimeoutError) as error:
                _log.debug("whether a look may go on is unknown: %s", error)
        return "away"

    async def _show(self, asked: Asked, feed: Feed, viewer: Viewer, writer: asyncio.StreamWriter) -> str:
        """Why it ended. ConversionsFullError."""
        stream = await _begun(feed, FIRST_PICTURE_S)
        if stream is None:
            return "no_picture"
        if stream.codec == "h264" or not asked.convert:
            return await self._send(asked, feed, stream, viewer, writer)
        feed.leave(viewer)
        made = Viewer()
        async with self._conversions.watch(feed, made) as converted:
            writer.write(pack_message({"converted": stream.codec}))
            stream = await _begun(converted, START_S + FIRST_PICTURE_S)
            if stream is None:
                return "no_picture"
            return await self._send(asked, converted, stream, made, writer)

    async def _send(
        self, asked: Asked, feed: Feed, stream: Stream, viewer: Viewer, writer: asyncio.StreamWriter
    ) -> str:
        why = "asked"
        if asked.offer:
            peer = Peer(viewer, self._settings.addresses, self._settings.ports, lambda: writer.write(_AWAY))
            try:
                why = await self._answer(peer, asked, feed, stream, writer)
                if not why:
                    return await self._by_webrtc(peer)
            finally:
                await peer.close()
        with self._counted("https"):
            return await _by_https(why, feed, viewer, writer)

    async def _answer(self, peer: Peer, asked: Asked, feed: Feed, stream: Stream, writer: asyncio.StreamWriter) -> str:
        """Answer the offer; return why it cannot be by WebRTC, or nothing."""
        if stream.codec != "h264":
            return stream.codec
        if feed.depth:
            return "bframes"
        try:
            answer = await peer.answer(asked.offer, stream, lambda: feed.depth)
        except OfferError as error:
            _log.info("%s", error)
            return "offer"
        except LiveAwayError as error:
            _log.warning("%s", error)
            return "no_port"
        if answer is None:
            return "profile"
        writer.write(pack_message({"answer": answer}))
        return ""

    async def _by_webrtc(self, peer: Peer) -> str:
        with self._counted("webrtc"):
            await peer.ended.wait()
        return peer.reason

    @contextlib.contextmanager
    def _counted(self, way: str) -> Any:
        self.present[way] += 1
        try:
            yield
        finally:
            self.present[way] -= 1


async def _begun(feed: Feed, most_s: float) -> Stream | None:
    """What describes its pictures, once there are some; None: not in time."""
    try:
        async with asyncio.timeout(most_s):
            await feed.begun.wait()
    except TimeoutError:
        return None
    return feed.stream


async def _by_https(why: str, feed: Feed, viewer: Viewer, writer: asyncio.StreamWriter) -> str:
    """Fragments, for as long as they are taken; the last stream's description comes before its first picture."""
    fragments = Fragments(feed.depth)
    while True:
        item = await viewer.next()
        if item is None:
            writer.write(_AWAY)
        elif isinstance(item, Stream):
            fragments = Fragments(feed.depth)
            writer.write(pack_message({"mime": f'video/mp4; codecs="{item.mime}"', "why": why}))
            writer.write(pack_frame(Kind.INIT, item.init))
        elif fragment := fragments.push(item):
            writer.write(pack_frame(Kind.FRAGMENT, fragment))
        try:
            async with asyncio.timeout(STALLED_S):
                await writer.drain()
        except TimeoutError:
            return "stalled"


async def _gone(reader: asyncio.StreamReader) -> str:
    """Returns when `serve` has closed the connection."""
    with contextlib.suppress(ConnectionError):
        while await reader.read(1 << 10):
            pass
    return "gone"


async def _first(*works: Coroutine[Any, Any, str]) -> str:
    """What the first one returns; the others are cancelled and waited for."""
    tasks = [asyncio.create_task(work, name="look") for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return done.pop().result()


def _asked(body: dict[str, Any]) -> Asked:
    try:
        return Asked(
            session_id=SessionId(UUID(body["session_id"])),
            purpose_id=UUID(body["purpose_id"]),
            camera_id=CameraId(UUID(body["camera_id"])),
            offer=str(body.get("offer") or ""),
            small=body.get("small") is True,
            convert=body.get("convert") is True,
        )
    except (KeyError, ValueError, TypeError, AttributeError):
        raise FrameError("A request for a look is damaged.") from None
