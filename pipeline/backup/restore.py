"""`tallenne restore`: a whole installation in an empty directory, from a backup, the bucket and a copy of the keyring.

First the files: the database as it was, configuration, secrets. Then, with services and custodian running and no
other role, what the bucket knows to have happened since: erasures, holds, restrictions and expiries are done again,
footage that was stored later gets its rows. Until then a marker keeps every other role from starting. Killed in the
first part it begins anew, in the second it goes on.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import time
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import asyncpg

from custodian.audit.heads import HeadBucket, HeadFile
from custodian.audit.resume import resume
from custodian.client import CustodianClient
from custodian.keys.custody import open_custody
from pipeline.config.backups import CONFIG, DATA, OUTSIDE
from pipeline.config.load import Loaded, load
from pipeline.config.roles import RoleSettings
from pipeline.embedded.postgres import MAJOR
from pipeline.errors import SetupError
from pipeline.installation import Installation
from pipeline.services import Services, prepare_database
from pipeline.supervise.ready import wait_ready
from pipeline.supervise.role_process import RoleProcess
from pipeline.supervise.tell import Tell
from runtime import sql
from runtime.database import open_pool, wrapped_errors
from runtime.failpoints import hit
from runtime.private_files import private_directory, sync_directory, write_private
from storage.backup import BackupDamagedError, BackupPlace, RecoveryKey
from storage.keys import FileKeyring
from storage.sealed import OBJECT_PREFIX
from storage.store import ObjectStore, open_store
from upkeep.backup.parts import Base
from upkeep.backup.reader import Opened, Progress, SetReader, choose, furthest, key_of
from upkeep.rebuild import RebuildReport, rebuild

_FILES, _REPLAY = "files", "replay"
_READY_S: Final = 60.0
_KEYRING, _LOCK = "keyring", "lock"


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreOptions:
    """What the operator asks for."""

    data: Path  # empty, or of a restoration that was not finished
    config_to: Path  # where configuration and what it names go
    config: Path | None = None  # take this one instead
    keyring: Path | None = None  # a copy of it; None: there is one where the configuration says
    set_id: str = ""
    without_footage: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Restoration:
    """What came of it."""

    set_id: str
    at_ns: int  # everything committed before is there
    config: Path
    rebuilt: RebuildReport
    seconds: float


@dataclass(slots=True, kw_only=True)
class _Marker:
    """The file ``restoring``."""

    stage: str
    set_id: str = ""
    at_ns: int = 0
    config: str = ""

    def write(self, installation: Installation) -> None:
        write_private(installation.restoring_file, json.dumps({key: getattr(self, key) for key in _FIELDS}).encode())


_FIELDS: Final = ("stage", "set_id", "at_ns", "config")


async def restore(
    place: BackupPlace, key: RecoveryKey, options: RestoreOptions, tell: Tell, progress: Progress
) -> Restoration:
    """Errors of the place, of the key and of the backup; SetupError when the target is not empty."""
    began_s, installation = time.monotonic(), Installation(options.data.absolute())
    marker = _begun(installation)
    private_directory(installation.root)
    lock = installation.lock()
    try:
        if marker is None or marker.stage == _FILES:
            if options.keyring is not None:
                FileKeyring.load([options.keyring])  # KeyFileError, PrivateFileError: before it takes minutes
            _clear(installation)
            marker = _Marker(stage=_FILES)
            marker.write(installation)
            await _files(place, key, options, installation, marker, progress)
        config = options.config or Path(marker.config)
        tell.line(f"The files of set {marker.set_id} are in place; now what the bucket knows of since.")
        rebuilt = await _replay(load(config), installation, options, tell)
        hit("restore.replayed")
        installation.restoring_file.unlink()
        sync_directory(installation.root)
    finally:
        lock.release()
    return Restoration(
        set_id=marker.set_id, at_ns=marker.at_ns, config=config, rebuilt=rebuilt, seconds=time.monotonic() - began_s
    )


def _begun(installation: Installation) -> _Marker | None:
    """The restoration that was not finished here. SetupError: the directory holds something else."""
    if not installation.root.exists() or {path.name for path in installation.root.iterdir()} <= {_LOCK}:
        return None
    try:
        return _Marker(**json.loads(installation.restoring_file.read_text()))
    except FileNotFoundError:
        raise SetupError(
            f"{installation.root} is not empty.", "Name an empty directory with --data, or move this one away."
        ) from None
    except (ValueError, TypeError):
        return _Marker(stage=_FILES)


def _clear(installation: Installation) -> None:
    """What a killed attempt left; the marker stays until there is a new one."""
    for path in installation.root.iterdir():
        if path in (installation.restoring_file, installation.root / _LOCK):
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


async def _files(
    place: BackupPlace,
    key: RecoveryKey,
    options: RestoreOptions,
    installation: Installation,
    marker: _Marker,
    progress: Progress,
) -> None:
    listing = await (choose(place, options.set_id) if options.set_id else furthest(place, key))
    set_key = await key_of(place, listing.set_id, key)
    cluster = private_directory(private_directory(installation.root / "postgres") / "cluster")
    opened = await SetReader(place, listing, set_key).open(cluster, progress, check=_check_version)
    if not opened.base.major:
        cluster.rmdir()
    hit("restore.database")
    opened.tree.write(DATA, installation.root)
    private_directory(options.config_to)
    opened.tree.write(CONFIG, options.config_to)
    opened.tree.write(OUTSIDE, private_directory(options.config_to / OUTSIDE))
    marker.config = str(options.config or _configuration(opened, options.config_to))
    marker.set_id, marker.at_ns = listing.set_id, opened.at_ns
    await asyncio.to_thread(os.sync)  # thousands of files: once for all
    hit("restore.files")
    marker.stage = _REPLAY
    marker.write(installation)


def _check_version(base: Base) -> None:
    if base.major not in (0, int(MAJOR)):
        raise SetupError(
            f"The backup's database is of PostgreSQL {base.major}; this version brings {MAJOR}.",
            "Restore it with the version of Tallenne that made it.",
        )


def _configuration(opened: Opened, where: Path) -> Path:
    found = [name for name in opened.tree.files if name.startswith(f"{CONFIG}/") and name.endswith(".toml")]
    tops = [name for name in found if name.count("/") == 1]
    if not tops:
        raise BackupDamagedError("The backup holds no configuration.", "Name one with --config.")
    return where / tops[0].removeprefix(f"{CONFIG}/")


async def _replay(loaded: Loaded, installation: Installation, options: RestoreOptions, tell: Tell) -> RebuildReport:
    installation.prepare()
    _bring_keyring(loaded, installation, options.keyring)
    services = Services()
    try:
        await services.start(loaded, installation, tell.line)
        installation.write_endpoints(services.endpoints)
        settings = RoleSettings(loaded=loaded, installation=installation, endpoints=services.endpoints)
        await prepare_database(settings, installation, time.time_ns())
        async with (
            open_pool(settings.database("owner"), application_name="restore", statement_timeout_s=600) as pool,
            open_store(settings.store()) as store,
        ):
            if not options.without_footage:
                await _require_footage(pool, store, installation)
            with wrapped_errors():  # before the custodian looks: the database does not know what the journal does
                await pool.execute(sql.load("upkeep.inspection", "pause_retention"), time.time_ns())
            await _resume_audit(settings, pool, store, tell)
            async with _custodian(settings, tell):
                return await rebuild(pool, store, CustodianClient(settings.custodian_socket), grace_ns=0)
    finally:
        await asyncio.to_thread(services.close)


def _bring_keyring(loaded: Loaded, installation: Installation, copy: Path | None) -> None:
    own = loaded.config.custodian
    directory = installation.root / "custodian" if own.directory is None else loaded.resolve(own.directory)
    places = [directory / _KEYRING, *(loaded.resolve(path) for path in own.keyring_replicas)]
    if copy is not None and not places[0].exists():
        FileKeyring.load([copy])  # it may be another one than at the first attempt
        private_directory(directory)
        write_private(places[0], copy.read_bytes())
    if not any(path.exists() for path in places):
        raise SetupError(
            f"There is no keyring at {', '.join(map(str, places))}: no backup holds it; without it no footage opens.",
            "Name a copy of it with --keyring FILE and run this again.",
        )


async def _resume_audit(settings: RoleSettings, pool: asyncpg.Pool, store: ObjectStore, tell: Tell) -> None:
    """The bucket has signed heads of entries that the backup does not hold any more."""
    own = settings.custodian()
    heads = [head for place in (HeadFile(settings.audit_heads), HeadBucket(store)) for head in await place.read()]
    with open_custody(own.directory, own.keyring_replicas) as custody:
        async with pool.acquire() as conn:
            lost = await resume(conn, heads, custody.signing, now_ns=time.time_ns())
    if lost:
        tell.line(f"{lost} audit entries of after the backup are lost; the chain says so and goes on behind them.")


@asynccontextmanager
async def _custodian(settings: RoleSettings, tell: Tell) -> AsyncIterator[None]:
    installation = settings.installation
    place = ["--config", str(settings.loaded.path), "--data", str(installation.root)]
    log = installation.logs / "custodian.log"
    process = RoleProcess("custodian", ["custodian", *place], log, installation.scratch, tell)
    task = asyncio.create_task(process.run(), name="custodian")
    try:
        process.let_go()
        await wait_ready(settings.run_directory, [process], timeout_s=_READY_S)
        yield
    finally:
        await process.stop()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _require_footage(pool: asyncpg.Pool, store: ObjectStore, installation: Installation) -> None:
    """SetupError: the catalogue knows footage, and the bucket has none: it is another bucket."""
    with wrapped_errors():
        known = await pool.fetchval(sql.load("upkeep.backup", "any_live"))
    if not known:
        return
    async with aclosing(store.list(OBJECT_PREFIX)) as infos:
        found = await anext(infos, None)
    if found is None:
        raise SetupError(
            "The bucket holds no footage, and the backup's catalogue does.",
            f"Name the right bucket in the configuration, the replica for one; or put the old embedded store into"
            f" {installation.root / 'store'}; or give the footage up with --without-footage. Then run this again.",
        )
