"""What each role may reach of the file system (runtime/sandbox/role.py): its own directories, none of another's."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from pipeline.config.backups import backup_files, cluster_directory
from pipeline.config.callers import listen_of
from pipeline.config.roles import RoleSettings
from runtime.failpoints import LOG_VARIABLE
from runtime.sandbox.role import RolePolicy

_WITH_WORKERS: Final = ("serve", "ingest")
"""Thumbnails, masking; libav, which a camera may be set to while the role runs. ``live`` has them where it converts."""


def policy_of(role: str, settings: RoleSettings, *, worker: int = 0) -> RolePolicy:
    """role: as `tallenne` names it; worker: of ingest. KeyError for a role that has none."""
    installation = settings.installation
    writes = [settings.run_directory, installation.scratch, *_OWN[role](settings, worker), *_failpoints()]
    return RolePolicy(
        reads=(*_authorities(settings), *_read_by(role, settings)),
        writes=tuple(writes),
        closed=tuple(_closed(settings)),
        workers=role in _WITH_WORKERS or (role == "live" and settings.loaded.config.live.conversions_max > 0),
    )


def _ingest(settings: RoleSettings, worker: int) -> list[Path]:
    recorder = settings.installation.root / "recorder" / settings.recorder_name(worker)
    return [settings.spool_of(worker), recorder]


def _custodian(settings: RoleSettings, _: int) -> list[Path]:
    """Heads of the audit chain and copies of the keyring are replaced beside the old ones."""
    own, resolve = settings.loaded.config.custodian, settings.loaded.resolve
    directory = settings.installation.root / "custodian" if own.directory is None else resolve(own.directory)
    copies = [resolve(path).parent for path in own.keyring_replicas]
    return [directory, settings.audit_heads.parent, settings.own_socket.parent, *copies]


def _serve(settings: RoleSettings, _: int) -> list[Path]:
    return [settings.installation.root / "serve"]


def _notify(settings: RoleSettings, _: int) -> list[Path]:
    return [settings.installation.alarms]


def _backup(settings: RoleSettings, _: int) -> list[Path]:
    """A place that is a directory; what it reads is in ``_backed_up()``."""
    own = settings.loaded.config.backup
    place = None if own is None or own.directory is None else settings.loaded.resolve(own.directory)
    return [settings.installation.root / "backup", *([place] if place is not None else [])]


def _none(_: RoleSettings, __: int) -> list[Path]:
    return []


_OWN: Final = {
    "ingest": _ingest,
    "index": _none,
    "custodian": _custodian,
    "serve": _serve,
    "keeper": _none,
    "live": _none,
    "backup": _backup,
    "notify": _notify,
}


def _closed(settings: RoleSettings) -> Iterable[Path]:
    """Where secrets and footage are, if the program happens to lie around it."""
    config = settings.loaded.config
    yield settings.installation.root
    yield settings.loaded.path
    for path in (config.custodian.directory, config.custodian.audit_heads, config.spool.directory):
        if path is not None:
            yield settings.loaded.resolve(path)


def _authorities(settings: RoleSettings) -> Iterable[Path]:
    """Certificates, which may be renewed: their directories, unless the data lies below."""
    config = settings.loaded.config
    backup = config.backup
    stores = () if backup is None else (backup.store, backup.replica)
    mails = (config.alarms.mail, config.alarms.webhook, config.members and config.members.mail)
    sections = (*stores, config.database, config.store, config.broker, *mails)
    named = [section.tls_ca for section in sections if section is not None]
    named += [camera.tls_ca for site in config.site for camera in site.camera]
    named += [config.serve.certificate, config.serve.key]
    at = config.custodian.at
    named += [] if at is None else [at.tls_ca, at.certificate, at.key]
    for path in (settings.loaded.resolve(path) for path in named if path is not None):
        around = path.parent
        below = any(each.is_relative_to(around.resolve()) for each in map(Path.resolve, _closed(settings)))
        yield path if below else around


def _read_by(role: str, settings: RoleSettings) -> Iterable[Path]:
    readers = {"serve": _served, "backup": _backed_up, "custodian": _listened}
    return readers[role](settings) if role in readers else ()


def _listened(settings: RoleSettings) -> Iterable[Path]:
    """Read once, at the start."""
    files = None if (listen := listen_of(settings.loaded)) is None else listen.files
    return () if files is None else (files.ca, files.certificate, files.key)


def _backed_up(settings: RoleSettings) -> Iterable[Path]:
    """The database's files, and the small ones by name: not the custodian's directory, where the keyring is."""
    return [cluster_directory(settings), *(path for _, path in backup_files(settings))]


def _served(settings: RoleSettings) -> Iterable[Path]:
    """The directory of the certificate that is served: one that was renewed is another file, and is taken without a
    restart. Where it lies around the data, `serve` reads what its user can.
    """
    own = settings.loaded.config.serve
    named = {settings.loaded.resolve(path).parent for path in (own.certificate, own.key) if path is not None}
    return {*named, settings.installation.papers}


def _failpoints() -> list[Path]:
    log = os.environ.get(LOG_VARIABLE, "")
    return [Path(log).parent] if log else []
