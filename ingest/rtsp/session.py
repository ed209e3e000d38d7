"""The client side of one RTSP connection, without I/O: bytes in, requests and access units out.

DESCRIBE, SETUP of the video and of the sound if it is wanted, PLAY, then keep-alives until TEARDOWN. Frames may arrive
at any time, even before the reply to PLAY. ``receiver.py`` parses bytes and ``requests.py`` matches replies with
requests; this module draws the conclusions.
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
# Status codes for an unknown address, or for a method that is unknown there.
_OTHER_ADDRESS: Final = frozenset((400, 404, 405, 410, 451, 455, 459, 460, 462, 500, 501, 551))


class State(Enum):
    """Of the session."""

    STARTING = "starting"
    PLAYING = "playing"
    LEAVING = "leaving"
    ENDED = "ended"


class Session:
    """Call ``start()``, then pass bytes to ``receive()`` and send those of ``outgoing()``.

    url: the address in requests, without credentials
    hosts: names of the same machine, for redirects
    track_url, aggregate_url: addresses for SETUP, and for PLAY, keep-alives and TEARDOWN
    sound_note: why requested sound is missing; sound is never requested without ``audio``
    transports: the transport negotiation; datagrams: the pictures over UDP, None over TCP
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
        self._aggregates: tuple[str, ...] = ()  # candidate addresses for PLAY
        self._others: list[str] = []  # candidate addresses not tried yet for the present request
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

    # -- Called by the shell

    def start(self) -> None:
        """Begin with DESCRIBE."""
        self._ask("DESCRIBE", self._url, ("Accept", "application/sdp"))

    def outgoing(self) -> bytes:
        """Return the bytes to send now."""
        return self._requests.outgoing() if self._requests.has_outgoing else b""

    @property
    def has_outgoing(self) -> bool:
        """Whether ``outgoing()`` has bytes."""
        return self._requests.has_outgoing

    @property
    def items(self) -> list[AccessUnit | Loss]:
        """Items received since ``take()``, in order."""
        return self._streams.items

    def take(self) -> list[AccessUnit | Loss]:
        """Return and forget the received items, in order."""
        items, self._streams.items = self._streams.items, []
        return items

    def take_sounds(self) -> list[Sound]:
        """Return and forget the received sound, in order."""
        sounds, self._streams.sounds = self._streams.sounds, []
        return sounds

    @property
    def sound(self) -> SoundFormat | None:
        """Format of ``take_sounds()``; None without sound."""
        return self._streams.sound

    @property
    def clock(self) -> tuple[int, int] | None:
        """The camera's clock (UTC ns) and the time of its report (monotonic ns); None: it sends no reports."""
        return self._streams.clock

    @property
    def media(self) -> sdp.Media | None:
        """The media description of the video that is set up."""
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
        """A shortcoming of the packets to be displayed although pictures arrive; empty without one."""
        if self.datagrams is not None:
            return "it sends over UDP"
        track = self._streams.track
        return "its packet numbers are not its pictures' alone" if track is not None and track.shares_numbers else ""

    @property
    def kept(self) -> bytes:
        """Bytes of an incomplete message or frame; the caller puts them before the next bytes."""
        return self._receiver.kept

    @property
    def behind(self) -> bool:
        """Whether ``kept`` holds work for another turn: call ``receive()`` again, even without new bytes."""
        return self._receiver.behind

    @property
    def keep_alive_s(self) -> float:
        """Interval for ``keep_alive()``, in seconds."""
        return self._keep_alive.interval_s(self._timeout_s)

    def keep_alive(self, mono_ns: int = 0) -> None:
        """Queue a request that keeps the session alive."""
        self._mono_ns = max(self._mono_ns, mono_ns)
        self._requests.forget(METHODS)
        if method := self._keep_alive.due(self._mono_ns / _NS_PER_S):
            self._ask(method, self.aggregate_url)

    def leave(self) -> None:
        """Queue TEARDOWN; ``state`` becomes ENDED with its reply."""
        if not self._requests.session_name or self.state in (State.LEAVING, State.ENDED):
            self.state = State.ENDED
            return
        self.state = State.LEAVING
        self._ask("TEARDOWN", self.aggregate_url)

    def receive(self, view: memoryview, end: int, mono_ns: int) -> None:
        """Take ``view[:end]``, which is ``kept`` and the bytes received since; SLACK bytes after it must be readable.

        IngestError, without the camera's name, ends the session; earlier ``items`` stay valid.
        """
        self._mono_ns = mono_ns
        self._receiver.receive(view, end, mono_ns)
        self._watch.look(self._streams, mono_ns)

    def receive_datagrams(self, view: memoryview, end: int, mono_ns: int) -> int:
        """Take datagrams, see Datagrams; return the work done. IngestError as from ``receive()``."""
        assert self.datagrams is not None
        self._mono_ns, self._streams.work = mono_ns, 0
        self.datagrams.receive(view, end, mono_ns)
        self._watch.look(self._streams, mono_ns)
        return self._streams.work

    def feed(self, data: bytes, mono_ns: int) -> None:
        """As ``receive()``, for callers without a buffer."""
        whole = self.kept + data
        self.receive(memoryview(bytearray(whole + bytes(SLACK))), len(whole), mono_ns)
        while self.behind:
            whole = self.kept
            self.receive(memoryview(bytearray(whole + bytes(SLACK))), len(whole), mono_ns)

    def closed(self, mono_ns: int) -> None:
        """Note that the camera closed the connection or did not answer: its last request may be the reason."""
        if self.state is State.PLAYING:
            self._keep_alive.closed(mono_ns / _NS_PER_S, self._timeout_s)
        elif self.state is State.STARTING:
            for request in self._requests.waiting:
                if request.method in ("SETUP", "PLAY"):
                    self._habits.ends_at(request.url)

    def diagnosis(self, mono_ns: int) -> IngestError | None:
        """Return what is wrong with a stream without pictures; None: unknown."""
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
        """Answer a camera's own request: some check whether the client is alive."""
        known = request.method in METHODS
        self._requests.reply("200 OK" if known else "501 Not Implemented", request.cseq)
        if request.method == "TEARDOWN":
            self.state = State.ENDED

    def _kept_alive(self, request: Request, message: Message) -> None:
        """Handle a reply to a keep-alive: any status is accepted, until no method finds the session."""
        if message.status == 401:
            try:
                self._requests.challenged(request, message)
                return
            except CameraRefusedError:
                pass  # any other reply
        elif 300 <= message.status < 400:
            self._redirected(message)
        self._keep_alive.answered(request.method, message.status, message.header("public"))
        if self._keep_alive.session_over:
            raise CameraAwayError("its session is over.", "Tallenne connects again.")
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
            # PLAY need not repeat the session's timeout.
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

    # -- Candidate addresses

    def _try(self, addresses: Sequence[str]) -> None:
        self._others, self._refusal = list(addresses), None

    def _ask_next(self, method: str, *headers: tuple[str, str]) -> None:
        url = self._others.pop(0)
        if method == "SETUP":
            self.track_url = url
        self._ask(method, url, *headers)

    def _refused(self, request: Request, message: Message) -> None:
        """Repeat a refused method at the next candidate address."""
        method, status = request.method, message.status
        if method == "TEARDOWN":
            self.state = State.ENDED
        elif method == "SETUP" and request.url == self._microphone.url:
            self.sound_note = f"it answers SETUP of its sound with {status}."
            self._play()
        elif method == "PLAY" and request.headers == _FROM_NOW and status in (400, 457):
            self._ask(method, request.url)  # "invalid range": the camera may support none
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
