"""The client's side of one RTSP connection, without I/O: bytes in, requests and access units out.

DESCRIBE, SETUP of the video (and the sound, where it is wanted), PLAY, then keep-alives until TEARDOWN. Frames may come
at any time, also before the reply to PLAY. What the bytes mean is found out in ``receiver.py``, what requests are
asked and answered how in ``requests.py``; here is what follows from the replies.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum
from typing import Final

from ingest.access_unit import AccessUnit, Loss, Sound, SoundFormat
from ingest.errors import (
    CameraAwayError,
    CameraRefusedError,
    IngestError,
    RedirectedError,
)
from ingest.rtp.counts import Counts
from ingest.rtp.frames import SLACK
from ingest.rtp.track import Track
from ingest.rtsp.datagrams import Datagrams
from ingest.rtsp.receiver import Receiver
from ingest.rtsp.signalling import sdp, urls
from ingest.rtsp.signalling.auth import Credentials
from ingest.rtsp.signalling.habits import Habits
from ingest.rtsp.signalling.keep_alive import METHODS, KeepAlive
from ingest.rtsp.signalling.messages import SESSION_TIMEOUT_S, Message, SessionHeader, TransportHeader
from ingest.rtsp.signalling.requests import Request, Requests, refusal
from ingest.rtsp.signalling.sound import Microphone, microphone
from ingest.rtsp.signalling.transport import UNSUPPORTED, Transports, interleaved
from ingest.rtsp.streams import Streams
from ingest.rtsp.watch import Watch

_CHANNEL: Final = 0
_SOUND_CHANNEL: Final = 2
_NS_PER_S: Final = 1_000_000_000
_FROM_NOW: Final = (("Range", "npt=0.000-"),)
# What a camera says of an address that it does not know, or of a method that it does not know there.
_OTHER_ADDRESS: Final = frozenset((400, 404, 405, 410, 451, 455, 459, 460, 462, 500, 501, 551))


class State(Enum):
    """Of the session."""

    STARTING = "starting"
    PLAYING = "playing"
    LEAVING = "leaving"
    ENDED = "ended"


class Session:
    """``start()``, then ``receive()`` what comes and send what ``outgoing()`` gives.

    url: without credentials; what requests name
    hosts: the names of the same machine, for redirects
    track_url, aggregate_url: what SETUP names, and PLAY, keep-alives and TEARDOWN
    sound_note: why there is no sound although it was asked for; it is never asked for unless ``audio``
    transports: how the pictures are asked for; datagrams: what comes of them over UDP, None over TCP
    """

    def __init__(
        self,
        url: str,
        hosts: tuple[str, ...],
        credentials: Credentials,
        *,
        audio: bool = False,
        habits: Habits | None = None,
        ports: Callable[[], int] | None = None,
        udp: bool = False,
    ) -> None:
        """``ports``, ``udp``: see Transports."""
        self._url = urls.clean(url)
        self._hosts = hosts
        self._audio = audio
        self._habits = habits or Habits()
        self._requests = Requests(credentials)
        self._streams = Streams(self._habits.counts)
        self._receiver = Receiver(self._streams, self._take_message)
        self._keep_alive = KeepAlive(self._habits.keep_alive)
        self._timeout_s = SESSION_TIMEOUT_S
        self._mono_ns = 0
        self._aggregates: tuple[str, ...] = ()  # what PLAY may name
        self._others: list[str] = []  # addresses that have not been tried yet for what is asked
        self._refusal: IngestError | None = None  # of the first of them
        self._media: sdp.Media | None = None
        self._microphone = Microphone()
        self._watch = Watch()
        self.transports = Transports(self._habits, _CHANNEL, ports, udp=udp)
        self.datagrams: Datagrams | None = None
        self.state = State.STARTING
        self.track_url = ""
        self.aggregate_url = self._url
        self.sound_note = ""

    # -- What the shell does

    def start(self) -> None:
        """Ask what there is."""
        self._ask("DESCRIBE", self._url, ("Accept", "application/sdp"))

    def outgoing(self) -> bytes:
        """Bytes to send now."""
        return self._requests.outgoing() if self._requests.has_outgoing else b""

    @property
    def has_outgoing(self) -> bool:
        """``outgoing()`` would give something."""
        return self._requests.has_outgoing

    @property
    def items(self) -> list[AccessUnit | Loss]:
        """What came since ``take()``, in order."""
        return self._streams.items

    def take(self) -> list[AccessUnit | Loss]:
        """What came, in order."""
        items, self._streams.items = self._streams.items, []
        return items

    def take_sounds(self) -> list[Sound]:
        """What the microphone gave, in order."""
        sounds, self._streams.sounds = self._streams.sounds, []
        return sounds

    @property
    def sound(self) -> SoundFormat | None:
        """Of ``take_sounds()``; None where there are none."""
        return self._streams.sound

    @property
    def clock(self) -> tuple[int, int] | None:
        """The camera's clock (UTC ns), and when that was heard (monotonic ns); None where it does not say."""
        return self._streams.clock

    @property
    def media(self) -> sdp.Media | None:
        """The video that is set up."""
        return self._media

    @property
    def track(self) -> Track | None:
        """Of the video; None before it is set up."""
        return self._streams.track

    @property
    def channel(self) -> int:
        """Of the video's RTP; -1 before it is set up."""
        return self._streams.channel

    @property
    def passed_over(self) -> int:
        """See ingest.access_unit.Source."""
        track = self._streams.track
        return track.passed_over if track is not None else 0

    @property
    def counts(self) -> Counts:
        """Of all the camera's connections."""
        return self._streams.counts

    @property
    def note(self) -> str:
        """What people should know of the packets although pictures come; empty where there is nothing."""
        if self.datagrams is not None:
            return "it sends over UDP"
        track = self._streams.track
        return "its packet numbers are not its pictures' alone" if track is not None and track.shares_numbers else ""

    @property
    def kept(self) -> bytes:
        """Received bytes that no whole message or frame could be made of; go before what is received next."""
        return self._receiver.kept

    @property
    def behind(self) -> bool:
        """There is more in ``kept`` than was to be done in one turn: ``receive()`` again, also without more."""
        return self._receiver.behind

    @property
    def keep_alive_s(self) -> float:
        """Interval at which to call ``keep_alive()``."""
        return self._keep_alive.interval_s(self._timeout_s)

    def keep_alive(self, mono_ns: int = 0) -> None:
        """Before the session expires."""
        self._mono_ns = max(self._mono_ns, mono_ns)
        self._requests.forget(METHODS)
        if method := self._keep_alive.due(self._mono_ns / _NS_PER_S):
            self._ask(method, self.aggregate_url)

    def leave(self) -> None:
        """Ask for the end; ``state`` is ENDED once it is granted."""
        if not self._requests.session_name or self.state in (State.LEAVING, State.ENDED):
            self.state = State.ENDED
            return
        self.state = State.LEAVING
        self._ask("TEARDOWN", self.aggregate_url)

    def receive(self, view: memoryview, end: int, mono_ns: int) -> None:
        """``view[:end]`` is ``kept`` and what was received since; SLACK bytes behind it must be readable.

        IngestError, without the camera's name in it, ends the session; ``items`` before it are good.
        """
        self._mono_ns = mono_ns
        self._receiver.receive(view, end, mono_ns)
        self._watch.look(self._streams, mono_ns)

    def receive_datagrams(self, view: memoryview, end: int, mono_ns: int) -> int:
        """See Datagrams; gives the work that it was. IngestError as from ``receive()``."""
        assert self.datagrams is not None
        self._mono_ns, self._streams.work = mono_ns, 0
        self.datagrams.receive(view, end, mono_ns)
        self._watch.look(self._streams, mono_ns)
        return self._streams.work

    def feed(self, data: bytes, mono_ns: int) -> None:
        """``receive()`` for those who have no buffer."""
        whole = self.kept + data
        self.receive(memoryview(whole + bytes(SLACK)), len(whole), mono_ns)
        while self.behind:
            whole = self.kept
            self.receive(memoryview(whole + bytes(SLACK)), len(whole), mono_ns)

    def closed(self, mono_ns: int) -> None:
        """The camera has ended the connection, or did not answer in time: what was asked last may be why."""
        if self.state is State.PLAYING:
            self._keep_alive.closed(mono_ns / _NS_PER_S, self._timeout_s)
        elif self.state is State.STARTING:
            for request in self._requests.waiting:
                if request.method in ("SETUP", "PLAY"):
                    self._habits.ends_at(request.url)

    def diagnosis(self, mono_ns: int) -> IngestError | None:
        """What is wrong with what comes, when there are no pictures in it; None where that is not known."""
        if self.state is not State.PLAYING or self._media is None:
            return None
        return self._watch.diagnosis(self._streams, self._media.payload_type, mono_ns)

    # -- Replies

    def _ask(self, method: str, url: str, *headers: tuple[str, str]) -> None:
        self._requests.ask(Request(method, url, headers))

    def _take_message(self, message: Message) -> None:
        if message.method:
            self._serve(message)
            return
        request = self._requests.answered_by(message)
        if request is None:
            self._streams.counts.unasked += message.status >= 200
        elif request.method in METHODS:
            self._kept_alive(request, message)
        elif message.status == 401:
            self._challenged(request, message)
        elif message.status < 300:
            self._granted(request, message)
        elif message.status < 400:
            self._redirected(message)
        else:
            self._refused(request, message)

    def _serve(self, request: Message) -> None:
        """Some cameras ask whether we live."""
        known = request.method in METHODS
        self._requests.reply("200 OK" if known else "501 Not Implemented", request.cseq)
        if request.method == "TEARDOWN":
            self.state = State.ENDED

    def _kept_alive(self, request: Request, message: Message) -> None:
        """Whatever a camera says to a keep-alive, pictures may go on; when no method finds the session, they do not."""
        if message.status == 401:
            try:
                self._requests.challenged(request, message)
                return
            except CameraRefusedError:
                pass  # an answer like others
        elif 300 <= message.status < 400:
            self._redirected(message)
        self._keep_alive.answered(request.method, message.status, message.header("public"))
        if self._keep_alive.session_over:
            raise CameraAwayError("its session is over.", "It is connected to again.")
        if request.method in self._keep_alive.lost and (method := self._keep_alive.due(self._mono_ns / _NS_PER_S)):
            self._ask(method, self.aggregate_url)

    def _challenged(self, request: Request, message: Message) -> None:
        try:
            self._requests.challenged(request, message)
        except CameraRefusedError:
            if self.state is not State.LEAVING:
                raise
            self.state = State.ENDED

    def _granted(self, request: Request, message: Message) -> None:
        if request.method in ("SETUP", "PLAY"):
            # PLAY need not say the session's time again.
            session = SessionHeader.parse(message.header("session"), self._timeout_s)
            if session is not None:
                self._requests.session_name, self._timeout_s = session.name, session.timeout_s
            self._habits.answers(request.method, request.url)
        if request.method == "DESCRIBE":
            self._described(message)
        elif request.method == "SETUP" and request.url == self._microphone.url:
            self._sound_set_up(message)
        elif request.method == "SETUP":
            self._set_up(request.url, message)
        elif request.method == "PLAY" and self.state is State.STARTING:
            self.state, self.aggregate_url = State.PLAYING, request.url
            self._keep_alive.played(self._mono_ns / _NS_PER_S)
        elif request.method == "TEARDOWN":
            self.state = State.ENDED

    def _described(self, message: Message) -> None:
        description = sdp.parse(message.body)
        self._media = description.video()
        bases = urls.bases(self._url, message.header("content-base"), message.header("content-location"))
        self._aggregates = urls.track_urls(bases, description.control)
        self.aggregate_url = self._aggregates[0]
        if self._audio:
            self._microphone = microphone(description, bases, self._media)
            self.sound_note = self._microphone.note
        self._try(self._habits.in_order("SETUP", urls.track_urls(bases, self._media.control)))
        self._ask_next("SETUP", self.transports.header())

    def _set_up(self, url: str, message: Message) -> None:
        channel = self.transports.granted(message.header("transport"))
        if channel is None:
            self._ask("SETUP", url, self.transports.header())
            return
        assert self._media is not None
        self.track_url = url
        udp = self.transports.udp
        self._streams.set_up_video(self._media, _CHANNEL if udp else channel, reliable=not udp)
        if udp:
            self.datagrams = Datagrams(self._streams)
        if self._microphone.url in ("", url):
            self._play()
        elif udp:
            self.sound_note = "sound is recorded over TCP only."
            self._play()
        else:
            self._ask("SETUP", self._microphone.url, interleaved(_SOUND_CHANNEL))

    def _play(self) -> None:
        self._try(self._habits.in_order("PLAY", [*self._aggregates, self.track_url]))
        self._ask_next("PLAY", *_FROM_NOW)

    def _redirected(self, message: Message) -> None:
        url = message.header("location")
        if not url or not urls.same_host(url, self._hosts):
            raise CameraRefusedError("it redirects to another host.", "Name that address in the configuration.")
        raise RedirectedError(urls.clean(url))

    # -- Addresses that the camera may have meant

    def _try(self, addresses: Sequence[str]) -> None:
        self._others, self._refusal = list(addresses), None

    def _ask_next(self, method: str, *headers: tuple[str, str]) -> None:
        url = self._others.pop(0)
        if method == "SETUP":
            self.track_url = url
        self._ask(method, url, *headers)

    def _refused(self, request: Request, message: Message) -> None:
        """A method that is refused at one address is tried at the next that the camera can have meant."""
        method, status = request.method, message.status
        if method == "TEARDOWN":
            self.state = State.ENDED
        elif method == "SETUP" and request.url == self._microphone.url:
            self.sound_note = f"it answers SETUP of its sound with {status}."
            self._play()
        elif method == "PLAY" and request.headers == _FROM_NOW and status in (400, 457):
            self._ask(method, request.url)  # "invalid range": it may know none
        elif method == "SETUP" and status == UNSUPPORTED:
            self.transports.refused()
            self._ask("SETUP", request.url, self.transports.header())
        elif method in ("SETUP", "PLAY") and status in _OTHER_ADDRESS:
            self._refusal = self._refusal or refusal(method, status)
            if not self._others:
                raise self._refusal
            self._ask_next(method, *request.headers)
        else:
            raise refusal(method, status)

    def _sound_set_up(self, message: Message) -> None:
        transport = TransportHeader.parse(message.header("transport"))
        assert self._microphone.media is not None
        if transport.interleaved:
            channel = _SOUND_CHANNEL if transport.channel is None else transport.channel
            self._streams.set_up_sound(self._microphone.media, channel)
        else:
            self.sound_note = "it sends sound over UDP though asked for TCP."
        self._play()
