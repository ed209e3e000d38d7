"""What is backed up, where to, and what is left out: the keyring always, and what can be had again.

Left out: spool and bucket (footage has a replica of its own), logs, status files, the broker's queue, the keyring and
its replicas. The database's files are copied by themselves, with its log.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from pydantic import BaseModel

from domain.time import NS
from pipeline.config.check import configured_store
from pipeline.config.load import Loaded
from pipeline.config.model import Secret
from pipeline.config.roles import RoleSettings
from pipeline.embedded.accounts import KEEPER
from pipeline.errors import SetupError
from upkeep.backup.settings import BackupPeriods, BackupPlaceSettings, BackupSettings, BackupSource

CONFIG, DATA, OUTSIDE = "config", "data", "outside"
"""Where a file of a backup belongs: beside the configuration, in the data directory, at an absolute path."""
_OF_DATA: Final = (
    "version",
    "identity",
    "secrets",
    "recorder",
    "serve",
    "audit-heads",
    "demo",
    "backup/keys",
    "papers",
)
_OF_SERVICES: Final = ("postgres", "broker", "store")
_OF_CUSTODIAN: Final = "custodian-keys"  # its signing key; the keyring beside it is never read
_NAMES_NO_FILES: Final = ("custodian",)


def backup_settings(settings: RoleSettings) -> BackupSettings:
    """SetupError: the configuration has no section for backups, or a secret is missing."""
    loaded = settings.loaded
    own = loaded.config.backup
    if own is None:
        raise SetupError(
            f"{loaded.path} has no place for backups.", "Add [backup]: `tallenne config example` shows how."
        )
    footage = None if own.replica is None else settings.store(KEEPER)
    return BackupSettings(
        source=backup_source(settings),
        place=BackupPlaceSettings(
            directory=None if own.directory is None else loaded.resolve(own.directory),
            store=None if own.store is None else configured_store(own.store, loaded.resolve),
        ),
        directory=settings.installation.root / "backup",
        run_directory=settings.run_directory,
        periods=BackupPeriods(every_s=own.every_s, base_h=own.base_h, keep_d=own.keep_d, drill_d=own.drill_d),
        footage=footage,
        replica=None if own.replica is None else configured_store(own.replica, loaded.resolve),
        retention_ns={one.camera_id: one.retention_s * NS for one in settings.inventory().cameras},
    )


def backup_source(settings: RoleSettings) -> BackupSource:
    """The database is ours to copy only where we started it."""
    embedded = settings.loaded.config.database is None
    return BackupSource(
        database=settings.database("owner") if embedded else None,
        cluster=cluster_directory(settings),
        files=dict(backup_files(settings)),
    )


def cluster_directory(settings: RoleSettings) -> Path:
    """The embedded database's files."""
    return settings.installation.root / "postgres" / "cluster"


def backup_files(settings: RoleSettings) -> Iterator[tuple[str, Path]]:
    """The small files and directories, by their name in the backup."""
    loaded, root = settings.loaded, settings.installation.root
    for name in _OF_DATA:
        yield f"{DATA}/{name}", root / name
    for service in _OF_SERVICES:
        for path in sorted((root / service).glob("*.secret")):
            yield f"{DATA}/{service}/{path.name}", path
    own = loaded.config.custodian.directory
    directory = root / "custodian" if own is None else loaded.resolve(own)
    yield _name(directory / _OF_CUSTODIAN, loaded, root), directory / _OF_CUSTODIAN
    yield _name(settings.audit_heads, loaded, root), settings.audit_heads
    yield f"{CONFIG}/{loaded.path.name}", loaded.path
    for named in _named_files(loaded.config):
        path = loaded.resolve(named)
        if path.is_file():
            yield _name(path, loaded, root), path


def _named_files(part: BaseModel) -> Iterator[Path]:
    """Secrets, certificates and authorities that the configuration names; nothing of the custodian's."""
    for key in type(part).model_fields:
        value = getattr(part, key)
        for item in value if isinstance(value, tuple) else (value,):
            if isinstance(item, Secret) and item.file is not None:
                yield item.file
            elif isinstance(item, Path):
                yield item
            elif isinstance(item, BaseModel) and key not in _NAMES_NO_FILES:
                yield from _named_files(item)


def _name(path: Path, loaded: Loaded, root: Path) -> str:
    for prefix, around in ((DATA, root), (CONFIG, loaded.path.parent)):
        if path.is_relative_to(around):
            return f"{prefix}/{path.relative_to(around)}"
    return f"{OUTSIDE}/{str(path.absolute()).lstrip('/')}"
