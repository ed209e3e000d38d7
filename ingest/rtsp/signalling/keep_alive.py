"""Chooses the requests that keep a camera's session alive (RFC 2326, 12.37).

By the RFC any request does. In practice some cameras count OPTIONS only and some GET_PARAMETER only; some announce a
method and never answer it, answer with an error or with another request's number, or close the connection at a method
that they do not know. So OPTIONS is sent first, then in turn with another announced method, each often enough to
suffice alone. The result of each method is remembered for the camera's next connection.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

OPTIONS: Final = "OPTIONS"
METHODS: Final = (OPTIONS, "GET_PARAMETER", "SET_PARAMETER")
LEAST_SESSION_S: Final = 10
SESSION_NOT_FOUND: Final = 454
_AT_ONCE_S: Final = 3.0  # a connection that closes this soon after a method closes because of it
_EARLY, _LATE = 0.8, 2.0  # shares of the timeout: if the connection ends in between, no request has counted


@dataclass(slots=True)
class KeepAliveHabits:
    """Results of a camera's methods over its connections.

    disliked: it refused them or did not answer; closing: it closed the connection at them
    tried: used nevertheless, since the others did not suffice
    """

    disliked: set[str] = field(default_factory=set)
    closing: set[str] = field(default_factory=set)
    tried: set[str] = field(default_factory=set)


class KeepAlive:
    """The keep-alives of one connection. Call ``due()`` every ``interval_s()``, and ``closed()`` at the end."""

    __slots__ = ("_announced", "_asked", "_asked_s", "_habits", "_played_s", "_turn", "_used", "lost")

    def __init__(self, habits: KeepAliveHabits) -> None:
        self._habits = habits
        self._announced: set[str] = set()
        self._asked, self._asked_s = "", 0.0  # not answered yet
        self._played_s = 0.0
        self._turn = 0
        self._used: set[str] = set()
        self.lost: set[str] = set()  # methods that were answered with "session not found"

    def methods(self) -> tuple[str, ...]:
        """The methods used in turn."""
        habits, (_, *others) = self._habits, METHODS
        usable = [method for method in others if method not in habits.disliked | habits.closing]
        no_options = OPTIONS in habits.closing | self.lost
        announced = [method for method in usable if method in self._announced or no_options]
        wanted = {OPTIONS, *announced[:1], *habits.tried} - habits.closing
        return tuple(method for method in METHODS if method in wanted)

    def interval_s(self, timeout_s: int) -> float:
        """Return the interval with which each method is used at least once per session timeout."""
        return max(LEAST_SESSION_S, timeout_s) / (len(self.methods()) + 1)

    def played(self, now_s: float) -> None:
        """Start the session's timeout."""
        self._played_s = now_s

    def due(self, now_s: float) -> str:
        """Return the method to use now; empty: none is left. The one before counts as unanswered."""
        if self._asked not in ("", OPTIONS, *self._habits.tried):
            self._habits.disliked.add(self._asked)
        methods = self.methods()
        if not methods:
            return ""
        method = self._asked = methods[self._turn % len(methods)]
        self._turn += 1
        self._asked_s = now_s
        self._used.add(method)
        return method

    def answered(self, method: str, status: int, public: str) -> None:
        """Handle a reply. ``public``: the header Public, which lists the camera's methods (RFC 2326, 10.1)."""
        if method == self._asked:
            self._asked = ""
        if status == SESSION_NOT_FOUND:
            self.lost.add(method)
        if status >= 300 and method != OPTIONS:
            self._habits.disliked.add(method)
            self._habits.tried.discard(method)
        elif status < 300 and public:
            self._announced = {word.strip().upper() for word in public.split(",")} & set(METHODS)

    @property
    def session_over(self) -> bool:
        """Whether no method finds the session."""
        return bool(self.lost) and not set(self.methods()) - self.lost

    def closed(self, now_s: float, timeout_s: int) -> None:
        """Learn from a closed connection: a method may have caused it, or no request has counted."""
        habits = self._habits
        if self._asked and now_s - self._asked_s < _AT_ONCE_S:
            habits.closing.add(self._asked)
            habits.tried.discard(self._asked)
        elif _EARLY * timeout_s < now_s - self._played_s < _LATE * timeout_s:
            for group in (set(METHODS) - habits.disliked - habits.closing, habits.disliked, habits.closing):
                if untried := [method for method in METHODS if method in group - self._used]:
                    habits.tried.add(untried[0])
                    habits.closing.discard(untried[0])
                    return
