"""Mail to members, sent in the background: an answer neither waits for it nor says whether there was any."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Final

from domain.errors import RetryableError, TallenneError
from domain.time import NS
from runtime.errors import MailAwayError
from runtime.mail.sending import hand_over, new_message
from runtime.settings import MailServer

_log = logging.getLogger(__name__)
WAITING_MAX: Final = 256
AT_ONCE: Final = 4
AFTER_S: Final = 0.25
"""Work begins this long after the answer, so that the answer's time does not depend on it."""
AGAIN_S: Final = (5.0, 30.0)


class Post:
    """Bounded: what comes while too much waits is dropped and logged, and people ask again. For one event loop."""

    def __init__(self, server: MailServer | None, clock_ns: Callable[[], int]) -> None:
        self._server, self._clock_ns = server, clock_ns
        self._gate = asyncio.Semaphore(AT_ONCE)
        self._tasks: set[asyncio.Task[None]] = set()
        self.problem: RetryableError | None = None
        """Why the last message was not accepted; None after one that was."""

    def later(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do it soon. Its TallenneErrors are logged."""
        if len(self._tasks) >= WAITING_MAX:
            _log.warning("a message to a member was dropped: %d wait already", WAITING_MAX)
            return
        task = asyncio.create_task(self._run(work), name="mail to a member")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def send(self, recipient: str, subject: str, text: str) -> None:
        """Hand a mail to the server, three times at most. MailAwayError, MailRefusedError."""
        if self._server is None:
            return
        message = new_message(self._server, recipient, subject, text)
        message["Date"] = datetime.fromtimestamp(self._clock_ns() // NS, tz=UTC)
        message["Message-ID"] = f"<{secrets.token_hex(16)}@{self._server.sender.rpartition('@')[2]}>"
        for pause_s in (*AGAIN_S, None):
            try:
                await hand_over(self._server, recipient, message)
                self.problem = None
                return
            except MailAwayError as exc:
                self.problem = exc
                if pause_s is None:
                    raise
                await asyncio.sleep(pause_s)

    async def idle(self) -> None:
        """Until nothing waits."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def close(self) -> None:
        """Drop what waits, at the end of the role: people ask again."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self, work: Callable[[], Awaitable[None]]) -> None:
        await asyncio.sleep(AFTER_S)
        async with self._gate:
            try:
                await work()
            except TallenneError as exc:
                _log.warning("a message to a member was not sent: %s", exc)
