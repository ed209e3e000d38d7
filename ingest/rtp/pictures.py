"""Decides which access units are delivered: whole ones from a key picture on, and damaged ones, marked.

The cost of a lost packet is decided here. A picture to which no other refers is dropped alone. If a picture to which
others refer is damaged or missing, these are delivered as ``damaged`` until a picture arrives with which decoding can
restart. Footage has a gap only when nothing arrives for a while, or nothing can be decoded.

If the transport loses packets, a large key picture may never be complete. After several damaged ones in a row decoding
begins with a damaged one.
"""

from __future__ import annotations

from enum import Enum
from typing import Final

from ingest.access_unit import TICKS_PER_S, AccessUnit, Loss, VideoParameters
from ingest.rtp.assembly import Assembly
from ingest.rtp.counts import Counts
from ingest.rtp.numbers import Hole, Numbering
from ingest.rtp.refresh import RecoveryPoints, Refresh, Shown
from ingest.video import slices
from ingest.video.parameters import ParameterSets

_LONGEST_TICKS: Final = TICKS_PER_S  # after a longer pause the last picture is not shown as the present one
_TORN_AT_FIRST: Final = 2  # consecutive damaged key pictures after which decoding begins with one
_TORN_LATER: Final = 8
_MISSING: Final = "packets are missing"
_Items = list[AccessUnit | Loss]


class Decoding(Enum):
    """State of a decoder before the next picture."""

    WAITING = "waiting"  # for a picture with which decoding can begin
    WHOLE = "whole"
    DAMAGED = "damaged"  # decodes with errors, until a picture arrives with which decoding can restart
    REFRESHING = "refreshing"  # decoding has begun with a picture that is complete only after a while


_WHOLE: Final = Decoding.WHOLE  # a global, since it is compared for each picture


class Pictures:
    """Call ``finish()`` at the end of each access unit.

    hole: sequence numbers missing before the current access unit, whose content shows what that means
    missing: packets missing within it
    rest: the rest of it is dropped, since the access unit was delivered or given up already
    """

    __slots__ = (
        "_assembly", "_before", "_bump", "_counts", "_earlier_ticks", "_numbering", "_recovery", "_refresh", "_ticks",
        "_torn_keys", "_untold", "hole", "missing", "parameters", "passed_over", "rest", "state",
    )  # fmt: skip

    def __init__(
        self, assembly: Assembly, counts: Counts, numbering: Numbering, parameters: VideoParameters | None
    ) -> None:
        """``parameters``: from the session description; None if they are absent or invalid."""
        self._assembly = assembly
        self._counts = counts
        self._numbering = numbering
        self.parameters = ParameterSets(assembly.codec, parameters)
        self._recovery = RecoveryPoints(assembly.codec)
        self._refresh: Refresh | None = None
        self._before = b""  # the last access unit delivered
        self._ticks: int | None = None  # its time, as the camera stamped it
        self._bump = 0  # number of further access units with this time
        self._earlier_ticks: int | None = None  # time of the one before that
        self._torn_keys = 0  # damaged key pictures since decoding has begun
        self._untold = 0  # packets lost while nothing was delivered
        self.state = Decoding.WAITING
        self.hole: Hole | None = None
        self.missing = 0
        self.rest = False
        self.passed_over = 0  # whole pictures dropped while waiting for one with which decoding can begin

    def check(self) -> None:
        """AssertionError unless the state is consistent."""
        assert self.started or self.state is Decoding.WAITING
        assert (self._refresh is not None) == (self.state is Decoding.REFRESHING)
        assert self.state is Decoding.WAITING or self.parameters.current is not None
        assert self._untold == 0 or (self.started and self.state is Decoding.WAITING)
        assert self.missing == 0 or self._assembly.torn or self.rest

    @property
    def started(self) -> bool:
        """Whether a picture was delivered."""
        return self._ticks is not None

    def finish(self, ticks: int, mono_ns: int, out: _Items) -> None:
        """Finish the current access unit. One without a slice (SEI, parameter sets) is kept for the next.

        StreamError: the parameter sets are invalid.
        """
        unit = self._assembly
        self._counts.work += 1
        if unit.open_at >= 0:
            unit.end()
        if unit.sets:
            self._counts.work += self.parameters.take(unit.sets)
        if self.rest or unit.torn or not unit.sliced:
            if not (self.rest or unit.torn or unit.await_slice()):
                return
            if self.rest or unit.torn:
                self._torn(ticks, mono_ns, out)
                return
        key, damaged = unit.key, False
        data = unit.take()
        if self.hole is not None:
            key = self._judged(self.hole, data, ticks, out, key=key)
        sets = self.parameters
        if key or self.state is not _WHOLE or ticks > self._recovery.look_from or not sets.complete:
            shown, key = self._admitted(data, ticks, out, key=key)
            if shown is Shown.NOTHING:
                return
            if key:
                sets.activate(data)
            damaged = shown is Shown.ERRORS
        # Two access units with one timestamp: a sample of no duration confuses players, so each gets a tick more.
        if ticks == self._ticks:
            self._bump += 1
            self._counts.same_time += 1
            shown_ticks = ticks + self._bump
        else:
            self._earlier_ticks = self._ticks
            self._ticks = shown_ticks = ticks
            self._bump = 0
        self._before = data
        out.append(AccessUnit(data, shown_ticks, key, mono_ns, sets.current, damaged))  # type: ignore[arg-type]

    # -- Losses

    def tear(self, packets: int) -> None:
        """Note that packets are missing within the current access unit."""
        self._assembly.tear()
        self.missing += packets

    def spoil(self, detail: str, out: _Items) -> None:
        """Drop the rest of the current access unit: it was delivered incomplete, or is given up."""
        self._assembly.drop()
        self.missing = 0
        self.rest = True
        self._hurt(0, None, detail, out)

    def begin_anew(self, detail: str, out: _Items) -> None:
        """Begin another stream, whose pictures do not refer to earlier ones."""
        self._assembly.drop()
        self._assembly.sets.clear()
        self.hole, self.missing, self.rest = None, 0, False
        self._stop(0, detail, out)

    def _torn(self, ticks: int, mono_ns: int, out: _Items) -> None:
        """Deliver the whole slices of a torn access unit, or nothing of it."""
        self._counts.work += 2
        unit, codec = self._assembly, self._assembly.codec
        packets = self.missing + (self.hole.packets if self.hole is not None else 0)
        # With a hole before it, earlier pictures may be missing as well, so dropping this one alone is not enough.
        alone = self.hole is None
        rest, self.hole, self.missing, self.rest = self.rest, None, 0, False
        key = unit.key
        data = unit.take() if unit.sliced and not rest else b""
        head = unit.torn_head or slices.first_slice(codec, data)
        unit.drop()
        if rest:
            self._counts.lost += packets
            return
        if alone and slices.is_disposable(codec, self.parameters.sps, head):
            self._lose(packets, "of a picture that no other refers to", out)
            return
        self._hurt(packets, ticks, _MISSING if packets else "a part of a picture is missing", out)
        key = key and self._begun_damaged(data, out)
        if data and self.state is not Decoding.WAITING and self.parameters.current is not None:
            self._earlier_ticks, self._ticks, self._bump = self._ticks, ticks, self._bump + (ticks == self._ticks)
            self._before = data
            out.append(AccessUnit(data, ticks + self._bump, key, mono_ns, self.parameters.current, damaged=True))

    def _begun_damaged(self, data: bytes, out: _Items) -> bool:
        """Whether decoding begins with this damaged key picture.

        It does after several damaged ones, if this one has its first slice: soon where there is no footage, later where
        a clip can reach back to earlier pictures.
        """
        sets, nal = self.parameters, slices.first_slice(self._assembly.codec, data)
        if self._numbering.reliable or not sets.complete or not slices.begins_picture(self._assembly.codec, nal):
            return False
        self._torn_keys += 1
        if self._torn_keys < (_TORN_AT_FIRST if self.state is Decoding.WAITING else _TORN_LATER):
            return False
        self._torn_keys = 0
        if self._untold:
            out.append(Loss(self._untold))
            self._untold = 0
        sets.activate(data)
        self.state, self._refresh = Decoding.DAMAGED, None
        return True

    def _judged(self, hole: Hole, data: bytes, ticks: int, out: _Items, *, key: bool) -> bool:
        """Find out whether a picture is missing before this one; return whether this one is a whole key picture."""
        self._counts.work += 4
        self.hole = None
        nal = slices.first_slice(self._assembly.codec, data)
        headless = bool(nal) and not slices.begins_picture(self._assembly.codec, nal)
        if self._ticks is None or self.state is Decoding.WAITING:
            self._lose(hole.packets, _MISSING, out)
            return key and not headless
        step, before = ticks - self._ticks, self._earlier_ticks
        # If pictures are sent out of order their times prove nothing.
        usual = before is None or 0 <= 2 * step <= 3 * (self._ticks - before)
        if headless or abs(step) > _LONGEST_TICKS or not self._follows(nal, hole, key=key, usual=usual):
            self._hurt(hole.packets, ticks, _MISSING if hole.packets else "the packets' numbers jumped", out)
        elif self._numbering.reliable and (usual or key):
            self._numbering.harmless(hole)
            self._counts.unnumbered += hole.packets
        elif hole.packets:
            self._lose(hole.packets, "of no picture, or of one that no other refers to", out)
        return key and not headless

    def _follows(self, nal: bytes, hole: Hole, *, key: bool, usual: bool) -> bool:
        """Whether no reference picture is missing before the one with this first slice.

        ``usual``: judged by its time.
        """
        if key:
            return usual or not hole.packets  # a camera restarts its numbers with a key picture
        before = slices.first_slice(self._assembly.codec, self._before)
        follows = slices.follows(self.parameters.sps, before, nal)
        return usual if follows is None else follows

    # -- Delivery

    def _admitted(self, data: bytes, ticks: int, out: _Items, *, key: bool) -> tuple[Shown, bool]:
        """Return what a whole picture shows, and whether decoding can begin with it."""
        self._counts.work += 2
        nal = slices.first_slice(self._assembly.codec, data)
        key = key and slices.begins_picture(self._assembly.codec, nal)
        frames = self._frames_until_right(data, ticks, key=key)
        if not self.parameters.complete:
            self._stop(0, "the camera changed its parameter sets incompletely", out)
        begins = key or (frames is not None and self._recovery.instead_of_keys)
        if self.state is Decoding.WAITING:
            if not (begins and self.parameters.complete and slices.begins_picture(self._assembly.codec, nal)):
                self.passed_over += 1
                return Shown.NOTHING, False
            if self._untold:
                out.append(Loss(self._untold))
                self._untold = 0
            return self._begun(nal, ticks, frames or 0, anew=True), True
        if self.state is Decoding.WHOLE:
            return Shown.RIGHTLY, begins
        if frames is not None:
            return self._begun(nal, ticks, frames, anew=False), begins
        if self._refresh is None:
            return Shown.ERRORS, False
        shown = self._refresh.of(ticks)
        if shown is Shown.RIGHTLY:
            self.state, self._refresh = Decoding.WHOLE, None
        return shown, False

    def _frames_until_right(self, data: bytes, ticks: int, *, key: bool) -> int | None:
        """Return after how many pictures all is right if decoding begins here; None: it cannot begin here."""
        if not key:
            return self._recovery.frames(data, ticks)
        self._recovery.key(ticks)
        self._torn_keys = 0
        if self._assembly.start_codes.searching:
            self._assembly.start_codes.looked()
        return 0

    def _begun(self, nal: bytes, ticks: int, frames: int, *, anew: bool) -> Shown:
        """Begin decoding with the picture that has this first slice."""
        if frames or slices.is_open(self._assembly.codec, nal):
            self.state, self._refresh = Decoding.REFRESHING, Refresh(ticks, frames, anew=anew)
        else:
            self.state, self._refresh = Decoding.WHOLE, None
        return Shown.ERRORS if frames else Shown.RIGHTLY

    # -- Consequences

    def _lose(self, packets: int, detail: str, out: _Items) -> None:
        """Count lost packets that no delivered picture needs."""
        self._counts.lost += packets
        if self.state is not Decoding.WAITING:
            out.append(Loss(packets, detail=detail, gap=False))
        elif self.started:
            self._untold += packets

    def _hurt(self, packets: int, ticks: int | None, detail: str, out: _Items) -> None:
        """Handle a loss to which later pictures refer. ``ticks``: time of the next picture, if known."""
        self._numbering.harmful()
        if ticks is not None and self._ticks is not None and ticks - self._ticks > _LONGEST_TICKS:
            self._stop(packets, detail, out)
            return
        self._lose(packets, detail, out)
        if self.state is not Decoding.WAITING:
            self.state, self._refresh = Decoding.DAMAGED, None

    def _stop(self, packets: int, detail: str, out: _Items) -> None:
        """Stop delivery until decoding can begin anew."""
        if self.state is Decoding.WAITING:
            self._lose(packets, detail, out)
            return
        self._counts.lost += packets
        self.state, self._refresh = Decoding.WAITING, None
        out.append(Loss(packets, detail=detail))
