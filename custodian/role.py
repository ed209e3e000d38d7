"""The custodian as a process: opens its secrets, serves its socket, keeps making hour keys, signs the audit chain."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

from custodian.audit.log import HeadSigner
from custodian.errors import BrokenAuditError
from custodian.harden import forbid_dumps
from custodian.keys.custody import open_custody
from custodian.keys.hour_keys import HourKeyMaker
from custodian.keys.past_keys import PastKeys
from custodian.opening import Opener
from custodian.operations import Operations, allowed
from custodian.server import Server
from domain.errors import RetryableError
from runtime.database import READY_CONNECTIONS, open_pool
from runtime.problems import Problems
from runtime.settings import CustodianSettings
from runtime.status import StatusFile
from runtime.supervise import EXPECTED, supervised
from storage.keys import KeyFileError, Keyring

_log = logging.getLogger(__name__)

KEYS_EVERY_S: Final = 2.0
HEADS_EVERY_S: Final = 30.0
KEYRING_EVERY_S: Final = 2.0
GRACE_S: Final = 10.0
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
            state = _State(StatusFile(settings.run_directory, "custodian"), maker, signer, opener)
            past_keys = PastKeys(pool, maker, clock_ns=time.time_ns)
            operations = Operations(custody, pool, opener, past_keys, state.counters)
            server = Server(operations.table(), allowed(settings))
            async with server.listening(settings.socket):
                await _work(state, custody.keyring, stop)
            await _last_head(signer)
            state.file.remove()


class _State:
    """The role's parts and their state, for the status file."""

    def __init__(self, file: StatusFile, maker: HourKeyMaker, signer: HeadSigner, opener: Opener) -> None:
        self.file, self.maker, self.signer, self._opener = file, maker, signer, opener
        self.problems = Problems()
        self.counters: dict[str, Any] = {}

    def period_s(self) -> float:
        return self.file.period_s if self.maker.supplied else STATUS_WHILE_STARTING_S

    async def write(self) -> None:
        problems = self.problems.present()
        self._write("degraded" if problems else "ready" if self.maker.supplied else "starting", problems)

    def stopping(self) -> None:
        self._write("stopping", self.problems.present())

    def _write(self, state: str, problems: Sequence[Mapping[str, Any]]) -> None:
        self.counters.update(
            hour_keys_made=self.maker.made,
            cameras=self.maker.camera_count,
            opened=self._opener.opened,
            refused=self._opener.refused,
            audit_signed_seq=self.signer.last_seq,
        )
        self.file.write(state, problems=problems, **self.counters)


async def _work(state: _State, keyring: Keyring, stop: asyncio.Event) -> None:
    async def check_keyring() -> None:
        found = await keyring.problems()
        state.problems.set("keyring", KeyFileError(" ".join(found)) if found else None)

    async with supervised(state.problems, grace_s=GRACE_S) as tasks:
        tasks.every(state.period_s, "status", state.write)
        tasks.every(KEYS_EVERY_S, "hour keys", lambda: state.maker.run_once(stop), drain=True)
        tasks.every(HEADS_EVERY_S, "audit", state.signer.run_once, expected=(*EXPECTED, BrokenAuditError), drain=True)
        tasks.every(KEYRING_EVERY_S, "copies of the keyring", check_keyring)
        await stop.wait()
    state.stopping()


async def _last_head(signer: HeadSigner) -> None:
    """Sign what was put on record up to the end; what does not work now works at the next start."""
    with contextlib.suppress(RetryableError, BrokenAuditError, OSError, TimeoutError):
        async with asyncio.timeout(2):
            await signer.run_once()
