"""What is wrong with a role at present: noted by topic, logged when it appears and when it clears, shown in its status.

A problem is either set by the code that meets it and cleared by the code that sees it work again, or derived from
present state at every look (``watch()``). Prefer the second: a derived problem cannot stay set by mistake.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from domain.errors import RetryableError, TallenneError

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Problem:
    error: Exception
    since_ns: int


class Problems:
    """One per role. Topics are the role's own: "database", "camera Entrance", the name of a task."""

    def __init__(self, clock_ns: Callable[[], int] = time.time_ns) -> None:
        """``clock_ns``: UTC."""
        self._clock_ns = clock_ns
        self._by_topic: dict[str, _Problem] = {}
        self._watched: dict[str, Callable[[], TallenneError | None]] = {}

    def note(self, topic: str, error: Exception) -> bool:
        """Note a problem until ``clear(topic)``. Returns whether it is new; only then it is logged."""
        known = self._by_topic.get(topic)
        if known is not None:
            new = type(known.error) is not type(error)  # numbers within a text may change at every look
            known.error = error
        else:
            new = True
            self._by_topic[topic] = _Problem(error, self._clock_ns())
        if new:
            _log.log(logging.WARNING if isinstance(error, RetryableError) else logging.ERROR, "%s: %s", topic, error)
        return new

    def clear(self, topic: str) -> None:
        """Clear a topic's problem, if there is one."""
        if self._by_topic.pop(topic, None) is not None:
            _log.info("%s: works again", topic)

    def set(self, topic: str, error: Exception | None) -> None:
        """``note()``, or ``clear()`` for None."""
        if error is None:
            self.clear(topic)
        else:
            self.note(topic, error)

    def watch(self, topic: str, look: Callable[[], TallenneError | None]) -> None:
        """Derive the problem of this topic from present state: ``look`` is called by ``present()``."""
        self._watched[topic] = look

    def present(self) -> tuple[dict[str, Any], ...]:
        """{"topic", "what", "remedy", "since_ns"} of each, as status files want them; equal words stand once.

        And "waits_for", where another part of the installation is what is waited for.
        """
        for topic, look in self._watched.items():
            self.set(topic, look())
        found: dict[str, dict[str, Any]] = {}
        for topic, problem in self._by_topic.items():
            what, remedy = words(topic, problem.error)
            one = {"topic": topic, "what": what, "remedy": remedy, "since_ns": problem.since_ns}
            if isinstance(problem.error, TallenneError) and problem.error.part:
                one["waits_for"] = problem.error.part
            found.setdefault(what, one)
        return tuple(found.values())


def words(topic: str, error: Exception) -> tuple[str, str]:
    """What is wrong and what to do about it. The text of an exception that was not written for people is left out."""
    if isinstance(error, TallenneError):
        return error.what, error.remedy
    if isinstance(error, OSError) and error.strerror:
        return f"{topic}: {error.strerror}.", "Check the disk and the limits of this machine."
    return f"{topic}: a programming error ({type(error).__name__}).", "Please report what the log says."


def summary(problems: Sequence[dict[str, Any]]) -> str:
    """Return all problems in one line."""
    return " ".join(f"{problem['what']} {problem['remedy']}".strip() for problem in problems)
