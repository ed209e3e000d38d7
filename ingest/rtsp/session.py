"""The client's side of one RTSP connection, without I/O: bytes in, requests and access units out.

States: described, set up, playing, ended. Interleaved frames may come at any time, also before the reply to PLAY.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from ingest.access_unit import TICKS_PER_S, AccessUnit, Loss, Sound, SoundFormat
from ingest.errors import CameraAwayError, CameraRefusedError, IngestError, StreamError
from ingest.rtp.aac import AacTrack
from ingest.rtp.track import SLACK, Track
from ingest.rtsp import sdp, urls
from ingest.rtsp.auth import Credentials, challenges
from ingest.rtsp.messages import SESSION_TIMEOUT_S, Message, SessionHeader, TransportHeader, read_message
from ingest.rtsp.rtcp import sender_clock, sender_time_ns

_DOLLAR: Final = 0x24
_SPACE: Final = (0x0D, 0x0A)
_CHANNEL: Final = 0
_SOUND_CHANNEL: Final = 2
_LEAST_SESSION_S: Final = 10
_ATTEMPTS: Final = 4
_CREDENTIALS: Final = "Check the camera's user_name and password file."


class State(Enum):
    STARTING = "starting"
    PLAYING = "playing"
    LEAVING = "leaving"
    ENDED = "ended"


class NotSpokenError(StreamError):
    """The camera wants what this client does not speak; another may."""


class RedirectedError(IngestError):
    """To another address on the same host. ``url``: where; without credentials."""

    def __init__(self, url: str) -> None:
        super().__init__("it redirects elsewhere.", "Name its new address in the configuration.")
        self.url = url


@dataclass(frozen=True, slots=True)
class _Asked:
    method: str
    url: str
    extra: tuple[tuple[str, str], ...]
    attempts: int


class Session:
    """``start()``, then ``receive()`` what comes and send what ``outgoing()`` gives.

    url: without credentials; what requests name
    hosts: the names of the same machine, for redirects
    kept: received bytes that no whole message or frame could be made of; go before what is received next
    items: access units and losses since ``take()``
    clock: the camera's (UTC ns) and when that was heard (monotonic ns)
    sound, sounds: what the camera's microphone gives, and what of it came; never asked for unless ``audio``
    sound_note: why there is none although it was asked for
    """

    def __init__(self, url: str, hosts: tuple[str, ...], credentials: Credentials, *, audio: bool = False) -> None:
        self._url = urls.clean(url)
        self._hosts = hosts
        self._credentials = credentials
        self._cseq = 0
        self._asked: dict[int, _Asked] = {}
        self._out: list[bytes] = []
        self._session: SessionHeader | None = None
        self._aggregate = self._url
        self._media: sdp.Media | None = None
        self._keep_alive_method = "GET_PARAMETER"
        self._authenticated = False
        self.track: Track | None = None
        self.channel = _CHANNEL
        self.track_url = ""
        self.state = State.STARTING
        self.kept = b""
        self.items: list[AccessUnit | Loss] = []
        self.clock: tuple[int, int] | None = None
        self.sounds: list[Sound] = []
        self.sound_note = ""
        self._audio = audio
        self._microphone: sdp.Media | None = None
        self._hears: AacTrack | None = None
        self._sound_url = ""
        self._sound_channel = _SOUND_CHANNEL
        self._reports: dict[bool, tuple[int, int]] = {}  # of sound or not: sender's UTC ns, ticks on its timeline
        self.unasked = 0  # frames on channels that were not set up, replies to nothing

    # -- What the shell does

    @property
    def passed_over(self) -> int:
        """See ingest.access_unit.Source."""
        return self.track.passed_over if self.track is not None else 0

    def start(self) -> None:
        """Ask what there is."""
        self._ask("DESCRIBE", self._url, ("Accept", "application/sdp"))

    def outgoing(self) -> bytes:
        """What is to be sent now."""
        if not self._out:
            return b""
        data = b"".join(self._out)
        self._out.clear()
        return data

    @property
    def has_outgoing(self) -> bool:
        return bool(self._out)

    def take(self) -> list[AccessUnit | Loss]:
        """What came, in order."""
        items, self.items = self.items, []
        return items

    @property
    def sound(self) -> SoundFormat | None:
        """Of ``sounds``; None where there are none."""
        return self._hears.form if self._hears is not None else None

    @property
    def media(self) -> sdp.Media | None:
        """What is set up."""
        return self._media

    @property
    def aggregate_url(self) -> str:
        """What PLAY, keep-alives and TEARDOWN name."""
        return self._aggregate

    @property
    def keep_alive_s(self) -> float:
        """How often ``keep_alive()`` is to be called."""
        timeout_s = max(_LEAST_SESSION_S, self._session.timeout_s) if self._session else 60
        return max(timeout_s / 2, timeout_s - 5.0)

    def keep_alive(self) -> None:
        """Before the session expires. One that went unanswered is taken for one that is not understood."""
        for cseq, asked in list(self._asked.items()):
            if asked.method == self._keep_alive_method:
                del self._asked[cseq]
                self._keep_alive_method = "OPTIONS"
        self._ask(self._keep_alive_method, self._aggregate)

    def leave(self) -> None:
        """Ask for the end; ``state`` is ENDED once it is granted."""
        if self._session is None or self.state in (State.LEAVING, State.ENDED):
            self.state = State.ENDED
            return
        self.state = State.LEAVING
        self._ask("TEARDOWN", self._aggregate)

    def receive(self, view: memoryview, end: int, mono_ns: int) -> None:
        """``view[:end]`` is ``kept`` and what was received since; SLACK bytes behind it must be readable.

        IngestError, without the camera's name in it, ends the session; ``items`` before it are good.
        """
        at = 0
        track, items = self.track, self.items
        while at < end:
            first = view[at]
            if first == _DOLLAR:
                if track is not None and (after := track.walk(view, at, end, mono_ns, items)) != at:
                    at = after
                    continue
                if end - at < 4:
                    break
                after = at + 4 + (view[at + 2] << 8 | view[at + 3])
                if after > end:
                    break
                self._other_channel(view, at + 1, after, mono_ns)
                at = after
            elif first in _SPACE:
                at += 1
            else:
                message, after = read_message(view, at, end)
                if message is None:
                    break
                at = after
                self._take_message(message)
                track = self.track
        self.kept = view[at:end].tobytes() if at < end else b""

    def feed(self, data: bytes, mono_ns: int) -> None:
        """``receive()`` for those who have no buffer."""
        whole = self.kept + data
        self.receive(memoryview(whole + bytes(SLACK)), len(whole), mono_ns)

    # -- Requests

    def _ask(self, method: str, url: str, *extra: tuple[str, str], attempts: int = 0) -> None:
        self._cseq += 1
        self._asked[self._cseq] = _Asked(method, url, extra, attempts)
        lines = [f"{method} {url} RTSP/1.0", f"CSeq: {self._cseq}", "User-Agent: Tallenne"]
        if answer := self._credentials.answer(method, url):
            lines.append(f"Authorization: {answer}")
        if self._session is not None:
            lines.append(f"Session: {self._session.name}")
        lines += [f"{name}: {value}" for name, value in extra]
        self._out.append("\r\n".join([*lines, "", ""]).encode())

    # -- Replies

    def _take_message(self, message: Message) -> None:
        if message.method:
            self._serve(message)
            return
        asked = self._asked.pop(message.cseq, None)
        if asked is None and message.cseq < 0 and len(self._asked) == 1:
            asked = self._asked.popitem()[1]
        if asked is None:
            self.unasked += 1
        elif message.status == 401:
            self._challenged(asked, message)
        elif message.status < 200:
            self._asked[message.cseq] = asked
        elif message.status < 300:
            self._granted(asked, message)
        elif message.status < 400:
            self._redirected(message)
        else:
            self._refused(asked, message)

    def _serve(self, request: Message) -> None:
        """Some cameras ask whether we live."""
        status = "200 OK" if request.method in ("OPTIONS", "GET_PARAMETER", "SET_PARAMETER") else "501 Not Implemented"
        self._out.append(f"RTSP/1.0 {status}\r\nCSeq: {max(0, request.cseq)}\r\n\r\n".encode())
        if request.method == "TEARDOWN":
            self.state = State.ENDED

    def _challenged(self, asked: _Asked, message: Message) -> None:
        """The same again with an answer; once more when the nonce was stale or has changed since it worked."""
        offered = challenges(message.headers.get("www-authenticate", []))
        credentials = self._credentials
        if not offered:
            raise CameraRefusedError("it asks for a password in a way that is not known.", "Choose Digest there.")
        if not credentials.given:
            raise CameraRefusedError("it asks for user name and password.", _CREDENTIALS)
        best = offered[0]
        first = not credentials.challenged
        renewed = best.nonce != credentials.nonce and (best.stale or self._authenticated)
        if not (first or renewed) or asked.attempts >= _ATTEMPTS:
            if self.state is State.LEAVING:
                self.state = State.ENDED
                return
            raise CameraRefusedError("it refuses user name and password.", _CREDENTIALS)
        credentials.use(best)
        self._ask(asked.method, asked.url, *asked.extra, attempts=asked.attempts + 1)

    def _granted(self, asked: _Asked, message: Message) -> None:
        self._authenticated = self._credentials.challenged
        if asked.method in ("SETUP", "PLAY"):
            before = self._session.timeout_s if self._session else SESSION_TIMEOUT_S  # PLAY need not say it again
            self._session = SessionHeader.parse(message.header("session"), before) or self._session
        if asked.method == "DESCRIBE":
            self._described(message)
        elif asked.method == "SETUP" and asked.url == self._sound_url:
            self._sound_set_up(message)
        elif asked.method == "SETUP":
            self._set_up(message)
        elif asked.method == "PLAY" and self.state is State.STARTING:
            self.state = State.PLAYING
        elif asked.method == "TEARDOWN":
            self.state = State.ENDED

    def _described(self, message: Message) -> None:
        description = sdp.parse(message.body)
        media = self._media = description.video()
        base = urls.base_url(self._url, message.header("content-base"), message.header("content-location"))
        self._aggregate = urls.track_url(base, description.control)
        self.track_url = urls.track_url(base, media.control)
        if self._audio:
            self._look_for_sound(description, base)
        self._ask("SETUP", self.track_url, _transport(_CHANNEL))

    def _look_for_sound(self, description: sdp.Description, base: str) -> None:
        """Whatever is wrong with it never stops the video."""
        microphone = description.audio()
        if microphone is None:
            self.sound_note = "it sends no sound."
            return
        try:
            microphone.sound()
        except StreamError as error:
            self.sound_note = error.what
            return
        url = urls.track_url(base, microphone.control)
        if url == self.track_url:
            self.sound_note = "its sound has no address of its own."
        else:
            self._sound_url, self._microphone = url, microphone

    def _set_up(self, message: Message) -> None:
        transport = TransportHeader.parse(message.header("transport"))
        if not transport.interleaved:
            raise NotSpokenError("it sends over UDP though asked for TCP.", 'Set the camera\'s source to "libav".')
        media = self._media
        assert media is not None
        self.channel = _CHANNEL if transport.channel is None else transport.channel
        self.track = Track(
            self.channel,
            media.payload_type,
            media.codec,
            parameters=media.parameters(),
            clock_rate=media.clock_rate,
        )
        if self._microphone is not None:
            self._ask("SETUP", self._sound_url, _transport(_SOUND_CHANNEL))
        else:
            self._play()

    def _sound_set_up(self, message: Message) -> None:
        transport = TransportHeader.parse(message.header("transport"))
        microphone = self._microphone
        assert microphone is not None
        if transport.interleaved:
            self._sound_channel = _SOUND_CHANNEL if transport.channel is None else transport.channel
            self._hears = AacTrack(microphone.payload_type, microphone.sound(), microphone.clock_rate)
        else:
            self.sound_note = "it sends sound over UDP though asked for TCP."
        self._play()

    def _play(self) -> None:
        self._ask("PLAY", self._aggregate, ("Range", "npt=0.000-"))

    def _redirected(self, message: Message) -> None:
        url = message.header("location")
        if not url or not urls.same_host(url, self._hosts):
            raise CameraRefusedError("it redirects to another host.", "Name that address in the configuration.")
        raise RedirectedError(urls.clean(url))

    def _refused(self, asked: _Asked, message: Message) -> None:
        status = message.status
        if asked.method == "TEARDOWN":
            self.state = State.ENDED
        elif asked.method == "SETUP" and asked.url == self._sound_url:
            self.sound_note = f"it answers SETUP of its sound with {status}."
            self._play()
        elif asked.method in ("GET_PARAMETER", "OPTIONS"):
            if status == 454:
                raise CameraAwayError("its session is over.", "It is connected to again.")
            self._keep_alive_method = "OPTIONS"
        elif status == 403:
            raise CameraRefusedError("it refuses user name and password.", _CREDENTIALS)
        elif status in (404, 410):
            raise CameraRefusedError("it has no such stream.", "Check the path of its address.")
        elif status == 461:
            raise NotSpokenError("it does not send over TCP.", 'Set the camera\'s source to "libav".')
        elif status == 453 or status >= 500:
            raise CameraAwayError(f"it answers {asked.method} with {status}.", "It may serve too many viewers already.")
        else:
            raise StreamError(f"it answers {asked.method} with {status}.", "Check its address; update its firmware.")

    # -- Frames that are not the track's

    def _other_channel(self, view: memoryview, at: int, after: int, mono_ns: int) -> None:
        channel, hears = view[at], self._hears
        if self.track is not None and channel == self.channel + 1:
            if (camera_ns := sender_time_ns(view, at + 3, after)) is not None:
                self.clock = (camera_ns, mono_ns)
                if hears is not None:
                    self._reported(camera_ns, self.track.ticks_of(sender_clock(view, at + 3)), sound=False)
        elif hears is not None and channel == self._sound_channel:
            hears.take(view, at + 3, after, mono_ns, self._lead_ticks(), self.sounds)
        elif hears is not None and channel == self._sound_channel + 1:
            if (camera_ns := sender_time_ns(view, at + 3, after)) is not None:
                self._reported(camera_ns, hears.ticks_of(sender_clock(view, at + 3)), sound=True)
        else:
            self.unasked += 1

    def _reported(self, camera_ns: int, ticks: int | None, *, sound: bool) -> None:
        if ticks is not None:
            self._reports[sound] = (camera_ns, ticks)

    def _lead_ticks(self) -> int | None:
        """From the sound's timeline to the pictures', by the clock that the camera gives both."""
        if len(self._reports) < 2:
            return None
        (video_ns, video_ticks), (sound_ns, sound_ticks) = self._reports[False], self._reports[True]
        return video_ticks - sound_ticks + (sound_ns - video_ns) * TICKS_PER_S // 1_000_000_000


def _transport(channel: int) -> tuple[str, str]:
    return "Transport", f"RTP/AVP/TCP;unicast;interleaved={channel}-{channel + 1}"
