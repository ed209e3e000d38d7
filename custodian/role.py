"""The custodian as a process: opens its secrets, serves its socket, keeps making hour keys, signs the audit chain."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from typing import Any, Final

from custodian.audit.log import HeadSigner
from custodian.errors import BrokenAuditError
from custodian.harden import forbid_dumps
from custodian.keys.custody import Custody, open_custody
from custodian.keys.hour_keys import HourKeyMaker
from custodian.keys.past_keys import PastKeys
from custodian.opening import Opener
from custodian.operations import Operations, allowed
from custodian.server import Server
from domain.errors import RetryableError, TallenneError
from runtime.database import READY_CONNECTIONS, open_pool
from runtime.settings import CustodianSettings
from runtime.status import StatusFile

_log = logging.getLogger(__name__)

KEYS_EVERY_S: Final = 2.0
HEADS_EVERY_S: Final = 30.0
STATUS_EVERY_S: Final = 2.0
STATUS_WHILE_STARTING_S: Final = 0.1


async def run(settings: CustodianSettings, stop: asyncio.Event) -> None:
    """Until ``stop``. PrivateFileError or CustodianMisuseError when a person must mend something first.

    Ready once every camera has keys for the hours at hand. While the database is away it stays up, degraded.
    """
    if not forbid_dumps():
        _log.warning("the kernel does not let this process forbid core dumps")
    with open_custody(settings.directory, settings.keyring_replicas) as custody:
        async with open_pool(
            settings.database, application_name="custodian", min_size=0, max_size=8, ready=READY_CONNECTIONS
        ) as pool:
            maker = HourKeyMaker(pool, custody, ahead_hours=settings.keys_ahead_hours, clock_ns=time.time_ns)
            signer = HeadSigner(pool, custody.signing, settings.audit_heads, clock_ns=time.time_ns)
            opener = Opener(pool, custody, clock_ns=time.time_ns)
            state = _State(settings, custody, maker, signer, opener)
            past_keys = PastKeys(pool, maker, clock_ns=time.time_ns)
            operations = Operations(custody, pool, opener, past_keys, state.counters)
            server = Server(operations.table(), allowed(settings))
            async with server.listening(settings.socket):
                await _work(state, stop)
            await _last_head(signer)
            state.file.remove()


class _State:
    """What the tasks below share: the parts, and what they last said of themselves."""

    def __init__(
        self,
        settings: CustodianSettings,
        custody: Custody,
        maker: HourKeyMaker,
        signer: HeadSigner,
        opener: Opener,
    ) -> None:
        self.file = StatusFile(settings.run_directory, "custodian")
        self.custody = custody
        self.maker = maker
        self.signer = signer
        self.opener = opener
        self.problems: dict[str, dict[str, str]] = {}
        self.counters: dict[str, Any] = {}

    def problem(self, part: str, error: Exception | None) -> None:
        """Note, or clear, what is wrong with one part."""
        if error is None:
            self.problems.pop(part, None)
            return
        if part not in self.problems:
            _log.error("%s: %s", part, error)
        what, remedy = getattr(error, "what", str(error)), getattr(error, "remedy", "")
        self.problems[part] = {"what": what, "remedy": remedy}

    def write(self, stopping: bool = False) -> None:
        self.counters.update(
            hour_keys_made=self.maker.made,
            cameras=self.maker.camera_count,
            opened=self.opener.opened,
            refused=self.opener.refused,
            audit_signed_seq=self.signer.last_seq,
        )
        state = "degraded" if self.problems else "ready" if self.maker.supplied else "starting"
        self.file.write("stopping" if stopping else state, problems=list(self.problems.values()), **self.counters)


async def _work(state: _State, stop: asyncio.Event) -> None:
    state.write()
    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(_make_keys(state, stop), name="hour keys")
            tasks.create_task(_sign_heads(state, stop), name="audit heads")
            tasks.create_task(_say_status(state, stop), name="status")
    except ExceptionGroup as group:
        # What a person must mend is told as itself.
        mine = next((error for error in group.exceptions if isinstance(error, TallenneError)), None)
        raise mine or group from group
    state.write(stopping=True)


async def _make_keys(state: _State, stop: asyncio.Event) -> None:
    while not stop.is_set():
        try:
            await state.maker.run_once(stop)
        except (RetryableError, OSError) as error:
            state.problem("hour keys", error)
        else:
            state.problem("hour keys", None)
        await _pause(stop, KEYS_EVERY_S)


async def _sign_heads(state: _State, stop: asyncio.Event) -> None:
    while not stop.is_set():
        try:
            await state.signer.run_once()
        except (RetryableError, BrokenAuditError, OSError) as error:
            state.problem("audit", error)
        else:
            state.problem("audit", None)
        await _pause(stop, HEADS_EVERY_S)


async def _say_status(state: _State, stop: asyncio.Event) -> None:
    while not stop.is_set():
        found = await state.custody.keyring.problems()
        state.problem("keyring", OSError(" ".join(found)) if found else None)
        state.write()
        await _pause(stop, STATUS_EVERY_S if state.maker.supplied else STATUS_WHILE_STARTING_S)


async def _last_head(signer: HeadSigner) -> None:
    """Sign what was put on record up to the end; what does not work now works at the next start."""
    with contextlib.suppress(RetryableError, BrokenAuditError, OSError, TimeoutError):
        async with asyncio.timeout(2):
            await signer.run_once()


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)
